#include "service/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>

#include "kindred/core/error.h"

#ifdef KINDRED_HTTPLIB
#include <httplib.h>
#endif

namespace kindred::service {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

bool is_address(const std::string& host) {
  in6_addr buffer{};
  return ::inet_pton(AF_INET, host.c_str(), &buffer) == 1 ||
         (host.size() > 2 && host.front() == '[' && host.back() == ']' &&
          ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &buffer) == 1);
}

}  // namespace

bool is_own_host(const std::string& host, const std::vector<std::string>& names) {
  std::string name = lower(host);
  if (const auto colon = name.rfind(':'); colon != std::string::npos && name.back() != ']') {
    const auto port = name.substr(colon + 1);
    if (!std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; })) return false;
    name.erase(colon);
  }
  // An address is no name that somebody else could point here.
  return name == "localhost" || is_address(name) ||
         std::any_of(names.begin(), names.end(), [&](const auto& allowed) { return lower(allowed) == name; });
}

#ifndef KINDRED_HTTPLIB

class HttpServer::Server {};

void require_http() {
  throw Error(
      "serve: error: this Kindred was built without cpp-httplib, so it cannot serve; install "
      "libcpp-httplib-dev and build "
      "it again");
}

HttpServer::HttpServer(HttpServerOptions) {
  require_http();
}
HttpServer::~HttpServer() = default;
int HttpServer::port() const {
  return 0;
}
void HttpServer::run(HttpHandler&, const std::atomic<bool>&) {}

#else

namespace {

using Clock = std::chrono::steady_clock;

void require_host_name(const std::string& name) {
  const bool good = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c >= 0x80;
  });
  if (good) return;
  throw Error("serve: error: --allow-host '" + name +
              "' is not the name of a host; give the name alone, without http:// and port, as in "
              "search.example.org");
}

constexpr std::size_t largest_head = 16384;
constexpr std::size_t longest_target = 4096;
/// What is read of a body that will not be looked at, so that its sender gets to the answer.
constexpr std::size_t most_drained = 256 << 20;
constexpr std::chrono::milliseconds drain_time{2000};
/// How often a wait looks whether the service is to end.
constexpr std::chrono::milliseconds tick{100};

/// The headers that requests may have; others are not handed on. So what the library would do with Range,
/// Content-Encoding or a thousand headers does not matter.
constexpr std::string_view known_headers[] = {
    "host", "content-type", "content-length", "expect", "transfer-encoding", "origin", "sec-fetch-site"};

/// Without the escapes of a URL's parameters; what is no escape stays.
std::string unescaped(std::string_view text) {
  const auto digit = [](char c) {
    constexpr std::string_view digits = "0123456789abcdef";
    return digits.find(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  };
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() &&
                        digit(text[i + 1]) != std::string_view::npos &&
                        digit(text[i + 2]) != std::string_view::npos;
    result += escape           ? static_cast<char>(16 * digit(text[i + 1]) + digit(text[i + 2]))
              : text[i] == '+' ? ' '
                               : text[i];
    if (escape) i += 2;
  }
  return result;
}

/// A name ends at the first '=': the library takes what is behind the last one for the value.
std::multimap<std::string, std::string> parameters_of(std::string_view target) {
  std::multimap<std::string, std::string> parameters;
  target = target.substr(0, target.find('#'));
  const auto begin = target.find('?');
  auto rest = begin == std::string_view::npos ? std::string_view() : target.substr(begin + 1);
  while (!rest.empty()) {
    const auto parameter = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), parameter.size() + 1));
    if (parameter.empty()) continue;
    const auto equals = parameter.find('=');
    parameters.emplace(unescaped(parameter.substr(0, equals)),
                       equals == std::string_view::npos ? "" : unescaped(parameter.substr(equals + 1)));
  }
  return parameters;
}

constexpr const char* slow_text = "the request came too slowly";

/// Set while a task is carried out for which there is no room.
thread_local bool no_room = false;
/// Set when the request that is being answered did not arrive in its time.
thread_local bool too_late = false;

/// As many tasks at once as there are threads, and some that wait.
class Workers final : public httplib::TaskQueue {
 public:
  Workers(int threads, int waiting) : waiting_(static_cast<std::size_t>(waiting)) {
    threads_.reserve(static_cast<std::size_t>(threads));
    try {
      for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    } catch (const std::exception& error) {
      end();
      throw Error("serve: error: the system starts " + std::to_string(threads_.size()) + " of " +
                  std::to_string(threads) + " threads for requests: " + error.what() +
                  "; answer fewer at once (--max-requests), or raise the limit of this user or container "
                  "(ulimit -u, pids.max)");
    }
  }

  void enqueue(std::function<void()> task) override {
    {
      const std::lock_guard lock(mutex_);
      if (idle_ > tasks_.size() || tasks_.size() < waiting_) {
        tasks_.push_back(std::move(task));
        arrived_.notify_one();
        return;
      }
    }
    no_room = true;
    task();
    no_room = false;
  }

  void shutdown() override { end(); }

 private:
  void end() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    arrived_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      arrived_.wait(lock, [&] { return ending_ || !tasks_.empty(); });
      --idle_;
      if (tasks_.empty()) return;
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  std::size_t waiting_;
  std::size_t idle_ = 0;
  bool ending_ = false;
  std::deque<std::function<void()>> tasks_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::thread> threads_;
};

/// A connection until its deadline.
class Connection final : public httplib::Stream {
 public:
  /// @param answer_time for the client to take the answer, from its first byte
  Connection(int socket, std::chrono::milliseconds answer_time, const std::atomic<bool>& stop)
      : socket_(socket), answer_time_(answer_time), stop_(stop) {}
  ~Connection() override {
    ::shutdown(socket_, SHUT_RDWR);
    ::close(socket_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  enum class Head { whole, none, too_long, too_late };

  /// Reads the request line and the headers, of which read() gives those that are known.
  [[nodiscard]] Head read_head(Clock::time_point deadline) {
    deadline_ = deadline;
    std::string bytes;
    std::size_t end = std::string::npos;
    while (end == std::string::npos) {
      if (bytes.size() >= largest_head) return Head::too_long;
      char block[4096];
      const auto size = receive(block, std::min(sizeof block, largest_head - bytes.size()));
      if (size <= 0) return too_late && !bytes.empty() ? Head::too_late : Head::none;
      const auto from = bytes.size() < 3 ? 0 : bytes.size() - 3;
      bytes.append(block, static_cast<std::size_t>(size));
      end = bytes.find("\r\n\r\n", from);
    }
    const std::string_view head(bytes.data(), end + 2);
    auto line = head.substr(0, head.find("\r\n") + 2);
    if (line.size() > longest_target) return Head::too_long;
    pending_ = line;
    for (auto rest = head.substr(line.size()); !rest.empty(); rest.remove_prefix(line.size())) {
      line = rest.substr(0, rest.find("\r\n") + 2);
      const auto name = lower(std::string(line.substr(0, line.find(':'))));
      if (std::find(std::begin(known_headers), std::end(known_headers), name) != std::end(known_headers))
        pending_ += line;
    }
    pending_ += "\r\n";
    pending_ += std::string_view(bytes).substr(end + 4);
    return Head::whole;
  }

  void allow(std::size_t bytes, Clock::time_point deadline) {
    allowed_ = bytes;
    deadline_ = deadline;
  }

  [[nodiscard]] bool is_readable() const override { return taken_ < pending_.size() || wait(POLLIN); }
  [[nodiscard]] bool is_writable() const override { return wait(POLLOUT); }

  ssize_t read(char* to, size_t size) override {
    // What was written was "100 Continue", which takes no time from the request or the answer.
    if (std::exchange(answering_, false)) deadline_ = request_deadline_;
    if (taken_ < pending_.size()) {
      const auto count = std::min(size, pending_.size() - taken_);
      std::memcpy(to, pending_.data() + taken_, count);
      taken_ += count;
      return static_cast<ssize_t>(count);
    }
    // The library reads single bytes.
    pending_.resize(std::min<std::size_t>(16384, allowed_));
    taken_ = 0;
    const auto received = pending_.empty() ? -1 : receive(pending_.data(), pending_.size());
    pending_.resize(received > 0 ? static_cast<std::size_t>(received) : 0);
    allowed_ -= pending_.size();
    return received > 0 ? read(to, size) : received;
  }

  ssize_t write(const char* from, size_t size) override {
    if (!std::exchange(answering_, true)) {
      request_deadline_ = std::exchange(deadline_, Clock::now() + answer_time_);
    }
    while (wait(POLLOUT)) {
      const auto sent = ::send(socket_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent >= 0) return sent;
      if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return -1;
    }
    return -1;
  }

  void write_all(std::string_view text) {
    while (!text.empty()) {
      const auto sent = write(text.data(), text.size());
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// A connection that is closed before all was read is reset, and the answer with it.
  void drain() {
    ::shutdown(socket_, SHUT_WR);
    deadline_ = Clock::now() + drain_time;
    char block[16384];
    for (std::size_t drained = 0; drained < most_drained && !stop_;) {
      const auto received = receive(block, sizeof block);
      if (received <= 0) return;
      drained += static_cast<std::size_t>(received);
    }
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  [[nodiscard]] socket_t socket() const override { return socket_; }

 private:
  ssize_t receive(char* to, std::size_t size) {
    while (wait(POLLIN)) {
      const auto received = ::recv(socket_, to, size, MSG_DONTWAIT);
      if (received >= 0) return received;
      if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return -1;
    }
    return -1;
  }

  bool wait(short events) const {
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
      if (left.count() <= 0) {
        too_late = true;
        return false;
      }
      pollfd polled{socket_, events, 0};
      const int ready = ::poll(&polled, 1, static_cast<int>(std::min(left, tick).count()));
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return false;
      // An answer is still sent, a request not waited for.
      if (stop_ && events == POLLIN) return false;
    }
  }

  int socket_;
  std::chrono::milliseconds answer_time_;
  const std::atomic<bool>& stop_;
  bool answering_ = false;
  Clock::time_point deadline_;
  Clock::time_point request_deadline_;  ///< while answering
  std::size_t allowed_ = 0;
  std::string pending_;
  std::size_t taken_ = 0;
};

std::string plain_response(int status, const char* reason, const std::string& message) {
  const auto response = error_response(status, message);
  return "HTTP/1.1 " + std::to_string(status) + " " + reason +
         "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
         std::to_string(response.body.size()) + (status == 503 ? "\r\nRetry-After: 1" : "") + "\r\n\r\n" +
         response.body;
}

void copy_to(httplib::Response& to, const HttpResponse& from) {
  to.status = from.status;
  to.set_content(from.body, from.content_type);
  for (const auto& [name, value] : from.headers) to.set_header(name, value);
}

}  // namespace

void require_http() {}

class HttpServer::Server final : public httplib::Server {
 public:
  explicit Server(HttpServerOptions options) : options_(std::move(options)) {
    for (const auto& name : options_.allowed_hosts) require_host_name(name);
    new_task_queue = [this] { return new Workers(options_.connections, options_.waiting); };
    set_default_headers({{"X-Content-Type-Options", "nosniff"},
                         {"Referrer-Policy", "no-referrer"},
                         {"Cross-Origin-Resource-Policy", "same-origin"},
                         {"X-Frame-Options", "DENY"}});
    set_payload_max_length(options_.body_bytes);
    // The library's own would let two services have one port.
    set_socket_options([](socket_t socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    // What is not handed on to the routes is answered here, and so is never compared with patterns.
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      auto refusal = refusal_of(request);
      if (!refusal && request.method == "POST") return HandlerResponse::Unhandled;
      if (!refusal) refusal = handler_->handle({"GET", request.path, parameters_of(request.target), "", {}});
      copy_to(response, *refusal);
      return HandlerResponse::Handled;
    });
    Post("/.*", [this](const httplib::Request& request, httplib::Response& response,
                       const httplib::ContentReader& read) { copy_to(response, answer(request, read)); });
    set_expect_100_continue_handler([this](const httplib::Request& request, httplib::Response& response) {
      const auto refusal = refusal_of(request);
      if (!refusal) return 100;
      copy_to(response, *refusal);
      return refusal->status;
    });
    set_error_handler(Handler([](const httplib::Request&, httplib::Response& response) {
      if (!response.body.empty()) return;
      copy_to(response, error_response(response.status, "the request is not understood"));
    }));
    set_exception_handler([this](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
      handler_->refused("failed");
      copy_to(response, error_response(500, "the request could not be answered"));
    });
    port_ = options_.port == 0 ? bind_to_any_port(options_.host)
                               : (bind_to_port(options_.host, options_.port) ? options_.port : -1);
    if (port_ < 0) {
      throw Error("serve: error: cannot listen at " + options_.host + ", port " +
                  std::to_string(options_.port) +
                  ": the port is in use, or the address is not one of this machine; choose another --port "
                  "(0: any that is free) or --host");
    }
    ::listen(svr_sock_, SOMAXCONN);  // the library's own queue has room for five
  }

  ~Server() override {
    if (svr_sock_ != INVALID_SOCKET) ::close(svr_sock_);  // it has never run
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] int port() const { return port_; }

  void run(HttpHandler& handler, const std::atomic<bool>& stop) {
    handler_ = &handler;
    const std::jthread watch([&](const std::stop_token& ended) {
      for (; !ended.stop_requested(); std::this_thread::sleep_for(tick / 2)) {
        if (!stop) continue;
        stopping_ = true;
        httplib::Server::stop();  // again and again, as it does nothing before the service has begun
      }
    });
    listen_after_bind();
  }

 private:
  /// The answer to a request whose body need not be read.
  std::optional<HttpResponse> refusal_of(const httplib::Request& request) {
    const auto refuse = [&](const char* reason, int status, const std::string& message) {
      handler_->refused(reason);
      return std::optional(error_response(status, message));
    };
    const auto host = request.get_header_value("Host");
    if (request.get_header_value_count("Host") != 1 || !is_own_host(host, options_.allowed_hosts)) {
      return refuse("host", 403,
                    "the service does not answer to this name; use its address, or start it with "
                    "--allow-host NAME");
    }
    const auto origin = request.get_header_value("Origin");
    const auto site = request.get_header_value("Sec-Fetch-Site");
    if ((!origin.empty() && origin != "http://" + host && origin != "https://" + host) ||
        ((site == "cross-site" || site == "same-site") && request.path != "/")) {
      return refuse("origin", 403, "the service does not answer to pages of other origins");
    }
    if (request.method != "GET" && request.method != "HEAD" && request.method != "POST") {
      auto refusal = refuse("method", 405, "the method is not known; use GET or POST");
      refusal->headers.emplace_back("Allow", "GET, HEAD, POST");
      return refusal;
    }
    if (request.method != "POST") return std::nullopt;
    if (!handler_->takes_body(request.path)) {
      return handler_->handle({"POST", request.path, parameters_of(request.target), "", {}});
    }
    const auto length = request.get_header_value("Content-Length");
    if (length.empty() && !request.has_header("Transfer-Encoding")) {  // RFC 9112, 6.3: no body
      return handler_->handle({"POST",
                               request.path,
                               parameters_of(request.target),
                               request.get_header_value("Content-Type"),
                               {}});
    }
    if (!length.empty() && (length.size() > 18 || !std::all_of(length.begin(), length.end(), [](char c) {
                              return c >= '0' && c <= '9';
                            }))) {
      return refuse("malformed", 400, "the Content-Length is not a number");
    }
    if (!length.empty() && std::stoull(length) > options_.body_bytes) return too_large();
    return std::nullopt;
  }

  std::optional<HttpResponse> too_large() {
    handler_->refused("too_large");
    return error_response(413, "the upload is larger than " + std::to_string(options_.body_bytes) +
                                   " bytes; make the picture smaller, or start the service with another "
                                   "--max-upload-mib");
  }

  HttpResponse answer(const httplib::Request& request, const httplib::ContentReader& read) {
    HttpRequest whole{
        "POST", request.path, parameters_of(request.target), request.get_header_value("Content-Type"), {}};
    // Multipart is not taken apart: the handler refuses it.
    bool large = false;
    const auto receive = [&](const char* data, size_t size) {
      large = whole.body.size() + size > options_.body_bytes;
      if (!large) whole.body.insert(whole.body.end(), data, data + size);
      return !large;
    };
    const bool complete = request.is_multipart_form_data() || read(receive);
    if (large) return *too_large();
    if (!complete && too_late) {
      handler_->refused("slow");
      return error_response(408, slow_text);
    }
    if (!complete) {
      handler_->refused("incomplete");
      return error_response(400, "the request stops before its end");
    }
    return handler_->handle(whole);
  }

  bool process_and_close_socket(socket_t socket) override {
    if (no_room) {  // in the thread that takes connections
      Connection connection(socket, std::chrono::milliseconds(1), stopping_);
      handler_->refused("busy");
      connection.write_all(
          plain_response(503, "Service Unavailable", "too many requests at once; try again"));
      return false;
    }
    Connection connection(socket, options_.time, stopping_);
    too_late = false;
    const auto begin = Clock::now();
    switch (connection.read_head(begin + options_.head_time)) {
      case Connection::Head::none:
        return false;
      case Connection::Head::too_late:
        handler_->refused("slow");
        connection.write_all(plain_response(408, "Request Timeout", slow_text));
        return false;
      case Connection::Head::too_long:
        handler_->refused("too_large");
        connection.write_all(plain_response(431, "Request Header Fields Too Large",
                                            "the address or the headers are too long"));
        connection.drain();
        return false;
      case Connection::Head::whole:
        break;
    }
    // A body in chunks has their lengths besides.
    connection.allow(2 * options_.body_bytes + largest_head, begin + options_.time);
    bool closed = false;
    const bool done =
        process_request(connection, /*close_connection=*/true, closed, [&](httplib::Request&) {});
    connection.drain();
    return done;
  }

  HttpServerOptions options_;
  HttpHandler* handler_ = nullptr;  // nobody is answered before it is there
  std::atomic<bool> stopping_ = false;
  int port_ = -1;
};

HttpServer::HttpServer(HttpServerOptions options) : server_(std::make_unique<Server>(std::move(options))) {}

HttpServer::~HttpServer() = default;

int HttpServer::port() const {
  return server_->port();
}

void HttpServer::run(HttpHandler& handler, const std::atomic<bool>& stop) {
  server_->run(handler, stop);
}

#endif

}  // namespace kindred::service
