// Talks HTTP to a local port byte by byte, rightly or wrongly.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>

namespace kindred::test {

struct HttpAnswer {
  int status = 0;  ///< 0: there was none
  std::string head;
  std::string body;
};

class HttpConnection {
 public:
  explicit HttpConnection(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<in_port_t>(port));
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~HttpConnection() { ::close(socket_); }
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }

  /// As much as the other side takes.
  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  void end_sending() const { ::shutdown(socket_, SHUT_WR); }

  /// All until the other side closes, within a time.
  [[nodiscard]] HttpAnswer receive(std::chrono::milliseconds time = std::chrono::seconds(20)) const {
    const auto deadline = std::chrono::steady_clock::now() + time;
    std::string bytes;
    for (;;) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      pollfd polled{socket_, POLLIN, 0};
      if (left.count() <= 0 || ::poll(&polled, 1, static_cast<int>(left.count())) <= 0) break;
      char block[65536];
      const auto received = ::recv(socket_, block, sizeof block, 0);
      if (received <= 0) break;
      bytes.append(block, static_cast<std::size_t>(received));
    }
    HttpAnswer answer;
    const auto end = bytes.find("\r\n\r\n");
    if (end == std::string::npos || bytes.size() < 12) return answer;
    answer.status = std::atoi(bytes.substr(9, 3).c_str());
    answer.head = bytes.substr(0, end + 2);
    answer.body = bytes.substr(end + 4);
    return answer;
  }

 private:
  int socket_;
  bool connected_ = false;
};

/// One request, whole.
/// @param headers lines, each with its end
inline HttpAnswer http(int port, const std::string& method, const std::string& target,
                       const std::string& headers = "", std::string_view body = {}) {
  const HttpConnection connection(port);
  std::string request = method + " " + target + " HTTP/1.1\r\n";
  if (headers.find("Host:") == std::string::npos)
    request += "Host: localhost:" + std::to_string(port) + "\r\n";
  request += headers;
  if (method == "POST" && headers.find("Transfer-Encoding:") == std::string::npos &&
      headers.find("Content-Length:") == std::string::npos) {
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  connection.send(request + "\r\n");
  connection.send(body);
  return connection.receive();
}

}  // namespace kindred::test
