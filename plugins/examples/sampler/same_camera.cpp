#include "same_camera.h"

#include <algorithm>
#include <span>
#include <string>

#include "kindred/core/error.h"

namespace my_plugins {

kindred::Schema<SameCamera::Params> SameCamera::schema() {
  kindred::Schema<Params> s("Batches of images of one camera, in random order.");
  s.add("batch_size", &Params::batch_size, "images in a batch").at_least(2).unit("images");
  return s;
}

SameCamera::SameCamera(const Params& params, const Context& context)
    : batch_size_(static_cast<std::size_t>(params.batch_size)) {
  for (std::size_t i = 0; i < context.samples.size(); ++i) cameras_[context.samples[i].camera].push_back(i);
  std::size_t most = 0;
  for (const auto& [camera, images] : cameras_) most = std::max(most, images.size());
  if (most < batch_size_) {
    throw kindred::ComponentError("sampler/same_camera", "no camera has the " + std::to_string(batch_size_) +
                                                             " training images of a batch, the largest has " +
                                                             std::to_string(most) + "; lower batch_size");
  }
}

std::vector<std::vector<std::size_t>> SameCamera::batches(std::int64_t /*epoch*/,
                                                          kindred::RandomStream& random) const {
  std::vector<std::vector<std::size_t>> batches;
  for (const auto& [camera, all] : cameras_) {
    auto images = all;
    random.shuffle(std::span(images));
    for (std::size_t first = 0; first + batch_size_ <= images.size(); first += batch_size_) {
      const auto begin = images.begin() + static_cast<std::ptrdiff_t>(first);
      batches.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(batch_size_));
    }
  }
  random.shuffle(std::span(batches));
  return batches;
}

}  // namespace my_plugins
