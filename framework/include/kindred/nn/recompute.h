// Gradient checkpointing: Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv:1604.06174.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <functional>
#include <memory>

#include "kindred/core/export.h"
#include "kindred/core/random.h"

namespace kindred {

/// part(input), without the memory that the backward pass needs of all that is computed on the way: only the
/// input is kept, and the backward pass computes the part once more. Result and gradients are to the bit what
/// they are without it: what was drawn from `random` and from LibTorch's generators is drawn again, and
/// autocast is as it was. (With autocast a parameter that is used several times has its gradients added up in
/// 32 bits, not in 16.) Where no gradient is recorded it is part(input).
///
/// The gradients of the part's parameters are added to their grad(). So they come with backward() alone:
/// torch::autograd::grad() of the result throws std::logic_error.
/// @param part uses tensors that need gradients only as parameters (leaves) or as its input, and changes
/// nothing, as a batch norm does with its running statistics. What it refers to has to live until the
/// backward pass: capture modules as std::shared_ptr
/// @param random what the part draws from beside LibTorch's generators; nullptr: nothing
[[nodiscard]] KINDRED_API torch::Tensor recomputed(
    const std::function<torch::Tensor(const torch::Tensor&)>& part, const torch::Tensor& input,
    const std::shared_ptr<RandomStream>& random = nullptr);

/// Whether the backward pass has anything to do in a part: the input or a parameter of the module needs a
/// gradient. Recomputing any other part, such as a frozen one, takes time for nothing, and its result needs a
/// gradient that reaches nothing.
[[nodiscard]] KINDRED_API bool needs_gradients(const torch::nn::Module& module, const torch::Tensor& input);

}  // namespace kindred
