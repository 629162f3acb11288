#include "resize.h"

#include <string>
#include <utility>

#include <opencv2/imgproc.hpp>

#include "pillow_resize.h"

namespace kindred::transforms {
namespace {

constexpr double largest_side = 8192;

int opencv_name(Resize::Interpolation interpolation) {
  switch (interpolation) {
    case Resize::Interpolation::linear:
      return cv::INTER_LINEAR;
    case Resize::Interpolation::area:
      return cv::INTER_AREA;
    case Resize::Interpolation::cubic:
      return cv::INTER_CUBIC;
  }
  return cv::INTER_LINEAR;
}

}  // namespace

Schema<Resize::Params> Resize::schema() {
  Schema<Params> s("Scales an image to the input size of the network, in training and at test time.");
  s.add("height", &Params::height, "height of the result").range(1, largest_side).unit("pixels");
  s.add("width", &Params::width, "width of the result").range(1, largest_side).unit("pixels");
  s.add("interpolation", &Params::interpolation,
        "linear (also 'bilinear') and cubic (also 'bicubic') use the nearest 2 x 2 and 4 x 4 pixels unless "
        "antialias is set; area averages pixels when downscaling",
        {{"linear", Interpolation::linear},
         {"area", Interpolation::area},
         {"cubic", Interpolation::cubic},
         {"bilinear", Interpolation::linear},
         {"bicubic", Interpolation::cubic}});
  s.add("antialias", &Params::antialias,
        "linear and cubic take in all pixels when downscaling, as Pillow does, and so torchvision, "
        "fast-reid "
        "and torchreid; for networks that were trained with them");
  s.rule([](const Params& params) -> std::string {
    const bool needless = params.antialias && params.interpolation == Interpolation::area;
    return needless ? "antialias needs interpolation = 'linear' or 'cubic'; 'area' averages all pixels anyway"
                    : "";
  });
  return s;
}

Resize::Resize(const Params& params, const Context& /*context*/) : params_(params) {}

void Resize::apply(cv::Mat& image, RandomStream& /*random*/) {
  const cv::Size size(static_cast<int>(params_.width), static_cast<int>(params_.height));
  if (image.size() == size) return;
  if (params_.antialias) {
    const bool linear = params_.interpolation == Interpolation::linear;
    image = pillow_resize(image, size, linear ? PillowFilter::bilinear : PillowFilter::bicubic);
    return;
  }
  cv::Mat scaled;
  cv::resize(image, scaled, size, 0, 0, opencv_name(params_.interpolation));
  image = std::move(scaled);
}

}  // namespace kindred::transforms
