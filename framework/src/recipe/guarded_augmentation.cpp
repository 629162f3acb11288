#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <opencv2/core.hpp>
#include <utility>

#include "kindred/core/catalog.h"
#include "kindred/role/augmentation.h"
#include "recipe/guard.h"
#include "recipe/guarded.h"
#include "recipe/image_text.h"
#include "recipe/sole_owner.h"

namespace kindred::recipe {
namespace {

/// Exponents alone, as whole numbers: the compiler makes vector instructions of it.
bool is_finite(const cv::Mat& image) {
  std::uint32_t largest = 0;
  for (int y = 0; y < image.rows; ++y) {
    const auto* row = image.ptr<float>(y);
    const auto values = static_cast<std::size_t>(image.cols) * static_cast<std::size_t>(image.channels());
    for (std::size_t i = 0; i < values; ++i) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, row + i, sizeof(bits));
      largest = std::max(largest, bits & 0x7fffffffU);
    }
  }
  return largest < 0x7f800000U;
}

class GuardedAugmentation final : public Guard<Augmentation> {
 public:
  using Guard::Guard;
  void apply(cv::Mat& image, RandomStream& random) override {
    auto untouched = random;
    call([&] { inner_->apply(image, random); });
    if (at_test_time()) {
      auto left = random;
      if (left() != untouched()) {
        throw ComponentFault(subject_,
                             "drew random numbers, but prepares images at test time, too "
                             "(at_test_time()), where one image always gives one descriptor");
      }
    }
    if (image.dims != 2 || image.empty() || (image.type() != CV_8UC3 && image.type() != CV_32FC3)) {
      gave(image_text(image) +
           "; an image has the three channels R, G, B, as bytes (CV_8UC3) or, once it is normalized, as "
           "32-bit floats (CV_32FC3)");
    }
    if (image.type() == CV_32FC3 && !is_finite(image)) gave("an image with values that are not finite");
    make_sole_owner(image);  // it may have kept the pixels, which the next one writes into
  }
  [[nodiscard]] bool at_test_time() const override {
    return call([&] { return inner_->at_test_time(); });
  }
  [[nodiscard]] bool ordered() const override {
    return call([&] { return inner_->ordered(); });
  }
  void start_pass() override {
    call([&] { inner_->start_pass(); });
  }
};

}  // namespace

std::unique_ptr<Augmentation> guard(std::unique_ptr<Augmentation> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedAugmentation>(std::move(inner), info);
}

}  // namespace kindred::recipe
