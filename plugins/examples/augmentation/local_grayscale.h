// A component is a class derived from a role (here kindred/role/augmentation.h; its comments are the
// contract). It has a plain struct Params whose initializers are the defaults, a schema that declares the
// parameters once for parsing, checking and `kindred describe`, and a constructor from the parameters and the
// role's context. A test constructs it from Params directly, without a recipe or the loader.
#pragma once

#include <opencv2/core/mat.hpp>

#include "kindred/core/random.h"
#include "kindred/core/schema.h"
#include "kindred/role/augmentation.h"

namespace my_plugins {

/// Turns a random rectangle of an image gray. Needs an image with 8 bits per channel, so it comes before
/// normalization in a recipe.
class LocalGrayscale final : public kindred::Augmentation {
 public:
  struct Params {
    double prob = 0.4;
    double max_area = 0.4;
  };
  static kindred::Schema<Params> schema();

  LocalGrayscale(const Params& params, const Context& context);
  void apply(cv::Mat& image, kindred::RandomStream& random) override;

 private:
  Params params_;
};

}  // namespace my_plugins
