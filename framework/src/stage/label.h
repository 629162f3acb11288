// Stage "label": descriptors of unlabeled images -> pseudo identities.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kindred/role/labeler.h"
#include "progress/progress.h"
#include "ranking/post_processing.h"
#include "system/ranks.h"

namespace kindred::stage {

struct LabelOutcome {
  std::filesystem::path csv;   ///< FOLDER/labels.csv: the images that have a pseudo identity
  std::filesystem::path json;  ///< FOLDER/labels.json: figures
  std::int64_t identities = 0;
  std::int64_t images = 0;  ///< that have one
  std::string text;         ///< what a person should read, some lines
};

/// Makes pseudo identities of the images of a search, or of those of some domains alone, from their
/// descriptors, which are taken over and scaled to length 1 in place. Writes labels.csv, in the input's
/// order, the queries first, and labels.json (labels_file.h), each atomically. It is no error when no image
/// gets an identity; the text says so then.
///
/// Throws DataError for descriptors without a direction, naming file and row; Error for a domain that no
/// image is of, with those that there are; ComponentError as the labeler does.
/// @param domains empty: all images
/// @param ranks each of which calls this with the same arguments: what the labeler asks of the search is
///              divided among them (RetrievalHost::nearest_rows()), and rank 0 writes
[[nodiscard]] LabelOutcome label(const Labeler& labeler, ranking::SearchInput input,
                                 const std::vector<std::string>& domains, const std::filesystem::path& folder,
                                 torch::Device device, progress::ProgressSink& progress,
                                 const system::Ranks& ranks = system::Ranks::alone());

}  // namespace kindred::stage
