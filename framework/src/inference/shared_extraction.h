// The extraction of features by several ranks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "file/feature_files.h"
#include "inference/feature_extraction.h"
#include "kindred/core/sample.h"
#include "kindred/role/dataset.h"
#include "progress/progress.h"
#include "system/ranks.h"

namespace kindred::inference {

/// FeatureExtraction::extract(), each rank working on some of the batches that one process would make, and so
/// to the same bits. All ranks have the result. Tracklets are not divided.
/// @param extraction of this rank, for the same model on all
/// @param batch_size embed.batch_size
[[nodiscard]] file::Features extract_together(FeatureExtraction& extraction, const Dataset& dataset,
                                              const std::vector<Sample>& samples, const std::string& what,
                                              std::int64_t batch_size, const system::Ranks& ranks,
                                              progress::ProgressSink& progress);

}  // namespace kindred::inference
