#include "model/least_images.h"

#include <torch/torch.h>

#include <algorithm>
#include <exception>

namespace kindred::model {
namespace {

/// No network is asked for more than so many pixels in a side.
constexpr std::int64_t ample = 512;

/// One image of another size.
Activations one_of(const Activations& images, ImageExtent size) {
  Activations one(torch::zeros({1, images.values.size(1), size.height, size.width}, images.values.options()));
  if (images.cameras.defined()) one.cameras = images.cameras.narrow(0, 0, 1);
  if (images.views.defined()) one.views = images.views.narrow(0, 0, 1);
  return one;
}

/// The least number in [1, most] that passes, if all from it on do; `most` is known to pass.
template <class Passes>
std::int64_t least_that(std::int64_t most, const Passes& passes) {
  std::int64_t refused = 0;
  while (most - refused > 1) {
    const auto middle = refused + (most - refused) / 2;
    (passes(middle) ? most : refused) = middle;
  }
  return most;
}

}  // namespace

std::optional<ImageExtent> least_images(const std::function<void(const Activations&)>& run,
                                        const Activations& images) {
  const torch::NoGradGuard no_gradients;
  const auto takes = [&](ImageExtent size) {
    try {
      run(one_of(images, size));
      return true;
    } catch (const std::exception&) {
      return false;
    }
  };
  const ImageExtent given{images.values.size(2), images.values.size(3)};
  const ImageExtent large{std::max(ample, given.height), std::max(ample, given.width)};
  if (takes(given) || !takes(large)) return std::nullopt;
  ImageExtent least;
  least.height = least_that(large.height, [&](std::int64_t height) { return takes({height, large.width}); });
  least.width = least_that(large.width, [&](std::int64_t width) { return takes({large.height, width}); });
  // A side may be too short although each is long enough beside a long one.
  if ((given.height >= least.height && given.width >= least.width) || !takes(least)) return std::nullopt;
  return least;
}

ImagesTooSmall::ImagesTooSmall(const std::string& subject, ImageExtent least, ImageExtent given)
    : ComponentFault(subject,
                     "takes images of at least " + std::to_string(least.height) + " x " +
                         std::to_string(least.width) + " pixels (height x width), and these have " +
                         std::to_string(given.height) + " x " + std::to_string(given.width) +
                         "; choose larger images in the augmentation that sets their size, or another "
                         "backbone or head",
                     /*of_computation=*/true),
      least_(least) {}

ImagesTooSmall::~ImagesTooSmall() = default;

}  // namespace kindred::model
