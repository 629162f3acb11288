// A part of a network that maps one tensor to another.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include "kindred/core/export.h"

namespace kindred {

class KINDRED_API TensorModule : public torch::nn::Module {
 public:
  using torch::nn::Module::Module;
  ~TensorModule() override;
  virtual torch::Tensor forward(const torch::Tensor& input) = 0;
};

}  // namespace kindred
