// A picture of pseudo identities, for looking at.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/role/dataset.h"
#include "progress/progress.h"

namespace kindred::stage {

/// Draws a PNG file of at most 1 MB with a row for each of a dozen pseudo identities: the largest six, then
/// six spread evenly over the others by size. A row shows up to ten images: queries, which are framed blue,
/// then others from first to last. Where the data set knows who is on the images, those that are not of the
/// person who is on most images of the identity are framed red, and each row says how many there are.
/// Identities of one image, which show nothing, are passed over. Depends on the labels and the data set
/// alone. Atomic.
///
/// Nothing is drawn, and nothing returned, when no identity has two images. Throws DataError for a label
/// whose image the data set does not have or cannot read.
/// @param labels of LabelsFile (labels_file.h)
/// @return `file`
std::optional<std::filesystem::path> draw_label_sheet(const std::vector<Sample>& labels,
                                                      const Dataset& dataset,
                                                      const std::filesystem::path& file,
                                                      progress::ProgressSink& progress);

}  // namespace kindred::stage
