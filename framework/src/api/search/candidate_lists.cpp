#include "candidate_lists.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace kindred {

CandidateLists::CandidateLists(std::vector<float> error_bounds, std::int64_t count, ExactDistance exact,
                               bool farthest_first)
    : error_bounds_(std::move(error_bounds)),
      count_(count),
      capacity_(4 * count + 60),
      exact_(std::move(exact)),
      farthest_first_(farthest_first),
      thresholds_(error_bounds_.size(), -std::numeric_limits<float>::infinity()),
      sizes_(error_bounds_.size(), 0),
      candidates_(error_bounds_.size() * static_cast<std::size_t>(capacity_)) {}

void CandidateLists::offer(std::int64_t row, std::int32_t candidate, float score) {
  auto& size = sizes_[static_cast<std::size_t>(row)];
  if (size == capacity_) {
    tighten(row);
    // A quarter must be free, else a list of near ties would be tightened at every step.
    if (size > capacity_ - capacity_ / 4) settle(row);
    if (score < threshold(row)) return;
  }
  list(row)[size++] = {score, candidate};
}

void CandidateLists::tighten(std::int64_t row) {
  auto& size = sizes_[static_cast<std::size_t>(row)];
  if (size < count_) return;
  auto* begin = list(row);
  std::nth_element(begin, begin + (count_ - 1), begin + size,
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  auto& threshold = thresholds_[static_cast<std::size_t>(row)];
  const float found = begin[count_ - 1].score - 2 * error_bounds_[static_cast<std::size_t>(row)];
  // Rounded down: what lies on the threshold itself is still offered.
  threshold = std::max(threshold, std::nextafter(found, -std::numeric_limits<float>::infinity()));
  size = static_cast<std::int32_t>(
      std::remove_if(begin, begin + size, [&](const Candidate& c) { return c.score < threshold; }) - begin);
}

std::vector<CandidateLists::Found> CandidateLists::judged(std::int64_t row) {
  const auto size = sizes_[static_cast<std::size_t>(row)];
  const auto* candidates = list(row);
  std::vector<Found> found;
  found.reserve(static_cast<std::size_t>(size));
  for (std::int32_t i = 0; i < size; ++i) {
    const double distance = exact_(row, candidates[i].row);
    found.push_back({farthest_first_ ? -distance : distance, candidates[i].row});
  }
  return found;
}

void CandidateLists::settle(std::int64_t row) {
  auto found = judged(row);
  const auto* candidates = list(row);
  std::vector<std::pair<Found, float>> kept;
  kept.reserve(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) kept.emplace_back(found[i], candidates[i].score);
  std::nth_element(kept.begin(), kept.begin() + (count_ - 1), kept.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  auto* begin = list(row);
  for (std::int64_t i = 0; i < count_; ++i) {
    begin[i] = {kept[static_cast<std::size_t>(i)].second, kept[static_cast<std::size_t>(i)].first.row};
  }
  sizes_[static_cast<std::size_t>(row)] = static_cast<std::int32_t>(count_);
}

std::vector<CandidateLists::Found> CandidateLists::take(std::int64_t row) {
  tighten(row);
  auto found = judged(row);
  const auto count = std::min<std::size_t>(found.size(), static_cast<std::size_t>(count_));
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count), found.end());
  found.resize(count);
  if (farthest_first_) {
    for (auto& one : found) one.distance = -one.distance;
  }
  clear(row);
  return found;
}

bool CandidateLists::complete(std::int64_t row, float highest_left_out) {
  tighten(row);
  return sizes_[static_cast<std::size_t>(row)] >= count_ && highest_left_out < threshold(row);
}

void CandidateLists::clear(std::int64_t row) {
  sizes_[static_cast<std::size_t>(row)] = 0;
  thresholds_[static_cast<std::size_t>(row)] = -std::numeric_limits<float>::infinity();
}

}  // namespace kindred
