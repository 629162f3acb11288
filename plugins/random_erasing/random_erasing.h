// Erases a random rectangle of an image.
#pragma once

#include <opencv2/core/types.hpp>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/image/random_rectangle.h"
#include "kindred/role/augmentation.h"

namespace kindred::random_erasing {

/// Zhong et al., AAAI 2020, algorithm 1, with the sizes and places of random_rectangle.h; an image into which
/// none of 100 sizes drawn fits stays as it is. Noise is drawn for each value: of bytes, uniformly from all
/// 256; of floats, which are taken to be normalized, uniformly with mean 0 and variance 1.
class RandomErasing final : public Augmentation {
 public:
  enum class Fill { value, noise };

  struct Params {
    double prob = 0.5;
    double min_area = 0.02;
    double max_area = 0.4;
    double min_aspect = 0.3;
    Fill fill = Fill::value;
    std::vector<double> value = {0, 0, 0};
  };
  static Schema<Params> schema();

  RandomErasing(const Params& params, const Context& context);
  /// Throws ComponentError when bytes are to be filled with a value that no byte has.
  void apply(cv::Mat& image, RandomStream& random) override;

 private:
  Params params_;
  RectangleSizes sizes_;
  cv::Scalar value_;
};

}  // namespace kindred::random_erasing
