#include "identity_sampler.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "kindred/core/error.h"

namespace kindred::samplers {
namespace {

constexpr const char* component = "sampler/identity";

/// What a group is made of: K tracklets with `frames` images each.
GroupParams in_images(const IdentitySampler::Params& params) {
  return {params.identities_per_batch, params.images_per_identity * params.frames};
}

bool any_tracklet(const std::vector<Sample>& samples) {
  return std::any_of(samples.begin(), samples.end(),
                     [](const Sample& sample) { return !sample.tracklet.empty(); });
}

void require_tracklets(const std::vector<Sample>& samples, std::int64_t frames) {
  if (frames == 1) return;
  const auto single = std::find_if(samples.begin(), samples.end(),
                                   [](const Sample& sample) { return sample.tracklet.empty(); });
  if (single == samples.end()) return;
  throw ComponentError(component, "frames = " + std::to_string(frames) + ", but training image '" +
                                      single->path +
                                      "' is not a frame of a tracklet; set frames = 1, or train on tracklets "
                                      "alone");
}

/// Takes the frames of one tracklet in random order, and again from the first when all have been taken.
class FrameSupply {
 public:
  explicit FrameSupply(std::vector<std::size_t> frames) : frames_(std::move(frames)) {}

  void take(std::size_t count, std::vector<std::size_t>& into, RandomStream& random) {
    if (next_ == 0) random.shuffle(std::span(frames_));
    for (std::size_t i = 0; i < count; ++i) into.push_back(frames_[next_++ % frames_.size()]);
  }

 private:
  std::vector<std::size_t> frames_;
  std::size_t next_ = 0;
};

}  // namespace

Schema<IdentitySampler::Params> IdentitySampler::schema() {
  Schema<Params> s("Batches of P identities with K images each, or K tracklets each.",
                   "Hermans, Beyer, Leibe: In Defense of the Triplet Loss, 2017, section 2");
  add_group_parameters(s);
  s.add("frames", &Params::frames,
        "frames that are taken of each tracklet; images_per_identity then counts tracklets. Above 1, all "
        "training images must be frames of tracklets")
      .range(1, 65536)
      .also_called({"seq_len", "num_frames", "frames_per_tracklet"});
  return s;
}

IdentitySampler::IdentitySampler(const Params& params, const Context& context)
    : tracklets_per_identity_(static_cast<std::size_t>(params.images_per_identity)),
      frames_(static_cast<std::size_t>(params.frames)),
      groups_(component, in_images(params), context.samples) {
  require_tracklets(context.samples, params.frames);
  if (!any_tracklet(context.samples)) return;
  for (const auto& images : groups_.images()) {
    std::map<std::string, std::vector<std::size_t>> by_name;
    auto& tracklets = tracklets_.emplace_back();
    for (const auto image : images) {
      const auto& name = context.samples[image].tracklet;
      if (name.empty()) {
        tracklets.push_back({image});
      } else {
        by_name[name].push_back(image);
      }
    }
    for (auto& [name, frames] : by_name) tracklets.push_back(std::move(frames));
  }
}

std::vector<std::size_t> IdentitySampler::drawn(const Tracklets& tracklets, RandomStream& random) const {
  std::vector<FrameSupply> supplies(tracklets.begin(), tracklets.end());
  std::vector<std::size_t> order(tracklets.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  random.shuffle(std::span(order));
  const auto wanted =
      std::max(order.size() - order.size() % tracklets_per_identity_, tracklets_per_identity_);
  std::vector<std::size_t> images;
  images.reserve(wanted * frames_);
  for (std::size_t i = 0; i < wanted; ++i) supplies[order[i % order.size()]].take(frames_, images, random);
  return images;
}

std::vector<std::vector<std::size_t>> IdentitySampler::batches(std::int64_t /*epoch*/,
                                                               RandomStream& random) const {
  std::vector<std::vector<std::size_t>> supplies;
  supplies.reserve(groups_.images().size());
  if (tracklets_.empty()) {
    for (const auto& images : groups_.images()) supplies.push_back(groups_.shuffled(images, random));
  } else {
    for (const auto& tracklets : tracklets_) supplies.push_back(drawn(tracklets, random));
  }
  const std::vector<std::int64_t> alike(supplies.size(), 1);
  return groups_.batches(supplies, alike, random);
}

}  // namespace kindred::samplers
