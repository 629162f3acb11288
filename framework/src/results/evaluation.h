// What was found when rankings were judged.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/role/metric.h"
#include "recipe/settings.h"

namespace kindred::results {

struct EvaluatedFigure {
  FigureInfo info;
  double value = 0;       ///< NaN: there is none
  std::string metric;     ///< name of the metric's entry in the recipe
  std::string caution{};  ///< why there is too little behind the value to rely on it; "": it stands
};

struct EvaluatedQuery {
  std::string path;
  std::int64_t identity = unlabeled_identity;
  std::int64_t camera = unknown_camera;
  std::int64_t matches = 0;  ///< right images; 0: it was not judged
};

/// The queries of an evaluation, in order.
struct QueryTable {
  std::vector<EvaluatedQuery> queries;
  std::vector<MetricColumn> columns;  ///< one value for each query, NaN where it was not judged
};

/// Scores of parts of the queries, or against parts of the gallery: by the metrics of ranks.
struct PartScores {
  struct Part {
    std::string query;           ///< the queries' camera or domain
    std::string gallery;         ///< the gallery's camera; "": the whole gallery
    std::int64_t queries = 0;    ///< those that were judged
    std::vector<double> values;  ///< one for each of `figures`; NaN: there is none
  };
  std::vector<FigureInfo> figures;  ///< those that are shown to people
  /// Queries of one camera, and of the gallery the images of one other camera alone: in order of the numbers,
  /// those in which a query has a right image. Empty where cameras are not known, or there is a single pair.
  std::vector<Part> camera_pairs;
  /// Queries of one domain in the whole gallery, by name. Empty unless there are two domains.
  std::vector<Part> domains;
};

struct Evaluation {
  std::vector<EvaluatedFigure> figures;  ///< in the order of the metrics
  std::vector<MetricTable> tables;
  std::int64_t queries = 0;         ///< all
  std::int64_t valid_queries = 0;   ///< those with a right image in the gallery, which are judged
  std::int64_t gallery = 0;         ///< images that are ranked: all but junk
  std::int64_t distractors = 0;     ///< of them, those of nobody that a query shows, unlabeled ones included
  std::int64_t junk = 0;            ///< images left out
  std::int64_t positive_pairs = 0;  ///< of a labeled query and a gallery image of the same person
  std::int64_t negative_pairs = 0;  ///< of another
  bool cameras_known = false;       ///< gallery images of the query's identity and camera were left out
  bool cosine = false;              ///< distances are 1 - cosine similarity
  bool multi_query = false;         ///< queries of one identity, camera and clothes were merged
  bool nobody_else = false;         ///< no ranking has a wrong image, so that all are right
  bool itself_ignored = false;      ///< a query that is in the gallery was left out of its own ranking
  recipe::ClothesMode clothes = recipe::ClothesMode::any;  ///< which images of the query's identity count
  std::int64_t single_gallery_shot = 0;                    ///< drawn galleries; 0: the whole one
  std::string images_sha256;  ///< of the queries and the gallery, as ranking::images_hash() gives it
  std::string note;           ///< what a reader must know: why cameras were not used, what is missing
  QueryTable per_query;
  PartScores parts;

  /// nullptr when there is no such figure.
  [[nodiscard]] const EvaluatedFigure* find(std::string_view name) const;
  /// NaN when there is no such figure.
  [[nodiscard]] double value(std::string_view name) const;
};

/// Whether figures may be subtracted: of the same images, with the same settings that say which of them
/// count.
[[nodiscard]] bool comparable(const Evaluation& a, const Evaluation& b);

/// Why figures have no value, for those whose metric says it: each reason once for each metric, as "open_set:
/// there are no negative pairs".
[[nodiscard]] std::vector<std::string> reasons_without_value(const Evaluation& evaluation);

/// The figures of several evaluations that are at least so prominent, each once, in the order in which they
/// come.
[[nodiscard]] std::vector<FigureInfo> figures_of(const std::vector<const Evaluation*>& evaluations,
                                                 Prominence least = Prominence::detail);

}  // namespace kindred::results
