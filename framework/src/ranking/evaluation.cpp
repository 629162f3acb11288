#include "ranking/evaluation.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/core/parallel.h"
#include "kindred/text/csv.h"
#include "ranking/match_ranks.h"
#include "ranking/similarity.h"

namespace kindred::ranking {
namespace {

constexpr std::int64_t block_bytes = std::int64_t{64} << 20;
constexpr std::int64_t cmc_ranks[] = {1, 5, 10};

bool labelled(const Sample& sample) {
  return sample.identity >= 0;
}

std::string count_text(std::int64_t count, const std::string& thing, const std::string& things) {
  return std::to_string(count) + " " + (count == 1 ? thing : things);
}

std::string number(double value, const char* format) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string percent(double share) {
  return number(100 * share, "%.2f %%");
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

/// Who is to be found by whom.
class Judge {
 public:
  Judge(const std::vector<Sample>& query, const std::vector<Sample>& gallery, const GalleryIndex& index,
        bool cameras_known, std::int64_t depth, const std::filesystem::path& place)
      : query_(query),
        gallery_(gallery),
        index_(index),
        cameras_known_(cameras_known),
        depth_(depth),
        location_(place) {}

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

  [[nodiscard]] OpenSetCounter open_set(const std::vector<double>& rates) const {
    std::int64_t positives = 0;
    std::int64_t negatives = 0;
    const auto ranked = static_cast<std::int64_t>(gallery_.size() - index_.junk.size());
    for (std::size_t q = 0; q < query_.size(); ++q) {
      if (!labelled(query_[q])) continue;
      const auto related = relations(q);
      const auto matches = static_cast<std::int64_t>(related.matches.size());
      positives += matches;
      negatives += ranked - matches - static_cast<std::int64_t>(related.same_camera.size());
    }
    return {static_cast<std::int64_t>(gallery_.size()), index_.junk, positives, negatives, rates};
  }

  [[nodiscard]] QueryScore judge(std::size_t q, std::span<const float> distances,
                                 OpenSetCounter::Part& open_set) const {
    QueryScore score{.path = query_[q].path, .identity = query_[q].identity, .camera = query_[q].camera};
    require_numbers(q, distances);
    if (!labelled(query_[q])) return score;
    const auto related = relations(q);
    open_set.add(distances, related.matches, related.same_camera);
    if (related.matches.empty()) return score;

    auto removed = index_.junk;
    removed.insert(removed.end(), related.same_camera.begin(), related.same_camera.end());
    const auto ranks = match_ranks(distances, related.matches, removed);
    const auto matches = static_cast<std::int64_t>(ranks.size());
    const auto depth = depth_ > 0 ? depth_ : static_cast<std::int64_t>(distances.size());
    double precisions = 0;
    for (std::size_t k = 0; k < ranks.size() && ranks[k] <= depth; ++k) {
      precisions += static_cast<double>(k + 1) / static_cast<double>(ranks[k]);
    }
    score.matches = matches;
    score.ap = precisions / static_cast<double>(std::min(matches, depth));
    score.inp = static_cast<double>(matches) / static_cast<double>(ranks.back());
    score.first_rank = ranks.front();
    return score;
  }

 private:
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
  std::int64_t depth_;  // 0: all
  const std::filesystem::path& location_;
};

std::vector<QueryScore> judge_all(std::int64_t queries, std::int64_t images, const DistanceBlock& distances,
                                  const Judge& judge, OpenSetCounter& open_set) {
  std::vector<QueryScore> scores(static_cast<std::size_t>(queries));
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
      OpenSetCounter::Part part(open_set);
      for (auto row = begin; row < end; ++row) {
        const auto q = static_cast<std::size_t>(first + row);
        scores[q] = judge.judge(q, {data + row * images, static_cast<std::size_t>(images)}, part);
      }
      part.finish();
    });
  }
  return scores;
}

}  // namespace

Scores evaluate(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                const DistanceBlock& distances, const recipe::EvaluateSettings& settings,
                const std::filesystem::path& place) {
  if (gallery.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw DataError(place, "the gallery has more than 2,147,483,647 images");
  }
  const GalleryIndex index(gallery);
  require_shared_identities(query, gallery, index, place);
  auto decision = decide_cameras(query, gallery, index, settings.cameras, place);

  Scores scores;
  scores.queries = static_cast<std::int64_t>(query.size());
  scores.junk = static_cast<std::int64_t>(index.junk.size());
  scores.gallery = static_cast<std::int64_t>(gallery.size()) - scores.junk;
  scores.cameras_known = decision.known;
  scores.note = std::move(decision.note);

  scores.map_depth = settings.map_depth;

  const Judge judge(query, gallery, index, scores.cameras_known, scores.map_depth, place);
  auto open_set = judge.open_set(settings.false_positive_rates);
  scores.each =
      judge_all(scores.queries, static_cast<std::int64_t>(gallery.size()), distances, judge, open_set);
  for (const auto rank : cmc_ranks) scores.cmc[rank] = 0;
  for (const auto& one : scores.each) {
    if (one.matches == 0) continue;
    ++scores.valid_queries;
    scores.mean_ap += one.ap;
    scores.mean_inp += one.inp;
    for (auto& [rank, share] : scores.cmc) share += one.first_rank <= rank ? 1 : 0;
  }
  if (scores.valid_queries == 0) {  // possible only when images were removed for their camera
    throw DataError(place,
                    "no query has a correct image from another camera: all gallery images of the query's "
                    "identity are from the camera of the query and are ignored; set cameras = \"single\" to "
                    "count them, or check the cameras in the data");
  }
  const auto valid = static_cast<double>(scores.valid_queries);
  scores.mean_ap /= valid;
  scores.mean_inp /= valid;
  for (auto& [rank, share] : scores.cmc) share /= valid;
  scores.open_set = open_set.scores();

  std::unordered_set<std::int64_t> searched;
  std::int64_t not_judged = 0;
  for (const auto& sample : query) {
    if (labelled(sample)) searched.insert(sample.identity);
    not_judged += labelled(sample) ? 0 : 1;
  }
  for (const auto& sample : gallery) {
    if (sample.identity == junk_identity) continue;
    if (!labelled(sample) || !searched.contains(sample.identity)) ++scores.distractors;
  }
  if (not_judged > 0) {
    add_sentence(scores.note,
                 count_text(not_judged, "query is", "queries are") + " unlabeled or junk and not evaluated");
  }
  if (!scores.cameras_known) {
    if (const auto selves = queries_in_gallery(query, gallery); selves > 0) {
      add_sentence(scores.note, count_text(selves, "query is", "queries are") +
                                    " also in the gallery, and finding itself counts as correct");
    }
  }
  return scores;
}

DistanceBlock cosine_distances(torch::Tensor query, torch::Tensor gallery, const std::string& query_name,
                               const std::string& gallery_name) {
  auto similarity = std::make_shared<const CosineSimilarity>(std::move(query), std::move(gallery), query_name,
                                                             gallery_name);
  return [similarity](std::int64_t first, std::int64_t last) {
    return similarity->rows(first, last).neg_().add_(1);
  };
}

std::string scores_text(const Scores& scores) {
  std::string text = "mAP";
  if (scores.map_depth > 0) text += "@" + std::to_string(scores.map_depth);
  text += " " + percent(scores.mean_ap);
  for (const auto& [rank, share] : scores.cmc)
    text += "  Rank-" + std::to_string(rank) + " " + percent(share);
  text += "  mINP " + percent(scores.mean_inp);
  if (scores.map_depth > 0) text += "  score " + percent(scores.score());
  text += "\n" + std::to_string(scores.valid_queries) + " of " +
          count_text(scores.queries, "query", "queries") + " in " +
          count_text(scores.gallery, "gallery image", "gallery images") + " (" +
          count_text(scores.distractors, "distractor", "distractors") + ", " + std::to_string(scores.junk) +
          " junk ignored), " + (scores.cameras_known ? "across cameras" : "single-camera mode");
  if (!scores.note.empty()) text += ": " + scores.note;
  text += "\n";
  const auto& points = scores.open_set.points;
  for (const auto& point : points) {
    const bool first = &point == &points.front();
    text += (first ? "same person or not: TPR " : ", ") + percent(point.true_positive_rate) +
            (first ? " at FPR " : " at ") + number(point.wanted_rate, "%g") +
            (first ? " (distance < " : " (< ") + number(point.threshold, "%.4g") + ")";
  }
  return points.empty() ? text : text + "\n";
}

std::string scores_json(const Scores& scores) {
  nlohmann::ordered_json json;
  json["mAP"] = scores.mean_ap;
  json["mINP"] = scores.mean_inp;
  for (const auto& [rank, share] : scores.cmc) json["rank" + std::to_string(rank)] = share;
  json["map_depth"] = scores.map_depth;
  json["score"] = scores.score();
  json["queries"] = scores.queries;
  json["valid_queries"] = scores.valid_queries;
  json["gallery"] = scores.gallery;
  json["distractors"] = scores.distractors;
  json["junk"] = scores.junk;
  json["cameras"] = scores.cameras_known ? "known" : "single";
  json["multi_query"] = scores.multi_query;
  auto& open_set = json["open_set"];
  open_set["positives"] = scores.open_set.positives;
  open_set["negatives"] = scores.open_set.negatives;
  open_set["area"] = scores.open_set.area;
  open_set["area_error"] = scores.open_set.area_error;
  open_set["points"] = nlohmann::ordered_json::array();
  for (const auto& point : scores.open_set.points) {
    auto& entry = open_set["points"].emplace_back();
    entry["wanted_false_positive_rate"] = point.wanted_rate;
    entry["false_positive_rate"] = point.false_positive_rate;
    entry["false_positives"] = point.false_positives;
    entry["true_positive_rate"] = point.true_positive_rate;
    entry["distance"] = point.threshold;
    if (scores.cosine) entry["similarity"] = 1 - point.threshold;
  }
  json["note"] = scores.note;
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void write_queries_csv(std::ostream& out, const Scores& scores) {
  write_csv_row(out, {"path", "identity", "camera", "ap", "inp", "first_rank", "matches"});
  for (const auto& one : scores.each) {
    std::vector<std::string> cells{one.path,
                                   one.identity == unlabelled_identity ? "" : std::to_string(one.identity),
                                   one.camera == unknown_camera ? "" : std::to_string(one.camera)};
    if (one.matches > 0) {
      cells.insert(cells.end(), {number(one.ap, "%.6f"), number(one.inp, "%.6f"),
                                 std::to_string(one.first_rank), std::to_string(one.matches)});
    } else {
      cells.resize(7);
    }
    write_csv_row(out, cells);
  }
}

}  // namespace kindred::ranking
