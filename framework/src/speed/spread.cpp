#include "speed/spread.h"

#include <algorithm>
#include <stdexcept>

namespace kindred::speed {

Spread spread_of(std::vector<double> figures) {
  if (figures.empty()) throw std::logic_error("there is no spread of no figures");
  std::sort(figures.begin(), figures.end());
  const auto middle = figures.size() / 2;
  const auto median = figures.size() % 2 == 1 ? figures[middle] : (figures[middle - 1] + figures[middle]) / 2;
  return {median, figures.front(), figures.back(), static_cast<std::int64_t>(figures.size())};
}

}  // namespace kindred::speed
