// For each row the few others that an approximate search could not exclude from its nearest.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace kindred {

/// Scores are approximate, larger is nearer, and each is off by at most the row's own error bound. A list
/// holds every row that may be among the `count` best by true order: whoever's score lies within twice the
/// bound below the count-th best score. A list that many near ties have filled up is settled by exact
/// distances and goes on, so memory is bounded whatever the data.
///
/// Different rows' lists may be used by different threads at the same time.
class CandidateLists {
 public:
  /// Squared distance of two rows, exactly.
  using ExactDistance = std::function<double(std::int64_t row, std::int32_t candidate)>;

  struct Found {
    double distance;
    std::int32_t row;
    bool operator<(const Found& other) const {
      return distance < other.distance || (distance == other.distance && row < other.row);
    }
  };

  /// @param error_bounds of the scores of each row
  /// @param farthest_first whether a larger distance comes first: then scores are negated by the caller
  CandidateLists(std::vector<float> error_bounds, std::int64_t count, ExactDistance exact,
                 bool farthest_first = false);

  /// For each row, what a score must be above to be offered. Falls never, so that a scan may skip by it.
  [[nodiscard]] const float* thresholds() const { return thresholds_.data(); }
  [[nodiscard]] float threshold(std::int64_t row) const { return thresholds_[static_cast<std::size_t>(row)]; }
  void offer(std::int64_t row, std::int32_t candidate, float score);
  /// The best of a row, in order; at most `count`. Empties the row's list.
  [[nodiscard]] std::vector<Found> take(std::int64_t row);
  /// Whether all rows that were not offered are proven to come after the count-th best, none of them having a
  /// score above `highest_left_out`.
  [[nodiscard]] bool complete(std::int64_t row, float highest_left_out);
  void clear(std::int64_t row);

 private:
  struct Candidate {
    float score;
    std::int32_t row;
  };
  [[nodiscard]] Candidate* list(std::int64_t row) { return candidates_.data() + row * capacity_; }
  void tighten(std::int64_t row);
  void settle(std::int64_t row);
  [[nodiscard]] std::vector<Found> judged(std::int64_t row);

  std::vector<float> error_bounds_;
  std::int64_t count_;
  std::int64_t capacity_;
  ExactDistance exact_;
  bool farthest_first_;
  std::vector<float> thresholds_;
  std::vector<std::int32_t> sizes_;
  std::vector<Candidate> candidates_;
};

}  // namespace kindred
