// Stage "partition": images -> which domain each is of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/role/dataset.h"
#include "kindred/role/partitioner.h"
#include "progress/progress.h"

namespace kindred::stage {

struct Domain {
  std::string name;
  std::int64_t images = 0;
};

struct PartitionOutcome {
  std::filesystem::path csv;    ///< FOLDER/domains.csv
  std::vector<Domain> domains;  ///< those that have images, by name
};

/// Path -> domain.
using Domains = std::unordered_map<std::string, std::string>;

/// Writes FOLDER/domains.csv, path,split,domain with a line for each sample in order, atomically. Images are
/// decoded by all processors, or not at all when the partitioner does not look at them. Throws DataError for
/// the first image that cannot be read, naming it, and when there is no sample; ComponentError as the
/// partitioner does. What was there before stays then.
[[nodiscard]] PartitionOutcome partition(const Partitioner& partitioner, const Dataset& dataset,
                                         const std::vector<Sample>& samples,
                                         const std::filesystem::path& folder,
                                         progress::ProgressSink& progress);

/// Reads what partition() wrote, or any table with the columns path and domain, and maybe split. Throws
/// DataError naming file and line for a path that is there twice, an empty cell, or another column.
[[nodiscard]] Domains read_domains(const std::filesystem::path& csv);

/// Gives each sample its domain. Throws DataError naming the first sample that is not there, and changes
/// nothing then.
/// @param csv where the domains were read, for messages
void set_domains(std::vector<Sample>& samples, const Domains& domains, const std::filesystem::path& csv);

}  // namespace kindred::stage
