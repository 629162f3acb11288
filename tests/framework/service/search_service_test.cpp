#include "service/search_service.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "data_files.h"
#include "kindred/search.h"
#include "service/service_metrics.h"
#include "test_paths.h"

using namespace kindred;
using namespace kindred::service;
using namespace kindred::test;

namespace {

/// The descriptor of an image is its mean color.
cv::Mat mean_color(const cv::Mat& bgr, std::int64_t /*camera*/) {
  const auto mean = cv::mean(bgr);
  return (cv::Mat_<float>(1, 3) << mean[0], mean[1], mean[2]);
}

std::vector<std::uint8_t> encoded_picture(const std::string& ending, const cv::Scalar& bgr, int width = 8,
                                          int height = 16) {
  std::vector<std::uint8_t> bytes;
  cv::imencode(ending, cv::Mat(height, width, CV_8UC3, bgr), bytes);
  return bytes;
}

const cv::Scalar blue(255, 0, 0);
const cv::Scalar green(0, 255, 0);
const cv::Scalar red(0, 0, 255);

/// Five images: blue, green, red, and two in between, of cameras 1 and 2 and taken a second after each other.
Gallery color_gallery() {
  Gallery gallery(3, "a model");
  const auto add = [&](const std::string& id, const cv::Scalar& color, const EntryInfo& info) {
    gallery.add(id, (cv::Mat_<float>(1, 3) << color[0], color[1], color[2]), info);
  };
  add("blue.png", blue, {.camera = 1, .time = 1'000, .label = "Bea", .image = ""});
  add("green.png", green, {.camera = 2, .time = 2'000, .label = "", .image = ""});
  add("a/red & \xC3\xA4.png", red, {.camera = 1, .time = 3'000, .label = "", .image = "red.png"});
  add("purple.png", {200, 0, 100}, {.camera = 2, .time = std::nullopt, .label = "", .image = ""});
  add("../secret.png", {10, 10, 10}, {});
  return gallery;
}

HttpRequest get(const std::string& path, const std::multimap<std::string, std::string>& query = {}) {
  return {"GET", path, query, "", {}};
}

HttpRequest upload(const std::vector<std::uint8_t>& body,
                   const std::multimap<std::string, std::string>& query = {},
                   const std::string& type = "image/png") {
  return {"POST", "/api/v1/search", query, type, body};
}

/// The ids of what was found, in order.
std::vector<std::string> ids_of(const HttpResponse& response) {
  REQUIRE_MESSAGE(response.status == 200, response.body);
  std::vector<std::string> ids;
  const auto json = nlohmann::json::parse(response.body);
  for (const auto& match : json["matches"]) ids.push_back(match["id"]);
  return ids;
}

std::string error_text(const HttpResponse& response) {
  return nlohmann::json::parse(response.body)["error"];
}

struct ColorService {
  explicit ColorService(const SearchServiceOptions& options = {})
      : service(color_gallery(), mean_color, std::make_unique<GalleryImages>(folder.path()), options) {}
  PictureFolder folder;
  SearchService service;
};

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("a picture finds the most similar images, with what is known of them") {
  ColorService color;
  const auto response = color.service.handle(upload(encoded_picture(".png", {220, 0, 40})));
  CHECK(response.content_type == "application/json");
  CHECK(ids_of(response) ==
        Ids{"blue.png", "purple.png", "../secret.png", "a/red & \xC3\xA4.png", "green.png"});
  const auto json = nlohmann::json::parse(response.body);
  CHECK(json["gallery"] == 5);
  CHECK(json["seconds"].is_number());
  const double similarity = json["matches"][0]["similarity"];
  CHECK(similarity == doctest::Approx(220 / std::hypot(220, 40)));
  CHECK(json["matches"][0]["camera"] == 1);
  CHECK(json["matches"][0]["time"] == "1970-01-01T00:00:01Z");
  CHECK(json["matches"][0]["label"] == "Bea");
  CHECK(json["matches"][1]["time"].is_null());
  CHECK(json["matches"][2]["camera"].is_null());
  CHECK(json["matches"][2]["label"].is_null());
  CHECK(json["matches"][3]["thumbnail"] == "/api/v1/thumbnail?id=a%2Fred%20%26%20%C3%A4.png");
  for (const std::string ending : {".jpg", ".webp", ".bmp"}) {
    CHECK(color.service.handle(upload(encoded_picture(ending, green), {}, "Image/X; a=b")).status == 200);
    CHECK(color.service.handle(upload(encoded_picture(ending, green), {}, "application/octet-streams"))
              .status == 415);
    CHECK(ids_of(color.service.handle(upload(encoded_picture(ending, green), {}, "application/octet-stream")))
              .front() == "green.png");
  }
}

TEST_CASE("how many, how similar, which cameras and which time can be chosen") {
  ColorService color;
  const auto find = [&](const std::multimap<std::string, std::string>& query) {
    return ids_of(color.service.handle(upload(encoded_picture(".png", blue), query)));
  };
  CHECK(find({{"top", "2"}}) == Ids{"blue.png", "purple.png"});
  CHECK(find({{"threshold", "0.95"}}) == Ids{"blue.png"});
  const auto all = nlohmann::json::parse(color.service.handle(upload(encoded_picture(".png", blue))).body);
  CHECK(find({{"threshold", all["matches"][1]["similarity"].dump()}}) == Ids{"blue.png", "purple.png"});
  CHECK(find({{"camera", "2"}}) == Ids{"purple.png", "green.png"});
  CHECK(find({{"camera", "1"}, {"camera", "2"}}).size() == 4);
  CHECK(find({{"from", "1970-01-01T00:00:02Z"}}) == Ids{"green.png", "a/red & \xC3\xA4.png"});
  CHECK(find({{"until", "1970-01-01T00:00:02Z"}}) == Ids{"blue.png"});
  CHECK(find({{"from", ""}, {"until", "1970-01-01T00:00:03Z"}}) == Ids{"blue.png", "green.png"});
}

TEST_CASE("an image of the gallery finds those that are similar to it") {
  ColorService color;
  CHECK(ids_of(color.service.handle(get("/api/v1/similar", {{"id", "purple.png"}, {"top", "2"}}))) ==
        Ids{"purple.png", "blue.png"});
  CHECK(color.service.handle(get("/api/v1/similar", {{"id", "none"}})).status == 404);
  CHECK(color.service.handle(get("/api/v1/similar")).status == 400);
}

TEST_CASE("parameters that are wrong are refused by name") {
  ColorService color;
  const auto refused = [&](const std::multimap<std::string, std::string>& query) {
    const auto response = color.service.handle(upload(encoded_picture(".png", blue), query));
    CHECK(response.status == 400);
    return error_text(response);
  };
  CHECK(refused({{"top", "0"}}) == "'top' is '0', but must be a number from 1 to 200");
  CHECK(contains(refused({{"top", "2x"}}), "'top' is '2x'"));
  CHECK(contains(refused({{"top", ""}}), "'top' is ''"));
  CHECK(contains(refused({{"top", "1"}, {"top", "2"}}), "'top' is given 2 times"));
  CHECK(contains(refused({{"threshold", "2"}}), "from -1.0 to 1.0"));
  CHECK(contains(refused({{"threshold", "nan"}}), "'threshold' is 'nan'"));
  CHECK(contains(refused({{"camera", "-1"}}), "'camera' is '-1'"));
  CHECK(contains(refused({{"from", "yesterday"}}), "must be a time such as 2026-11-24T14:22:42Z"));
  CHECK(
      contains(refused({{"tops", "1"}}), "there is no parameter 'tops'; there are 'picture_camera', 'top'"));
  CHECK(refused({{"top", std::string(100'000, '9')}}).size() < 200);
}

TEST_CASE("uploads that are not pictures are refused, before anything is decoded where that can be") {
  ColorService color;
  const auto refused = [&](const std::vector<std::uint8_t>& body, int status,
                           const std::string& type = "image/png") {
    const auto response = color.service.handle(upload(body, {}, type));
    CHECK(response.status == status);
    return response.status == 200 ? "" : error_text(response);
  };
  const auto bytes = [](const std::string& text) {
    return std::vector<std::uint8_t>(text.begin(), text.end());
  };
  const auto png = encoded_picture(".png", blue);
  CHECK(contains(refused({}, 400), "the body is empty; send a JPEG, PNG, WebP or BMP picture"));
  CHECK(contains(refused(bytes("hello"), 415), "what was sent is not a JPEG, PNG, WebP or BMP picture"));
  CHECK(contains(refused(bytes("<svg xmlns='http://www.w3.org/2000/svg'/>"), 415), "what was sent is not"));
  CHECK(contains(refused(encoded_picture(".tif", blue), 415), "of the format TIFF"));
  for (const std::string type :
       {"", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain"}) {
    CHECK(contains(refused(png, 415, type), "forms are not read"));
  }
  auto cut = png;
  cut.resize(cut.size() / 2);
  CHECK(contains(refused(cut, 422), "the picture is truncated: the PNG data stops after"));
  auto damaged = png;
  for (std::size_t i = 40; i < damaged.size() - 12; ++i) damaged[i] ^= 0x5A;
  CHECK(contains(refused(damaged, 422), "the picture is damaged"));
  auto bomb = png;  // 30000 x 30000 pixels by its header
  for (const std::size_t at : {16, 20}) {
    bomb[at] = bomb[at + 1] = 0;
    bomb[at + 2] = 30000 >> 8;
    bomb[at + 3] = 30000 & 0xFF;
  }
  CHECK(contains(refused(bomb, 413), "the picture has 30000 x 30000 pixels"));
  // Bytes at random never end the process.
  std::uint32_t state = 1;
  for (int i = 0; i < 300; ++i) {
    auto random = i % 2 == 0 ? png : encoded_picture(".jpg", red, 40, 60);
    for (int change = 0; change < 5; ++change) {
      state = state * 1664525 + 1013904223;
      random[(state >> 8) % random.size()] = static_cast<std::uint8_t>(state >> 24);
    }
    const auto status = color.service.handle(upload(random)).status;
    CHECK((status == 200 || status == 413 || status == 415 || status == 422));
  }
}

TEST_CASE("thumbnails are of the gallery's images alone, and of nothing outside of the folder") {
  ColorService color;
  color.folder.write_picture("blue.png", 1);
  color.folder.write_picture("red.png", 2);
  color.folder.write_picture("other.png", 3);
  color.folder.write("purple.png", "no image");
  const auto thumbnail = [&](const std::string& id) {
    return color.service.handle(get("/api/v1/thumbnail", {{"id", id}}));
  };
  CHECK(thumbnail("blue.png").status == 200);
  CHECK(thumbnail("blue.png").content_type == "image/jpeg");
  CHECK(thumbnail("a/red & \xC3\xA4.png").status == 200);  // what its info says
  CHECK(error_text(thumbnail("other.png")) == "the gallery has no image of this id");
  CHECK(error_text(thumbnail("red.png")) == "the gallery has no image of this id");
  CHECK(thumbnail("../secret.png").status == 404);  // an id of the gallery, but outside
  CHECK(thumbnail("/etc/passwd").status == 404);
  CHECK(thumbnail("green.png").status == 404);
  CHECK(thumbnail("purple.png").status == 422);
  CHECK(error_text(thumbnail("purple.png")).starts_with("the image is "));
  CHECK_FALSE(contains(error_text(thumbnail("purple.png")), color.folder.path().string()));
  CHECK(color.service.handle(get("/api/v1/thumbnail")).status == 400);
  SearchService bare(color_gallery(), mean_color, nullptr);
  CHECK(contains(error_text(bare.handle(get("/api/v1/thumbnail", {{"id", "blue.png"}}))), "without --data"));
  CHECK(nlohmann::json::parse(
            bare.handle(upload(encoded_picture(".png", blue))).body)["matches"][0]["thumbnail"]
            .is_null());
}

TEST_CASE("the gallery is described and listed") {
  ColorService color;
  const auto gallery = nlohmann::json::parse(color.service.handle(get("/api/v1/gallery")).body);
  CHECK(gallery["images"] == 5);
  CHECK(gallery["dim"] == 3);
  CHECK(gallery["model"] == "a model");
  CHECK(gallery["cameras"] == nlohmann::json::parse("[1, 2]"));
  CHECK(gallery["times"] == true);
  CHECK(gallery["thumbnails"] == true);
  const auto list = [&](const std::multimap<std::string, std::string>& query) {
    std::vector<std::string> ids;
    const auto json = nlohmann::json::parse(color.service.handle(get("/api/v1/images", query)).body);
    CHECK(json["total"] == 5);
    for (const auto& image : json["images"]) ids.push_back(image["id"]);
    return ids;
  };
  CHECK(list({}).size() == 5);
  CHECK(list({{"first", "1"}, {"count", "2"}}) == Ids{"green.png", "a/red & \xC3\xA4.png"});
  CHECK(list({{"first", "4"}, {"count", "1000"}}) == Ids{"../secret.png"});
  CHECK(list({{"first", "5"}}).empty());
  CHECK(list({{"first", "9223372036854775807"}}).empty());
  CHECK(color.service.handle(get("/api/v1/images", {{"count", "1001"}})).status == 400);
}

TEST_CASE("page, description, health and counters are served, and nothing else") {
  ColorService color;
  const auto page = color.service.handle(get("/"));
  CHECK(page.status == 200);
  CHECK(contains(page.body, "<!DOCTYPE html>"));
  const auto policy = std::find_if(page.headers.begin(), page.headers.end(), [](const auto& header) {
    return header.first == "Content-Security-Policy";
  });
  REQUIRE(policy != page.headers.end());
  CHECK(policy->second.starts_with("default-src 'none'; script-src 'self'; "));
  for (const std::string path : {"/style.css", "/script.js"}) {
    const auto file = color.service.handle(get(path));
    CHECK(file.status == 200);
    // Works without any other machine.
    CHECK(!contains(file.body, "http://"));
    CHECK(!contains(file.body, "https://"));
    CHECK(contains(page.body, "\"" + path + "\""));
  }
  CHECK(color.service.handle(get("/healthz")).body == "ok\n");
  CHECK(color.service.handle(get("/openapi.json")).body ==
        read_bytes(std::string(source_directory) + "/docs/openapi.json"));
  for (const std::string path :
       {"/none", "/index.html", "/../etc/passwd", "/api/v1", "/style.css/", "//", ""}) {
    CHECK_MESSAGE(color.service.handle(get(path)).status == 404, path);
  }
  CHECK(color.service.handle(get("/api/v1/search")).status == 405);
  CHECK(color.service.handle({"POST", "/", {}, "", {}}).status == 405);
  const auto metrics = color.service.handle(get("/metrics")).body;
  CHECK(contains(metrics, "\nkindred_gallery_images 5\n"));
  CHECK(contains(metrics, "\nkindred_requests_total{route=\"page\",status=\"200\"} 3\n"));
  CHECK(contains(metrics, "\nkindred_requests_total{route=\"none\",status=\"404\"} 7\n"));
  CHECK(contains(metrics, "\nkindred_request_seconds_count{route=\"health\"} 1\n"));
  CHECK(contains(metrics, "\nkindred_request_seconds_bucket{route=\"health\",le=\"+Inf\"} 1\n"));
  color.service.refused("host");
  CHECK(contains(color.service.handle(get("/metrics")).body,
                 "\nkindred_requests_refused_total{reason=\"host\"} 1\n"));
}

TEST_CASE("times are summed up to the millisecond however many there are") {
  ServiceMetrics metrics;
  metrics.answered("search", 200, 12'345'678);
  metrics.answered("search", 200, 0.125);
  const auto text = metrics.text(5);
  CHECK(contains(text, "\nkindred_request_seconds_sum{route=\"search\"} 12345678.125\n"));
  CHECK(contains(text, "\nkindred_request_seconds_bucket{route=\"search\",le=\"0.005\"} 0\n"));
  CHECK(contains(text, "\nkindred_request_seconds_bucket{route=\"search\",le=\"0.25\"} 1\n"));
}

TEST_CASE("the OpenAPI description names every address, method and parameter that there is") {
  ColorService color;
  const auto description =
      nlohmann::json::parse(read_bytes(std::string(source_directory) + "/docs/openapi.json"));
  CHECK(description["openapi"] == "3.0.3");
  std::size_t count = 0;
  for (const auto& entry : description["paths"].items()) {
    const std::string path = entry.key();
    const auto& methods = entry.value();
    for (const auto& [method, operation] : methods.items()) {
      CAPTURE(path);
      ++count;
      const bool post = method == "post";
      CHECK(color.service.takes_body(path) == post);
      const auto ask = [&](const std::string& parameter) {
        HttpRequest request{post ? "POST" : "GET", path, {}, "image/png", encoded_picture(".png", blue)};
        if (!parameter.empty()) request.query.emplace(parameter, "");
        return color.service.handle(request);
      };
      const auto plain = ask("");
      CHECK(plain.status != 404);
      CHECK(plain.status != 405);
      const auto& responses = operation["responses"];
      CHECK(responses.contains(std::to_string(plain.status)));
      CHECK(responses["default"]["$ref"] == "#/components/responses/Refused");
      for (auto parameter : operation.value("parameters", nlohmann::json::array())) {
        if (parameter.contains("$ref")) {
          const std::string reference = parameter["$ref"];
          parameter = description["components"]["parameters"][reference.substr(reference.rfind('/') + 1)];
          REQUIRE(!parameter.is_null());
        }
        const auto answer = ask(parameter["name"]);
        CHECK(!contains(answer.body, "there is no parameter"));
      }
      const auto unknown = ask("none");
      if (!path.starts_with("/api/")) continue;
      CHECK(contains(unknown.body, "there is no parameter 'none'"));
      CHECK(responses.contains(std::to_string(unknown.status)));
    }
  }
  CHECK(count == 8);
}

TEST_CASE("a model that uses cameras gets the one that took the picture") {
  std::vector<std::int64_t> cameras;
  SearchService service(color_gallery(),
                        [&](const cv::Mat& image, std::int64_t camera) {
                          cameras.push_back(camera);
                          return mean_color(image, camera);
                        },
                        nullptr, {.needs_camera = true});
  const auto picture = encoded_picture(".png", blue);
  CHECK(service.handle(upload(picture, {{"picture_camera", "3"}})).status == 200);
  CHECK(service.handle(upload(picture)).status == 200);
  CHECK(service.handle(upload(picture, {{"picture_camera", "-3"}})).status == 400);
  CHECK(cameras == std::vector<std::int64_t>{3, -1});
  CHECK(nlohmann::json::parse(service.handle(get("/api/v1/gallery")).body)["picture_camera"] == true);
}

TEST_CASE("what fails while a picture is looked at is an answer, and the next request works") {
  int calls = 0;
  SearchService service(
      color_gallery(),
      [&](const cv::Mat& image, std::int64_t camera) -> cv::Mat {
        if (++calls == 1) throw std::runtime_error("no memory");
        if (calls == 2) throw DataError("crops[0]", "has no camera");
        return mean_color(image, camera);
      },
      nullptr);
  const auto picture = encoded_picture(".png", blue);
  CHECK(service.handle(upload(picture)).status == 500);
  const auto second = service.handle(upload(picture));
  CHECK(second.status == 422);
  CHECK(contains(error_text(second), "has no camera"));
  CHECK(service.handle(upload(picture)).status == 200);
}

TEST_CASE("searches at once wait for each other, and not for ever") {
  std::promise<void> begun;
  std::promise<void> end;
  SearchService service(color_gallery(),
                        [&, first = true](const cv::Mat& image, std::int64_t camera) mutable {
                          if (std::exchange(first, false)) {
                            begun.set_value();
                            end.get_future().wait();
                          }
                          return mean_color(image, camera);
                        },
                        nullptr, {.patience = std::chrono::milliseconds(50)});
  const auto picture = encoded_picture(".png", blue);
  auto waiting = std::async(std::launch::async, [&] { return service.handle(upload(picture)).status; });
  begun.get_future().wait();
  CHECK(service.handle(upload(picture)).status == 503);
  CHECK(service.handle(get("/healthz")).status == 200);
  CHECK(service.handle(get("/api/v1/similar", {{"id", "blue.png"}})).status == 200);
  end.set_value();
  CHECK(waiting.get() == 200);
  CHECK(service.handle(upload(picture)).status == 200);
}
