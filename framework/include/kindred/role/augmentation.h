// Role "augmentation": changes an image between decoding and conversion to a tensor.
#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <string_view>

#include "kindred/core/export.h"
#include "kindred/core/random.h"

namespace kindred {

/// The augmentations of a recipe are applied in the order in which they are written. An image that still has
/// 8 bits per channel after the last one is scaled to [0, 1].
class KINDRED_API Augmentation {
 public:
  using Role = Augmentation;
  using Handle = std::unique_ptr<Augmentation>;
  static constexpr std::string_view role_name = "augmentation";
  struct Context {};

  virtual ~Augmentation();

  /// Changes the image (kindred/image/image.h) in place or replaces it. Nobody else refers to its pixels; an
  /// augmentation that keeps them, such as for a pool, keeps them as they are when it returns. Take all
  /// random numbers from `random`, which belongs to this image alone. Called from many threads at once,
  /// unless ordered().
  virtual void apply(cv::Mat& image, RandomStream& random) = 0;

  /// True for preprocessing that a model also needs at test time (resizing, normalizing). Such an
  /// augmentation must not draw random numbers.
  [[nodiscard]] virtual bool at_test_time() const;

  /// True if images influence each other (a pool of patches). apply() is then called for one image at a time,
  /// in the order of the epoch, so that the result does not depend on the number of workers.
  [[nodiscard]] virtual bool ordered() const;

  /// Called before the first image of each pass, while no apply() runs. An ordered augmentation must discard
  /// here what it has collected, so that each pass is independent of earlier ones and an interrupted training
  /// can be resumed.
  virtual void start_pass();
};

}  // namespace kindred
