#include "polynomial.h"

#include <cmath>

namespace my_plugins {

kindred::Schema<Polynomial::Params> Polynomial::schema() {
  kindred::Schema<Params> s("Falls to 0 along a power of the share of the training that is left.",
                            "Liu et al., ParseNet, arXiv:1506.04579");
  s.add("power", &Params::power, "1: a straight line").above(0);
  return s;
}

Polynomial::Polynomial(const Params& params, const Context& context)
    : power_(params.power), epochs_(static_cast<double>(context.epochs)) {}

double Polynomial::factor(std::int64_t epoch, double progress) const {
  const double done = static_cast<double>(epoch - 1) + progress;
  return std::pow(1 - done / epochs_, power_);
}

}  // namespace my_plugins
