#include "service/http.h"

#include <nlohmann/json.hpp>

namespace kindred::service {

HttpHandler::~HttpHandler() = default;

HttpResponse error_response(int status, const std::string& message) {
  const nlohmann::ordered_json json{{"error", message}};
  return {status, "application/json",
          json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n"};
}

}  // namespace kindred::service
