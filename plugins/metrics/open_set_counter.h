// Are two images of the same person? How well a threshold on their distance answers that, over all pairs of a
// query and a gallery image: the ROC curve.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kindred/role/metric.h"

namespace kindred::metrics {

/// The highest threshold that keeps to a wanted false positive rate. Pairs with a distance below it are
/// taken for one person.
struct OperatingPoint {
  double wanted_rate = 0;
  double threshold = 0;
  std::int64_t false_positives = 0;
  double false_positive_rate = 0;  ///< what the threshold really gives: not above the wanted rate
  double true_positive_rate = 0;
};

/// Pairs with a distance below `threshold`; those at an infinite distance are below an infinite threshold.
struct RocPoint {
  double threshold = 0;
  std::int64_t false_positives = 0;
  std::int64_t true_positives = 0;
};

struct OpenSetScores {
  std::int64_t positives = 0;          ///< pairs of one person
  std::int64_t negatives = 0;          ///< pairs of two
  std::vector<OperatingPoint> points;  ///< for each wanted rate; exact
  /// From no pair to all pairs, ascending. Each point is exact; they stand where distances are, about 0.1 %
  /// of the distance apart. Empty when there are no pairs of one of the two kinds.
  std::vector<RocPoint> curve;
  /// The area under the curve: the share of (positive, negative) in which the positive is nearer, ties as a
  /// half; and by how much that may be wrong, because the order between two points of the curve is not known.
  double area = 0;
  double area_error = 0;
};

/// Counts pairs in one pass over their distances, without keeping them. Exact: a threshold is one of the
/// smallest distances of negatives, and of these no more are kept than the largest rate lets through. Memory:
/// 4 bytes for each positive and 8 for each false positive of the largest rate, and 4 MB a thread.
///
/// Of n negatives a rate r lets floor(r n) through. With r < 1/n that is none: the threshold is then the
/// smallest distance of a negative.
class OpenSetCounter {
 public:
  /// @param pairs how many of each kind add() will see; needed until the last part is finished
  /// @param rates each in (0, 1)
  OpenSetCounter(const PairTotals& pairs, std::vector<double> rates);
  OpenSetCounter(const OpenSetCounter&) = delete;
  OpenSetCounter& operator=(const OpenSetCounter&) = delete;
  ~OpenSetCounter();

  /// At most 2^32 pairs.
  class Part final : public PairCounter::Part {
   public:
    explicit Part(OpenSetCounter& whole);
    void add(const QueryPairs& query) override;
    void finish() override;

   private:
    void collect(std::span<const float> distances);

    OpenSetCounter& whole_;
    std::vector<std::uint32_t> negatives_;  // in each bin
    std::vector<char> no_negative_;         // for each gallery image
    std::vector<float> positives_;
    std::vector<float> near_negatives_;
  };

  /// When all parts are finished: what add_counted() of a counter of the same pairs takes, also in another
  /// process on a machine with the same order of bytes. Throws std::logic_error for other bytes.
  [[nodiscard]] std::string counted();
  void add_counted(const std::string& counted);

  /// When all parts are finished. Does not depend on their order. Throws std::logic_error when other numbers
  /// of pairs were seen than promised.
  [[nodiscard]] OpenSetScores scores();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kindred::metrics
