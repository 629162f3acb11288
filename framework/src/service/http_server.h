// HTTP over TCP, by cpp-httplib, with limits. The only user of that library.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "service/http.h"

namespace kindred::service {

/// Throws Error when this build has no cpp-httplib; so does HttpServer's constructor.
void require_http();

struct HttpServerOptions {
  std::string host = "127.0.0.1";             ///< the address to listen at
  int port = 8080;                            ///< 0: any that is free
  std::vector<std::string> allowed_hosts{};   ///< names that requests may call the service, beside addresses
  std::size_t body_bytes = 10 << 20;          ///< the largest body of a request
  int connections = 32;                       ///< answered at once
  int waiting = 64;                           ///< that may wait for that; further ones are refused with 503
  std::chrono::milliseconds head_time{5000};  ///< for a client to send the head of a request
  std::chrono::milliseconds time{20000};      ///< for a client to send a request, and to take the answer
};

/// One request for each connection. What reaches the handler has a known Host, so that no foreign page can
/// talk to the service by a name of its own (DNS rebinding), and no foreign Origin. What is longer, slower or
/// more than allowed is refused; nothing that a client sends ends the process.
class HttpServer {
 public:
  /// Takes the address, so that nobody waits for a service that could not be reached: clients that connect
  /// from now on wait for run(). Throws Error when the address cannot be used.
  explicit HttpServer(HttpServerOptions options);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] int port() const;
  /// Serves until `stop` is set: then takes no more connections, answers the requests that have arrived, and
  /// returns. To be called once.
  void run(HttpHandler& handler, const std::atomic<bool>& stop);

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

/// Whether a Host of a request is this service: an address, "localhost" or one of `names`, with any port.
[[nodiscard]] bool is_own_host(const std::string& host, const std::vector<std::string>& names);

}  // namespace kindred::service
