// A learning rate that falls to 0 along a power.
#pragma once

#include <cstdint>

#include "kindred/core/schema.h"
#include "kindred/role/schedule.h"

namespace my_plugins {

/// (1 - share of the training that is done)^power, updated at every step (Liu et al., "ParseNet", 2015).
class Polynomial final : public kindred::Schedule {
 public:
  struct Params {
    double power = 0.9;
  };
  static kindred::Schema<Params> schema();

  Polynomial(const Params& params, const Context& context);
  [[nodiscard]] double factor(std::int64_t epoch, double progress) const override;

 private:
  double power_;
  double epochs_;
};

}  // namespace my_plugins
