// Stage "partition": images -> which domain each is of.
#pragma once

#include <filesystem>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/role/dataset.h"
#include "kindred/role/partitioner.h"
#include "progress/progress.h"
#include "results/domains_file.h"

namespace kindred::stage {

struct PartitionOutcome {
  std::filesystem::path csv;                          ///< FOLDER/domains.csv
  std::vector<results::DomainsFile::Domain> domains;  ///< those that have images, by name
};

/// Writes FOLDER/domains.csv (domains_file.h) with a line for each sample in order, atomically. All frames of
/// a tracklet get the domain of most of them, of several the first by name. Images are decoded by all
/// processors, or not at all when the partitioner does not look at them. Throws DataError for the first image
/// that cannot be read, and for one that would have two domains in two splits, naming it, and when there is
/// no sample; ComponentError as the partitioner does. What was there before stays then.
[[nodiscard]] PartitionOutcome partition(const Partitioner& partitioner, const Dataset& dataset,
                                         const std::vector<Sample>& samples,
                                         const std::filesystem::path& folder,
                                         progress::ProgressSink& progress);

}  // namespace kindred::stage
