#include "ranking/evaluation.h"

#include <ATen/Context.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <set>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/role/metric.h"
#include "ranking/gallery_index.h"
#include "ranking/images_hash.h"
#include "ranking/judge.h"
#include "ranking/made_metric.h"
#include "ranking/part_scores.h"
#include "ranking/similarity.h"
#include "text/number_text.h"

namespace kindred::ranking {
namespace {

void add_sentence(std::string& text, const std::string& sentence) {
  if (!text.empty()) text += "; ";
  text += sentence;
}

std::string some_identities(std::set<std::int64_t> identities) {
  std::string text =
      text::count_text(static_cast<std::int64_t>(identities.size()), "identity", "identities") + " (";
  std::size_t shown = 0;
  for (const auto identity : identities) {
    if (shown == 3) return text + ", ...)";
    text += (shown++ > 0 ? ", " : "") + std::to_string(identity);
  }
  return text + ")";
}

/// Throws unless some person is on both sides.
void require_shared_identities(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                               const GalleryIndex& index, const std::filesystem::path& place) {
  if (query.empty()) throw DataError(place, "there are no queries to evaluate");
  if (gallery.empty()) throw DataError(place, "the gallery is empty");
  std::set<std::int64_t> identities;
  for (const auto& sample : query) {
    if (index.find(sample) != nullptr) return;
    if (labeled(sample)) identities.insert(sample.identity);
  }
  if (identities.empty()) {
    throw DataError(place, "none of the " + text::count_text(query.size(), "query", "queries") +
                               " has an identity; evaluation needs identities (column `identity`, whole "
                               "numbers from 0); without them, use match to rank the gallery");
  }
  if (index.labeled_images == 0) {
    throw DataError(place, "none of the " +
                               text::count_text(gallery.size(), "gallery image", "gallery images") +
                               " has an identity; evaluation needs identities on both sides");
  }
  std::set<std::int64_t> others;
  for (const auto& [identity, images] : index.images) others.insert(identity);
  throw DataError(place, "queries and gallery have no identity in common: the queries have " +
                             some_identities(identities) + ", the gallery has " + some_identities(others) +
                             "; check that they belong to the same data set and use the same numbers");
}

struct CameraDecision {
  bool known = false;
  std::string note;
};

/// Only images of persons on both sides count: nothing is ever removed for the camera of another.
CameraDecision decide_cameras(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                              const GalleryIndex& index, recipe::CameraMode mode,
                              const std::filesystem::path& place) {
  if (mode == recipe::CameraMode::single) return {};

  std::int64_t images = 0;
  std::int64_t missing = 0;
  const Sample* first_missing = nullptr;
  std::set<std::int64_t> cameras;
  const auto look_at = [&](const Sample& sample) {
    ++images;
    if (sample.camera >= 0) {
      cameras.insert(sample.camera);
    } else {
      ++missing;
      if (first_missing == nullptr) first_missing = &sample;
    }
  };
  std::unordered_set<std::int64_t> shared;
  for (const auto& sample : query) {
    if (index.find(sample) == nullptr) continue;
    look_at(sample);
    shared.insert(sample.identity);
  }
  for (const auto& sample : gallery) {
    if (labeled(sample) && shared.contains(sample.identity)) look_at(sample);
  }

  const std::string missing_text = missing == images
                                       ? "no image has a camera"
                                       : std::to_string(missing) + " of " + std::to_string(images) +
                                             " images have no camera (first: '" +
                                             (missing > 0 ? first_missing->path : "") + "')";
  if (mode == recipe::CameraMode::known) {
    if (missing > 0) {
      throw DataError(place, "cameras = \"known\", but " + missing_text +
                                 "; give the camera of every image, or set cameras = \"single\"");
    }
    return {true, ""};
  }
  if (missing > 0) {
    return {false, missing_text + ", so images from the camera of the query count as correct"};
  }
  if (cameras.size() < 2) {
    return {false, "all images are from one camera (" + std::to_string(*cameras.begin()) +
                       "), so images from the camera of the query count as correct"};
  }
  return {true, ""};
}

/// Throws unless the clothes of all images of persons on both sides are known.
void require_clothes(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                     const GalleryIndex& index, const std::filesystem::path& place) {
  std::unordered_set<std::int64_t> shared;
  std::int64_t images = 0;
  std::int64_t missing = 0;
  const Sample* first_missing = nullptr;
  const auto look_at = [&](const Sample& sample) {
    ++images;
    if (sample.clothes >= 0) return;
    ++missing;
    if (first_missing == nullptr) first_missing = &sample;
  };
  for (const auto& sample : query) {
    if (index.find(sample) == nullptr) continue;
    shared.insert(sample.identity);
    look_at(sample);
  }
  for (const auto& sample : gallery) {
    if (labeled(sample) && shared.contains(sample.identity)) look_at(sample);
  }
  if (missing == 0) return;
  throw DataError(place, "[evaluate] clothes needs the clothes of every image, but of " +
                             std::to_string(images) + " images " + std::to_string(missing) +
                             " have none (first: '" + first_missing->path +
                             "'); give them in the column 'clothes' of a manifest, or set clothes = \"any\"");
}

/// Queries whose path is in the gallery as well.
std::int64_t queries_in_gallery(const std::vector<Sample>& query, const std::vector<Sample>& gallery) {
  std::unordered_set<std::string_view> paths;
  for (const auto& sample : gallery) paths.insert(sample.path);
  return std::count_if(query.begin(), query.end(), [&](const Sample& sample) {
    return !sample.path.empty() && paths.contains(sample.path);
  });
}

/// What the queries are, and nothing yet of their values.
std::vector<results::EvaluatedQuery> queries_of(const std::vector<Sample>& query,
                                                const std::vector<JudgedQuery>& judged) {
  std::vector<results::EvaluatedQuery> queries;
  for (std::size_t q = 0; q < query.size(); ++q) {
    queries.push_back({query[q].path, query[q].identity, query[q].camera, judged[q].matches});
  }
  return queries;
}

/// The ranks of all queries that were judged, and how many of them belong to each.
struct JudgedRanks {
  std::vector<QueryRanks> ranks;
  std::vector<std::size_t> of_query;

  explicit JudgedRanks(const std::vector<JudgedQuery>& judged) {
    for (const auto& one : judged) {
      if (one.ranks.empty()) continue;
      of_query.push_back(one.ranks.size());
      ranks.insert(ranks.end(), one.ranks.begin(), one.ranks.end());
    }
  }

  /// One value for each query: the mean over its draws.
  [[nodiscard]] std::vector<double> means(const std::vector<double>& values) const {
    std::vector<double> result;
    auto next = values.begin();
    for (const auto count : of_query) {
      const auto end = next + static_cast<std::ptrdiff_t>(count);
      result.push_back(std::accumulate(next, end, 0.0) / static_cast<double>(count));
      next = end;
    }
    return result;
  }
};

/// Leaves gaps for the queries that were not judged.
std::vector<double> with_gaps(const std::vector<double>& values,
                              const std::vector<results::EvaluatedQuery>& queries) {
  std::vector<double> result;
  auto next = values.begin();
  for (const auto& query : queries) {
    result.push_back(query.matches > 0 ? *next++ : std::numeric_limits<double>::quiet_NaN());
  }
  return result;
}

/// Columns and tables become heads and names of files.
template <class Named>
void require_new_name(const MadeMetric& metric, const std::string& what, const std::string& name,
                      const std::vector<Named>& others, const std::vector<std::string>& reserved) {
  const bool taken =
      std::any_of(others.begin(), others.end(), [&](const Named& other) { return other.name == name; }) ||
      std::find(reserved.begin(), reserved.end(), name) != reserved.end();
  if (!taken) return;
  throw ComponentError(metric.component, "gives a " + what + " '" + name +
                                             "', and there is one already; give the metric's entry in the "
                                             "recipe a 'name', which is then put before it");
}

/// Adds what a metric says of the rankings.
void add_result(const MadeMetric& metric, MetricResult result, const JudgedRanks& judged,
                results::Evaluation& evaluation) {
  check_result(metric, judged.ranks.size(), result);
  for (std::size_t i = 0; i < metric.figures.size(); ++i) {
    evaluation.figures.push_back({metric.figures[i], result.values[i], metric.name,
                                  result.cautions.empty() ? "" : std::move(result.cautions[i])});
  }
  for (auto& table : result.tables) {
    require_new_name(metric, "table", table.name, evaluation.tables,
                     {"matches", "per_query", "by_camera", "by_domain"});
    evaluation.tables.push_back(std::move(table));
  }
  auto& per_query = evaluation.per_query;
  for (auto& column : result.per_query) {
    require_new_name(metric, "column of per_query", column.name, per_query.columns,
                     {"path", "identity", "camera", "matches"});
    column.values = with_gaps(judged.means(column.values), per_query.queries);
    per_query.columns.push_back(std::move(column));
  }
}

/// Distractors, and what a reader must know of queries.
void count_others(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                  bool exclude_same_image, results::Evaluation& evaluation) {
  std::unordered_set<std::int64_t> searched;
  std::int64_t not_judged = 0;
  for (const auto& sample : query) {
    if (labeled(sample)) searched.insert(sample.identity);
    not_judged += labeled(sample) ? 0 : 1;
  }
  for (const auto& sample : gallery) {
    if (sample.identity == junk_identity) continue;
    if (!labeled(sample) || !searched.contains(sample.identity)) ++evaluation.distractors;
  }
  if (not_judged > 0) {
    add_sentence(evaluation.note, text::count_text(not_judged, "query is", "queries are") +
                                      " unlabeled or junk and not evaluated");
  }
  if (evaluation.cameras_known || exclude_same_image) return;
  if (const auto selves = queries_in_gallery(query, gallery); selves > 0) {
    add_sentence(evaluation.note, text::count_text(selves, "query is", "queries are") +
                                      " also in the gallery, and finding itself counts as correct");
  }
}

/// What the settings leave of the gallery, for readers.
std::string setting_text(const recipe::EvaluateSettings& settings) {
  std::string text;
  if (settings.clothes == recipe::ClothesMode::changed) {
    add_sentence(text, "changed clothes: images of the query's identity in its clothes are ignored");
  }
  if (settings.clothes == recipe::ClothesMode::same) {
    add_sentence(text, "same clothes: images of the query's identity in other clothes are ignored");
  }
  if (settings.single_gallery_shot > 0) {
    add_sentence(text, "single gallery shot: one image of each identity, mean of " +
                           text::count_text(settings.single_gallery_shot, "draw", "draws"));
  }
  return text;
}

/// Why no query was judged although some person is on both sides.
DataError nothing_left(const recipe::EvaluateSettings& settings, bool cameras_known, bool itself,
                       const std::filesystem::path& place) {
  std::string reasons;
  std::string remedies;
  const auto add = [&](const std::string& reason, const std::string& remedy) {
    reasons += (reasons.empty() ? "" : " or ") + reason;
    remedies += (remedies.empty() ? "set " : " or ") + remedy;
  };
  if (cameras_known) add("are from the camera of the query", "cameras = \"single\"");
  if (settings.clothes == recipe::ClothesMode::changed) {
    add("show the clothes of the query", "clothes = \"any\"");
  }
  if (settings.clothes == recipe::ClothesMode::same) add("show other clothes", "clothes = \"any\"");
  if (itself) add("are the query itself", "exclude_same_image = false");
  const bool camera_alone = cameras_known && settings.clothes == recipe::ClothesMode::any && !itself;
  return DataError(place, std::string(camera_alone ? "no query has a correct image from another camera"
                                                   : "no query has a correct image that counts") +
                              ": all gallery images of the query's identity " + reasons +
                              " and are ignored; " + remedies + " to count them, or check " +
                              (camera_alone ? "the cameras in the data" : "the labels of the data"));
}

}  // namespace

results::Evaluation evaluate(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                             const DistanceBlock& distances, DistanceScale scale,
                             const recipe::EvaluationPlan& plan, const std::filesystem::path& place,
                             const SameImages& same, const system::Ranks& ranks,
                             std::int64_t distance_bytes) {
  const auto& settings = plan.evaluate;
  const auto metrics = create_metrics(plan);
  if (metrics.empty()) {
    throw Error(
        "evaluate: error: there is no metric to evaluate rankings with: none of the plugins that were loaded "
        "offers a default one; `kindred list` shows what there is, and --plugin-dir says where plugins are");
  }
  if (gallery.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw DataError(place, "the gallery has more than 2,147,483,647 images");
  }
  const GalleryIndex index(gallery);
  require_shared_identities(query, gallery, index, place);
  auto decision = decide_cameras(query, gallery, index, settings.cameras, place);
  if (settings.clothes != recipe::ClothesMode::any) require_clothes(query, gallery, index, place);

  results::Evaluation evaluation;
  evaluation.queries = static_cast<std::int64_t>(query.size());
  evaluation.junk = static_cast<std::int64_t>(index.junk.size());
  evaluation.gallery = static_cast<std::int64_t>(gallery.size()) - evaluation.junk;
  evaluation.cameras_known = decision.known;
  evaluation.cosine = scale == DistanceScale::cosine;
  evaluation.itself_ignored = settings.exclude_same_image;
  evaluation.clothes = settings.clothes;
  evaluation.single_gallery_shot = settings.single_gallery_shot;
  evaluation.images_sha256 = images_hash(query, gallery, settings.single_gallery_shot > 0);
  evaluation.note = setting_text(settings);
  if (!decision.note.empty()) add_sentence(evaluation.note, decision.note);

  const SameImages none;
  const Judge judge(query, gallery, index, decision.known, settings,
                    settings.exclude_same_image ? same : none, place);
  const auto themselves = judge.found_themselves();
  auto pairs = judge.pairs();
  pairs.cosine = evaluation.cosine;
  evaluation.positive_pairs = pairs.positives;
  evaluation.negative_pairs = pairs.negatives;
  Counters counters;
  for (const auto& metric : metrics) counters.push_back(metric.metric->count_pairs(pairs));
  const auto judged =
      judge_all(evaluation.queries, pairs.images, distances, judge, counters, ranks, distance_bytes);
  evaluation.per_query.queries = queries_of(query, judged);
  const JudgedRanks judged_ranks(judged);
  evaluation.valid_queries = static_cast<std::int64_t>(judged_ranks.of_query.size());
  if (judged_ranks.ranks.empty()) {  // possible only when images were left out
    throw nothing_left(settings, decision.known, themselves > 0, place);
  }
  evaluation.nobody_else = std::all_of(
      judged_ranks.ranks.begin(), judged_ranks.ranks.end(),
      [](const QueryRanks& ranks) { return ranks.ranked == static_cast<std::int64_t>(ranks.ranks.size()); });
  std::vector<const MadeMetric*> of_ranks;
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    add_result(metrics[i], counters[i] ? counters[i]->result() : metrics[i].metric->judge(judged_ranks.ranks),
               judged_ranks, evaluation);
    if (!counters[i]) of_ranks.push_back(&metrics[i]);
  }
  evaluation.parts = part_scores(of_ranks, query, judged);
  if (themselves > 0) {
    add_sentence(evaluation.note, text::count_text(themselves, "query is", "queries are") +
                                      " also in the gallery, and this image itself is left out");
  }
  count_others(query, gallery, settings.exclude_same_image, evaluation);
  return evaluation;
}

std::string warning_of_nobody_else(const results::Evaluation& evaluation) {
  if (!evaluation.nobody_else) return "";
  return "warning: no query has an image of anybody else to tell it from, so every ranking is right: the "
         "figures say nothing; evaluate with a gallery of several people";
}

void warn_of_nobody_else(const results::Evaluation& evaluation, progress::ProgressSink& progress) {
  if (const auto warning = warning_of_nobody_else(evaluation); !warning.empty()) progress.note(warning);
}

DistanceBlock cosine_distances(torch::Tensor query, torch::Tensor gallery, const std::string& query_name,
                               const std::string& gallery_name, torch::Device device) {
  auto similarity = std::make_shared<const CosineSimilarity>(std::move(query), std::move(gallery), query_name,
                                                             gallery_name, device);
  return [similarity](std::int64_t first, std::int64_t last) {
    return similarity->rows(first, last).neg_().add_(1);
  };
}

DistanceBlock streamed_cosine_distances(torch::Tensor query, std::int64_t gallery_size,
                                        std::int64_t gallery_dim, DescriptorBlock gallery,
                                        const std::string& query_name, const std::string& gallery_name,
                                        torch::Device device) {
  constexpr std::int64_t piece_elements = std::int64_t{4} << 20;
  if (query.size(1) != gallery_dim) {
    throw dim_mismatch(query_name, query.size(1), gallery_name, gallery_dim);
  }
  require_directions(query, query_name);
  const auto piece = std::max<std::int64_t>(1, piece_elements / gallery_dim);
  return [=, query = std::move(query), gallery = std::move(gallery)](std::int64_t first, std::int64_t last) {
    const at::NoTF32Guard all_bits;
    const auto units = unit_rows(query.slice(0, first, last), query_name, first).to(device);
    auto result = torch::empty({last - first, gallery_size});
    for (std::int64_t image = 0; image < gallery_size; image += piece) {
      const auto end = std::min(gallery_size, image + piece);
      const auto rows = gallery(image, end);
      const auto scales = inverse_lengths(rows, gallery_name, image).to(device);
      const auto similarities = torch::matmul(units, rows.to(device).t()).mul_(scales);
      result.slice(1, image, end).copy_(similarities.neg_().add_(1));
    }
    return result;
  };
}

}  // namespace kindred::ranking
