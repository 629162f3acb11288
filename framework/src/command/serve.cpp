#include "command/serve.h"

#include <memory>
#include <opencv2/core/mat.hpp>
#include <system_error>
#include <utility>

#include "application/extractor_parts.h"
#include "command/machine.h"
#include "command/search.h"
#include "file/feature_files.h"
#include "kindred/core/error.h"
#include "kindred/extract.h"
#include "kindred/image/image.h"
#include "kindred/image/image_files.h"
#include "kindred/search.h"
#include "service/gallery_images.h"

namespace kindred::command {
namespace {

std::unique_ptr<service::GalleryImages> images_of(const ServeRequest& request) {
  if (!request.data.empty()) return std::make_unique<service::GalleryImages>(request.data);
  std::error_code error;
  const bool stored = Gallery::exists(request.gallery) ||
                      file::has_features(request.gallery / "gallery.npy") ||
                      !std::filesystem::is_directory(request.gallery, error);
  if (stored || !has_images(request.gallery, Depth::all_below)) return nullptr;
  return std::make_unique<service::GalleryImages>(request.gallery);
}

}  // namespace

void serve(const ServeRequest& request, const Catalog& catalog, progress::ProgressSink& progress,
           const std::function<const std::atomic<bool>&(std::int64_t images, int port)>& listening) {
  service::HttpServer server(request.server);  // before a model is loaded and images are embedded in vain
  auto images = images_of(request);
  ExtractorOptions options;
  options.model = request.model;
  options.device = "recipe";
  options.overrides = request.overrides;
  const std::shared_ptr<const Catalog> borrowed(std::shared_ptr<const Catalog>(), &catalog);
  auto parts = std::make_unique<application::ExtractorParts>(options, borrowed, std::vector<std::string>());
  auto& of_model = *parts;
  const Extractor extractor(std::move(parts));
  for (const auto& note : extractor.notes()) progress.note(note);
  if (extractor.needs_views()) {
    throw DataError(request.model,
                    "uses the view of a picture (front, back, ...), which no request says; set the parameter "
                    "of the backbone that says what unknown ones get, as in --set "
                    "backbone.unknown_camera=none");
  }
  prepare_machine(of_model.machine(), progress);

  auto gallery = open_gallery(request.gallery, "", of_model, catalog, progress);
  if (images == nullptr) progress.note("matches are shown without pictures: --data says where they lie");
  set_pixel_limit(static_cast<std::int64_t>(request.max_megapixels * 1e6));
  const auto size = gallery.size();
  service::SearchService service(std::move(gallery),
                                 [&](const cv::Mat& image, std::int64_t camera) {
                                   const CropOrigin origin{.camera = camera, .view = -1};
                                   return extractor.extract({&image, 1}, {&origin, 1});
                                 },
                                 std::move(images),
                                 {.top = request.top, .needs_camera = extractor.needs_cameras()});
  server.run(service, listening(size, server.port()));
}

}  // namespace kindred::command
