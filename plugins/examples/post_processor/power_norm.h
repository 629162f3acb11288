// Perronnin, Sanchez, Mensink: "Improving the Fisher Kernel for Large-Scale Image Classification", ECCV 2010.
#pragma once

#include "kindred/core/schema.h"
#include "kindred/role/post_processor.h"

namespace my_plugins {

/// Replaces each value x of the descriptors by sign(x) |x|^exponent, which evens out single large values, and
/// scales the descriptors to length 1 again.
class PowerNorm final : public kindred::PostProcessor {
 public:
  struct Params {
    double exponent = 0.5;
  };
  static kindred::Schema<Params> schema();

  PowerNorm(const Params& params, const Context& context);

  [[nodiscard]] Step step() const override { return Step::descriptors; }
  void apply(kindred::Retrieval& retrieval, kindred::RetrievalHost& host) const override;

 private:
  Params params_;
};

}  // namespace my_plugins
