// Command "data convert": writes a data set to disk in a layout that other programs read.
#pragma once

#include <filesystem>
#include <string>

#include "kindred/role/dataset.h"
#include "kindred/role/layout.h"
#include "progress/progress.h"

namespace kindred::command {

struct ConvertOptions {
  std::filesystem::path out;
  std::string layout;  ///< the component's name: for errors
  std::string ending;  ///< of the images: one of written_formats; "": the layout's
  /// Height and width that images are brought to (bilinear); 0, 0: each keeps its own.
  int height = 0;
  int width = 0;
};

/// Writes all samples, into a hidden folder beside `out` (folder_beside.h) that is renamed when all is
/// written and on disk, so that a stopped run is never taken for a whole data set. The result depends on the
/// data set alone.
///
/// @param sink may be nullptr
/// Throws DataError when `out` is not empty, when a sample lacks what the layout needs, or when an image
/// cannot be read or written.
void convert_dataset(const Dataset& dataset, const Layout& layout, const ConvertOptions& options,
                     progress::ProgressSink* sink = nullptr);

}  // namespace kindred::command
