#include "gaussian_blur.h"

#include "kindred/image/probability.h"

#include <opencv2/imgproc.hpp>
#include <string>
#include <utility>

namespace kindred::photometric {
namespace {

std::string kernel_rule(const GaussianBlur::Params& params) {
  if (params.kernel_size % 2 == 0) {
    return "kernel_size = " + std::to_string(params.kernel_size) + " is even; choose an odd number";
  }
  if (params.min_sigma > params.max_sigma)
    return "min_sigma is larger than max_sigma; raise max_sigma or lower min_sigma";
  return "";
}

}  // namespace

Schema<GaussianBlur::Params> GaussianBlur::schema() {
  Schema<Params> s("Blurs an image as if it were out of focus.",
                   "Chen et al., A Simple Framework for Contrastive Learning of Visual Representations, ICML "
                   "2020, appendix A");
  add_probability(s);
  s.add("kernel_size", &Params::kernel_size, "height and width of the kernel; odd")
      .range(3, 255)
      .unit("pixels");
  s.add("min_sigma", &Params::min_sigma, "smallest standard deviation of the Gaussian")
      .above(0)
      .at_most(100)
      .unit("pixels");
  s.add("max_sigma", &Params::max_sigma, "largest standard deviation of the Gaussian")
      .above(0)
      .at_most(100)
      .unit("pixels");
  s.rule(kernel_rule);
  return s;
}

GaussianBlur::GaussianBlur(const Params& params, const Context& /*context*/) : params_(params) {}

void GaussianBlur::apply(cv::Mat& image, RandomStream& random) {
  if (!random.chance(params_.prob)) return;
  const double sigma = random.uniform(params_.min_sigma, params_.max_sigma);
  const auto side = static_cast<int>(params_.kernel_size);
  cv::Mat blurred;
  cv::GaussianBlur(image, blurred, cv::Size(side, side), sigma, sigma, cv::BORDER_REFLECT_101);
  image = std::move(blurred);
}

}  // namespace kindred::photometric
