// Stage "submit": rankings -> the file that somebody else wants.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/role/writer.h"
#include "progress/progress.h"

namespace kindred::stage {

struct SubmitOutcome {
  std::filesystem::path file;  ///< FOLDER/ and Writer::file_name()
  std::int64_t queries = 0;
  std::int64_t listed = 0;  ///< gallery images of each query
};

/// Writes the rankings of all queries of a data set, in its order, each cut to Writer::top() gallery images
/// or the whole gallery. Before the file takes its place, what was written is read by Writer::read() and
/// compared.
///
/// Nothing incomplete is ever written. Throws DataError, and leaves an earlier file as it was, when
///   - a query of the data set has no ranking, or has two;
///   - a ranking is of an image that is not a query of the data set, or lists one that is not in its gallery,
///     lists one twice, or too few;
///   - the ranks of a query are not 1, 2, 3 and so on;
///   - two queries, or two gallery images, have the same name in the writer's format;
///   - what is read back differs.
/// @param rankings files matches.csv (matches_file.h), such as one for each domain
/// A tracklet is a query, or in the gallery, by its first frame.
/// @param images the data set's samples; those of the split train do not matter
[[nodiscard]] SubmitOutcome submit(const Writer& writer, const std::vector<std::filesystem::path>& rankings,
                                   const std::vector<Sample>& images, const std::filesystem::path& folder,
                                   progress::ProgressSink& progress);

}  // namespace kindred::stage
