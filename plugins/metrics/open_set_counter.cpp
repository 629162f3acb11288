#include "open_set_counter.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstring>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace kindred::metrics {
namespace {

/// Bins hold floats whose first bits are equal: sign, exponent and 10 bits of the mantissa.
constexpr int dropped_bits = 13;
constexpr std::size_t bins = std::size_t{1} << (32 - dropped_bits);
constexpr float infinity = std::numeric_limits<float>::infinity();
/// Numbers that are handed to SmallestNumbers at a time.
constexpr std::size_t most_added = std::size_t{1} << 16;

/// Whole numbers in the order of the floats; -0 is 0.
std::uint32_t order_of(float number) {
  const auto bits = std::bit_cast<std::uint32_t>(number + 0.0F);
  const auto all_if_negative = static_cast<std::uint32_t>(static_cast<std::int32_t>(bits) >> 31);
  return bits ^ (all_if_negative | 0x80000000U);
}

std::uint32_t bin_of(float number) {
  return order_of(number) >> dropped_bits;
}

/// The smallest number of a bin; infinite where there is none.
float start_of(std::size_t bin) {
  const auto order = static_cast<std::uint32_t>(bin << dropped_bits);
  const bool negative = (order & 0x80000000U) == 0;
  const auto number = std::bit_cast<float>(negative ? ~order : order ^ 0x80000000U);
  return number == number ? number : negative ? -infinity : infinity;
}

/// The largest m with m / n <= rate, where n is above 0 and the rate below 1.
std::int64_t allowed(double rate, std::int64_t n) {
  const auto all = static_cast<double>(n);
  auto m = std::min(static_cast<std::int64_t>(rate * all), n - 1);
  while (m + 1 < n && static_cast<double>(m + 1) / all <= rate) ++m;  // rate * all was rounded down
  while (m > 0 && static_cast<double>(m) / all > rate) --m;           // or up
  return m;
}

/// The k smallest of many finite numbers, in the memory of twice as many.
class SmallestNumbers {
 public:
  explicit SmallestNumbers(std::size_t k) : k_(k), limit_(k > 0 ? infinity : -infinity) {
    numbers_.reserve(2 * k + most_added);
  }

  /// Numbers from here on need not be added.
  [[nodiscard]] float limit() const { return limit_.load(std::memory_order_relaxed); }

  /// From any thread, at most most_added at a time. Empties `numbers`.
  void add(std::vector<float>& numbers) {
    const std::lock_guard lock(mutex_);
    numbers_.insert(numbers_.end(), numbers.begin(), numbers.end());
    numbers.clear();
    if (numbers_.size() >= 2 * k_) cut();
  }

  /// Ascending. When all were added.
  [[nodiscard]] const std::vector<float>& sorted() {
    cut();
    std::sort(numbers_.begin(), numbers_.end());
    return numbers_;
  }

 private:
  void cut() {
    if (numbers_.size() < k_ || k_ == 0) return;
    const auto last = numbers_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(numbers_.begin(), last, numbers_.end());
    limit_ = *last;
    numbers_.resize(k_);
  }

  std::size_t k_;
  std::mutex mutex_;
  std::vector<float> numbers_;
  std::atomic<float> limit_;
};

/// How many numbers are below a limit.
std::int64_t count_below(const std::vector<float>& ascending, float limit) {
  return std::lower_bound(ascending.begin(), ascending.end(), limit) - ascending.begin();
}

}  // namespace

struct OpenSetCounter::State {
  PairTotals pairs;
  std::vector<double> rates;

  std::mutex mutex;
  std::vector<std::int64_t> negatives;  // in each bin
  std::vector<float> positives;
  SmallestNumbers near_negatives;

  State(const PairTotals& all, std::vector<double> wanted_rates)
      : pairs(all), rates(std::move(wanted_rates)), negatives(bins), near_negatives(kept()) {}

 private:
  /// The negatives that the largest rate lets through, and the first that it does not.
  [[nodiscard]] std::size_t kept() const {
    if (rates.empty() || pairs.negatives == 0) return 0;
    const double largest = *std::max_element(rates.begin(), rates.end());
    return static_cast<std::size_t>(allowed(largest, pairs.negatives)) + 1;
  }
};

OpenSetCounter::OpenSetCounter(const PairTotals& pairs, std::vector<double> rates)
    : state_(std::make_unique<State>(pairs, std::move(rates))) {}

OpenSetCounter::~OpenSetCounter() = default;

OpenSetCounter::Part::Part(OpenSetCounter& whole)
    : whole_(whole), negatives_(bins), no_negative_(static_cast<std::size_t>(whole.state_->pairs.images)) {
  for (const auto image : whole.state_->pairs.junk) no_negative_[static_cast<std::size_t>(image)] = 1;
}

void OpenSetCounter::Part::add(const QueryPairs& query) {
  const auto distances = query.distances;
  for (const float distance : distances) ++negatives_[bin_of(distance)];
  for (const auto& others : {query.positives, query.ignored, whole_.state_->pairs.junk}) {
    for (const auto image : others) --negatives_[bin_of(distances[static_cast<std::size_t>(image)])];
  }
  for (const auto image : query.positives) {
    positives_.push_back(distances[static_cast<std::size_t>(image)]);
  }

  for (const auto& others : {query.positives, query.ignored}) {
    for (const auto image : others) no_negative_[static_cast<std::size_t>(image)] = 1;
  }
  collect(distances);
  for (const auto& others : {query.positives, query.ignored}) {
    for (const auto image : others) no_negative_[static_cast<std::size_t>(image)] = 0;
  }
}

void OpenSetCounter::Part::collect(std::span<const float> distances) {
  constexpr std::size_t piece = 32;  // compared at once; in most there is none that is wanted
  auto& near = whole_.state_->near_negatives;
  float limit = near.limit();
  const auto take = [&](std::size_t begin, std::size_t end) {
    for (auto i = begin; i < end; ++i) {
      if (distances[i] < limit && no_negative_[i] == 0) near_negatives_.push_back(distances[i]);
    }
    if (near_negatives_.size() < most_added - piece) return;
    near.add(near_negatives_);
    limit = near.limit();
  };
  std::size_t begin = 0;
  for (; begin + piece <= distances.size(); begin += piece) {
    int any = 0;
    for (std::size_t i = 0; i < piece; ++i) any |= distances[begin + i] < limit ? 1 : 0;
    if (any != 0) take(begin, begin + piece);
  }
  take(begin, distances.size());
}

void OpenSetCounter::Part::finish() {
  auto& state = *whole_.state_;
  state.near_negatives.add(near_negatives_);
  const std::lock_guard lock(state.mutex);
  for (std::size_t bin = 0; bin < bins; ++bin) state.negatives[bin] += negatives_[bin];
  state.positives.insert(state.positives.end(), positives_.begin(), positives_.end());
}

std::string OpenSetCounter::counted() {
  auto& state = *state_;
  std::string bytes;
  const auto add = [&bytes](const auto& numbers) {
    const auto count = static_cast<std::uint64_t>(numbers.size());
    bytes.append(reinterpret_cast<const char*>(&count), sizeof count);
    bytes.append(reinterpret_cast<const char*>(numbers.data()), count * sizeof numbers[0]);
  };
  add(state.negatives);
  add(state.positives);
  add(state.near_negatives.sorted());
  return bytes;
}

void OpenSetCounter::add_counted(const std::string& counted) {
  auto& state = *state_;
  std::size_t at = 0;
  const auto take = [&]<class Number>(Number /*kind*/) {
    std::uint64_t count = 0;
    if (counted.size() - at < sizeof count) throw std::logic_error("OpenSetCounter: bytes of something else");
    std::memcpy(&count, counted.data() + at, sizeof count);
    at += sizeof count;
    if ((counted.size() - at) / sizeof(Number) < count) {
      throw std::logic_error("OpenSetCounter: bytes of something else");
    }
    std::vector<Number> numbers(count);
    if (count > 0) std::memcpy(numbers.data(), counted.data() + at, count * sizeof(Number));
    at += count * sizeof(Number);
    return numbers;
  };
  const auto negatives = take(std::int64_t{});
  const auto positives = take(float{});
  auto near_negatives = take(float{});
  if (negatives.size() != bins || at != counted.size()) {
    throw std::logic_error("OpenSetCounter: bytes of something else");
  }
  state.near_negatives.add(near_negatives);
  const std::lock_guard lock(state.mutex);
  for (std::size_t bin = 0; bin < bins; ++bin) state.negatives[bin] += negatives[bin];
  state.positives.insert(state.positives.end(), positives.begin(), positives.end());
}

OpenSetScores OpenSetCounter::scores() {
  auto& state = *state_;
  std::int64_t negatives = 0;
  for (const auto count : state.negatives) negatives += count;
  if (negatives != state.pairs.negatives ||
      static_cast<std::int64_t>(state.positives.size()) != state.pairs.positives) {
    throw std::logic_error("OpenSetCounter: wrong numbers of pairs");
  }
  OpenSetScores scores;
  scores.positives = state.pairs.positives;
  scores.negatives = state.pairs.negatives;
  if (scores.positives == 0 || scores.negatives == 0) return scores;
  const auto all_positives = static_cast<double>(scores.positives);
  const auto all_negatives = static_cast<double>(scores.negatives);
  std::sort(state.positives.begin(), state.positives.end());

  const auto& near = state.near_negatives.sorted();
  for (const auto rate : state.rates) {
    // Whoever lets the next negative through as well is above the rate.
    const auto next = static_cast<std::size_t>(allowed(rate, scores.negatives));
    const float threshold = next < near.size() ? near[next] : infinity;  // infinite distances are not kept
    OperatingPoint point;
    point.wanted_rate = rate;
    point.threshold = threshold;
    point.false_positives = count_below(near, threshold);
    point.false_positive_rate = static_cast<double>(point.false_positives) / all_negatives;
    point.true_positive_rate = static_cast<double>(count_below(state.positives, threshold)) / all_positives;
    scores.points.push_back(point);
  }

  RocPoint point;
  auto positive = state.positives.begin();
  double nearer = 0;    // pairs (positive, negative) in which the positive is nearer
  double together = 0;  // in one bin: either may be
  for (std::size_t bin = 0; bin < bins; ++bin) {
    const auto first = positive;
    while (positive != state.positives.end() && bin_of(*positive) == bin) ++positive;
    const auto positives_here = positive - first;
    if (positives_here == 0 && state.negatives[bin] == 0) continue;
    if (scores.curve.empty()) {
      point.threshold = start_of(bin);
      scores.curve.push_back(point);
    }
    point.threshold = start_of(bin + 1);
    point.true_positives += positives_here;
    point.false_positives += state.negatives[bin];
    scores.curve.push_back(point);
    nearer +=
        static_cast<double>(positives_here) * static_cast<double>(scores.negatives - point.false_positives);
    together += static_cast<double>(positives_here) * static_cast<double>(state.negatives[bin]);
  }
  const double both = all_positives * all_negatives;
  scores.area = (nearer + together / 2) / both;
  scores.area_error = together / 2 / both;
  return scores;
}

}  // namespace kindred::metrics
