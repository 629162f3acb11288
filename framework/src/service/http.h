// Requests and answers of the service, whatever brings them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace kindred::service {

struct HttpRequest {
  std::string method;                             ///< "GET" (which stands for HEAD too) or "POST"
  std::string path;                               ///< decoded: "/api/v1/search"
  std::multimap<std::string, std::string> query;  ///< decoded
  std::string content_type;                       ///< "" when it was not said
  std::vector<std::uint8_t> body;
};

struct HttpResponse {
  int status = 200;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers{};
};

/// {"error": MESSAGE}, with bytes that are not UTF-8 as U+FFFD.
[[nodiscard]] HttpResponse error_response(int status, const std::string& message);

/// Answers requests. Called by several threads at once; never throws.
class HttpHandler {
 public:
  virtual ~HttpHandler();
  [[nodiscard]] virtual HttpResponse handle(const HttpRequest& request) = 0;
  /// Whether handle() is worth the reading of a body.
  [[nodiscard]] virtual bool takes_body(const std::string& path) const = 0;
  /// A request that was answered without handle(), or got no answer.
  /// @param reason "busy", "too_large", "host", ...: one of a few
  virtual void refused(const std::string& reason) = 0;
};

}  // namespace kindred::service
