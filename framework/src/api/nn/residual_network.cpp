#include "kindred/nn/residual_network.h"
#include "kindred/nn/batch_norm.h"
#include "kindred/nn/tensor_module.h"

#include <torch/nn/functional/pooling.h>
#include <torch/nn/init.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "excited_norm.h"

namespace kindred {

namespace {

constexpr std::int64_t first_planes = 64;  // of a network of width 1
constexpr std::int64_t bottleneck_expansion = 4;

struct Convolution {
  std::int64_t in;
  std::int64_t out;
  std::int64_t kernel;
  std::int64_t stride = 1;
  std::int64_t groups = 1;
  bool bias = false;
};

torch::nn::Conv2d make_conv(const Convolution& c) {
  torch::nn::Conv2d conv(torch::nn::Conv2dOptions(c.in, c.out, c.kernel)
                             .stride(c.stride)
                             .padding(c.kernel / 2)
                             .groups(c.groups)
                             .bias(c.bias));
  torch::nn::init::kaiming_normal_(conv->weight, 0.0, torch::kFanOut, torch::kReLU);
  if (c.bias) torch::nn::init::zeros_(conv->bias);
  return conv;
}

// What a residual block is made of.
struct BlockSpec {
  ResidualBlock kind;
  std::int64_t in;
  std::int64_t planes;
  std::int64_t inner;  // of a bottleneck's 3x3 convolution
  std::int64_t out;
  std::int64_t stride;
  std::int64_t groups;
  bool stride_in_first;
  bool downsample;
  std::optional<std::int64_t> se_reduction;
  std::function<torch::nn::AnyModule(std::int64_t channels)> first_norm;
};

// Squeeze and excitation: each channel is scaled by what the whole map's mean says of it.
class SeModule final : public torch::nn::Module {
 public:
  SeModule(std::int64_t channels, std::int64_t reduction) {
    const auto inner = std::max<std::int64_t>(1, channels / reduction);
    fc1_ = register_module("fc1", make_conv({.in = channels, .out = inner, .kernel = 1, .bias = true}));
    fc2_ = register_module("fc2", make_conv({.in = inner, .out = channels, .kernel = 1, .bias = true}));
  }
  [[nodiscard]] ExcitationWeights weights() const {
    return {fc1_->weight, fc1_->bias, fc2_->weight, fc2_->bias};
  }

 private:
  torch::nn::Conv2d fc1_{nullptr};
  torch::nn::Conv2d fc2_{nullptr};
};

class Residual final : public TensorModule {
 public:
  explicit Residual(const BlockSpec& spec) {
    if (spec.kind == ResidualBlock::basic) {
      add_conv({spec.in, spec.planes, 3, spec.stride}, spec);
      add_conv({spec.planes, spec.out, 3}, spec);
    } else {
      const auto first = spec.stride_in_first ? spec.stride : 1;
      add_conv({spec.in, spec.inner, 1, first}, spec);
      add_conv({spec.inner, spec.inner, 3, spec.stride / first, spec.groups}, spec);
      add_conv({spec.inner, spec.out, 1}, spec);
    }
    if (spec.se_reduction) {
      se_ = register_module("se_module", std::make_shared<SeModule>(spec.out, *spec.se_reduction));
    }
    if (spec.downsample) {
      shortcut_conv_ = make_conv({spec.in, spec.out, 1, spec.stride});
      shortcut_norm_ = torch::nn::BatchNorm2d(spec.out);
      register_module("downsample", torch::nn::Sequential(shortcut_conv_, shortcut_norm_));
    }
  }

  torch::Tensor forward(const torch::Tensor& input) override {
    auto map = input;
    for (std::size_t i = 0; i + 1 < steps_.size(); ++i) map = steps_[i].forward_relu(map);
    const auto shortcut =
        shortcut_conv_.is_empty() ? input : batch_normalized(*shortcut_norm_, shortcut_conv_->forward(input));
    auto& last = steps_.back();
    map = last.conv->forward(map);
    return se_ == nullptr ? batch_normalized_relu(*last.batch, map, shortcut)
                          : excited_norm_relu(*last.batch, map, se_->weights(), shortcut);
  }

 private:
  struct Step {
    torch::nn::Conv2d conv;
    torch::nn::AnyModule norm;
    std::shared_ptr<torch::nn::BatchNorm2dImpl> batch;  // null: the norm is another one

    [[nodiscard]] torch::Tensor forward_relu(const torch::Tensor& input) {
      const auto map = conv->forward(input);
      return batch == nullptr ? norm.forward(map).relu_() : batch_normalized_relu(*batch, map);
    }
  };

  void add_conv(const Convolution& c, const BlockSpec& spec) {
    const auto number = std::to_string(steps_.size() + 1);
    Step step{register_module("conv" + number, make_conv(c)),
              steps_.empty() && spec.first_norm ? spec.first_norm(c.out)
                                                : torch::nn::AnyModule(torch::nn::BatchNorm2d(c.out)),
              nullptr};
    register_module("bn" + number, step.norm.ptr());
    step.batch = std::dynamic_pointer_cast<torch::nn::BatchNorm2dImpl>(step.norm.ptr());
    steps_.push_back(std::move(step));
  }

  std::vector<Step> steps_;
  std::shared_ptr<SeModule> se_;
  torch::nn::Conv2d shortcut_conv_{nullptr};
  torch::nn::BatchNorm2d shortcut_norm_{nullptr};
};

/// Adds to each pixel what all others hold, weighed by their likeness to it: Wang et al., "Non-local Neural
/// Networks", CVPR 2018, with dot products (section 3.2) and one inner channel, the tensors' names those of
/// fast-reid. The last batch norm starts at 0, so that the block changes nothing.
class NonLocal final : public TensorModule {
 public:
  explicit NonLocal(std::int64_t channels) {
    const auto inner = [&](const std::string& name) {
      return register_module(name, make_conv({.in = channels, .out = 1, .kernel = 1, .bias = true}));
    };
    g_ = inner("g");
    theta_ = inner("theta");
    phi_ = inner("phi");
    torch::nn::BatchNorm2d norm(channels);
    torch::nn::init::zeros_(norm->weight);
    last_ = register_module(
        "W", torch::nn::Sequential(make_conv({.in = 1, .out = channels, .kernel = 1, .bias = true}), norm));
  }
  torch::Tensor forward(const torch::Tensor& map) override {
    const auto pixels = map.size(2) * map.size(3);
    // (theta phi') g = theta (phi' g), without the matrix of all pairs of pixels.
    const auto likeness = (phi_->forward(map) * g_->forward(map)).sum({2, 3}, /*keepdim=*/true);
    const auto gathered = theta_->forward(map) * likeness / static_cast<double>(pixels);
    return last_->forward(gathered) + map;
  }

 private:
  torch::nn::Conv2d g_{nullptr};
  torch::nn::Conv2d theta_{nullptr};
  torch::nn::Conv2d phi_{nullptr};
  torch::nn::Sequential last_{nullptr};
};

class Stem final : public TensorModule {
 public:
  Stem(std::int64_t channels, StemPooling pooling, bool relu)
      : conv_(register_module("conv1", make_conv({.in = 3, .out = channels, .kernel = 7, .stride = 2}))),
        norm_(register_module("bn1", torch::nn::BatchNorm2d(channels))),
        pooling_(pooling),
        relu_(relu) {}

  torch::Tensor forward(const torch::Tensor& images) override {
    const auto convolved = conv_->forward(images);
    const auto map = relu_ ? batch_normalized_relu(*norm_, convolved) : batch_normalized(*norm_, convolved);
    const bool padded = pooling_ == StemPooling::padded;
    return torch::max_pool2d(map, {3, 3}, {2, 2}, padded ? 1 : 0, 1, /*ceil_mode=*/!padded);
  }

 private:
  torch::nn::Conv2d conv_;
  torch::nn::BatchNorm2d norm_;
  StemPooling pooling_;
  bool relu_;
};

std::int64_t expansion(ResidualBlock block) {
  return block == ResidualBlock::basic ? 1 : bottleneck_expansion;
}

std::int64_t scaled(std::int64_t channels, double width_multiplier) {
  return std::max<std::int64_t>(8, std::llround(static_cast<double>(channels) * width_multiplier / 8) * 8);
}

}  // namespace

ResidualNetwork::ResidualNetwork(ResidualNetworkOptions options) : options_(std::move(options)) {
  const auto& o = options_;
  const bool plain = o.groups == 1 && o.width_per_group == 64 && !o.stride_in_first;
  if (o.stages.empty() || o.stages.size() > 8 || *std::min_element(o.stages.begin(), o.stages.end()) < 1) {
    throw std::logic_error("a residual network has 1 to 8 stages of at least one block");
  }
  if (!(o.width_multiplier > 0) || o.last_stride < 1 || o.groups < 1 || o.width_per_group < 1 ||
      o.se_reduction.value_or(1) < 1) {
    throw std::logic_error("the width, strides, groups and reduction of a residual network must be above 0");
  }
  if (o.block == ResidualBlock::basic && !plain) {
    throw std::logic_error("only bottlenecks have groups and a stride in the first convolution");
  }
  if (!o.non_local.empty() && o.non_local.size() != o.stages.size()) {
    throw std::logic_error("the non-local blocks of a residual network are counted for each stage");
  }
  for (std::size_t stage = 0; stage < o.non_local.size(); ++stage) {
    if (o.non_local[stage] >= 0 && o.non_local[stage] <= o.stages[stage]) continue;
    throw std::logic_error("a stage of a residual network has no more non-local blocks than others");
  }
  assemble(o.last_stride);
}

ResidualNetwork::~ResidualNetwork() = default;

std::int64_t ResidualNetwork::planes(std::size_t stage) const {
  return scaled(first_planes << stage, options_.width_multiplier);
}

std::int64_t ResidualNetwork::channels() const {
  return planes(options_.stages.size() - 1) * expansion(options_.block);
}

std::vector<BlockRecipe> ResidualNetwork::block_recipes(std::int64_t last_stride) const {
  const auto& o = options_;
  const auto stem_channels = planes(0);
  std::vector<BlockRecipe> recipes;
  const bool top = o.stem == ResidualStem::torchvision;
  const auto pooling = o.stem_pooling.value_or(top ? StemPooling::padded : StemPooling::rounded_up);
  recipes.push_back({top ? "stem" : "layer0",
                     [stem_channels, pooling, relu = o.stem_relu] {
                       return std::make_shared<Stem>(stem_channels, pooling, relu);
                     },
                     top ? BlockNames::top : BlockNames::prefixed});

  auto in = stem_channels;
  for (std::size_t stage = 0; stage < o.stages.size(); ++stage) {
    const auto nominal_stride = stage == 0 ? 1 : 2;
    const bool last = stage + 1 == o.stages.size();
    for (std::int64_t i = 0; i < o.stages[stage]; ++i) {
      BlockSpec spec{};
      spec.kind = o.block;
      spec.in = in;
      spec.planes = planes(stage);
      spec.inner = std::max<std::int64_t>(1, spec.planes * o.width_per_group / 64) * o.groups;
      spec.out = spec.planes * expansion(o.block);
      spec.stride = i > 0 ? 1 : last ? last_stride : nominal_stride;
      spec.groups = o.groups;
      spec.stride_in_first = o.stride_in_first;
      // Not a matter of `last_stride`: copies with another stride must have the same tensors.
      spec.downsample = i == 0 && (nominal_stride != 1 || spec.in != spec.out);
      spec.se_reduction = o.se_reduction;
      if (o.first_norm) {
        spec.first_norm = [norm = o.first_norm, number = static_cast<std::int64_t>(stage) + 1](
                              std::int64_t channels) { return norm(number, channels); };
      }
      recipes.push_back({"layer" + std::to_string(stage + 1) + "." + std::to_string(i),
                         [spec] { return std::make_shared<Residual>(spec); }, BlockNames::prefixed});
      in = spec.out;
      const auto non_local = o.non_local.empty() ? 0 : o.non_local[stage];
      const auto place = i - (o.stages[stage] - non_local);
      if (place < 0) continue;
      recipes.push_back({"non_local" + std::to_string(stage + 1) + "." + std::to_string(place),
                         [channels = spec.out] { return std::make_shared<NonLocal>(channels); },
                         BlockNames::prefixed});
    }
  }
  return recipes;
}

std::vector<std::int64_t> non_local_blocks(std::int64_t depth) {
  switch (depth) {
    case 50:
      return {0, 2, 3, 0};
    case 101:
      return {0, 2, 9, 0};
    default:
      throw std::logic_error("there is no non-local network of depth " + std::to_string(depth));
  }
}

std::vector<std::int64_t> residual_stages(std::int64_t depth) {
  switch (depth) {
    case 18:
      return {2, 2, 2, 2};
    case 34:
    case 50:
      return {3, 4, 6, 3};
    case 101:
      return {3, 4, 23, 3};
    case 152:
      return {3, 8, 36, 3};
    default:
      throw std::logic_error("there is no residual network of depth " + std::to_string(depth));
  }
}

}  // namespace kindred
