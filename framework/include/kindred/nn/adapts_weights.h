// Modules whose tensors can be made from tensors of another shape.
#pragma once

#include <torch/types.h>

#include <string>

#include "kindred/core/export.h"

namespace kindred {

/// A module derives from it beside torch::nn::Module when weights of other programs, or of another image
/// size, are to be fitted to it: position embeddings are interpolated to another grid. Whoever reads a file
/// asks the module that holds a tensor, when the file's has another shape.
class KINDRED_API AdaptsWeights {
 public:
  virtual ~AdaptsWeights();
  AdaptsWeights(const AdaptsWeights&) = delete;
  AdaptsWeights& operator=(const AdaptsWeights&) = delete;

  /// What of the file's tensor fits, of the shape and type of the module's own; undefined when nothing does.
  /// @param name the tensor's in this module, without the names of the modules around it
  [[nodiscard]] virtual torch::Tensor adapted(const std::string& name, const torch::Tensor& source) const = 0;

 protected:
  AdaptsWeights() = default;
};

}  // namespace kindred
