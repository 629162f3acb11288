#include "ranking/ranking.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <future>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>

#include "kindred/core/error.h"
#include "kindred/core/parallel.h"
#include "ranking/similarity.h"
#include "results/matches_file.h"
#include "system/rank_range.h"

namespace kindred::ranking {
namespace {

/// 16 MB. Larger blocks do not multiply faster, and their memory would be given back to the system and zeroed
/// by it again each time.
constexpr std::int64_t block_elements = (std::int64_t{16} << 20) / static_cast<std::int64_t>(sizeof(float));

/// The best so far of one query, as a heap with the worst in front.
class BestImages {
 public:
  explicit BestImages(std::size_t top) : top_(top) { found_.reserve(top); }

  /// Consecutive images, in the order of the gallery.
  /// @param products with the images' descriptors, of any length
  /// @param scales 1 / the lengths
  void offer(std::int32_t first_image, const float* products, const float* scales, std::int64_t count) {
    constexpr std::int64_t piece = 32;  // compared at once; in most there is none that is better
    std::int64_t i = 0;
    for (; i + piece <= count; i += piece) {
      std::array<float, piece> similarities;  // NOLINT: filled below
      int any = 0;
      for (std::int64_t k = 0; k < piece; ++k) {
        const float similarity = products[i + k] * scales[i + k];
        similarities[static_cast<std::size_t>(k)] = similarity;
        any |= similarity > worst_ ? 1 : 0;
      }
      if (any == 0) continue;
      for (std::int64_t k = 0; k < piece; ++k) {
        offer(first_image + static_cast<std::int32_t>(i + k), similarities[static_cast<std::size_t>(k)]);
      }
    }
    for (; i < count; ++i) offer(first_image + static_cast<std::int32_t>(i), products[i] * scales[i]);
  }

  /// An image behind those that are listed: of equal ones it is the worse. One that is not a number is left
  /// out.
  void offer(std::int32_t image, float similarity) {
    if (std::isnan(similarity)) return;
    if (found_.size() == top_) {
      if (!(similarity > worst_)) return;
      std::pop_heap(found_.begin(), found_.end(), better);
      found_.back() = {similarity, image};
    } else {
      found_.push_back({similarity, image});
    }
    std::push_heap(found_.begin(), found_.end(), better);
    if (found_.size() == top_) worst_ = found_.front().similarity;
  }

  /// Once, when everything was offered. What is missing to `top` is left as it was.
  void write(std::int64_t* images, float* similarities) {
    std::sort_heap(found_.begin(), found_.end(), better);
    for (std::size_t i = 0; i < found_.size(); ++i) {
      images[i] = found_[i].image;
      similarities[i] = found_[i].similarity;
    }
  }

 private:
  struct Found {
    float similarity;
    std::int32_t image;
  };
  static bool better(const Found& a, const Found& b) {
    return a.similarity > b.similarity || (a.similarity == b.similarity && a.image < b.image);
  }
  std::size_t top_;
  std::vector<Found> found_;
  float worst_ = -std::numeric_limits<float>::infinity();  // what must be beaten, once the list is full
};

using Pieces = std::vector<system::RankRange>;

/// Pieces of the gallery, in order. While one is worked on, the next is read by another thread.
class ReadAhead {
 public:
  ReadAhead(const DescriptorBlock& gallery, const Pieces& pieces) : gallery_(gallery), pieces_(pieces) {
    start();
  }
  /// Needs that something is left.
  [[nodiscard]] torch::Tensor next() {
    auto piece = pending_.get();
    start();
    return piece;
  }

 private:
  void start() {
    if (next_ == pieces_.size()) return;
    pending_ = std::async(std::launch::async,
                          [this, piece = pieces_[next_++]] { return gallery_(piece.first, piece.last); });
  }

  const DescriptorBlock& gallery_;
  const Pieces& pieces_;
  std::size_t next_ = 0;
  std::future<torch::Tensor> pending_;  // its end is waited for when this goes
};

/// Those of a rank.
Pieces pieces_of(const RankingOptions& options, std::int64_t gallery_size, std::int64_t block) {
  auto ends = options.part_ends;
  if (ends.empty()) ends.push_back(gallery_size);
  const bool whole_parts = ends.size() >= static_cast<std::size_t>(options.ranks.count());
  const auto own_parts = system::range_of_rank(static_cast<std::int64_t>(ends.size()), options.ranks);
  Pieces pieces;
  std::int64_t first = 0;
  for (std::size_t part = 0; part < ends.size(); ++part) {
    const auto number = static_cast<std::int64_t>(part);
    const bool is_own = !whole_parts || (own_parts.first <= number && number < own_parts.last);
    for (; first < ends[part]; first = std::min(first + block, ends[part])) {
      if (is_own) pieces.push_back({first, std::min(first + block, ends[part])});
    }
  }
  if (whole_parts) return pieces;
  const auto own = system::range_of_rank(static_cast<std::int64_t>(pieces.size()), options.ranks);
  return {pieces.begin() + own.first, pieces.begin() + own.last};
}

/// Makes the similarities of images that are passed over not a number, which is better than no other.
void exclude(std::span<const std::uint8_t> excluded, float* scales, std::int64_t images) {
  for (std::int64_t i = 0; i < images; ++i) {
    if (excluded[static_cast<std::size_t>(i)] != 0) scales[i] = std::numeric_limits<float>::quiet_NaN();
  }
}

/// Those of a rank when work is done in blocks.
system::RankRange blocks_of_rank(std::int64_t count, std::int64_t block, const system::Ranks& ranks) {
  const auto blocks = system::range_of_rank((count + block - 1) / block, ranks);
  return {std::min(count, blocks.first * block), std::min(count, blocks.last * block)};
}

/// The best of what each rank has found in its part of the gallery; the parts are in the gallery's order.
Ranking merged(const Ranking& own, const system::Ranks& ranks) {
  if (!ranks.are_many()) return own;
  const auto images = ranks.gather(own.images);
  const auto similarities = ranks.gather(own.similarities);
  const auto queries = own.images.size(0);
  const auto top = own.images.size(1);
  Ranking result{torch::full_like(own.images, -1), torch::empty_like(own.similarities)};
  auto* result_images = result.images.data_ptr<std::int64_t>();
  auto* result_similarities = result.similarities.data_ptr<float>();
  parallel_ranges(queries, [&](std::int64_t first, std::int64_t last) {
    struct Found {
      float similarity;
      std::int64_t image;
    };
    std::vector<Found> found;
    for (auto q = first; q < last; ++q) {
      found.clear();
      for (std::size_t rank = 0; rank < images.size(); ++rank) {
        const auto* image = images[rank].data_ptr<std::int64_t>() + q * top;
        const auto* similarity = similarities[rank].data_ptr<float>() + q * top;
        for (std::int64_t k = 0; k < top && image[k] >= 0; ++k) found.push_back({similarity[k], image[k]});
      }
      std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
        return a.similarity > b.similarity || (a.similarity == b.similarity && a.image < b.image);
      });
      const auto count = std::min(found.size(), static_cast<std::size_t>(top));
      for (std::size_t k = 0; k < count; ++k) {
        result_images[q * top + static_cast<std::int64_t>(k)] = found[k].image;
        result_similarities[q * top + static_cast<std::int64_t>(k)] = found[k].similarity;
      }
    }
  });
  return result;
}

std::optional<std::int64_t> known_identity(const Sample& sample) {
  return sample.identity == unlabeled_identity ? std::nullopt : std::optional(sample.identity);
}

}  // namespace

Ranking rank_gallery(const torch::Tensor& query, std::int64_t gallery_size, std::int64_t gallery_dim,
                     const DescriptorBlock& gallery, const RankingOptions& options) {
  if (options.top < 1) throw std::logic_error("rank_gallery: top must be at least 1");
  if (gallery_size > std::numeric_limits<std::int32_t>::max()) {
    throw DataError(options.gallery_name, "has more than 2,147,483,647 images");
  }
  const auto units = unit_rows(query, options.query_name);
  const auto queries = units.size(0);
  const auto dim = units.size(1);
  if (dim != gallery_dim) throw dim_mismatch(options.query_name, dim, options.gallery_name, gallery_dim);
  const auto top = std::min(options.top, gallery_size);

  std::vector<BestImages> best;
  best.reserve(static_cast<std::size_t>(queries));
  for (std::int64_t q = 0; q < queries; ++q) best.emplace_back(static_cast<std::size_t>(top));
  const auto gallery_block = std::max<std::int64_t>(1, std::min(gallery_size, block_elements / dim));
  const auto query_block = std::max<std::int64_t>(1, block_elements / gallery_block);
  const auto products =
      torch::empty({std::min(query_block, queries), std::min(gallery_block, gallery_size)}, torch::kFloat);
  const auto pieces = pieces_of(options, gallery_size, gallery_block);
  ReadAhead ahead(gallery, pieces);
  std::int64_t own_images = 0;
  for (const auto& piece : pieces) own_images += piece.size();
  std::int64_t done = 0;
  for (const auto& piece : pieces) {
    const auto image = piece.first;
    const auto descriptors = ahead.next();
    const auto images = descriptors.size(0);
    const auto scales = options.unit_gallery ? torch::ones({images}, torch::kFloat)
                                             : inverse_lengths(descriptors, options.gallery_name, image);
    auto* scale = scales.data_ptr<float>();
    if (!options.excluded.empty())
      exclude(options.excluded.subspan(static_cast<std::size_t>(image)), scale, images);
    for (std::int64_t row = 0; row < queries; row += query_block) {
      const auto rows = std::min(query_block, queries - row);
      auto block = products.view(-1).slice(0, 0, rows * images).view({rows, images});
      torch::mm_out(block, units.slice(0, row, row + rows), descriptors.t());
      const auto* product = block.data_ptr<float>();
      parallel_ranges(rows, [&](std::int64_t first, std::int64_t last) {
        for (auto q = first; q < last; ++q) {
          best[static_cast<std::size_t>(row + q)].offer(static_cast<std::int32_t>(image),
                                                        product + q * images, scale, images);
        }
      });
    }
    done += images;
    if (options.progress) options.progress(gallery_size * done / own_images);
  }

  Ranking ranking{torch::full({queries, top}, -1, torch::kLong), torch::empty({queries, top}, torch::kFloat)};
  auto* images = ranking.images.data_ptr<std::int64_t>();
  auto* similarities = ranking.similarities.data_ptr<float>();
  for (std::int64_t q = 0; q < queries; ++q) {
    best[static_cast<std::size_t>(q)].write(images + q * top, similarities + q * top);
  }
  return merged(ranking, options.ranks);
}

Ranking rank_gallery(const torch::Tensor& query, const torch::Tensor& gallery,
                     const RankingOptions& options) {
  return rank_gallery(
      query, gallery.size(0), gallery.size(1),
      [&](std::int64_t first, std::int64_t last) { return gallery.slice(0, first, last); }, options);
}

Ranking rank_by_distances(const DistanceBlock& distances, std::int64_t queries, std::int64_t gallery_size,
                          const RankingOptions& options) {
  if (options.top < 1) throw std::logic_error("rank_by_distances: top must be at least 1");
  const auto top = std::min(options.top, gallery_size);
  const auto block = std::max<std::int64_t>(1, block_elements / gallery_size);
  const auto own = blocks_of_rank(queries, block, options.ranks);
  Ranking ranking{torch::empty({own.size(), top}, torch::kLong),
                  torch::empty({own.size(), top}, torch::kFloat)};
  auto* images = ranking.images.data_ptr<std::int64_t>();
  auto* similarities = ranking.similarities.data_ptr<float>();
  for (auto first = own.first; first < own.last; first += block) {
    const auto last = std::min(first + block, own.last);
    const auto rows = distances(first, last).contiguous();
    const auto* data = rows.data_ptr<float>();
    parallel_ranges(last - first, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = begin; i < end; ++i) {
        BestImages best(static_cast<std::size_t>(top));
        for (std::int64_t g = 0; g < gallery_size; ++g) {
          const float distance = data[i * gallery_size + g];
          if (std::isnan(distance)) {
            throw DataError(options.query_name, "the distance of query " + std::to_string(first + i) +
                                                    " to gallery image " + std::to_string(g) +
                                                    " is not a number (rows from 0)");
          }
          // Distances of any scale: 1 - distance would make one of those that lie near each other.
          best.offer(static_cast<std::int32_t>(g), -distance);
        }
        const auto at = (first + i - own.first) * top;
        best.write(images + at, similarities + at);
        for (auto j = at; j < at + top; ++j) similarities[j] += 1;
      }
    });
    if (options.progress) options.progress(queries * (last - own.first) / own.size());
  }
  if (!options.ranks.are_many()) return ranking;
  return {torch::cat(options.ranks.gather(ranking.images)),
          torch::cat(options.ranks.gather(ranking.similarities))};
}

void write_matches(const std::filesystem::path& folder, const Ranking& ranking,
                   const std::vector<Sample>& query, const std::vector<Sample>& gallery) {
  if (ranking.images.size(0) != static_cast<std::int64_t>(query.size())) {
    throw std::logic_error("a ranking is written with the samples of other queries");
  }
  const auto known = [](const Sample& sample) { return known_identity(sample).has_value(); };
  const auto top = ranking.images.size(1);
  const auto* images = ranking.images.data_ptr<std::int64_t>();
  const auto* similarities = ranking.similarities.data_ptr<float>();
  results::MatchesFiles matches;
  matches.queries = ranking.images.size(0);
  matches.labeled =
      std::any_of(query.begin(), query.end(), known) || std::any_of(gallery.begin(), gallery.end(), known);
  matches.matches_of = [&](std::int64_t q) {
    const auto& sample = query[static_cast<std::size_t>(q)];
    results::QueryMatches one{sample.path, known_identity(sample), {}};
    for (auto at = q * top; at < (q + 1) * top; ++at) {
      const auto& found = gallery.at(static_cast<std::size_t>(images[at]));
      one.found.push_back({found.path, similarities[at], known_identity(found)});
    }
    return one;
  };
  matches.write(folder);
}

}  // namespace kindred::ranking
