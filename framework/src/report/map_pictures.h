// Activation maps of rankings, as parts of a page.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "inference/activation_maps.h"
#include "kindred/core/catalog.h"
#include "report/pictures.h"
#include "report/run_files.h"

namespace kindred::report {

/// The model file whose descriptors a ranking compares, or else the error: DataError when the run does not
/// say it or the file is missing.
[[nodiscard]] std::filesystem::path model_of(const RunFiles& run, const RunStage& ranking);

/// Draws maps with a model, on the CPU.
class MapPictures {
 public:
  /// Throws as read_model_file().
  MapPictures(const std::filesystem::path& model, const Catalog& catalog);

  /// Maps of a query and of what was found for it: of the query the energy, of the others what makes them
  /// similar to it. Each is the address of a picture, in the order of the paths; "" for an image that cannot
  /// be read.
  /// @param paths the query's first
  [[nodiscard]] std::vector<std::string> draw(const std::vector<std::string>& paths,
                                              const Pictures& pictures);

 private:
  inference::MapModel model_;
  inference::ActivationMaps maps_;
};

}  // namespace kindred::report
