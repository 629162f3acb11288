// Changes brightness, contrast, saturation and hue at random.
#pragma once

#include "kindred/core/schema.h"
#include "kindred/role/augmentation.h"

namespace kindred::photometric {

/// torchvision's ColorJitter, with probability `prob`: the four changes of colors.h in a random order, those
/// of strength 0 left out. A factor is uniform in [max(0, 1 - strength), 1 + strength], the turn of the hue
/// in
/// [-hue, hue]. Each change rounds to whole numbers.
class ColorJitter final : public Augmentation {
 public:
  struct Params {
    double prob = 0.5;
    double brightness = 0.5;
    double contrast = 0.5;
    double saturation = 0.5;
    double hue = 0.2;
  };
  static Schema<Params> schema();

  ColorJitter(const Params& params, const Context& context);
  /// Throws ComponentError when the image is not of 8 bits a channel.
  void apply(cv::Mat& image, RandomStream& random) override;

 private:
  Params params_;
};

}  // namespace kindred::photometric
