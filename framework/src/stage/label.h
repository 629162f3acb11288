// Stage "label": descriptors of unlabelled images -> pseudo identities.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/role/labeler.h"
#include "progress/progress.h"
#include "ranking/post_processing.h"

namespace kindred::stage {

struct LabelOutcome {
  std::filesystem::path csv;   ///< FOLDER/labels.csv: the images that have a pseudo identity
  std::filesystem::path json;  ///< FOLDER/labels.json: figures
  std::int64_t identities = 0;
  std::int64_t images = 0;  ///< that have one
  std::string text;         ///< what a person should read, some lines
};

/// Makes pseudo identities of the images of a search, or of those of some domains alone, from their
/// descriptors, which are taken over and scaled to length 1 in place. Writes, each atomically:
///   - labels.csv, a list as sample_list.h reads: identity is the pseudo identity, from 0; split says whether
///     the image is a query or of the gallery; in the input's order, the queries first, and only the images
///     that got an identity;
///   - labels.json: identities, images, all_images, left_out (a list of reason and images),
///   images_per_identity
///     (minimum, mean, maximum; null without any), and truth, null unless somebody has said who is on the
///     images: images, labelled, persons, precision, recall, f1, purity (label_quality.h; null where there is
///     nothing to divide by).
/// It is no error when no image gets an identity; the text says so then.
///
/// Throws DataError for descriptors without a direction, naming file and row; Error for a domain that no
/// image is of, with those that there are; ComponentError as the labeler does.
/// @param domains empty: all images
[[nodiscard]] LabelOutcome label(const Labeler& labeler, ranking::SearchInput input,
                                 const std::vector<std::string>& domains, const std::filesystem::path& folder,
                                 torch::Device device, progress::ProgressSink& progress);

/// Reads labels.csv: samples whose identity is the pseudo identity. Throws DataError naming file and line
/// when one has none, or an image is there twice.
[[nodiscard]] std::vector<Sample> read_labels(const std::filesystem::path& csv);

}  // namespace kindred::stage
