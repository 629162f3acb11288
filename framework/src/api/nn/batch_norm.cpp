#include "kindred/nn/batch_norm.h"

#include <tuple>

#include "batch_moments.h"
#include "kindred/core/error.h"

namespace kindred {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct After {
  bool shortcut;
  bool relu;
};

struct BatchNormStep final : torch::autograd::Function<BatchNormStep> {
  // Without a shortcut, an empty tensor stands in its place.
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& map,
                               const torch::Tensor& weight, const torch::Tensor& bias,
                               const torch::Tensor& shortcut, const ChannelMoments& moments, double eps,
                               const After& after) {
    const auto inverse = (moments.variance + eps).rsqrt();
    const auto scale = weight * inverse;
    auto output = scaled_map(map, scale, bias - moments.mean * scale,
                             after.shortcut ? shortcut : torch::Tensor(), after.relu);
    context->save_for_backward({map, weight, moments.mean, inverse, after.relu ? output : torch::Tensor()});
    context->saved_data["shortcut"] = after.shortcut && shortcut.requires_grad();
    return output;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto& [map, weight, mean, inverse, output] =
        std::tie(saved[0], saved[1], saved[2], saved[3], saved[4]);
    const auto gradient = gradient_of_map(gradients, map);
    const auto sums = gradient_sums(gradient, map, output, mean);
    const auto of_bias = sums.plain.sum(0);
    const auto of_weight = sums.times_map.sum(0) * inverse;
    const auto count = static_cast<double>(map.numel() / map.size(1));
    const auto scale = weight * inverse;
    const auto slope = scale * inverse * of_weight / -count;
    const auto found =
        map_gradients(gradient, map, output, scale, slope, scale * of_bias / -count - slope * mean,
                      context->saved_data["shortcut"].toBool());
    return {found.map, of_weight, of_bias, found.shortcut, {}, {}, {}};
  }
};

torch::Tensor normalized(torch::nn::BatchNorm2dImpl& norm, const torch::Tensor& map,
                         const torch::Tensor& shortcut, bool relu) {
  const bool adds = shortcut.defined();
  if (!adds || shortcut.sizes() == map.sizes()) {
    if (const auto moments = batch_moments(norm, map)) {
      return BatchNormStep::apply(map, norm.weight, norm.bias,
                                  adds ? like_map(shortcut, map) : torch::empty({0}), *moments,
                                  norm.options.eps(), After{adds, relu});
    }
  }
  auto output = norm.forward(map);
  if (adds) output += shortcut;
  return relu ? output.relu_() : output;
}

}  // namespace

torch::Tensor batch_normalized(torch::nn::BatchNorm2dImpl& norm, const torch::Tensor& map) {
  return normalized(norm, map, torch::Tensor(), /*relu=*/false);
}

torch::Tensor batch_normalized_relu(torch::nn::BatchNorm2dImpl& norm, const torch::Tensor& map,
                                    const torch::Tensor& shortcut) {
  return normalized(norm, map, shortcut, /*relu=*/true);
}

void require_two_images(const Activations& batch, const std::string& component) {
  if (batch.values.size(0) >= 2) return;
  throw ComponentError(component,
                       "batch normalization needs at least 2 images in a training batch, but this one has "
                       "1; use larger batches");
}

}  // namespace kindred
