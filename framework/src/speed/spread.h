// Several measurements of the same thing.
#pragma once

#include <cstdint>
#include <vector>

namespace kindred::speed {

/// The median and the smallest and largest of some figures.
struct Spread {
  double median = 0;
  double low = 0;
  double high = 0;
  std::int64_t count = 0;

  /// Of `amount` divided by each figure: a rate, of seconds.
  [[nodiscard]] Spread rate(double amount) const {
    return {amount / median, amount / high, amount / low, count};
  }
};

/// @param figures one at least; the median of an even number is the mean of the two in the middle
[[nodiscard]] Spread spread_of(std::vector<double> figures);

}  // namespace kindred::speed
