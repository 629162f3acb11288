// What `kindred serve` answers: a page, and an API for programs (docs/openapi.json).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "kindred/search.h"
#include "service/gallery_images.h"
#include "service/http.h"
#include "service/service_metrics.h"

namespace kindred::service {

struct SearchServiceOptions {
  std::int64_t top = 20;                      ///< matches of a request that does not say how many
  std::int64_t most_matches = 200;            ///< that a request may ask for
  std::chrono::milliseconds patience{10000};  ///< that a request waits for those before it
  bool needs_camera = false;                  ///< the model uses which camera took a picture
};

/// Searches a gallery for people on pictures that clients send.
class SearchService final : public HttpHandler {
 public:
  /// The descriptor of an 8-bit BGR image, 1 x dim of CV_32F. Called by one thread at a time.
  /// @param camera which took it; -1: unknown
  using Extract = std::function<cv::Mat(const cv::Mat& image, std::int64_t camera)>;

  /// @param images nullptr: no thumbnails
  SearchService(Gallery gallery, Extract extract, std::unique_ptr<GalleryImages> images,
                SearchServiceOptions options = {});

  [[nodiscard]] HttpResponse handle(const HttpRequest& request) override;
  [[nodiscard]] bool takes_body(const std::string& path) const override;
  void refused(const std::string& reason) override;

 private:
  struct Route;
  [[nodiscard]] static const std::vector<Route>& routes();

  [[nodiscard]] HttpResponse page(const HttpRequest& request);
  [[nodiscard]] HttpResponse style(const HttpRequest& request);
  [[nodiscard]] HttpResponse script(const HttpRequest& request);
  [[nodiscard]] HttpResponse openapi(const HttpRequest& request);
  [[nodiscard]] HttpResponse health(const HttpRequest& request);
  [[nodiscard]] HttpResponse metrics(const HttpRequest& request);
  [[nodiscard]] HttpResponse about_gallery(const HttpRequest& request);
  [[nodiscard]] HttpResponse list_images(const HttpRequest& request);
  [[nodiscard]] HttpResponse thumbnail(const HttpRequest& request);
  [[nodiscard]] HttpResponse search(const HttpRequest& request);
  [[nodiscard]] HttpResponse similar(const HttpRequest& request);

  [[nodiscard]] HttpResponse found(const cv::Mat& descriptor, const SearchOptions& wanted,
                                   std::chrono::steady_clock::time_point begin) const;

  Gallery gallery_;
  Extract extract_;
  std::unique_ptr<GalleryImages> images_;
  SearchServiceOptions options_;
  bool times_known_ = false;  // of at least one image
  ServiceMetrics metrics_;
  std::timed_mutex computing_;
};

}  // namespace kindred::service
