#include "training/image_size.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <opencv2/core.hpp>
#include <vector>

#include "data/planned_loader.h"
#include "kindred/core/error.h"
#include "kindred/core/random.h"

namespace kindred::training {
namespace {

/// The size of images that were of the given one.
cv::Size augmented(const recipe::ExtractionPlan& plan,
                   const std::vector<std::unique_ptr<Augmentation>>& augmentations, bool at_test_time,
                   cv::Size size) {
  constexpr std::uint64_t check_stream = 0x636865636b;
  // Black and white: what cannot take the values that images have refuses these.
  cv::Mat image(size, CV_8UC3, cv::Scalar::all(0));
  image.rowRange(0, image.rows / 2).setTo(cv::Scalar::all(255));
  RandomStream random(plan.seed, {check_stream});
  for (std::size_t i = 0; i < augmentations.size(); ++i) {
    if (at_test_time && !augmentations[i]->at_test_time()) continue;
    const auto& choice = plan.augmentations[i];
    try {
      augmentations[i]->start_pass();
      augmentations[i]->apply(image, random);
    } catch (const ComponentError& error) {
      throw RecipeError(choice.location, choice.subject() + ": " + error.reason());
    }
  }
  return image.size();
}

}  // namespace

std::optional<cv::Size> image_size(const recipe::ExtractionPlan& plan, bool at_test_time) {
  const auto augmentations = data::create_augmentations(plan);
  const auto one = augmented(plan, augmentations, at_test_time, {128, 256});
  const auto other = augmented(plan, augmentations, at_test_time, {160, 320});
  return one == other ? std::optional(one) : std::nullopt;
}

}  // namespace kindred::training
