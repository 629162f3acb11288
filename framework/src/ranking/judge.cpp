#include "ranking/judge.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "kindred/core/error.h"
#include "kindred/core/parallel.h"
#include "ranking/match_ranks.h"
#include "system/rank_range.h"

namespace kindred::ranking {
namespace {

/// What was found of some queries, as whole numbers one after the other.
class JudgedNumbers {
 public:
  void add(const JudgedQuery& query) {
    add(query.matches);
    add(static_cast<std::int64_t>(query.ranks.size()));
    for (const auto& ranks : query.ranks) add(ranks);
    add(static_cast<std::int64_t>(query.by_camera.size()));
    for (const auto& camera : query.by_camera) {
      add(camera.camera);
      add(camera.ranks);
    }
  }

  [[nodiscard]] const std::vector<std::int64_t>& numbers() const { return numbers_; }

 private:
  void add(std::int64_t number) { numbers_.push_back(number); }
  void add(const QueryRanks& ranks) {
    add(ranks.ranked);
    add(static_cast<std::int64_t>(ranks.ranks.size()));
    numbers_.insert(numbers_.end(), ranks.ranks.begin(), ranks.ranks.end());
  }

  std::vector<std::int64_t> numbers_;
};

/// Takes back what JudgedNumbers has put together.
class JudgedReader {
 public:
  explicit JudgedReader(const std::int64_t* next) : next_(next) {}

  [[nodiscard]] JudgedQuery query() {
    JudgedQuery query;
    query.matches = number();
    query.ranks.resize(static_cast<std::size_t>(number()));
    for (auto& ranks : query.ranks) ranks = query_ranks();
    query.by_camera.resize(static_cast<std::size_t>(number()));
    for (auto& camera : query.by_camera) {
      camera.camera = number();
      camera.ranks = query_ranks();
    }
    return query;
  }

 private:
  [[nodiscard]] std::int64_t number() { return *next_++; }
  [[nodiscard]] QueryRanks query_ranks() {
    QueryRanks ranks;
    ranks.ranked = number();
    const auto count = number();
    ranks.ranks.assign(next_, next_ + count);
    next_ += count;
    return ranks;
  }

  const std::int64_t* next_;
};

/// Gives each rank what the others have found of their queries; this one those of [first, last).
void exchange(std::vector<JudgedQuery>& judged, std::int64_t first, std::int64_t last,
              const system::Ranks& ranks) {
  JudgedNumbers own;
  for (auto q = first; q < last; ++q) own.add(judged[static_cast<std::size_t>(q)]);
  const auto counts = ranks.gather(torch::tensor({std::max<std::int64_t>(0, last - first)}, torch::kLong));
  const auto numbers = ranks.gather(torch::tensor(own.numbers(), torch::kLong));
  std::size_t q = 0;
  for (std::size_t rank = 0; rank < numbers.size(); ++rank) {
    const auto of_rank = numbers[rank].contiguous();
    JudgedReader reader(of_rank.data_ptr<std::int64_t>());
    for (auto left = counts[rank].item<std::int64_t>(); left > 0; --left) judged[q++] = reader.query();
  }
}

/// Gives each rank's counter what the others have counted.
void exchange(PairCounter& counter, const system::Ranks& ranks) {
  const auto own = counter.counted();
  auto bytes = torch::empty({static_cast<std::int64_t>(own.size())}, torch::kByte);
  std::copy(own.begin(), own.end(), bytes.data_ptr<std::uint8_t>());
  const auto all = ranks.gather(bytes);
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    if (static_cast<int>(rank) == ranks.rank()) continue;
    const auto whole = all[rank].contiguous();
    counter.add_counted(std::string(reinterpret_cast<const char*>(whole.data_ptr<std::uint8_t>()),
                                    static_cast<std::size_t>(whole.numel())));
  }
}

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
    if (!labeled(query_[q])) continue;
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
    count += labeled(query_[q]) && !relations(q).itself.empty() ? 1 : 0;
  return count;
}

JudgedQuery Judge::judge(std::size_t q, std::span<const float> distances,
                         const std::vector<std::unique_ptr<PairCounter::Part>>& parts) const {
  require_numbers(q, distances);
  if (!labeled(query_[q])) return {};
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
                                   const Judge& judge, const Counters& counters, const system::Ranks& ranks,
                                   std::int64_t block_bytes) {
  std::vector<JudgedQuery> judged(static_cast<std::size_t>(queries));
  const auto block =
      std::max<std::int64_t>(1, block_bytes / (images * static_cast<std::int64_t>(sizeof(float))));
  const bool divided = ranks.are_many() && std::all_of(counters.begin(), counters.end(), [](const auto& one) {
                         return one == nullptr || one->is_divisible();
                       });
  const auto own_blocks =
      system::range_of_rank((queries + block - 1) / block, divided ? ranks : system::Ranks::alone());
  const auto own_last = std::min(queries, own_blocks.last * block);
  for (auto first = own_blocks.first * block; first < own_last; first += block) {
    const auto last = std::min(first + block, own_last);
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
  if (divided) {
    exchange(judged, own_blocks.first * block, own_last, ranks);
    for (const auto& counter : counters) {
      if (counter) exchange(*counter, ranks);
    }
  }
  return judged;
}

}  // namespace kindred::ranking
