#include "training/joint_batch.h"

#include <torch/types.h>

#include <algorithm>
#include <stdexcept>

namespace kindred::training {
namespace {

/// Before the images in what a rank sends: its wishes, and how many images there are.
constexpr std::size_t header_size = 3;

}  // namespace

std::vector<std::size_t> JointBatch::all_images() const {
  std::vector<std::size_t> all;
  for (const auto& own : images) all.insert(all.end(), own.begin(), own.end());
  return all;
}

std::vector<std::int64_t> JointBatch::sizes() const {
  std::vector<std::int64_t> sizes;
  for (const auto& own : images) sizes.push_back(static_cast<std::int64_t>(own.size()));
  return sizes;
}

JointBatch joint_batch(const system::Ranks& ranks, const std::vector<std::size_t>& own, std::size_t most,
                       Wishes here) {
  if (!ranks.are_many()) return {{own}, here};
  if (own.size() > most) throw std::logic_error("a rank has more images of a batch than its share");
  std::vector<std::int64_t> told(header_size + most, 0);
  told[0] = here.stop ? 1 : 0;
  told[1] = here.checkpoint ? 1 : 0;
  told[2] = static_cast<std::int64_t>(own.size());
  std::copy(own.begin(), own.end(), told.begin() + header_size);
  const auto size = static_cast<std::int64_t>(told.size());
  const auto all = ranks.gather({torch::tensor(told, torch::kInt64)},
                                std::vector<std::int64_t>(static_cast<std::size_t>(ranks.count()), size));
  JointBatch joint;
  for (const auto& of_rank : all.front()) {
    const auto numbers = of_rank.contiguous();
    const auto* values = numbers.data_ptr<std::int64_t>();
    joint.wishes.stop = joint.wishes.stop || values[0] != 0;
    joint.wishes.checkpoint = joint.wishes.checkpoint || values[1] != 0;
    joint.images.emplace_back(values + header_size, values + header_size + values[2]);
  }
  return joint;
}

}  // namespace kindred::training
