// Scores and rankings of a run, as a report needs them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/role/metric.h"
#include "report/piece.h"
#include "results/evaluation.h"
#include "results/matches_file.h"

namespace kindred::report {

struct RankingFiles {
  Piece<results::Evaluation> scores;
  Piece<results::Evaluation> plain_scores;  ///< by the descriptors alone, when there is any post-processing
  Piece<results::QueryTable> queries;
  std::vector<Piece<MetricTable>> curves;  ///< of `scores`, those whose file is there
  Piece<results::PartScores> parts;        ///< of `scores`
  std::filesystem::path matches;           ///< matches.csv; read_matches() reads it
};

/// @param folder with matches.csv, evaluation.json, evaluation_plain.json, per_query.csv, curves and scores
/// of parts
[[nodiscard]] RankingFiles read_ranking_files(const std::filesystem::path& folder);

/// The queries of matches.csv, in its order.
[[nodiscard]] Piece<std::vector<std::string>> read_ranked_queries(const std::filesystem::path& matches);

/// What was found for some queries, in their order; for a query that the file does not have, nothing. Of a
/// file that is damaged what stands before the damage is read.
[[nodiscard]] Piece<std::vector<results::QueryMatches>> read_matches(const std::filesystem::path& matches,
                                                                     const std::vector<std::string>& queries);

}  // namespace kindred::report
