#include "ranking/evaluation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/core/parallel.h"
#include "kindred/role/metric.h"
#include "ranking/made_metric.h"
#include "ranking/match_ranks.h"
#include "ranking/part_scores.h"
#include "ranking/similarity.h"

namespace kindred::ranking {
namespace {

constexpr std::int64_t block_bytes = std::int64_t{64} << 20;

bool labelled(const Sample& sample) {
  return sample.identity >= 0;
}

std::string count_text(std::int64_t count, const std::string& thing, const std::string& things) {
  return std::to_string(count) + " " + (count == 1 ? thing : things);
}

void add_sentence(std::string& text, const std::string& sentence) {
  if (!text.empty()) text += "; ";
  text += sentence;
}

/// Who is where in the gallery.
struct GalleryIndex {
  std::unordered_map<std::int64_t, std::vector<std::int32_t>> images;  // of each identity, ascending
  std::vector<std::int32_t> junk;
  std::int64_t labelled_images = 0;

  explicit GalleryIndex(const std::vector<Sample>& gallery) {
    for (std::size_t i = 0; i < gallery.size(); ++i) {
      const auto index = static_cast<std::int32_t>(i);
      if (gallery[i].identity == junk_identity) junk.push_back(index);
      if (!labelled(gallery[i])) continue;
      images[gallery[i].identity].push_back(index);
      ++labelled_images;
    }
  }
  [[nodiscard]] const std::vector<std::int32_t>* find(const Sample& sample) const {
    if (!labelled(sample)) return nullptr;
    const auto at = images.find(sample.identity);
    return at == images.end() ? nullptr : &at->second;
  }
};

std::string some_identities(std::set<std::int64_t> identities) {
  std::string text =
      count_text(static_cast<std::int64_t>(identities.size()), "identity", "identities") + " (";
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
    if (labelled(sample)) identities.insert(sample.identity);
  }
  if (identities.empty()) {
    throw DataError(place, "none of the " + count_text(query.size(), "query", "queries") +
                               " has an identity; evaluation needs identities (column `identity`, whole "
                               "numbers from 0); without them, use match to rank the gallery");
  }
  if (index.labelled_images == 0) {
    throw DataError(place, "none of the " + count_text(gallery.size(), "gallery image", "gallery images") +
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
    if (labelled(sample) && shared.contains(sample.identity)) look_at(sample);
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

/// In single-camera mode a query that is in the gallery finds itself, which makes the scores look better.
std::int64_t queries_in_gallery(const std::vector<Sample>& query, const std::vector<Sample>& gallery) {
  std::unordered_set<std::string_view> paths;
  for (const auto& sample : gallery) paths.insert(sample.path);
  return std::count_if(query.begin(), query.end(), [&](const Sample& sample) {
    return !sample.path.empty() && paths.contains(sample.path);
  });
}

/// What a query has to do with the gallery, beside negatives and junk.
struct Relations {
  std::vector<std::int32_t> matches;      // ascending
  std::vector<std::int32_t> same_camera;  // of the query's identity, removed
};

struct JudgedQuery {
  QueryRanks ranks;
  std::vector<CameraRanks> by_camera;  // where cameras are known
};

struct JudgedQueries {
  std::vector<QueryRanks> ranks;
  std::vector<std::vector<CameraRanks>> by_camera;
};

/// Who is to be found by whom.
class Judge {
 public:
  Judge(const std::vector<Sample>& query, const std::vector<Sample>& gallery, const GalleryIndex& index,
        bool cameras_known, const std::filesystem::path& place)
      : query_(query), gallery_(gallery), index_(index), cameras_known_(cameras_known), location_(place) {
    if (cameras_known) cameras_.emplace(gallery);
  }

  [[nodiscard]] PairTotals pairs() const {
    PairTotals pairs;
    pairs.images = static_cast<std::int64_t>(gallery_.size());
    pairs.junk = index_.junk;
    for (std::size_t q = 0; q < query_.size(); ++q) {
      if (!labelled(query_[q])) continue;
      const auto related = relations(q);
      const auto matches = static_cast<std::int64_t>(related.matches.size());
      pairs.positives += matches;
      pairs.negatives += ranked(related) - matches;
    }
    return pairs;
  }

  /// Without ranks where there is no right image.
  [[nodiscard]] JudgedQuery judge(std::size_t q, std::span<const float> distances,
                                  const std::vector<std::unique_ptr<PairCounter::Part>>& parts) const {
    require_numbers(q, distances);
    if (!labelled(query_[q])) return {};
    const auto related = relations(q);
    for (const auto& part : parts) part->add({distances, related.matches, related.same_camera});
    if (related.matches.empty()) return {};
    auto removed = index_.junk;
    removed.insert(removed.end(), related.same_camera.begin(), related.same_camera.end());
    JudgedQuery judged{{match_ranks(distances, related.matches, removed), ranked(related)}, {}};
    if (cameras_) judged.by_camera = cameras_->ranks(distances, related.matches, related.same_camera);
    return judged;
  }

 private:
  [[nodiscard]] Relations relations(std::size_t q) const {
    Relations relations;
    const auto* same_identity = index_.find(query_[q]);
    if (same_identity == nullptr) return relations;
    for (const auto image : *same_identity) {
      const bool same_camera =
          cameras_known_ && gallery_[static_cast<std::size_t>(image)].camera == query_[q].camera;
      (same_camera ? relations.same_camera : relations.matches).push_back(image);
    }
    return relations;
  }

  [[nodiscard]] std::int64_t ranked(const Relations& related) const {
    return static_cast<std::int64_t>(gallery_.size() - index_.junk.size() - related.same_camera.size());
  }

  void require_numbers(std::size_t q, std::span<const float> distances) const {
    std::int32_t bad = 0;
    for (const float distance : distances) bad += distance != distance ? 1 : 0;
    if (bad == 0) return;
    const auto at = std::find_if(distances.begin(), distances.end(), [](float d) { return std::isnan(d); });
    const auto g = static_cast<std::size_t>(at - distances.begin());
    throw DataError(location_, "the distance of query " + std::to_string(q) + " ('" + query_[q].path +
                                   "') to gallery image " + std::to_string(g) + " ('" + gallery_[g].path +
                                   "') is not a number (rows from 0); check the descriptors of these images");
  }

  const std::vector<Sample>& query_;
  const std::vector<Sample>& gallery_;
  const GalleryIndex& index_;
  bool cameras_known_;
  std::optional<GalleryCameras> cameras_;
  const std::filesystem::path& location_;
};

using Counters = std::vector<std::unique_ptr<PairCounter>>;  // of each metric; nullptr: of ranks

JudgedQueries judge_all(std::int64_t queries, std::int64_t images, const DistanceBlock& distances,
                        const Judge& judge, const Counters& counters) {
  const auto count = static_cast<std::size_t>(queries);
  JudgedQueries all{std::vector<QueryRanks>(count), std::vector<std::vector<CameraRanks>>(count)};
  const auto block =
      std::max<std::int64_t>(1, block_bytes / (images * static_cast<std::int64_t>(sizeof(float))));
  for (std::int64_t first = 0; first < queries; first += block) {
    const auto last = std::min(first + block, queries);
    const auto rows = distances(first, last).contiguous();
    if (rows.dim() != 2 || rows.size(0) != last - first || rows.size(1) != images ||
        rows.scalar_type() != torch::kFloat || !rows.device().is_cpu()) {
      throw std::logic_error("evaluate: a block of distances must be [last - first, G], 32-bit, on the CPU");
    }
    const auto* data = rows.data_ptr<float>();
    parallel_ranges(last - first, [&](std::int64_t begin, std::int64_t end) {
      std::vector<std::unique_ptr<PairCounter::Part>> parts;
      for (const auto& counter : counters) {
        if (counter) parts.push_back(counter->part());
      }
      for (auto row = begin; row < end; ++row) {
        const auto q = static_cast<std::size_t>(first + row);
        auto judged = judge.judge(q, {data + row * images, static_cast<std::size_t>(images)}, parts);
        all.ranks[q] = std::move(judged.ranks);
        all.by_camera[q] = std::move(judged.by_camera);
      }
      for (const auto& part : parts) part->finish();
    });
  }
  return all;
}

/// What the queries are, and nothing yet of their values.
std::vector<results::EvaluatedQuery> queries_of(const std::vector<Sample>& query,
                                                const std::vector<QueryRanks>& ranks) {
  std::vector<results::EvaluatedQuery> queries;
  for (std::size_t q = 0; q < query.size(); ++q) {
    queries.push_back({query[q].path, query[q].identity, query[q].camera,
                       static_cast<std::int64_t>(ranks[q].ranks.size())});
  }
  return queries;
}

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
void add_result(const MadeMetric& metric, MetricResult result, results::Evaluation& evaluation) {
  check_result(metric, static_cast<std::size_t>(evaluation.valid_queries), result);
  for (std::size_t i = 0; i < metric.figures.size(); ++i) {
    evaluation.figures.push_back({metric.figures[i], result.values[i], metric.name});
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
    column.values = with_gaps(column.values, per_query.queries);
    per_query.columns.push_back(std::move(column));
  }
}

/// Distractors, and what a reader must know of queries.
void count_others(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                  results::Evaluation& evaluation) {
  std::unordered_set<std::int64_t> searched;
  std::int64_t not_judged = 0;
  for (const auto& sample : query) {
    if (labelled(sample)) searched.insert(sample.identity);
    not_judged += labelled(sample) ? 0 : 1;
  }
  for (const auto& sample : gallery) {
    if (sample.identity == junk_identity) continue;
    if (!labelled(sample) || !searched.contains(sample.identity)) ++evaluation.distractors;
  }
  if (not_judged > 0) {
    add_sentence(evaluation.note,
                 count_text(not_judged, "query is", "queries are") + " unlabeled or junk and not evaluated");
  }
  if (evaluation.cameras_known) return;
  if (const auto selves = queries_in_gallery(query, gallery); selves > 0) {
    add_sentence(evaluation.note, count_text(selves, "query is", "queries are") +
                                      " also in the gallery, and finding itself counts as correct");
  }
}

}  // namespace

results::Evaluation evaluate(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                             const DistanceBlock& distances, DistanceScale scale,
                             const recipe::EvaluationPlan& plan, const std::filesystem::path& place) {
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
  auto decision = decide_cameras(query, gallery, index, plan.evaluate.cameras, place);

  results::Evaluation evaluation;
  evaluation.queries = static_cast<std::int64_t>(query.size());
  evaluation.junk = static_cast<std::int64_t>(index.junk.size());
  evaluation.gallery = static_cast<std::int64_t>(gallery.size()) - evaluation.junk;
  evaluation.cameras_known = decision.known;
  evaluation.cosine = scale == DistanceScale::cosine;
  evaluation.note = std::move(decision.note);

  const Judge judge(query, gallery, index, decision.known, place);
  auto pairs = judge.pairs();
  pairs.cosine = evaluation.cosine;
  evaluation.positive_pairs = pairs.positives;
  evaluation.negative_pairs = pairs.negatives;
  Counters counters;
  for (const auto& metric : metrics) counters.push_back(metric.metric->count_pairs(pairs));
  const auto [all_ranks, by_camera] = judge_all(evaluation.queries, pairs.images, distances, judge, counters);
  evaluation.per_query.queries = queries_of(query, all_ranks);
  auto ranks = all_ranks;
  std::erase_if(ranks, [](const QueryRanks& one) { return one.ranks.empty(); });
  evaluation.valid_queries = static_cast<std::int64_t>(ranks.size());
  if (ranks.empty()) {  // possible only when images were removed for their camera
    throw DataError(place,
                    "no query has a correct image from another camera: all gallery images of the query's "
                    "identity are from the camera of the query and are ignored; set cameras = \"single\" to "
                    "count them, or check the cameras in the data");
  }
  std::vector<const MadeMetric*> of_ranks;
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    add_result(metrics[i], counters[i] ? counters[i]->result() : metrics[i].metric->judge(ranks), evaluation);
    if (!counters[i]) of_ranks.push_back(&metrics[i]);
  }
  evaluation.parts = part_scores(of_ranks, query, all_ranks, by_camera);
  count_others(query, gallery, evaluation);
  return evaluation;
}

DistanceBlock cosine_distances(torch::Tensor query, torch::Tensor gallery, const std::string& query_name,
                               const std::string& gallery_name) {
  auto similarity = std::make_shared<const CosineSimilarity>(std::move(query), std::move(gallery), query_name,
                                                             gallery_name);
  return [similarity](std::int64_t first, std::int64_t last) {
    return similarity->rows(first, last).neg_().add_(1);
  };
}

}  // namespace kindred::ranking
