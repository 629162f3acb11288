#include "color_jitter.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "colors.h"
#include "kindred/image/probability.h"

namespace kindred::photometric {
namespace {

std::string strengths_rule(const ColorJitter::Params& params) {
  const bool nothing =
      params.brightness == 0 && params.contrast == 0 && params.saturation == 0 && params.hue == 0;
  return nothing ? "brightness, contrast, saturation and hue are all 0, so nothing would change; set one of "
                   "them, or remove color_jitter"
                 : "";
}

double factor(double strength, RandomStream& random) {
  return random.uniform(std::max(0.0, 1.0 - strength), 1.0 + strength);
}

}  // namespace

Schema<ColorJitter::Params> ColorJitter::schema() {
  Schema<Params> s(
      "Changes brightness, contrast, saturation and hue by random amounts, in random order. Place it before "
      "'normalize'.",
      "Howard, Some Improvements on Deep Convolutional Neural Network Based Image Classification, 2013, "
      "section 2; as in torchvision's ColorJitter");
  add_probability(s);
  s.add("brightness", &Params::brightness,
        "strength b: all values are multiplied by a factor in [max(0, 1 - b), 1 + b]")
      .range(0, 10);
  s.add("contrast", &Params::contrast,
        "strength c: differences to the mean gray of the image are multiplied by a factor in [max(0, 1 - c), "
        "1 + c]")
      .range(0, 10);
  s.add("saturation", &Params::saturation,
        "strength s: differences to the gray of the pixel are multiplied by a factor in [max(0, 1 - s), 1 + "
        "s]")
      .range(0, 10);
  s.add("hue", &Params::hue, "largest shift of the hue in either direction, as a share of the color circle")
      .range(0, 0.5);
  s.rule(strengths_rule);
  return s;
}

ColorJitter::ColorJitter(const Params& params, const Context& /*context*/) : params_(params) {}

void ColorJitter::apply(cv::Mat& image, RandomStream& random) {
  require_bytes(image, "augmentation/color_jitter");
  if (!random.chance(params_.prob)) return;
  enum class Change { brightness, contrast, saturation, hue };
  std::array order = {Change::brightness, Change::contrast, Change::saturation, Change::hue};
  random.shuffle(std::span<Change>(order));
  for (const Change change : order) {
    switch (change) {
      case Change::brightness:
        if (params_.brightness > 0) adjust_brightness(image, factor(params_.brightness, random));
        break;
      case Change::contrast:
        if (params_.contrast > 0) adjust_contrast(image, factor(params_.contrast, random));
        break;
      case Change::saturation:
        if (params_.saturation > 0) adjust_saturation(image, factor(params_.saturation, random));
        break;
      case Change::hue:
        if (params_.hue > 0) adjust_hue(image, random.uniform(-params_.hue, params_.hue));
        break;
    }
  }
}

}  // namespace kindred::photometric
