#include "random_grayscale.h"

#include "colors.h"
#include "kindred/image/probability.h"

namespace kindred::photometric {

Schema<RandomGrayscale::Params> RandomGrayscale::schema() {
  Schema<Params> s(
      "Makes an image gray (luma of ITU-R BT.601), so that features do not depend on color alone. Place it "
      "before 'normalize'.",
      "Gong et al., Eliminate Deviation with Deviation for Data Augmentation and a General Multi-modal Data "
      "Learning Method, arXiv:2101.08533, global grayscale transformation");
  add_probability(s);
  return s;
}

RandomGrayscale::RandomGrayscale(const Params& params, const Context& /*context*/) : params_(params) {}

void RandomGrayscale::apply(cv::Mat& image, RandomStream& random) {
  require_bytes(image, "augmentation/random_grayscale");
  if (random.chance(params_.prob)) make_gray(image);
}

}  // namespace kindred::photometric
