// Which images of a gallery count for a query, and at which ranks the right ones are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/role/metric.h"
#include "kindred/search/retrieval.h"
#include "ranking/drawn_galleries.h"
#include "ranking/gallery_index.h"
#include "ranking/part_scores.h"
#include "ranking/same_images.h"
#include "recipe/plan.h"
#include "system/ranks.h"

namespace kindred::ranking {

/// Who is to be found by whom. What it is made of lives longer.
class Judge {
 public:
  Judge(const std::vector<Sample>& query, const std::vector<Sample>& gallery, const GalleryIndex& index,
        bool cameras_known, const recipe::EvaluateSettings& settings, const SameImages& same,
        const std::filesystem::path& place);

  [[nodiscard]] PairTotals pairs() const;

  /// Queries that would find themselves if they were not left out.
  [[nodiscard]] std::int64_t found_themselves() const;

  /// Without ranks where there is no right image. Throws DataError for a distance that is not a number.
  [[nodiscard]] JudgedQuery judge(std::size_t q, std::span<const float> distances,
                                  const std::vector<std::unique_ptr<PairCounter::Part>>& parts) const;

 private:
  /// What a query has to do with the gallery, beside negatives and junk.
  struct Relations {
    std::vector<std::int32_t> matches;   // ascending
    std::vector<std::int32_t> left_out;  // removed for their camera or clothes, or as the query itself
    std::vector<std::int32_t> itself;    // of them, what was removed as the query itself alone
  };

  [[nodiscard]] bool is_itself(std::size_t q, std::int32_t image) const;
  [[nodiscard]] Relations relations(std::size_t q) const;
  [[nodiscard]] std::int64_t ranked(const Relations& related) const;
  [[nodiscard]] std::vector<QueryRanks> ranks_in_draws(std::size_t q, std::span<const float> distances,
                                                       const Relations& related) const;
  void require_numbers(std::size_t q, std::span<const float> distances) const;

  const std::vector<Sample>& query_;
  const std::vector<Sample>& gallery_;
  const GalleryIndex& index_;
  bool cameras_known_;
  std::optional<GalleryCameras> cameras_;
  recipe::ClothesMode clothes_;
  const SameImages& same_;
  DrawnGalleries drawn_;
  const std::filesystem::path& location_;
};

/// Of each metric; nullptr: it is a metric of ranks.
using Counters = std::vector<std::unique_ptr<PairCounter>>;

/// Distances that are in memory at a time, if a row is not more.
constexpr std::int64_t usual_distance_bytes = std::int64_t{64} << 20;

/// All queries, a block of distances after the other.
/// @param block_bytes of a block
/// @param ranks each of which calls this with the same arguments. Unless a counter cannot be divided, each
///              works on some of the blocks; all have the result, and all counters the pairs of all
[[nodiscard]] std::vector<JudgedQuery> judge_all(std::int64_t queries, std::int64_t images,
                                                 const DistanceBlock& distances, const Judge& judge,
                                                 const Counters& counters, const system::Ranks& ranks,
                                                 std::int64_t block_bytes = usual_distance_bytes);

}  // namespace kindred::ranking
