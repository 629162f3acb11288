#include "ranking/judge.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "kindred/core/error.h"
#include "kindred/core/parallel.h"
#include "ranking/match_ranks.h"

namespace kindred::ranking {
namespace {

constexpr std::int64_t block_bytes = std::int64_t{64} << 20;

}  // namespace

Judge::Judge(const std::vector<Sample>& query, const std::vector<Sample>& gallery, const GalleryIndex& index,
             bool cameras_known, const recipe::EvaluateSettings& settings, const SameImages& same,
             const std::filesystem::path& place)
    : query_(query),
      gallery_(gallery),
      index_(index),
      cameras_known_(cameras_known),
      clothes_(settings.clothes),
      same_(same),
      drawn_(gallery, index, settings.single_gallery_shot),
      location_(place) {
  // Of drawn galleries there is nothing to take apart.
  if (cameras_known && settings.single_gallery_shot == 0) cameras_.emplace(gallery);
}

PairTotals Judge::pairs() const {
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

std::int64_t Judge::found_themselves() const {
  std::int64_t count = 0;
  for (std::size_t q = 0; q < query_.size(); ++q)
    count += labelled(query_[q]) && !relations(q).itself.empty() ? 1 : 0;
  return count;
}

JudgedQuery Judge::judge(std::size_t q, std::span<const float> distances,
                         const std::vector<std::unique_ptr<PairCounter::Part>>& parts) const {
  require_numbers(q, distances);
  if (!labelled(query_[q])) return {};
  const auto related = relations(q);
  for (const auto& part : parts) part->add({distances, related.matches, related.left_out});
  if (related.matches.empty()) return {};
  JudgedQuery judged;
  if (drawn_.count() > 0) {
    judged.ranks = ranks_in_draws(q, distances, related);
  } else {
    auto removed = index_.junk;
    removed.insert(removed.end(), related.left_out.begin(), related.left_out.end());
    judged.ranks.push_back({match_ranks(distances, related.matches, removed), ranked(related)});
    if (cameras_) judged.by_camera = cameras_->ranks(distances, related.matches, related.left_out);
  }
  if (!judged.ranks.empty()) judged.matches = static_cast<std::int64_t>(related.matches.size());
  return judged;
}

bool Judge::is_itself(std::size_t q, std::int32_t image) const {
  return !same_.empty() && std::find(same_[q].begin(), same_[q].end(), image) != same_[q].end();
}

Judge::Relations Judge::relations(std::size_t q) const {
  Relations relations;
  const auto& query = query_[q];
  if (const auto* same_identity = index_.find(query)) {
    for (const auto image : *same_identity) {
      const auto& sample = gallery_[static_cast<std::size_t>(image)];
      const bool out = (cameras_known_ && sample.camera == query.camera) ||
                       (clothes_ == recipe::ClothesMode::changed && sample.clothes == query.clothes) ||
                       (clothes_ == recipe::ClothesMode::same && sample.clothes != query.clothes);
      const bool itself = !out && is_itself(q, image);
      (out || itself ? relations.left_out : relations.matches).push_back(image);
      if (itself) relations.itself.push_back(image);
    }
  }
  if (same_.empty()) return relations;
  for (const auto image : same_[q]) {  // under another identity than the query's, or none
    const auto identity = gallery_[static_cast<std::size_t>(image)].identity;
    if (identity == junk_identity || identity == query.identity) continue;
    relations.left_out.push_back(image);
    relations.itself.push_back(image);
  }
  return relations;
}

std::int64_t Judge::ranked(const Relations& related) const {
  return static_cast<std::int64_t>(gallery_.size() - index_.junk.size() - related.left_out.size());
}

std::vector<QueryRanks> Judge::ranks_in_draws(std::size_t q, std::span<const float> distances,
                                              const Relations& related) const {
  std::vector<QueryRanks> ranks;
  // Without the images that are left out for another reason, but with the query itself.
  auto candidates = related.matches;
  for (const auto image : related.itself) {
    if (gallery_[static_cast<std::size_t>(image)].identity == query_[q].identity) candidates.push_back(image);
  }
  for (std::size_t draw = 0; draw < drawn_.count(); ++draw) {
    const auto right = DrawnGalleries::one_of(candidates, draw);
    if (is_itself(q, right)) continue;  // it is the gallery's image of its person: no query
    const float own = distances[static_cast<std::size_t>(right)];
    std::int64_t before = 0;
    std::int64_t others = 0;
    for (const auto image : drawn_.images(draw)) {
      const auto i = static_cast<std::size_t>(image);
      if (gallery_[i].identity == query_[q].identity || is_itself(q, image)) continue;
      ++others;
      before += distances[i] < own || (distances[i] == own && image < right) ? 1 : 0;
    }
    ranks.push_back({{before + 1}, others + 1});
  }
  return ranks;
}

void Judge::require_numbers(std::size_t q, std::span<const float> distances) const {
  std::int32_t bad = 0;
  for (const float distance : distances) bad += distance != distance ? 1 : 0;
  if (bad == 0) return;
  const auto at = std::find_if(distances.begin(), distances.end(), [](float d) { return std::isnan(d); });
  const auto g = static_cast<std::size_t>(at - distances.begin());
  throw DataError(location_, "the distance of query " + std::to_string(q) + " ('" + query_[q].path +
                                 "') to gallery image " + std::to_string(g) + " ('" + gallery_[g].path +
                                 "') is not a number (rows from 0); check the descriptors of these images");
}

std::vector<JudgedQuery> judge_all(std::int64_t queries, std::int64_t images, const DistanceBlock& distances,
                                   const Judge& judge, const Counters& counters) {
  std::vector<JudgedQuery> judged(static_cast<std::size_t>(queries));
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
        judged[q] = judge.judge(q, {data + row * images, static_cast<std::size_t>(images)}, parts);
      }
      for (const auto& part : parts) part->finish();
    });
  }
  return judged;
}

}  // namespace kindred::ranking
