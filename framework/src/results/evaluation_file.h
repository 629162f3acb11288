// Evaluations on disk: evaluation.json, evaluation_plain.json and what lies beside them.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "results/evaluation.h"

namespace kindred::results {

/// An evaluation as JSON:
///
///   { "figures": { "mAP": { "value": 0.43, "label": "mAP", "shown_as": "share", "better": "higher",
///                           "prominence": "headline", "metric": "retrieval", "doc": "..." }, ... },
///     "queries": 10, "valid_queries": 9, "gallery": 100, "distractors": 1, "junk": 7,
///     "positive_pairs": 30, "negative_pairs": 900,
///     "cameras": "known", "distances": "cosine", "multi_query": false,
///     "itself_ignored": true, "clothes": "any", "single_gallery_shot": 0,
///     "images_sha256": "9f86d0...", "note": "",
///     "tables": { "thresholds": { "title": "...", "doc": "", "columns": COLUMNS,
///                                 "rows": [ { "distance": 0.25, ... }, ... ] } } }
///
/// `figures` are in the order of the metrics; `shown_as` is "share", "number" or "distance", `better`
/// "higher" or "lower", `prominence` "headline", "listed" or "detail"; `metric` is the entry of the recipe;
/// `cameras` is "known" or "single", `distances` "cosine" or "other", `clothes` "any", "changed" or "same".
/// COLUMNS is { NAME: { "label": "...", "shown_as":
/// "..." }, ... }. A figure with too little behind it has a key "caution" with the reason; a table of which
/// some rows have too little behind them has "cautions", one for each row, "" for a row that stands. A number
/// that is not finite is null. Curves and queries are not in it.
[[nodiscard]] nlohmann::ordered_json evaluation_json(const Evaluation& evaluation);

/// Reads what evaluation_json() gives. Throws DataError when it is not of that form.
/// @param file where it stands, for the error
[[nodiscard]] Evaluation evaluation_of(const nlohmann::ordered_json& json, const std::filesystem::path& file);

/// Writes evaluation_json() alone, atomically.
void write_evaluation_json(const std::filesystem::path& file, const Evaluation& evaluation);

/// Writes into a folder, each atomically: evaluation.json, evaluation.txt (evaluation_text()), NAME.csv and
/// the picture NAME.svg for each curve (a table with a plot), per_query.csv, and by_camera.csv and
/// by_domain.csv (part_scores_file.h). evaluation.json has two keys besides:
///
///   "curves": { "roc": { "title": "...", "doc": "...", "file": "roc.csv", "columns": COLUMNS,
///                        "plot": { "x": "false_positive_rate", "y": "true_positive_rate",
///                                  "logarithmic_x": true } } },
///   "per_query": { "file": "per_query.csv", "columns": COLUMNS }
///
/// Curves of an evaluation that was there before are removed.
void write_evaluation(const std::filesystem::path& folder, const Evaluation& evaluation);

/// Reads either of the two; curves and queries have columns without values, and there are no scores of parts.
/// Throws DataError when the file is missing, damaged or of another form.
[[nodiscard]] Evaluation read_evaluation(const std::filesystem::path& file);

/// Names of the files of a folder that write_evaluation() wrote, but for evaluation.txt; none when there is
/// no evaluation.json, or a damaged one.
[[nodiscard]] std::vector<std::string> evaluation_files(const std::filesystem::path& folder);

/// per_query.csv: "path,identity,camera,matches" and the metrics' columns, a line for each query; cells are
/// empty where it was not judged.
void write_query_table(std::ostream& out, const QueryTable& table);
void write_query_table(const std::filesystem::path& file, const QueryTable& table);

/// Throws DataError.
/// @param known labels and kinds of its columns, as evaluation.json says; a column that is not among them is
/// called by its name
[[nodiscard]] QueryTable read_query_table(const std::filesystem::path& file,
                                          const std::vector<MetricColumn>& known);

/// Fills in the values of a curve from the CSV file of its name in `folder`. Throws DataError.
void read_curve(const std::filesystem::path& folder, MetricTable& curve);

}  // namespace kindred::results
