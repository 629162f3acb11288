#include "excited_norm.h"

#include <c10/core/DispatchKeySet.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include "batch_moments.h"

namespace kindred {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The mean of a normalized map over an image's pixels follows from the map's own, so that the passes over the
// maps are those of a batch norm alone.
struct ExcitedNorm final : torch::autograd::Function<ExcitedNorm> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& map,
                               const torch::Tensor& weight, const torch::Tensor& bias,
                               const torch::Tensor& inner, const torch::Tensor& inner_bias,
                               const torch::Tensor& outer, const torch::Tensor& outer_bias,
                               const torch::Tensor& shortcut, const ChannelMoments& moments, double eps) {
    const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    const auto inverse = (moments.variance + eps).rsqrt();
    const auto norm_scale = weight * inverse;
    const auto norm_shift = bias - moments.mean * norm_scale;
    const auto squeezed = moments.image_means * norm_scale + norm_shift;
    const auto hidden = torch::addmm(inner_bias, squeezed, inner.flatten(1).t()).relu_();
    const auto excited = torch::addmm(outer_bias, hidden, outer.flatten(1).t()).sigmoid_();
    auto output = scaled_map(map, excited * norm_scale, excited * norm_shift, shortcut, /*relu=*/true);
    context->save_for_backward({map, weight, bias, inner, outer, moments.mean, moments.image_means, inverse,
                                squeezed, hidden, excited, output});
    context->saved_data["shortcut"] = shortcut.requires_grad();
    return output;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    const auto saved = context->get_saved_variables();
    const auto& map = saved[0];
    const auto& weight = saved[1];
    const auto& bias = saved[2];
    const auto& inner = saved[3];
    const auto& outer = saved[4];
    const auto& mean = saved[5];
    const auto& image_means = saved[6];
    const auto& inverse = saved[7];
    const auto& squeezed = saved[8];
    const auto& hidden = saved[9];
    const auto& excited = saved[10];
    const auto& output = saved[11];
    const auto gradient = gradient_of_map(gradients, map);
    const auto norm_scale = weight * inverse;
    const auto sums = gradient_sums(gradient, map, output, mean);

    const auto of_excited = sums.times_map * norm_scale + sums.plain * bias;
    const auto of_outer_sum = of_excited * excited * (1 - excited);
    const auto of_inner_sum = torch::mm(of_outer_sum, outer.flatten(1)) * (hidden > 0);
    const auto of_squeezed = torch::mm(of_inner_sum, inner.flatten(1));

    const auto pixels = static_cast<double>(map.size(2) * map.size(3));
    const auto count = static_cast<double>(map.size(0)) * pixels;
    const auto of_bias = (excited * sums.plain + of_squeezed).sum(0);
    const auto of_weight = (excited * sums.times_map + of_squeezed * (image_means - mean)).sum(0) * inverse;
    const auto slope = norm_scale * inverse * of_weight / -count;
    const auto shift = norm_scale * (of_squeezed / pixels - of_bias / count) - slope * mean;
    const auto found = map_gradients(gradient, map, output, norm_scale * excited, slope, shift,
                                     context->saved_data["shortcut"].toBool());
    return {found.map,
            of_weight,
            of_bias,
            torch::mm(of_inner_sum.t(), squeezed).view_as(inner),
            of_inner_sum.sum(0),
            torch::mm(of_outer_sum.t(), hidden).view_as(outer),
            of_outer_sum.sum(0),
            found.shortcut,
            {},
            {}};
  }
};

}  // namespace

torch::Tensor excited_norm_relu(torch::nn::BatchNorm2dImpl& norm, const torch::Tensor& map,
                                const ExcitationWeights& weights, const torch::Tensor& shortcut) {
  if (shortcut.sizes() == map.sizes() && weights.inner.scalar_type() == torch::kFloat32) {
    if (const auto moments = batch_moments(norm, map)) {
      return ExcitedNorm::apply(map, norm.weight, norm.bias, weights.inner, weights.inner_bias, weights.outer,
                                weights.outer_bias, like_map(shortcut, map), *moments, norm.options.eps());
    }
  }
  auto output = norm.forward(map);
  const auto squeezed = torch::adaptive_avg_pool2d(output, {1, 1});
  const auto hidden = torch::conv2d(squeezed, weights.inner, weights.inner_bias).relu_();
  output = output * torch::conv2d(hidden, weights.outer, weights.outer_bias).sigmoid_();
  output += shortcut;
  return output.relu_();
}

}  // namespace kindred
