// A component: a class derived from a role (here kindred/role/augmentation.h; its comments are the contract),
// with its parameters in a plain struct whose initialisers are the defaults, a schema that declares them once
// for parsing, checking and `kindred describe`, and a constructor from the parameters and the role's context.
// A test constructs it from Params directly; neither a recipe nor the loader is needed.
#pragma once

#include <opencv2/core/mat.hpp>

#include "kindred/random.h"
#include "kindred/role/augmentation.h"
#include "kindred/schema.h"

namespace kindred {

/// Turns a random rectangle of an image grey. Needs an image of 8 bits a channel: it stands before
/// normalisation in a recipe.
class LocalGrayscale final : public Augmentation {
 public:
  struct Params {
    double prob = 0.4;
    double max_area = 0.4;
  };
  static Schema<Params> schema();

  LocalGrayscale(const Params& params, const Context& context);
  void apply(cv::Mat& image, RandomStream& random) override;

 private:
  Params params_;
};

}  // namespace kindred
