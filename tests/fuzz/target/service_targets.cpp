// Requests of the service: as it answers them, and as they come over a connection.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kindred/image/image.h"
#include "kindred/search.h"
#include "service/gallery_images.h"
#include "service/http.h"
#include "service/http_server.h"
#include "service/search_service.h"
#include "target/targets.h"

namespace kindred::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t body_bytes = 1 << 16;

std::unique_ptr<service::SearchService> made_service() {
  set_pixel_limit(1 << 20);
  Gallery gallery(3, "a model");
  gallery.add("a.png", (cv::Mat_<float>(1, 3) << 1, 0, 0), {.camera = 1, .time = 1000, .label = "Bea"});
  gallery.add("b/c d.png", (cv::Mat_<float>(1, 3) << 0, 1, 0), {.camera = 2, .image = "a.png"});
  gallery.add("../out.png", (cv::Mat_<float>(1, 3) << 0, 0, 1));
  const auto folder = fuzz_folder() / "pictures";
  fs::create_directories(folder);
  write_image(folder / "a.png", cv::Mat(8, 4, CV_8UC3, cv::Scalar(1, 2, 3)));
  return std::make_unique<service::SearchService>(
      std::move(gallery),
      [](const cv::Mat& image, std::int64_t) {
        const auto mean = cv::mean(image);
        return cv::Mat((cv::Mat_<float>(1, 3) << mean[0] + 1, mean[1], mean[2]));
      },
      std::make_unique<service::GalleryImages>(folder));
}

service::SearchService& shared_service() {
  static const auto service = made_service();
  return *service;
}

/// A line "METHOD PATH", lines "NAME=VALUE" for the query, a line "type TYPE", an empty line, the body.
bool accepts_request(const std::string& bytes) {
  service::HttpRequest request;
  std::size_t at = 0;
  for (bool first = true; at < bytes.size(); first = false) {
    const auto end = std::min(bytes.find('\n', at), bytes.size());
    const auto line = bytes.substr(at, end - at);
    at = std::min(end + 1, bytes.size());
    if (line.empty()) break;
    if (first) {
      const auto space = std::min(line.find(' '), line.size());
      request.method = line.substr(0, space);
      request.path = space < line.size() ? line.substr(space + 1) : "";
    } else if (const auto equals = line.find('='); equals != std::string::npos) {
      request.query.emplace(line.substr(0, equals), line.substr(equals + 1));
    } else if (line.starts_with("type ")) {
      request.content_type = line.substr(5);
    }
  }
  request.body.assign(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end());
  const auto response = shared_service().handle(request);
  require(response.status != 500, response.body.c_str());
  return response.status == 200;
}

/// A server in a thread of its own, which ends with the process.
class Serving {
 public:
  Serving() : server_(options()), thread_([this] { server_.run(shared_service(), stop_); }) {}
  ~Serving() {
    stop_ = true;
    thread_.join();
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  [[nodiscard]] int port() const { return server_.port(); }

 private:
  static service::HttpServerOptions options() {
    service::HttpServerOptions options;
    options.port = 0;
    options.body_bytes = body_bytes;
    options.connections = 2;
    return options;
  }

  service::HttpServer server_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

/// libFuzzer looks at the clock by signals, which interrupt what waits.
template <typename Call>
auto uninterrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// What the service answers to bytes over a connection; nothing when it cannot be reached.
std::optional<std::string> answer_to(const std::string& bytes) {
  static const Serving serving;
  const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(serving.port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::optional<std::string> answer;
  const int connected = uninterrupted(
      [&] { return ::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address); });
  if (connected == 0) {
    answer.emplace();
    // The service may close while bytes are still coming.
    static_cast<void>(
        uninterrupted([&] { return ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL); }));
    ::shutdown(connection, SHUT_WR);
    char block[4096];
    const auto receive = [&] {
      return uninterrupted([&] { return ::recv(connection, block, sizeof block, 0); });
    };
    for (auto count = receive(); count > 0; count = receive()) {
      answer->append(block, static_cast<std::size_t>(count));
    }
  }
  // No waiting for late packets: ports would run out.
  const linger at_once{1, 0};
  ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(connection);
  return answer;
}

bool accepts_connection(const std::string& bytes) {
  const auto answer = answer_to(bytes);
  require(answer.has_value(), "the service cannot be reached any more");
  require(answer->empty() || answer->starts_with("HTTP/1."), "an answer is not HTTP");
  require(!answer->starts_with("HTTP/1.1 500"), "the service failed");
  return answer->starts_with("HTTP/1.1 200");
}

std::string encoded_picture() {
  std::vector<std::uint8_t> bytes;
  cv::imencode(".png", cv::Mat(4, 2, CV_8UC3, cv::Scalar(9, 8, 7)), bytes);
  return {bytes.begin(), bytes.end()};
}

std::vector<std::string> request_seeds() {
  return {
      "GET /\n\n",
      "GET /api/v1/gallery\n\n",
      "GET /api/v1/images\nfirst=1\ncount=2\n\n",
      "GET /api/v1/thumbnail\nid=a.png\n\n",
      "GET /api/v1/similar\nid=b/c d.png\ntop=2\nthreshold=-0.5\ncamera=1\nfrom=2026-11-24T14:22:42.5Z\n\n",
      "GET /metrics\n\n",
      "POST /api/v1/search\ntop=3\nuntil=2026-11-24T14:22:42+01:30\ntype image/png\n\n" + encoded_picture()};
}

std::vector<std::string> connection_seeds() {
  const auto picture = encoded_picture();
  const std::string host = "Host: 127.0.0.1\r\n";
  return {"GET /api/v1/similar?id=b%2Fc+d.png&top=2 HTTP/1.1\r\n" + host + "\r\n",
          "POST /api/v1/search?top=1 HTTP/1.1\r\n" + host + "Content-Type: image/png\r\nContent-Length: " +
              std::to_string(picture.size()) + "\r\n\r\n" + picture,
          "GET / HTTP/1.0\r\n" + host + "Origin: http://127.0.0.1\r\n\r\n"};
}

}  // namespace

void add_service_targets(std::vector<FuzzTarget>& targets) {
  targets.push_back({"request", accepts_request, request_seeds});
  // A build without cpp-httplib serves nothing.
  if (passes([] { service::require_http(); })) {
    targets.push_back({"connection", accepts_connection, connection_seeds});
  }
}

}  // namespace kindred::fuzz
