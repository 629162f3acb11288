#include "nearest_search.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <future>
#include <limits>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "candidate_lists.h"
#include "kindred/core/parallel.h"
#include "score_scan.h"
#include "search_precision.h"
#include "search_side.h"

namespace kindred {
namespace {

class NearestSearch {
 public:
  NearestSearch(const torch::Tensor& query, const torch::Tensor* gallery, const NearestOptions& options,
                SearchPrecision precision, const NearestShare& share)
      : options_(options),
        share_(share),
        precision_(precision),
        query_(make_search_side(query, precision, options.device)),
        other_(gallery == nullptr
                   ? std::nullopt
                   : std::optional<SearchSide>(make_search_side(*gallery, precision, options.device))),
        count_(std::min(options.count, this->gallery().size())),
        near_(error_bounds(query_, this->gallery(), precision), count_, exact()) {
    if (query_.dim() != this->gallery().dim()) {
      throw std::logic_error("nearest_rows needs rows of the same length");
    }
    if (options.products_of < 0 || options.products_of > (symmetric() ? query_.size() : 0)) {
      throw std::logic_error("nearest_rows keeps products of the rows of one set only");
    }
    if (options.farthest) far_.emplace(error_bounds(query_, this->gallery(), precision), 1, exact(), true);
  }

  NearestRows run() {
    result_.count = count_;
    const auto rows = static_cast<std::size_t>(query_.size());
    result_.rows.resize(rows * static_cast<std::size_t>(count_), -1);
    result_.distances.resize(result_.rows.size(), std::numeric_limits<float>::infinity());
    if (far_) result_.farthest.resize(rows);
    const auto kept = options_.products_of;
    if (kept > 0) {
      result_.products = share_.parts == 1 ? torch::empty({kept, query_.size() - kept})
                                           : torch::zeros({kept, query_.size() - kept});
    }
    if (options_.whole_rows || !options_.device.is_cpu()) {
      search_whole_rows();
    } else if (precision_ == SearchPrecision::bfloat16) {
      search_blocks<at::BFloat16>();
    } else {
      search_blocks<float>();
    }
    return std::move(result_);
  }

 private:
  [[nodiscard]] const SearchSide& gallery() const { return other_ ? *other_ : query_; }
  [[nodiscard]] bool symmetric() const { return !other_; }

  CandidateLists::ExactDistance exact() {
    return [this](std::int64_t row, std::int32_t candidate) {
      return squared_distance(query_.row(row), gallery().row(candidate), query_.dim());
    };
  }

  void offer(std::int64_t row, std::int64_t candidate, float score) {
    const auto other = static_cast<std::int32_t>(candidate);
    if (score > near_.threshold(row)) near_.offer(row, other, score);
    if (far_ && -score > far_->threshold(row)) far_->offer(row, other, -score);
  }

  /// Writes the result of a row whose candidates are all there.
  void finish(std::int64_t row) {
    const auto found = near_.take(row);
    for (std::size_t k = 0; k < found.size(); ++k) {
      const auto at = static_cast<std::size_t>(row * count_) + k;
      result_.rows[at] = found[k].row;
      result_.distances[at] = static_cast<float>(found[k].distance);
    }
    if (!far_) return;
    const auto far = far_->take(row);
    if (!far.empty())
      result_.farthest[static_cast<std::size_t>(row)] = static_cast<float>(far.front().distance);
  }

  /// Rows [first, last).
  struct Block {
    std::int64_t first;
    std::int64_t last;
    [[nodiscard]] std::int64_t size() const { return last - first; }
    [[nodiscard]] torch::Tensor of(const torch::Tensor& rows) const { return rows.slice(0, first, last); }
  };

  /// At most block_rows each, of equal size but for one row, and enough of them to keep all threads busy.
  [[nodiscard]] std::vector<Block> blocks_of(std::int64_t first, std::int64_t last) const {
    constexpr std::int64_t worth_a_thread = 256;
    const auto size = last - first;
    const auto threads = share_.threads > 0 ? share_.threads : at::get_num_threads();
    const auto share = std::max(size / (2 * threads), worth_a_thread);
    const auto most = std::min(std::max<std::int64_t>(16, options_.block_rows), share);
    const auto count = (size + most - 1) / most;
    std::vector<Block> blocks;
    for (std::int64_t i = 0; i < count; ++i) {
      blocks.push_back({first + size * i / count, first + size * (i + 1) / count});
    }
    return blocks;
  }

  struct Tile {
    Block rows;
    Block columns;
    std::size_t row_lock;
    std::size_t column_lock;
  };

  /// Those of this share, of all in turn, along the diagonals, so that threads that work side by side rarely
  /// want the same lists.
  [[nodiscard]] std::vector<Tile> tiles() const {
    auto rows = blocks_of(0, options_.products_of);
    const auto others = blocks_of(options_.products_of, query_.size());
    rows.insert(rows.end(), others.begin(), others.end());
    const auto columns = symmetric() ? rows : blocks_of(0, gallery().size());
    std::vector<Tile> result;
    std::int64_t number = 0;
    for (std::size_t d = 0; d < columns.size(); ++d) {
      for (std::size_t r = 0; r < rows.size(); ++r) {
        if (symmetric() && r + d >= columns.size()) continue;
        const auto c = (r + d) % columns.size();
        if (number++ % share_.parts == share_.part) result.push_back({rows[r], columns[c], r, c});
      }
    }
    return result;
  }

  template <class T>
  void search_blocks() {
    const auto kept = options_.products_of;
    const auto all = tiles();

    // A product at a time for each thread, which is faster than all threads at one product. The lists of a
    // block of rows are written to by whoever holds its lock.
    std::size_t lock_count = 0;
    std::int64_t largest = 0;
    for (const auto& tile : all) {
      lock_count = std::max({lock_count, tile.row_lock + 1, tile.column_lock + 1});
      largest = std::max(largest, tile.rows.size() * tile.columns.size());
    }
    std::vector<std::mutex> locks(lock_count);
    std::atomic<std::size_t> next = 0;
    std::atomic<std::size_t> done = 0;
    const auto caller = std::this_thread::get_id();
    const auto multiply = [&](const Tile& tile, const torch::Tensor& buffer) {
      const auto& rows = tile.rows;
      const auto& columns = tile.columns;
      auto& row_lock = locks[tile.row_lock];
      auto& column_lock = locks[tile.column_lock];
      if (rows.last <= kept && columns.first >= kept) {
        auto out = rows.of(result_.products).slice(1, columns.first - kept, columns.last - kept);
        at::mm_out(out, rows.of(query_.rows), columns.of(query_.rows).t());
        look<float>(out, rows, columns, row_lock, column_lock);
      } else {
        auto out = buffer.slice(0, 0, rows.size() * columns.size()).view({rows.size(), columns.size()});
        at::mm_out(out, rows.of(query_.search_rows), columns.of(gallery().search_rows).t());
        look<T>(out, rows, columns, row_lock, column_lock);
      }
    };
    const auto work = [&] {
      const auto buffer = torch::empty({largest}, query_.search_rows.options());
      for (auto i = next++; i < all.size(); i = next++) {
        try {
          multiply(all[i], buffer);
        } catch (...) {
          next = all.size();  // the others need not go on
          throw;
        }
        const auto finished = ++done;
        if (finished < all.size() && std::this_thread::get_id() == caller) report(finished, all.size());
      }
    };
    parallel_operations(at::get_num_threads(), [&](std::int64_t, std::int64_t) { work(); });
    report(all.size(), all.size());

    query_.search_rows.reset();
    if (other_) other_->search_rows.reset();
    parallel_ranges(query_.size(), [&](std::int64_t first, std::int64_t last) {
      for (auto row = first; row < last; ++row) finish(row);
    });
  }

  /// As so many rows as the tiles that are done are of all.
  void report(std::size_t done, std::size_t tiles) const {
    if (!options_.progress) return;
    const auto share = tiles == 0 ? 1 : static_cast<double>(done) / static_cast<double>(tiles);
    options_.progress(static_cast<std::int64_t>(share * static_cast<double>(query_.size())), query_.size());
  }

  template <class T>
  void look(const torch::Tensor& products, const Block& rows, const Block& columns, std::mutex& row_lock,
            std::mutex& column_lock) {
    const auto* data = products.data_ptr<T>();
    {
      const std::scoped_lock lock(row_lock);
      look_along_rows(data, products.stride(0), rows, columns);
    }
    if (symmetric() && columns.first > rows.first) {
      const std::scoped_lock lock(column_lock);
      look_along_columns(data, products.stride(0), rows, columns);
    }
  }

  /// @param stride from one row of products to the next
  template <class T>
  void look_along_rows(const T* products, std::int64_t stride, const Block& rows, const Block& columns) {
    for (std::int64_t i = 0; i < rows.size(); ++i) {
      const auto row = rows.first + i;
      float above = near_.threshold(row);
      float below = lowest_wanted(row);
      scan_for_row(products + i * stride, gallery().half_squares.data() + columns.first, columns.size(),
                   above, below, [&](std::int64_t column, float score) {
                     offer(row, columns.first + column, score);
                     above = near_.threshold(row);
                     below = lowest_wanted(row);
                   });
    }
  }

  template <class T>
  void look_along_columns(const T* products, std::int64_t stride, const Block& rows, const Block& columns) {
    const std::vector<float> none(far_ ? 0 : static_cast<std::size_t>(columns.size()),
                                  std::numeric_limits<float>::infinity());
    const float* minus_below = far_ ? far_->thresholds() + columns.first : none.data();
    for (std::int64_t i = 0; i < rows.size(); ++i) {
      scan_for_columns(products + i * stride, query_.half_squares[static_cast<std::size_t>(rows.first + i)],
                       columns.size(), near_.thresholds() + columns.first, minus_below,
                       [&](std::int64_t j, float score) { offer(columns.first + j, rows.first + i, score); });
    }
  }

  [[nodiscard]] float lowest_wanted(std::int64_t row) const {
    return far_ ? -far_->threshold(row) : -std::numeric_limits<float>::infinity();
  }

  /// For devices that sort faster than they hand over: the best of whole rows of products, with some to
  /// spare; a row for which the spare ones do not suffice is searched in 64 bits. While the candidates of a
  /// block are compared here, the device works on the next one.
  void search_whole_rows() {
    const auto images = gallery().size();
    const auto half_squares =
        torch::from_blob(const_cast<float*>(gallery().half_squares.data()), {images}).to(options_.device);
    constexpr std::int64_t block_bytes = std::int64_t{1} << 28;
    const auto size = std::max<std::int64_t>(1, block_bytes / (images * std::int64_t{4}));
    const auto own_first = query_.size() * share_.part / share_.parts;
    const auto own_last = query_.size() * (share_.part + 1) / share_.parts;
    if (own_first == own_last) return;
    const auto begin = [&](std::int64_t first) {
      const Block block{first, std::min(first + size, own_last)};
      return std::async(std::launch::async, [this, block, &half_squares] {
        const torch::NoGradGuard no_gradients;
        const at::NoTF32Guard all_bits;
        return candidates_of(block, half_squares);
      });
    };
    auto next = begin(own_first);
    for (std::int64_t first = own_first; first < own_last; first += size) {
      const auto found = next.get();
      const auto last = std::min(first + size, own_last);
      if (last < own_last) next = begin(last);
      parallel_ranges(last - first, [&](std::int64_t from, std::int64_t to) {
        for (auto i = from; i < to; ++i) {
          bool whole = take_best(near_, found.near, first + i, i, images);
          if (far_) whole = take_best(*far_, found.far, first + i, i, images) && whole;
          if (!whole) offer_all(first + i);
          finish(first + i);
        }
      });
      if (options_.progress) {
        options_.progress(query_.size() * (last - own_first) / (own_last - own_first), query_.size());
      }
    }
  }

  struct Best {
    torch::Tensor scores;
    torch::Tensor rows;
  };
  struct Candidates {
    Best near;
    Best far;
  };
  Candidates candidates_of(const Block& block, const torch::Tensor& half_squares) {
    const auto images = gallery().size();
    auto scores = torch::mm(block.of(query_.search_rows), gallery().search_rows.t()).to(torch::kFloat);
    scores.sub_(half_squares);
    keep_products(block.first, std::min(block.last, options_.products_of));
    Candidates candidates{best_of(scores, std::min(images, 2 * count_ + 64), true), {}};
    if (far_) candidates.far = best_of(scores, std::min<std::int64_t>(images, 16), false);
    return candidates;
  }

  void keep_products(std::int64_t first, std::int64_t last) {
    if (first >= last) return;
    const auto& rows = precision_ == SearchPrecision::float32 ? query_.search_rows : query_.rows;
    result_.products.slice(0, first, last)
        .copy_(torch::mm(rows.slice(0, first, last), rows.slice(0, options_.products_of).t()));
  }

  /// Of the smallest, the scores are negated: the largest of the negated ones.
  static Best best_of(const torch::Tensor& scores, std::int64_t count, bool largest) {
    const auto [values, rows] = scores.topk(count, 1, largest);
    const auto found = values.to(torch::kCPU).contiguous();
    return {largest ? found : found.neg(), rows.to(torch::kCPU).contiguous()};
  }
  /// False when rows that were left out may belong to the result.
  static bool take_best(CandidateLists& lists, const Best& best, std::int64_t row, std::int64_t i,
                        std::int64_t images) {
    const auto count = best.scores.size(1);
    const auto* scores = best.scores.data_ptr<float>() + i * count;
    const auto* rows = best.rows.data_ptr<std::int64_t>() + i * count;
    for (std::int64_t k = 0; k < count; ++k) lists.offer(row, static_cast<std::int32_t>(rows[k]), scores[k]);
    return count == images || lists.complete(row, scores[count - 1]);
  }
  void offer_all(std::int64_t row) {
    near_.clear(row);
    if (far_) far_->clear(row);
    const double length = query_.lengths[static_cast<std::size_t>(row)];
    for (std::int64_t j = 0; j < gallery().size(); ++j) {
      const double distance = squared_distance(query_.row(row), gallery().row(j), query_.dim());
      offer(row, j, static_cast<float>((length * length - distance) / 2));
    }
  }

  const NearestOptions& options_;
  NearestShare share_;
  SearchPrecision precision_;
  SearchSide query_;
  std::optional<SearchSide> other_;
  std::int64_t count_;
  CandidateLists near_;
  std::optional<CandidateLists> far_;
  NearestRows result_;
};

}  // namespace

NearestRows search_nearest_rows(const torch::Tensor& query, const torch::Tensor* gallery,
                                const NearestOptions& options, const NearestShare& share) {
  if (options.count < 1) throw std::logic_error("nearest_rows: count must be at least 1");
  if (share.part < 0 || share.part >= share.parts)
    throw std::logic_error("nearest_rows: there is no such share");
  const torch::NoGradGuard no_gradients;
  const at::NoTF32Guard all_bits;  // the error bounds are those of 32 bits
  return NearestSearch(query, gallery, options, search_precision_of(query, options), share).run();
}

}  // namespace kindred
