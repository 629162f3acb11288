#include "service/search_service.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <exception>
#include <limits>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/image/decode.h"
#include "kindred/image/file_content.h"
#include "service/moment.h"
#include "service/web_files.h"
#include "system/version.h"
#include "text/number_text.h"

namespace kindred::service {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

/// What is wrong with a request.
struct BadRequest {
  int status;
  std::string message;
};

/// The formats of pictures that are decoded: what cameras and browsers write. Decoders of rarer formats are
/// not for strangers' bytes.
constexpr std::array<std::string_view, 4> taken_formats = {"JPEG", "PNG", "WebP", "BMP"};
constexpr std::int64_t highest_camera = 1'000'000'000;
constexpr const char* taken_text = "a JPEG, PNG, WebP or BMP picture";

HttpResponse json_response(const Json& json) {
  return {200,
          "application/json",
          json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n",
          {{"Cache-Control", "no-store"}}};
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      result += c;
    } else {
      result += '%';
      result += digits[byte >> 4];
      result += digits[byte & 15];
    }
  }
  return result;
}

std::optional<std::string> find_value(const HttpRequest& request, const std::string& name) {
  const auto count = request.query.count(name);
  if (count > 1) throw BadRequest{400, "'" + name + "' is given " + std::to_string(count) + " times"};
  return count == 0 ? std::nullopt : std::optional(request.query.find(name)->second);
}

template <class Number>
Number number_of(const std::string& name, const std::string& text, Number least, Number most) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (whole && value >= least && value <= most) return value;
  const auto bound = [](Number number) { return Json(number).dump(); };
  throw BadRequest{400, "'" + name + "' is '" + text.substr(0, 40) + "', but must be a number from " +
                            bound(least) + " to " + bound(most)};
}

std::optional<std::int64_t> moment_of(const HttpRequest& request, const std::string& name) {
  const auto text = find_value(request, name);
  if (!text || text->empty()) return std::nullopt;
  const auto moment = parse_moment(*text);
  if (moment) return moment;
  throw BadRequest{400, "'" + name + "' is '" + text->substr(0, 40) +
                            "', but must be a time such as 2026-11-24T14:22:42Z"};
}

void require_known(const HttpRequest& request, std::initializer_list<std::string_view> names) {
  for (const auto& [name, value] : request.query) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      std::string known;
      for (const auto candidate : names)
        known += (known.empty() ? "'" : ", '") + std::string(candidate) + "'";
      throw BadRequest{400, "there is no parameter '" + name.substr(0, 40) + "'" +
                                (known.empty() ? "" : "; there are " + known)};
    }
  }
}

SearchOptions wanted_of(const HttpRequest& request, const SearchServiceOptions& options) {
  SearchOptions wanted;
  wanted.top = options.top;
  if (const auto text = find_value(request, "top"))
    wanted.top = number_of<std::int64_t>("top", *text, 1, options.most_matches);
  if (const auto text = find_value(request, "threshold"))
    wanted.threshold = number_of<float>("threshold", *text, -1, 1);
  const auto [begin, end] = request.query.equal_range("camera");
  for (auto at = begin; at != end; ++at) {
    wanted.cameras.push_back(number_of<std::int64_t>("camera", at->second, 0, highest_camera));
  }
  wanted.from = moment_of(request, "from");
  wanted.until = moment_of(request, "until");
  return wanted;
}

/// What is wrong with a file, without its name.
std::string reason_of(const DataError& error) {
  const std::string name = DataError(error.file(), "").what();
  const std::string message = error.what();
  return message.starts_with(name) ? message.substr(name.size()) : message;
}

/// What a client sent, as 8-bit BGR.
cv::Mat picture_of(const HttpRequest& request) {
  auto type = request.content_type.substr(0, request.content_type.find_first_of("; "));
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (!type.starts_with("image/") && type != "application/octet-stream") {
    // A form of another page may send neither of the two without being asked for.
    throw BadRequest{415,
                     "the body of the request must be " + std::string(taken_text) +
                         ", as its Content-Type image/... or application/octet-stream says (such as: curl "
                         "--data-binary @crop.jpg -H 'Content-Type: image/jpeg' ...); forms are not read"};
  }
  if (request.body.empty()) throw BadRequest{400, "the body is empty; send " + std::string(taken_text)};
  const auto content = content_of(std::span(request.body));
  if (std::find(taken_formats.begin(), taken_formats.end(), content.format) == taken_formats.end()) {
    throw BadRequest{415, "what was sent is not " + std::string(taken_text) +
                              (content.format.empty() ? "" : ", but of the format " + content.format)};
  }
  cv::Mat image;
  try {
    image = decode_image(request.body, "upload");
  } catch (const DataError& error) {
    const auto reason = reason_of(error);
    const bool large = reason.find("more than the") != std::string::npos;
    throw BadRequest{large ? 413 : 422, "the picture " + reason};
  }
  cv::cvtColor(image, image, cv::COLOR_RGB2BGR);
  return image;
}

Json info_json(const std::string& id, const EntryInfo& info, bool thumbnail) {
  Json json;
  json["id"] = id;
  json["camera"] = info.camera < 0 ? Json(nullptr) : Json(info.camera);
  json["time"] = info.time ? Json(moment_text(*info.time)) : Json(nullptr);
  json["label"] = info.label.empty() ? Json(nullptr) : Json(info.label);
  json["thumbnail"] = thumbnail ? Json("/api/v1/thumbnail?id=" + percent_encoded(id)) : Json(nullptr);
  return json;
}

HttpResponse web_file(std::string_view content, const char* type) {
  return {200, type, std::string(content), {{"Cache-Control", "no-cache"}}};
}

}  // namespace

struct SearchService::Route {
  const char* method;
  const char* path;
  const char* name;  ///< in the metrics
  HttpResponse (SearchService::*answer)(const HttpRequest&);
};

const std::vector<SearchService::Route>& SearchService::routes() {
  static const std::vector<Route> all = {
      {"GET", "/", "page", &SearchService::page},
      {"GET", "/style.css", "page", &SearchService::style},
      {"GET", "/script.js", "page", &SearchService::script},
      {"GET", "/openapi.json", "openapi", &SearchService::openapi},
      {"GET", "/healthz", "health", &SearchService::health},
      {"GET", "/metrics", "metrics", &SearchService::metrics},
      {"GET", "/api/v1/gallery", "gallery", &SearchService::about_gallery},
      {"GET", "/api/v1/images", "images", &SearchService::list_images},
      {"GET", "/api/v1/thumbnail", "thumbnail", &SearchService::thumbnail},
      {"POST", "/api/v1/search", "search", &SearchService::search},
      {"GET", "/api/v1/similar", "similar", &SearchService::similar},
  };
  return all;
}

SearchService::SearchService(Gallery gallery, Extract extract, std::unique_ptr<GalleryImages> images,
                             SearchServiceOptions options)
    : gallery_(std::move(gallery)),
      extract_(std::move(extract)),
      images_(std::move(images)),
      options_(options) {
  const auto ids = gallery_.ids();
  times_known_ = std::any_of(ids.begin(), ids.end(),
                             [&](const std::string& id) { return gallery_.info(id).time.has_value(); });
}

HttpResponse SearchService::handle(const HttpRequest& request) {
  const auto begin = Clock::now();
  const Route* route = nullptr;
  std::string allowed;
  HttpResponse response;
  for (const auto& candidate : routes()) {
    if (request.path != candidate.path) continue;
    allowed = candidate.method;
    if (request.method == candidate.method) route = &candidate;
  }
  try {
    if (route != nullptr) {
      response = (this->*route->answer)(request);
    } else if (!allowed.empty()) {
      response = error_response(405, "use " + allowed);
      response.headers.emplace_back("Allow", allowed);
    } else {
      response = error_response(404, "there is nothing at this address; /openapi.json lists what there is");
    }
  } catch (const BadRequest& error) {
    response = error_response(error.status, error.message);
  } catch (const Error& error) {
    response = error_response(422, error.what());
  } catch (const std::exception& error) {
    response = error_response(500, std::string("this failed: ") + error.what());
  }
  metrics_.answered(route == nullptr ? "none" : route->name, response.status,
                    std::chrono::duration<double>(Clock::now() - begin).count());
  return response;
}

bool SearchService::takes_body(const std::string& path) const {
  const auto& all = routes();
  return std::any_of(all.begin(), all.end(), [&](const Route& route) {
    return std::string_view(route.method) == "POST" && path == route.path;
  });
}

void SearchService::refused(const std::string& reason) {
  metrics_.refused(reason);
}

HttpResponse SearchService::page(const HttpRequest&) {
  auto response = web_file(page_html, "text/html; charset=utf-8");
  response.headers.emplace_back(
      "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: "
      "data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
      "frame-ancestors 'none'");
  return response;
}

HttpResponse SearchService::style(const HttpRequest&) {
  return web_file(page_css, "text/css; charset=utf-8");
}

HttpResponse SearchService::script(const HttpRequest&) {
  return web_file(page_script, "text/javascript; charset=utf-8");
}

HttpResponse SearchService::openapi(const HttpRequest&) {
  return web_file(openapi_json, "application/json");
}

HttpResponse SearchService::health(const HttpRequest&) {
  return {200, "text/plain; charset=utf-8", "ok\n", {{"Cache-Control", "no-store"}}};
}

HttpResponse SearchService::metrics(const HttpRequest&) {
  return {200,
          "text/plain; version=0.0.4; charset=utf-8",
          metrics_.text(gallery_.size()),
          {{"Cache-Control", "no-store"}}};
}

HttpResponse SearchService::about_gallery(const HttpRequest& request) {
  require_known(request, {});
  Json json;
  json["images"] = gallery_.size();
  json["dim"] = gallery_.dim();
  json["model"] = gallery_.model();
  json["cameras"] = gallery_.cameras();
  json["times"] = times_known_;
  json["picture_camera"] = options_.needs_camera;
  json["thumbnails"] = images_ != nullptr;
  json["top"] = options_.top;
  json["most_matches"] = options_.most_matches;
  json["version"] = system::kindred_version;
  return json_response(json);
}

HttpResponse SearchService::list_images(const HttpRequest& request) {
  require_known(request, {"first", "count"});
  constexpr std::int64_t most = 1000;
  const auto size = gallery_.size();
  const auto first_text = find_value(request, "first");
  const auto count_text = find_value(request, "count");
  const auto first =
      first_text ? number_of<std::int64_t>("first", *first_text, 0, std::numeric_limits<std::int64_t>::max())
                 : 0;
  const auto count = count_text ? number_of<std::int64_t>("count", *count_text, 1, most) : 100;
  Json images = Json::array();
  if (first < size) {
    for (const auto& id : gallery_.ids(first, std::min(count, size - first))) {
      images.push_back(info_json(id, gallery_.info(id), images_ != nullptr));
    }
  }
  return json_response({{"first", first}, {"total", size}, {"images", std::move(images)}});
}

HttpResponse SearchService::thumbnail(const HttpRequest& request) {
  require_known(request, {"id"});
  const auto id = find_value(request, "id");
  if (!id) throw BadRequest{400, "'id' is missing: the id of an image of the gallery"};
  if (images_ == nullptr)
    throw BadRequest{404, "the service was started without --data, so it has no pictures"};
  if (!gallery_.contains(*id)) throw BadRequest{404, "the gallery has no image of this id"};
  const auto info = gallery_.info(*id);
  std::optional<std::string> jpeg;
  try {
    // A gallery that was made elsewhere may still name its images by their ids.
    if (!info.image.empty()) jpeg = images_->thumbnail(info.image);
    if (!jpeg) jpeg = images_->thumbnail(*id);
  } catch (const DataError& error) {
    // Where the folder of --data lies is no client's business.
    throw BadRequest{422, "the image " + reason_of(error)};
  }
  if (!jpeg) throw BadRequest{404, "the image is not in the folder of --data"};
  return {200, "image/jpeg", std::move(*jpeg), {{"Cache-Control", "private, max-age=3600"}}};
}

HttpResponse SearchService::search(const HttpRequest& request) {
  const auto begin = Clock::now();
  require_known(request, {"picture_camera", "top", "threshold", "camera", "from", "until"});
  const auto wanted = wanted_of(request, options_);
  const auto camera_text = find_value(request, "picture_camera");
  const auto camera =
      camera_text ? number_of<std::int64_t>("picture_camera", *camera_text, 0, highest_camera) : -1;
  cv::Mat descriptor;
  {
    // One after the other: a network computes with all processors, and pictures may be large.
    std::unique_lock lock(computing_, options_.patience);
    if (!lock.owns_lock()) {
      metrics_.refused("busy");
      throw BadRequest{503, "too many searches at once; try again"};
    }
    descriptor = extract_(picture_of(request), camera);
  }
  return found(descriptor, wanted, begin);
}

HttpResponse SearchService::similar(const HttpRequest& request) {
  const auto begin = Clock::now();
  require_known(request, {"id", "top", "threshold", "camera", "from", "until"});
  const auto wanted = wanted_of(request, options_);
  const auto id = find_value(request, "id");
  if (!id) throw BadRequest{400, "'id' is missing: the id of an image of the gallery"};
  if (!gallery_.contains(*id)) throw BadRequest{404, "the gallery has no image of this id"};
  return found(gallery_.descriptor(*id), wanted, begin);
}

HttpResponse SearchService::found(const cv::Mat& descriptor, const SearchOptions& wanted,
                                  Clock::time_point begin) const {
  Json matches = Json::array();
  const auto all = gallery_.search(descriptor, wanted);
  for (const auto& match : all.at(0)) {
    auto json = info_json(match.id, match.info, images_ != nullptr);
    // With all digits: it may come back as the threshold of the next search.
    json["similarity"] = Json::parse(text::shortest_text(match.similarity));
    matches.push_back(std::move(json));
  }
  return json_response({{"gallery", gallery_.size()},
                        {"seconds", std::chrono::duration<double>(Clock::now() - begin).count()},
                        {"matches", std::move(matches)}});
}

}  // namespace kindred::service
