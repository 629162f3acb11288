#include "service/http_server.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "http_client.h"
#include "kindred/core/error.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::service;
using namespace kindred::test;

namespace {

/// Says what it was asked.
class EchoHandler final : public HttpHandler {
 public:
  HttpResponse handle(const HttpRequest& request) override {
    if (request.path == "/throws") throw Error("from a handler");
    if (request.path == "/waits") {
      ++waiting;
      while (!go_on) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::string query;
    for (const auto& [name, value] : request.query) query += name + "=" + value + ";";
    return {200,
            "text/plain",
            request.method + "|" + request.path + "|" + query + "|" + request.content_type + "|" +
                std::string(request.body.begin(), request.body.end()),
            {{"Cache-Control", "no-store"}}};
  }
  bool takes_body(const std::string& path) const override { return path == "/take"; }
  void refused(const std::string& reason) override {
    const std::lock_guard lock(mutex);
    reasons.insert(reason);
  }
  bool has_refused(const std::string& reason) {
    const std::lock_guard lock(mutex);
    return reasons.count(reason) > 0;
  }

  std::atomic<int> waiting = 0;
  std::atomic<bool> go_on = false;
  std::mutex mutex;
  std::set<std::string> reasons;
};

/// A server for a test.
class Served {
 public:
  explicit Served(HttpServerOptions options = {}) {
    options.port = 0;
    options.body_bytes = 1000;
    server = std::make_unique<HttpServer>(std::move(options));
    thread = std::thread([this] { server->run(handler, stop); });
  }
  ~Served() { end(); }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  void end() {
    stop = true;
    if (thread.joinable()) thread.join();
  }
  [[nodiscard]] int port() const { return server->port(); }

  EchoHandler handler;
  std::unique_ptr<HttpServer> server;
  std::atomic<bool> stop = false;
  std::thread thread;
};

bool built_without_http() {
  if (message_of<Error>([] { require_http(); }).empty()) return false;
  MESSAGE("left out: built without cpp-httplib");
  return true;
}

}  // namespace

TEST_CASE("the service answers to addresses, localhost and the names that it was given") {
  const std::vector<std::string> names{"search.example"};
  for (const std::string host :
       {"localhost", "localhost:8080", "LOCALHOST", "127.0.0.1", "127.0.0.1:80", "10.1.2.3:99", "[::1]",
        "[::1]:8080", "search.example", "Search.Example:8080"}) {
    CHECK_MESSAGE(is_own_host(host, names), host);
  }
  for (const std::string host :
       {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:8080",
        "localhost:80x", "[::1", "::1", "127.0.0.1@evil.example", "search.example.", "1.2.3"}) {
    CHECK_MESSAGE(!is_own_host(host, names), host);
  }
}

TEST_CASE("requests reach the handler decoded, and its answer the client") {
  if (built_without_http()) return;
  Served served;
  const auto port = served.port();
  auto answer = http(port, "GET", "/a%20b?x=1&y=%C3%A4%26&x=2");
  CHECK(answer.status == 200);
  CHECK(answer.body == "GET|/a b|x=1;x=2;y=\xC3\xA4&;||");
  CHECK(answer.head.find("Cache-Control: no-store\r\n") != std::string::npos);
  // A name ends at the first '=', and a parameter at '&' alone.
  CHECK(http(port, "GET", "/a?id=a=b.jpg&&y&=z&p=%&q=%zz+1%2B;r=2#part").body ==
        "GET|/a|=z;id=a=b.jpg;p=%;q=%zz 1+;r=2;y=;||");
  for (const std::string header : {"X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer",
                                   "Cross-Origin-Resource-Policy: same-origin", "X-Frame-Options: DENY"}) {
    CHECK_MESSAGE(answer.head.find(header + "\r\n") != std::string::npos, header);
  }
  CHECK(answer.head.find("Access-Control-") == std::string::npos);
  answer = http(port, "HEAD", "/a");
  CHECK(answer.status == 200);
  CHECK(answer.body.empty());
  CHECK(answer.head.find("Content-Length: 9\r\n") != std::string::npos);
  answer = http(port, "POST", "/take?x=1", "Content-Type: image/png\r\n", "body");
  CHECK(answer.status == 200);
  CHECK(answer.body == "POST|/take|x=1;|image/png|body");
  answer = http(port, "POST", "/take", "Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n",
                "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  CHECK(answer.body == "POST|/take||a/b|abcde");
  // What is not taken is not read.
  answer = http(port, "POST", "/other", "Content-Type: image/png\r\n", std::string(500, 'x'));
  CHECK(answer.body == "POST|/other|||");
}

TEST_CASE("other names, other origins and other methods are refused") {
  if (built_without_http()) return;
  Served served;
  const auto port = served.port();
  const auto own = "localhost:" + std::to_string(port);
  CHECK(http(port, "GET", "/", "Host: evil.example\r\n").status == 403);
  CHECK(served.handler.has_refused("host"));
  CHECK(http(port, "GET", "/", "Host: localhost\r\nHost: evil.example\r\n").status == 403);
  CHECK(http(port, "POST", "/take", "Host: " + own + "\r\nOrigin: http://evil.example\r\n", "x").status ==
        403);
  CHECK(served.handler.has_refused("origin"));
  CHECK(http(port, "POST", "/take", "Host: " + own + "\r\nOrigin: null\r\n", "x").status == 403);
  CHECK(http(port, "GET", "/api", "Sec-Fetch-Site: cross-site\r\n").status == 403);
  CHECK(http(port, "GET", "/api", "Sec-Fetch-Site: same-site\r\n").status == 403);  // another port
  CHECK(http(port, "GET", "/api", "Sec-Fetch-Site: same-origin\r\n").status == 200);
  CHECK(http(port, "GET", "/", "Sec-Fetch-Site: cross-site\r\n").status == 200);  // a link to the page
  CHECK(http(port, "POST", "/take", "Host: " + own + "\r\nOrigin: http://" + own + "\r\n", "x").status ==
        200);
  for (const std::string method : {"PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"}) {
    const auto answer = http(port, method, "/take");
    CHECK_MESSAGE(answer.status == (method == "TRACE" || method == "CONNECT" ? answer.status : 405), method);
    CHECK_MESSAGE(answer.status >= 400, method);
  }
  const HttpConnection without(port);
  without.send("GET / HTTP/1.1\r\n\r\n");
  CHECK(without.receive().status == 403);
}

TEST_CASE("bodies that are too large are refused with an answer, however they are sent") {
  if (built_without_http()) return;
  Served served;
  const auto port = served.port();
  const std::string most(1000, 'x');
  CHECK(http(port, "POST", "/take", "", most).body.size() == 1000 + std::string("POST|/take|||").size());
  auto answer = http(port, "POST", "/take", "", most + "x");
  CHECK(answer.status == 413);
  CHECK(answer.body.find("larger than 1000 bytes") != std::string::npos);
  CHECK(served.handler.has_refused("too_large"));
  CHECK(http(port, "POST", "/take", "", std::string(20'000'000, 'x')).status == 413);
  CHECK(http(port, "POST", "/take", "Transfer-Encoding: chunked\r\n", "3e9\r\n" + most + "x\r\n0\r\n\r\n")
            .status == 413);
  CHECK(http(port, "POST", "/take", "Content-Length: 99999999999999999999\r\n", "x").status == 400);
  CHECK(http(port, "POST", "/take", "Content-Length: -1\r\n", "x").status == 400);
  CHECK(http(port, "POST", "/take", "Expect: 100-continue\r\nContent-Length: 2000\r\n").status == 413);
  CHECK(http(port, "GET", "/").status == 200);
}

TEST_CASE("broken requests end the connection, not the service") {
  if (built_without_http()) return;
  Served served;
  const auto port = served.port();
  const auto status = [&](const std::string& bytes) {
    const HttpConnection connection(port);
    connection.send(bytes);
    connection.end_sending();
    return connection.receive().status;
  };
  CHECK(status("") == 0);
  CHECK(status("\r\n\r\n") == 400);
  CHECK(status("GET\r\n\r\n") == 400);
  CHECK(status("GET / HTTP/9.9\r\nHost: localhost\r\n\r\n") == 400);
  CHECK(status(std::string(5000, 'A')) == 0);
  CHECK(status("GET /" + std::string(5000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n") == 431);
  CHECK(status("GET / HTTP/1.1\r\nX: " + std::string(20000, 'a') + "\r\n\r\n") == 431);
  CHECK(status(std::string("\0\1\2\xff\xfe\r\n\r\n", 9)) == 400);
  // More of a thing than anybody needs: not handed on.
  std::string ranges = "Range: bytes=0-1";
  while (ranges.size() < 9000) ranges += ",0-1";
  CHECK(http(port, "GET", "/", ranges + "\r\n").status == 200);
  std::string many;
  for (int i = 0; i < 1500; ++i) many += "X: y\r\n";
  CHECK(http(port, "GET", "/", many).status == 200);
  CHECK(http(port, "GET", "/%00%2e%2e%2f%ff").status == 200);
  CHECK(http(port, "GET", "/%").status == 200);
  CHECK(http(port, "POST", "/take", "Transfer-Encoding: chunked\r\n", "zz\r\n").status == 400);
  CHECK(http(port, "POST", "/take", "Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\nab").status >=
        400);
  CHECK(http(port, "POST", "/take", "Content-Encoding: gzip\r\n", "abc").body == "POST|/take|||abc");
  CHECK(http(port, "GET", "/throws").status == 500);
  // Without a length there is no body, and nothing to wait for.
  const HttpConnection without_length(port);
  without_length.send("POST /take HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(without_length.receive().status == 200);
  // Bodies that stop, or never come.
  CHECK(status("POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc") == 400);
  CHECK(served.handler.has_refused("incomplete"));
  CHECK(http(port, "GET", "/").status == 200);
}

TEST_CASE("slow clients are cut off, and others are served meanwhile") {
  if (built_without_http()) return;
  Served served({.connections = 5,
                 .head_time = std::chrono::milliseconds(300),
                 .time = std::chrono::milliseconds(600)});
  const auto port = served.port();
  const HttpConnection silent(port);
  const HttpConnection slow(port);
  const HttpConnection slow_body(port);
  slow_body.send("POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n");
  // As curl uploads large files.
  const HttpConnection told_to_go_on(port);
  told_to_go_on.send(
      "POST /take HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 900\r\n\r\n");
  std::thread drops([&] {
    for (int i = 0; i < 15; ++i) {
      slow.send(i == 0 ? "GET / HTTP/1.1\r\n" : "X");
      slow_body.send("x");
      told_to_go_on.send("x");
      std::this_thread::sleep_for(std::chrono::milliseconds(60));
    }
  });
  CHECK(http(port, "GET", "/").status == 200);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(silent.receive().status == 0);
  CHECK(slow.receive().status == 408);
  CHECK(slow_body.receive().status == 408);
  const auto interim = told_to_go_on.receive();
  CHECK(interim.status == 100);
  CHECK(interim.body.starts_with("HTTP/1.1 408 "));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(8));
  drops.join();
  CHECK(served.handler.has_refused("slow"));
}

TEST_CASE("requests beyond those that may wait are refused at once, and later ones are served") {
  if (built_without_http()) return;
  Served served({.connections = 2, .waiting = 2});
  const auto port = served.port();
  std::vector<std::future<HttpAnswer>> answers;
  const auto ask = [&] {
    answers.push_back(std::async(std::launch::async, [=] { return http(port, "GET", "/waits"); }));
  };
  for (int i = 0; i < 2; ++i) ask();
  while (served.handler.waiting < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  for (int i = 0; i < 10; ++i) ask();
  const auto answered = [&] {
    return std::count_if(answers.begin(), answers.end(), [](const auto& answer) {
      return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    });
  };
  while (answered() < 8) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(served.handler.has_refused("busy"));
  served.handler.go_on = true;
  std::map<int, int> statuses;
  for (auto& answer : answers) ++statuses[answer.get().status];
  CHECK(statuses == std::map<int, int>{{200, 4}, {503, 8}});
  CHECK(http(port, "GET", "/").status == 200);
}

TEST_CASE("a service that is stopped answers what has arrived and takes no more") {
  if (built_without_http()) return;
  Served served;
  const auto port = served.port();
  const HttpConnection idle(port);
  auto answer = std::async(std::launch::async, [=] { return http(port, "GET", "/waits"); });
  while (served.handler.waiting == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  served.stop = true;
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  served.handler.go_on = true;
  const auto begin = std::chrono::steady_clock::now();
  served.end();
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(3));
  CHECK(answer.get().status == 200);
  CHECK(!HttpConnection(port).connected());
}

TEST_CASE("a server has its port from the beginning, and answers from when it knows how") {
  if (built_without_http()) return;
  HttpServer server({.port = 0});
  CHECK(!message_of<Error>([&] { const HttpServer second({.port = server.port()}); }).empty());
  auto answer = std::async(std::launch::async, [&] { return http(server.port(), "GET", "/early"); });
  CHECK(answer.wait_for(std::chrono::milliseconds(100)) == std::future_status::timeout);
  EchoHandler handler;
  std::atomic<bool> stop = false;
  std::thread thread([&] { server.run(handler, stop); });
  const auto answered = answer.get();
  stop = true;
  thread.join();
  CHECK(answered.status == 200);
  CHECK(answered.body == "GET|/early|||");
}

TEST_CASE("the port of a server that never ran is free again") {
  if (built_without_http()) return;
  int port = 0;
  {
    const HttpServer server({.port = 0});
    port = server.port();
  }
  CHECK(message_of<Error>([&] { const HttpServer server({.port = port}); }).empty());
}

TEST_CASE("a name that no request can have is refused") {
  if (built_without_http()) return;
  for (const std::string name : {"http://search.example", "search.example:8080", "a/b", "", "*"}) {
    CAPTURE(name);
    const auto message = message_of<Error>([&] {
      const HttpServer server({.port = 0, .allowed_hosts = {"good.example", name}});
    });
    CHECK(message.find("--allow-host '" + name + "' is not the name of a host") != std::string::npos);
  }
}

TEST_CASE("an address that cannot be listened at is an error that says what to do") {
  if (built_without_http()) return;
  Served served;
  const auto taken = [&](const HttpServerOptions& options) {
    return message_of<Error>([&] { const HttpServer server(options); });
  };
  CHECK(taken({.host = "203.0.113.1", .port = 8080})
            .find("serve: error: cannot listen at 203.0.113.1, port 8080: ") == 0);
  CHECK(taken({.port = served.port()}).find("the port is in use") != std::string::npos);
}
