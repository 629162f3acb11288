#include "resnet_ibn.h"

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/instancenorm.h>

#include <cstdint>
#include <memory>
#include <string>

#include "kindred/core/error.h"

namespace kindred::resnet_ibn {

namespace {

constexpr std::int64_t stages_with_instance_norm = 3;

// The first half of the channels by instance, the others by batch.
class InstanceBatchNorm final : public torch::nn::Module {
 public:
  explicit InstanceBatchNorm(std::int64_t channels)
      : half_(channels / 2),
        instance_(register_module(
            "IN", torch::nn::InstanceNorm2d(torch::nn::InstanceNorm2dOptions(half_).affine(true)))),
        batch_(register_module("BN", torch::nn::BatchNorm2d(channels - half_))) {}

  torch::Tensor forward(const torch::Tensor& map) {
    if (map.size(2) * map.size(3) == 1) {
      throw ComponentError("backbone/resnet_ibn",
                           "the feature map shrinks to one pixel within the first three stages, where "
                           "instance normalization sets it to zero; use larger images");
    }
    // Each half in the format of the whole: slices of channels are slow to normalize.
    const auto format = map.suggest_memory_format();
    const auto first = map.narrow(1, 0, half_);
    const auto second = map.narrow(1, half_, map.size(1) - half_).contiguous(format);
    return torch::cat({instance_->forward(first).contiguous(format), batch_->forward(second)}, 1);
  }

 private:
  std::int64_t half_;
  torch::nn::InstanceNorm2d instance_;
  torch::nn::BatchNorm2d batch_;
};

torch::nn::AnyModule first_norm(std::int64_t stage, std::int64_t channels) {
  if (stage > stages_with_instance_norm) return torch::nn::AnyModule(torch::nn::BatchNorm2d(channels));
  return torch::nn::AnyModule(std::make_shared<InstanceBatchNorm>(channels));
}

ResidualNetworkOptions options_of(const ResnetIbn::Params& params) {
  auto options =
      residual_options({params.depth, params.last_stride, params.width_multiplier, params.stem_pooling});
  if (params.non_local) options.non_local = non_local_blocks(params.depth);
  options.first_norm = first_norm;
  return options;
}

}  // namespace

Schema<ResnetIbn::Params> ResnetIbn::schema() {
  Schema<Params> s("Residual network with instance and batch normalization side by side (IBN-a).",
                   "Pan et al., ECCV 2018, figure 3 (a)");
  add_residual_parameters(s, {18, 34, 50, 101, 152});
  s.add("non_local", &Params::non_local,
        "non-local blocks (Wang et al., CVPR 2018) in stages 2 and 3, as fast-reid's AGW and SBS have them; "
        "for "
        "depth 50 and 101");
  s.rule([](const Params& params) -> std::string {
    return params.non_local && params.depth != 50 && params.depth != 101 ? "non_local needs depth = 50 or 101"
                                                                         : "";
  });
  return s;
}

ResnetIbn::ResnetIbn(const Params& params, const Context& /*context*/)
    : ResidualNetwork(options_of(params)) {}

}  // namespace kindred::resnet_ibn
