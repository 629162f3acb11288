#include "auto_contrast.h"

#include "colors.h"
#include "kindred/image/probability.h"

namespace kindred::photometric {

Schema<AutoContrast::Params> AutoContrast::schema() {
  Schema<Params> s(
      "Stretches each channel so that its darkest value becomes 0 and its brightest 255. Place it before "
      "'normalize'.",
      "Cubuk et al., AutoAugment: Learning Augmentation Policies from Data, CVPR 2019, operation "
      "AutoContrast");
  add_probability(s);
  return s;
}

AutoContrast::AutoContrast(const Params& params, const Context& /*context*/) : params_(params) {}

void AutoContrast::apply(cv::Mat& image, RandomStream& random) {
  require_bytes(image, "augmentation/auto_contrast");
  if (random.chance(params_.prob)) stretch_contrast(image);
}

}  // namespace kindred::photometric
