#include "progress/rate.h"

#include <algorithm>
#include <cmath>

namespace kindred::progress {

void Rate::add(double items, double seconds) {
  if (!(seconds > 0) || !(items >= 0)) return;
  const double keep = std::exp(-seconds / time_constant_);
  items_ = items_ * keep + items;
  seconds_ = seconds_ * keep + seconds;
}

double Rate::per_second() const {
  return seconds_ > 0 ? items_ / seconds_ : 0;
}

double Rate::seconds_for(double items) const {
  const double rate = per_second();
  return rate > 0 ? std::max(items, 0.0) / rate : -1;
}

}  // namespace kindred::progress
