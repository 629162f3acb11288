// Steps of LibTorch's optimizers for all weights at once, instead of several operations for each weight.
#pragma once

#include <c10/core/MemoryFormat.h>
#include <torch/optim/optimizer.h>
#include <torch/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "kindred/core/kernel.h"

namespace kindred::optimizers {

/// A weight to change, with what the optimizer keeps of it.
template <class State>
struct Change {
  torch::Tensor weight;
  torch::Tensor gradient;
  State* state;
};

/// What the optimizer keeps of a weight, under the key by which LibTorch saves it: text up to 1.13, since
/// then the place itself.
template <class State, class States>
State& state_of(States& states, const torch::Tensor& weight) {
  using Key = typename States::key_type;
  Key key;
  if constexpr (std::is_same_v<Key, std::string>) {
    std::ostringstream text;
    text << weight.unsafeGetTensorImpl();
    key = text.str();
  } else {
    key = weight.unsafeGetTensorImpl();
  }
  auto& state = states[key];
  if (state == nullptr) state = std::make_unique<State>();
  return static_cast<State&>(*state);
}

/// The weights of a group that have a gradient.
template <class State, class States>
std::vector<Change<State>> changes_of(const torch::optim::OptimizerParamGroup& group, States& states) {
  std::vector<Change<State>> changes;
  for (const auto& weight : group.params()) {
    if (!weight.grad().defined()) continue;
    changes.push_back({weight.detach(), weight.grad().detach(), &state_of<State>(states, weight)});
  }
  return changes;
}

inline bool has_sparse_gradients(const torch::optim::Optimizer& optimizer) {
  const auto& groups = optimizer.param_groups();
  return std::any_of(groups.begin(), groups.end(), [](const auto& group) {
    return std::any_of(group.params().begin(), group.params().end(), [](const torch::Tensor& weight) {
      return weight.grad().defined() && weight.grad().is_sparse();
    });
  });
}

/// The same tensor of all changes, for LibTorch's operations on lists.
template <class State, class Get>
std::vector<torch::Tensor> list_of(const std::vector<Change<State>>& changes, Get&& get) {
  std::vector<torch::Tensor> list;
  list.reserve(changes.size());
  for (const auto& change : changes) list.push_back(get(change));
  return list;
}

/// Whether a loop over numbers side by side can take them: 32-bit on the CPU, in the same order.
inline bool side_by_side(const torch::Tensor& weight, const std::vector<torch::Tensor>& others) {
  const auto fits = [&](const torch::Tensor& tensor) {
    return tensor.device().is_cpu() && tensor.scalar_type() == torch::kFloat32 &&
           tensor.strides() == weight.strides() && tensor.sizes() == weight.sizes();
  };
  return weight.is_non_overlapping_and_dense() && fits(weight) &&
         std::all_of(others.begin(), others.end(), fits);
}

/// A part of a change that one thread does in one go.
struct Share {
  std::size_t change;
  std::int64_t first;
  std::int64_t count;
};

/// Calls work(Share) for shares that together are all numbers of the changes, on LibTorch's threads.
template <class State, class Work>
void for_each_share(const std::vector<Change<State>>& changes, Work&& work) {
  constexpr std::int64_t most = 1 << 16;
  std::vector<Share> shares;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto count = changes[i].weight.numel();
    for (std::int64_t first = 0; first < count; first += most) {
      shares.push_back({i, first, std::min(most, count - first)});
    }
  }
  parallel_kernel(static_cast<std::int64_t>(shares.size()), [&](std::int64_t first, std::int64_t last) {
    for (auto i = first; i < last; ++i) work(shares[static_cast<std::size_t>(i)]);
  });
}

}  // namespace kindred::optimizers
