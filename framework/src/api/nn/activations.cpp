#include "kindred/nn/activations.h"

#include <string>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/nn/network_part.h"
#include "kindred/nn/tensor_module.h"

namespace kindred {
namespace {

std::string sizes_text(const torch::Tensor& tensor) {
  if (!tensor.defined()) return "nothing";
  std::string text;
  for (const auto size : tensor.sizes()) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "a tensor [" + text + "]";
}

}  // namespace

Activations::Activations(torch::Tensor images_or_map) : values(std::move(images_or_map)) {}

torch::Tensor Activations::map() const {
  if (!grid) {
    if (values.defined() && values.dim() == 4) return values;
    throw ComponentError("backbone", "gave " + sizes_text(values) + " where a map [N, C, h, w] is needed");
  }
  const auto places = grid->rows * grid->columns;
  if (!values.defined() || values.dim() != 3 || values.size(1) != grid->extra + places) {
    throw ComponentError("backbone", "gave " + sizes_text(values) + " for a grid of " +
                                         std::to_string(grid->rows) + " x " + std::to_string(grid->columns) +
                                         " tokens and " + std::to_string(grid->extra) + " more");
  }
  return values.narrow(1, grid->extra, places)
      .transpose(1, 2)
      .reshape({values.size(0), values.size(2), grid->rows, grid->columns});
}

torch::Tensor Activations::class_token() const {
  if (!grid || grid->extra < 1 || !values.defined() || values.dim() != 3) {
    throw ComponentError("backbone", "gave " + sizes_text(values) +
                                         " without a class token; choose a vision transformer that has one");
  }
  return values.select(1, 0);
}

Activations Activations::with(torch::Tensor other_values) const {
  Activations other = *this;
  other.values = std::move(other_values);
  return other;
}

Activations TensorModule::propagate(const Activations& input) {
  return input.with(forward(input.values));
}

}  // namespace kindred
