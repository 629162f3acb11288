#include "kindred/search/nearest_rows.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <future>
#include <limits>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "candidate_lists.h"
#include "kindred/core/error.h"
#include "kindred/core/kernel.h"
#include "kindred/core/parallel.h"
#include "kindred/search/nearest_share.h"

namespace kindred {

KINDRED_FOR_EACH_PROCESSOR
double squared_distance(const float* a, const float* b, std::int64_t dim) {
  constexpr std::int64_t lanes = 32;
  double sums[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= dim; i += lanes) {
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      const double difference = static_cast<double>(a[i + lane]) - static_cast<double>(b[i + lane]);
      sums[lane] += difference * difference;
    }
  }
  double sum = 0;
  for (; i < dim; ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  for (const double lane : sums) sum += lane;
  return sum;
}

namespace {

using Clock = std::chrono::steady_clock;

/// With the squared distance |x|^2 + |y|^2 - 2xy = |x|^2 - 2 (xy - |y|^2 / 2), the larger the score
/// xy - |y|^2 / 2, the nearer y is to x.
struct Side {
  torch::Tensor rows;               ///< [N, D], 32-bit floats
  torch::Tensor search_rows;        ///< the same, in the precision and on the device of the search
  std::vector<double> lengths;      ///< [N]
  std::vector<double> residuals;    ///< [N], length of what the search precision loses
  std::vector<float> half_squares;  ///< [N], |y|^2 / 2
  double longest = 0;
  double largest_residual = 0;

  [[nodiscard]] std::int64_t size() const { return rows.size(0); }
  [[nodiscard]] std::int64_t dim() const { return rows.size(1); }
  [[nodiscard]] const float* row(std::int64_t i) const { return rows.data_ptr<float>() + i * dim(); }
};

/// Longer rows would overflow the squares of 32-bit floats.
constexpr double longest_allowed = 1e15;

Side make_side(const torch::Tensor& rows, SearchPrecision precision, torch::Device device) {
  if (rows.dim() != 2 || rows.scalar_type() != torch::kFloat || !rows.device().is_cpu() ||
      !rows.is_contiguous() || rows.size(0) == 0) {
    throw std::logic_error("nearest_rows needs rows [N, D], 32-bit floats on the CPU, contiguous, N > 0");
  }
  Side side;
  side.rows = rows;
  const bool halved = precision == SearchPrecision::bfloat16;
  side.search_rows = rows.to(device, halved ? torch::kBFloat16 : torch::kFloat);
  const auto size = static_cast<std::size_t>(rows.size(0));
  side.lengths.resize(size);
  side.residuals.assign(size, 0);
  side.half_squares.resize(size);
  const auto dim = rows.size(1);
  parallel_ranges(rows.size(0), [&](std::int64_t first, std::int64_t last) {
    for (auto i = first; i < last; ++i) {
      double square = 0;
      double lost = 0;
      const float* row = side.row(i);
      for (std::int64_t d = 0; d < dim; ++d) {
        square += static_cast<double>(row[d]) * static_cast<double>(row[d]);
        if (!halved) continue;
        const double difference =
            static_cast<double>(row[d]) - static_cast<double>(static_cast<float>(at::BFloat16(row[d])));
        lost += difference * difference;
      }
      const auto at = static_cast<std::size_t>(i);
      side.lengths[at] = std::sqrt(square);
      side.residuals[at] = std::sqrt(lost);
      side.half_squares[at] = static_cast<float>(square / 2);
    }
  });
  for (std::size_t i = 0; i < size; ++i) {
    if (!(side.lengths[i] <= longest_allowed)) {
      throw Error("nearest rows: error: row " + std::to_string(i) +
                  " (from 0) is longer than 1e15 or not finite; scale the descriptors to length 1");
    }
    side.longest = std::max(side.longest, side.lengths[i]);
    side.largest_residual = std::max(side.largest_residual, side.residuals[i]);
  }
  return side;
}

/// How far the score of a row may be from the truth, for any row of the other side. Cauchy-Schwarz for what
/// rounding the rows loses; for the sums the bound of any order of summation (Higham, Accuracy and Stability
/// of Numerical Algorithms, section 3.1); then the rounding of the product and of the score.
std::vector<float> error_bounds(const Side& side, const Side& other, SearchPrecision precision) {
  constexpr double unit = 0x1p-24;
  const double product_rounding = precision == SearchPrecision::bfloat16 ? 0x1p-8 : unit;
  const double terms = static_cast<double>(side.dim()) + 2;
  const double summation = terms * unit / (1 - terms * unit);
  const double half_square = other.longest * other.longest / 2;
  std::vector<float> bounds(side.lengths.size());
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const double length = side.lengths[i] + side.residuals[i];
    const double product = length * (other.longest + other.largest_residual);
    const double error = side.residuals[i] * other.longest + length * other.largest_residual +
                         product * (summation + product_rounding * (1 + summation)) +
                         4 * unit * (product + half_square) + terms * 0x1p-126;
    bounds[i] = std::nextafter(static_cast<float>(1.0001 * error), std::numeric_limits<float>::infinity());
  }
  return bounds;
}

float widened(float value) {
  return value;
}
float widened(at::BFloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.x) << 16U);
}

/// Elements that are compared before any of them is looked at.
constexpr std::int64_t chunk = 128;

/// Products of one row with columns: calls found(column, score) for scores above or below what the row asks.
template <class T, class Found>
void scan_for_row(const T* products, const float* half_squares, std::int64_t columns, const float& above,
                  const float& below, const Found& found) {
  for (std::int64_t first = 0; first < columns; first += chunk) {
    const auto count = std::min(chunk, columns - first);
    const T* p = products + first;
    const float* h = half_squares + first;
    const float high = above;
    const float low = below;
    std::int32_t hits = 0;
    for (std::int64_t j = 0; j < count; ++j) {
      const float score = widened(p[j]) - h[j];
      hits += static_cast<std::int32_t>(score > high) | static_cast<std::int32_t>(score < low);
    }
    if (hits == 0) continue;
    for (std::int64_t j = 0; j < count; ++j) {
      const float score = widened(p[j]) - h[j];
      if (score > above || score < below) found(first + j, score);
    }
  }
}

/// The same products seen from the columns: found(column, score) for scores above or below what each column
/// asks.
template <class T, class Found>
void scan_for_columns(const T* products, float half_square, std::int64_t columns, const float* above,
                      const float* minus_below, const Found& found) {
  for (std::int64_t first = 0; first < columns; first += chunk) {
    const auto count = std::min(chunk, columns - first);
    const T* p = products + first;
    const float* high = above + first;
    const float* low = minus_below + first;
    std::int32_t hits = 0;
    for (std::int64_t j = 0; j < count; ++j) {
      const float score = widened(p[j]) - half_square;
      hits += static_cast<std::int32_t>(score > high[j]) | static_cast<std::int32_t>(-score > low[j]);
    }
    if (hits == 0) continue;
    for (std::int64_t j = 0; j < count; ++j) {
      const float score = widened(p[j]) - half_square;
      if (score > high[j] || -score > low[j]) found(first + j, score);
    }
  }
}

class Search {
 public:
  Search(const torch::Tensor& query, const torch::Tensor* gallery, const NearestOptions& options,
         SearchPrecision precision, const NearestShare& share)
      : options_(options),
        share_(share),
        precision_(precision),
        query_(make_side(query, precision, options.device)),
        other_(gallery == nullptr ? std::nullopt
                                  : std::optional<Side>(make_side(*gallery, precision, options.device))),
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
  [[nodiscard]] const Side& gallery() const { return other_ ? *other_ : query_; }
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
  Side query_;
  std::optional<Side> other_;
  std::int64_t count_;
  CandidateLists near_;
  std::optional<CandidateLists> far_;
  NearestRows result_;
};

/// Whether this processor multiplies bfloat16 and sums the products up in 32 bits, as the error bound takes
/// for granted: in bfloat16 a sum of ones would stop growing at 256.
bool sums_bfloat16_in_float(std::int64_t dim) {
  try {
    const auto terms = std::max<std::int64_t>(dim, 4096);
    const auto ones = torch::ones({64, terms}, torch::kBFloat16);
    const auto sums = torch::mm(ones, ones.t()).to(torch::kFloat);
    return sums.eq(static_cast<float>(at::BFloat16(static_cast<float>(terms)))).all().item<bool>();
  } catch (const c10::Error&) {
    return false;
  }
}

/// Tries both on a small product.
SearchPrecision faster_precision(const torch::Tensor& rows) {
  constexpr std::int64_t worth_trying = 4096;
  constexpr std::int64_t block = 512;
  if (rows.size(0) < worth_trying || rows.size(1) < 64) return SearchPrecision::float32;
  const auto time = [&](torch::ScalarType type) {
    const auto some = rows.slice(0, 0, block).to(type);
    auto out = torch::empty({block, block}, some.options());
    at::mm_out(out, some, some.t());
    const auto start = Clock::now();
    at::mm_out(out, some, some.t());
    return Clock::now() - start;
  };
  // More candidates are compared behind a search in bfloat16: it must be clearly faster.
  return time(torch::kBFloat16) * 3 < time(torch::kFloat) * 2 ? SearchPrecision::bfloat16
                                                              : SearchPrecision::float32;
}

NearestRows search(const torch::Tensor& query, const torch::Tensor* gallery, const NearestOptions& options,
                   const NearestShare& share = {}) {
  if (options.count < 1) throw std::logic_error("nearest_rows: count must be at least 1");
  if (share.part < 0 || share.part >= share.parts)
    throw std::logic_error("nearest_rows: there is no such share");
  const torch::NoGradGuard no_gradients;
  const at::NoTF32Guard all_bits;  // the error bounds are those of 32 bits
  auto precision = options.precision;
  if (precision != SearchPrecision::float32 &&
      (!options.device.is_cpu() || !sums_bfloat16_in_float(query.size(1)))) {
    precision = SearchPrecision::float32;
  }
  if (precision == SearchPrecision::automatic) precision = faster_precision(query);
  return Search(query, gallery, options, precision, share).run();
}

}  // namespace

std::vector<std::pair<std::string, SearchPrecision>> search_precision_choices() {
  return {{"auto", SearchPrecision::automatic},
          {"float32", SearchPrecision::float32},
          {"bfloat16", SearchPrecision::bfloat16}};
}

NearestRows nearest_rows(const torch::Tensor& rows, const NearestOptions& options) {
  return search(rows, nullptr, options);
}

NearestRows nearest_rows(const torch::Tensor& query, const torch::Tensor& gallery,
                         const NearestOptions& options) {
  return search(query, &gallery, options);
}

NearestRows nearest_rows_of_share(const torch::Tensor& rows, const NearestOptions& options,
                                  const NearestShare& share) {
  return search(rows, nullptr, options, share);
}

NearestRows nearest_rows_of_share(const torch::Tensor& query, const torch::Tensor& gallery,
                                  const NearestOptions& options, const NearestShare& share) {
  return search(query, &gallery, options, share);
}

NearestRows merge_shares(const torch::Tensor& query, const torch::Tensor& gallery,
                         std::span<const NearestRows> shares) {
  NearestRows result;
  result.count = shares.front().count;
  result.rows.resize(shares.front().rows.size());
  result.distances.resize(shares.front().distances.size());
  result.farthest = shares.front().farthest;
  for (const auto& share : shares.subspan(1)) {
    for (std::size_t i = 0; i < result.farthest.size(); ++i) {
      result.farthest[i] = std::max(result.farthest[i], share.farthest[i]);
    }
  }
  struct Found {
    float distance;
    std::int32_t row;
  };
  const auto dim = query.size(1);
  const auto* queries = query.data_ptr<float>();
  const auto* images = gallery.data_ptr<float>();
  parallel_ranges(query.size(0), [&](std::int64_t first, std::int64_t last) {
    std::vector<Found> found;
    for (auto i = first; i < last; ++i) {
      found.clear();
      for (const auto& share : shares) {
        const auto rows = share.of(i);
        const auto distances = share.distances_of(i);
        for (std::size_t k = 0; k < rows.size() && rows[k] >= 0; ++k)
          found.push_back({distances[k], rows[k]});
      }
      // Distances that 32 bits do not tell apart are compared as they were in each share.
      const auto exact = [&](const Found& one) {
        return squared_distance(queries + i * dim, images + one.row * dim, dim);
      };
      std::sort(found.begin(), found.end(), [&](const Found& a, const Found& b) {
        if (a.distance != b.distance) return a.distance < b.distance;
        if (a.row == b.row) return false;
        const double of_a = exact(a);
        const double of_b = exact(b);
        return of_a < of_b || (of_a == of_b && a.row < b.row);
      });
      for (std::int64_t k = 0; k < result.count; ++k) {
        const auto& one = found.at(static_cast<std::size_t>(k));
        result.rows[static_cast<std::size_t>(i * result.count + k)] = one.row;
        result.distances[static_cast<std::size_t>(i * result.count + k)] = one.distance;
      }
    }
  });
  return result;
}

}  // namespace kindred
