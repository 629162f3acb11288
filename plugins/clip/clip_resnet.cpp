#include "clip_resnet.h"

#include <torch/nn/init.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "clip_layouts.h"
#include "kindred/nn/batch_norm.h"
#include "kindred/nn/tensor_module.h"

namespace kindred::clip {
namespace {

constexpr std::int64_t expansion = 4;

torch::nn::Conv2d conv_of(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride = 1) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

/// Convolutions with batch norms, "conv1", "bn1", ...
class Convolutions : public TensorModule {
 protected:
  struct Step {
    torch::nn::Conv2d conv;
    torch::nn::BatchNorm2d norm;
  };
  [[nodiscard]] torch::Tensor apply_relu(std::size_t step, const torch::Tensor& map,
                                         const torch::Tensor& shortcut = {}) {
    return batch_normalized_relu(*steps_[step].norm, steps_[step].conv->forward(map), shortcut);
  }
  void add(torch::nn::Conv2d conv) {
    const auto number = std::to_string(steps_.size() + 1);
    const auto channels = conv->options.out_channels();
    steps_.push_back({register_module("conv" + number, std::move(conv)),
                      register_module("bn" + number, torch::nn::BatchNorm2d(channels))});
  }
  [[nodiscard]] torch::nn::BatchNorm2d& last_norm() { return steps_.back().norm; }

 private:
  std::vector<Step> steps_;
};

class Stem final : public Convolutions {
 public:
  explicit Stem(std::int64_t width) {
    add(conv_of(3, width / 2, 3, 2));
    add(conv_of(width / 2, width / 2, 3));
    add(conv_of(width / 2, width, 3));
  }
  torch::Tensor forward(const torch::Tensor& images) override {
    auto map = images;
    for (const std::size_t step : {0U, 1U, 2U}) map = apply_relu(step, map);
    return torch::avg_pool2d(map, 2);
  }
};

class Bottleneck final : public Convolutions {
 public:
  /// @param projects the identity is projected, whatever the stride
  Bottleneck(std::int64_t in, std::int64_t planes, std::int64_t stride, bool projects) : stride_(stride) {
    add(conv_of(in, planes, 1));
    add(conv_of(planes, planes, 3));
    add(conv_of(planes, planes * expansion, 1));
    torch::nn::init::zeros_(last_norm()->weight);
    if (!projects) return;
    downsample_ =
        register_module("downsample", torch::nn::Sequential(conv_of(in, planes * expansion, 1),
                                                            torch::nn::BatchNorm2d(planes * expansion)));
  }
  torch::Tensor forward(const torch::Tensor& input) override {
    const auto map = pooled(apply_relu(1, apply_relu(0, input)));
    return apply_relu(2, map, downsample_.is_empty() ? input : downsample_->forward(pooled(input)));
  }

 private:
  [[nodiscard]] torch::Tensor pooled(const torch::Tensor& map) const {
    return stride_ == 1 ? map : torch::avg_pool2d(map, stride_);
  }

  std::int64_t stride_;
  torch::nn::Sequential downsample_{nullptr};
};

}  // namespace

Schema<ClipResnet::Params> ClipResnet::schema() {
  Schema<Params> s(
      "CLIP's residual network: three convolutions in the stem, average pooling instead of strides.",
      "Radford et al., ICML 2021");
  s.add("variant", &Params::variant, "OpenAI's name of the network", resnet_choices());
  s.add("last_stride", &Params::last_stride,
        "stride of the last stage; 1 gives a feature map of twice the height and width; a head with a last "
        "stage of its own, as clip_reid, sets its own")
      .range(1, 2);
  return s;
}

std::vector<WeightsLayout> ClipResnet::weights_layouts() {
  return resnet_layouts();
}

ClipResnet::ClipResnet(const Params& params, const Context& /*context*/) : shape_(shape_of(params.variant)) {
  assemble(params.last_stride);
}

std::vector<BlockRecipe> ClipResnet::block_recipes(std::int64_t last_stride) const {
  std::vector<BlockRecipe> recipes = {
      {"stem", [width = shape_.width] { return std::make_shared<Stem>(width); }, BlockNames::top}};
  auto in = shape_.width;
  for (std::size_t stage = 0; stage < shape_.stages.size(); ++stage) {
    const auto planes = shape_.width << stage;
    const bool last = stage + 1 == shape_.stages.size();
    for (std::int64_t i = 0; i < shape_.stages[stage]; ++i) {
      const std::int64_t stride = i > 0 || stage == 0 ? 1 : last ? last_stride : 2;
      recipes.push_back({"layer" + std::to_string(stage + 1) + "." + std::to_string(i),
                         [in, planes, stride, projects = i == 0] {
                           return std::make_shared<Bottleneck>(in, planes, stride, projects);
                         }});
      in = planes * expansion;
    }
  }
  return recipes;
}

}  // namespace kindred::clip
