// per_query.csv: how each query fared.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/sample.h"

namespace kindred::results {

/// How one query fared. Without a right image in the gallery it is not judged: matches is 0, and the figures
/// mean nothing.
struct QueryScore {
  std::string path;
  std::int64_t identity = unlabelled_identity;
  std::int64_t camera = unknown_camera;
  std::int64_t matches = 0;  ///< right images
  double ap = 0;
  double inp = 0;
  std::int64_t first_rank = 0;  ///< of the first right image, from 1

  [[nodiscard]] bool judged() const { return matches > 0; }
};

/// path,identity,camera,ap,inp,first_rank,matches: a line for each query, in order; the last four are empty
/// where it was not judged, ap and inp are rounded to six digits.
struct QueryScoresFile {
  static constexpr const char* name = "per_query.csv";

  std::vector<QueryScore> queries;

  /// Throws DataError naming file and line.
  [[nodiscard]] static QueryScoresFile read(const std::filesystem::path& file);
  /// Atomic.
  void write(const std::filesystem::path& file) const;
};

}  // namespace kindred::results
