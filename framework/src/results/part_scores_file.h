// Scores of parts of the queries, beside an evaluation: by_camera.csv and by_domain.csv.
#pragma once

#include <filesystem>
#include <vector>

#include "results/evaluation.h"

namespace kindred::results {

struct PartScoresFiles {
  /// query_camera,gallery_camera,queries and a column for each figure of PartScores::figures.
  static constexpr const char* cameras_name = "by_camera.csv";
  /// domain,queries and the same columns.
  static constexpr const char* domains_name = "by_domain.csv";

  /// Writes the files of which there is anything, atomically. Cells of values that are not there are empty.
  static void write(const std::filesystem::path& folder, const PartScores& scores);

  /// Reads the files that are there. Throws DataError for a damaged one.
  /// @param known what is known of the figures, as evaluation.json says; a column of none of them is called
  /// by its name and taken for a number
  [[nodiscard]] static PartScores read(const std::filesystem::path& folder,
                                       const std::vector<EvaluatedFigure>& known);
};

}  // namespace kindred::results
