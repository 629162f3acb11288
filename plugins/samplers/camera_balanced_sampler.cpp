#include "camera_balanced_sampler.h"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "kindred/core/error.h"

namespace kindred::samplers {
namespace {

constexpr const char* component = "sampler/camera_balanced";

std::size_t images_in(const std::vector<std::vector<std::size_t>>& cameras) {
  std::size_t images = 0;
  for (const auto& camera : cameras) images += camera.size();
  return images;
}

}  // namespace

Schema<CameraBalancedSampler::Params> CameraBalancedSampler::schema() {
  Schema<Params> s(
      "Batches of P identities with K images each; the images of an identity come from as many of its "
      "cameras as possible.",
      "P x K batches: Hermans, Beyer, Leibe: In Defense of the Triplet Loss, 2017, section 2; images of "
      "other cameras first, like the balanced sampler of FastReID (He et al., arXiv:2006.02631)");
  add_group_parameters(s);
  return s;
}

CameraBalancedSampler::CameraBalancedSampler(const Params& params, const Context& context)
    : groups_(component, params, context.samples) {
  for (const auto& images : groups_.images()) {
    std::map<std::int64_t, std::vector<std::size_t>> by_camera;
    for (const std::size_t image : images) {
      const Sample& sample = context.samples[image];
      if (sample.camera < 0) {
        throw ComponentError(component, "the camera of training image '" + sample.path +
                                            "' is unknown; use a sampler that does not need cameras");
      }
      by_camera[sample.camera].push_back(image);
    }
    auto& cameras = cameras_.emplace_back();
    for (auto& [camera, taken] : by_camera) cameras.push_back(std::move(taken));
  }
}

std::vector<std::size_t> CameraBalancedSampler::spread(Cameras cameras, RandomStream& random) const {
  const std::size_t group = groups_.images_per_identity();
  const std::size_t total = images_in(cameras);
  std::vector<std::size_t> images;
  random.shuffle(std::span(cameras));
  if (total < group) {
    for (std::size_t i = 0; i < group; ++i) {
      const auto& camera = cameras[i % cameras.size()];
      const auto last = static_cast<std::int64_t>(camera.size()) - 1;
      images.push_back(camera[static_cast<std::size_t>(random.integer(0, last))]);
    }
    return images;
  }
  for (auto& camera : cameras) random.shuffle(std::span(camera));
  while (images.size() + group <= total) {
    std::stable_sort(cameras.begin(), cameras.end(),
                     [](const auto& a, const auto& b) { return a.size() > b.size(); });
    const std::size_t end = images.size() + group;
    while (images.size() < end) {
      for (auto& camera : cameras) {
        if (camera.empty() || images.size() == end) break;
        images.push_back(camera.back());
        camera.pop_back();
      }
    }
  }
  return images;
}

std::vector<std::vector<std::size_t>> CameraBalancedSampler::batches(std::int64_t /*epoch*/,
                                                                     RandomStream& random) const {
  std::vector<std::vector<std::size_t>> supplies;
  supplies.reserve(cameras_.size());
  for (const auto& cameras : cameras_) supplies.push_back(spread(cameras, random));
  const std::vector<std::int64_t> alike(supplies.size(), 1);
  return groups_.batches(supplies, alike, random);
}

}  // namespace kindred::samplers
