// Writes a data set to disk, in a layout that other programs read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/role/dataset.h"
#include "progress/progress.h"

namespace kindred::command {

enum class Layout {
  market,   ///< Market-1501: bounding_box_train, query, bounding_box_test; labels and cameras in the names
  naic,     ///< NAIC 2019: train/image, train/label/train_list.txt, query_a, gallery_a; no cameras
  manifest  ///< train, query, gallery and manifest.csv; keeps everything that is known, domains too
};

/// "market", "naic", "manifest": the names that layout_of() takes.
[[nodiscard]] std::vector<std::string> layout_names();
/// Throws RecipeError, which lists the names, for another.
[[nodiscard]] Layout layout_of(const std::string& name);

struct WriteOptions {
  Layout layout = Layout::market;
  /// Ending of the images: "jpg" (quality 95), "png", "bmp", "webp" or "tif"; "": jpg for market, png else.
  std::string format;
  /// Height and width that images are brought to (bilinear); 0, 0: each keeps its own.
  int height = 0;
  int width = 0;
};

/// Writes all samples. The files are written into "FOLDER.partial", which is renamed when all is written, so
/// that a stopped run is never taken for a whole data set. The result depends on the data set alone.
///
/// The naic layout has no place for labels of queries and gallery: they go into answers.csv beside the
/// folders, a manifest of the test set that can be evaluated.
/// @param sink may be nullptr
/// Throws DataError when `folder` is not empty, when there is a partial one already, when a sample lacks
/// what the layout's names need (market: identity and camera; naic: the identity of a training image), or
/// when an image cannot be read or written.
void write_dataset(const Dataset& dataset, const std::filesystem::path& folder, const WriteOptions& options,
                   progress::ProgressSink* sink = nullptr);

}  // namespace kindred::command
