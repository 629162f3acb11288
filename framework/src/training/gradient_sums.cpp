#include "training/gradient_sums.h"

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/utils/lambda_post_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace kindred::training {
namespace {

constexpr std::size_t largest_bucket_bytes = 25 << 20;
/// The first one is sent early.
constexpr std::size_t first_bucket_bytes = 1 << 20;

/// A quarter of all: what comes while backward goes on costs no time, and the last bucket comes after it.
std::size_t bucket_bytes(const std::vector<torch::Tensor>& parameters) {
  std::size_t all = 0;
  for (const auto& parameter : parameters) all += static_cast<std::size_t>(parameter.numel()) * sizeof(float);
  return std::clamp(all / 4, first_bucket_bytes, largest_bucket_bytes);
}

struct Bucket {
  std::vector<std::size_t> parameters;
  std::size_t waits_for = 0;
  torch::Tensor values;  ///< gradients, then for each of them whether there was one
  std::unique_ptr<system::Ranks::Sum> sum;
};

/// LibTorch 2.13 counts its references in another way than those before.
using NodePointer = decltype(torch::autograd::impl::grad_accumulator(std::declval<const torch::Tensor&>()));

}  // namespace

struct GradientSums::State {
  const system::Ranks& ranks;
  std::vector<torch::Tensor> parameters;
  std::vector<std::size_t> bucket_of;
  std::vector<Bucket> buckets;
  std::vector<NodePointer> accumulators;  ///< which the hooks are on
  std::size_t next = 0;                   ///< bucket to send: all ranks must send them in the same order
  bool is_listening = false;

  void listen() {
    for (auto& bucket : buckets) {
      bucket.waits_for = bucket.parameters.size();
      bucket.sum.reset();
    }
    next = 0;
    is_listening = true;
  }

  void arrived(std::size_t parameter) {
    if (!is_listening) return;
    auto& bucket = buckets[bucket_of[parameter]];
    if (bucket.waits_for > 0) --bucket.waits_for;
    while (next < buckets.size() && buckets[next].waits_for == 0) send(buckets[next++]);
  }

  void send(Bucket& bucket) const {
    const torch::NoGradGuard no_gradients;
    std::vector<torch::Tensor> pieces;
    auto present = torch::zeros({static_cast<std::int64_t>(bucket.parameters.size())}, torch::kFloat32);
    for (std::size_t i = 0; i < bucket.parameters.size(); ++i) {
      const auto& parameter = parameters[bucket.parameters[i]];
      const auto& gradient = parameter.grad();
      if (gradient.defined()) present[static_cast<std::int64_t>(i)] = 1;
      pieces.push_back((gradient.defined() ? gradient.to_dense().to(torch::kFloat32)
                                           : torch::zeros_like(parameter, torch::kFloat32))
                           .contiguous()
                           .view({-1}));
    }
    pieces.push_back(present.to(pieces.front().device()));
    bucket.values = torch::cat(pieces);
    bucket.sum = ranks.begin_sum(bucket.values);
  }

  void take(Bucket& bucket) {
    const torch::NoGradGuard no_gradients;
    bucket.sum->wait();
    bucket.sum.reset();
    std::int64_t at = 0;
    const auto count = static_cast<std::int64_t>(bucket.parameters.size());
    const auto present = bucket.values.narrow(0, bucket.values.size(0) - count, count).to(torch::kCPU);
    for (std::int64_t i = 0; i < count; ++i) {
      auto& parameter = parameters[bucket.parameters[static_cast<std::size_t>(i)]];
      const auto size = parameter.numel();
      if (present[i].item<float>() > 0) {
        const auto value = bucket.values.narrow(0, at, size).view(parameter.sizes());
        auto& gradient = parameter.mutable_grad();
        if (!gradient.defined() || gradient.is_sparse()) gradient = torch::empty_like(parameter);
        gradient.copy_(value);
      }
      at += size;
    }
    bucket.values.reset();
  }
};

GradientSums::GradientSums(const system::Ranks& ranks, const std::vector<torch::Tensor>& parameters)
    : state_(std::make_shared<State>(State{ranks, parameters, {}, {}, {}, 0, false})) {
  auto& state = *state_;
  state.bucket_of.resize(parameters.size());
  std::size_t bytes = 0;
  const auto further_bucket_bytes = bucket_bytes(parameters);
  // Backward: what is computed last has its gradient first.
  for (std::size_t i = parameters.size(); i-- > 0;) {
    const auto limit = state.buckets.size() <= 1 ? first_bucket_bytes : further_bucket_bytes;
    if (state.buckets.empty() || bytes >= limit) {
      state.buckets.emplace_back();
      bytes = 0;
    }
    state.buckets.back().parameters.push_back(i);
    state.bucket_of[i] = state.buckets.size() - 1;
    bytes += static_cast<std::size_t>(parameters[i].numel()) * sizeof(float);
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    auto accumulator = torch::autograd::impl::grad_accumulator(parameters[i]);
    accumulator->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(
        [weak = std::weak_ptr<State>(state_), i](const torch::autograd::variable_list& outputs,
                                                 const torch::autograd::variable_list&) {
          if (const auto alive = weak.lock()) alive->arrived(i);
          return outputs;
        }));
    state.accumulators.push_back(std::move(accumulator));
  }
}

GradientSums::~GradientSums() = default;

void GradientSums::start() {
  state_->listen();
}

void GradientSums::finish() {
  auto& state = *state_;
  if (!state.is_listening) state.listen();
  while (state.next < state.buckets.size()) state.send(state.buckets[state.next++]);
  state.is_listening = false;
  for (auto& bucket : state.buckets) state.take(bucket);
}

}  // namespace kindred::training
