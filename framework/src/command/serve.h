// Command "serve": a gallery that is searched in a browser and by HTTP, with a trained model.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "progress/progress.h"
#include "service/http_server.h"
#include "service/search_service.h"

namespace kindred::command {

struct ServeRequest {
  std::filesystem::path model;    ///< model file
  std::filesystem::path gallery;  ///< what open_gallery() (command/search.h) opens
  /// Where the gallery's images lie. "": in `gallery`, where that is a folder of images, else they are not
  /// shown.
  std::filesystem::path data;
  std::vector<std::string> overrides;  ///< of the model's recipe
  double max_megapixels = 25;          ///< of a picture, in the whole process
  service::HttpServerOptions server;
  std::int64_t top = 20;  ///< matches of a search that does not say how many
};

/// Serves until a flag, `stop`, is set. The address is taken before anything is read. Throws Error without
/// cpp-httplib or when the address cannot be used, DataError for a model, gallery or folder that cannot be
/// used, RecipeError for an override.
/// @param listening is told how many images the gallery has and the port, when all has been read; gives
/// `stop`
void serve(const ServeRequest& request, const Catalog& catalog, progress::ProgressSink& progress,
           const std::function<const std::atomic<bool>&(std::int64_t images, int port)>& listening);

}  // namespace kindred::command
