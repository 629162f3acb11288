#include "training/batch_parts.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/utils.h>

#include <algorithm>
#include <string>

#include "kindred/core/error.h"
#include "recipe/guarded.h"

namespace kindred::training {
namespace {

constexpr std::int64_t fewest_images = 2;

torch::Tensor rows(const torch::Tensor& tensor, const BatchRows& part) {
  return tensor.defined() ? tensor.narrow(0, part.first, part.count) : tensor;
}

}  // namespace

Activations BatchRows::of(const Activations& images) const {
  Activations own = images.with(rows(images.values, *this));
  own.cameras = rows(images.cameras, *this);
  own.views = rows(images.views, *this);
  return own;
}

std::vector<BatchRows> parts_of(std::int64_t images, std::int64_t parts) {
  const auto count = std::max<std::int64_t>(1, std::min(parts, images / fewest_images));
  std::vector<BatchRows> result;
  std::int64_t first = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto size = images / count + (i < images % count ? 1 : 0);
    result.push_back({first, size});
    first += size;
  }
  return result;
}

void require_parts(const recipe::Plan& plan, const std::vector<std::vector<std::size_t>>& batches) {
  if (batches.empty()) return;
  std::size_t largest = 0;
  for (const auto& batch : batches) largest = std::max(largest, batch.size());
  const auto most = static_cast<std::int64_t>(largest) / fewest_images;
  if (plan.train.accumulate <= std::max<std::int64_t>(most, 1)) return;
  throw RecipeError(plan.accumulate_location,
                    "train.accumulate = " + std::to_string(plan.train.accumulate) +
                        " leaves less than two images in each part, which batch normalization needs: the "
                        "batches of " +
                        plan.sampler.subject() + " have " + std::to_string(largest) +
                        " images; set it to at most " + std::to_string(std::max<std::int64_t>(most, 1)) +
                        ", or use larger batches");
}

PartwisePass::PartwisePass(const torch::nn::Module& module, torch::Device device, std::size_t parts,
                           Forward forward)
    : device_(device), forward_(std::move(forward)) {
  const torch::NoGradGuard no_gradients;
  for (const auto& buffer : module.buffers()) buffers_.emplace_back(buffer, buffer.clone());
  std::vector<std::vector<torch::Tensor>> pieces;
  for (std::size_t part = 0; part < parts; ++part) {
    random_.push_back(model::random_state(device_));
    auto outputs = forward_(part);
    pieces.resize(outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) pieces[i].push_back(std::move(outputs[i]));
    sizes_.push_back(pieces.front().back().size(0));
  }
  for (const auto& own : pieces) outputs_.push_back(torch::cat(own).set_requires_grad(true));
  for (const auto& [buffer, before] : buffers_) buffer.copy_(before);
}

void PartwisePass::backward() {
  // The losses may have drawn numbers between the passes.
  const model::RandomStateGuard guard(device_);
  std::int64_t first = 0;
  for (std::size_t part = 0; part < random_.size(); ++part) {
    model::set_random_state(random_[part], device_);
    const auto outputs = forward_(part);
    std::vector<torch::Tensor> reached;
    std::vector<torch::Tensor> gradients;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].requires_grad() || !outputs_[i].grad().defined()) continue;
      reached.push_back(outputs[i]);
      gradients.push_back(outputs_[i].grad().narrow(0, first, sizes_[part]));
    }
    first += sizes_[part];
    if (reached.empty()) continue;  // so it is in all parts; their buffers still have to move on
    recipe::guarded("the backward pass of head and backbone",
                    [&] { torch::autograd::backward(reached, gradients); });
  }
}

}  // namespace kindred::training
