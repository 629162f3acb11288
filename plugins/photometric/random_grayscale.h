// Takes an image's colors away.
#pragma once

#include "kindred/core/schema.h"
#include "kindred/role/augmentation.h"

namespace kindred::photometric {

/// make_gray() of colors.h with probability `prob`; the image keeps three channels.
class RandomGrayscale final : public Augmentation {
 public:
  struct Params {
    double prob = 0.1;
  };
  static Schema<Params> schema();

  RandomGrayscale(const Params& params, const Context& context);
  /// Throws ComponentError when the image is not of 8 bits a channel.
  void apply(cv::Mat& image, RandomStream& random) override;

 private:
  Params params_;
};

}  // namespace kindred::photometric
