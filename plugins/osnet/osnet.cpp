#include "osnet.h"

#include <torch/nn/init.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

namespace kindred::osnet {

namespace {

constexpr std::int64_t bottleneck_reduction = 4;
constexpr std::int64_t gate_reduction = 16;
constexpr std::int64_t streams = 4;

torch::nn::Conv2d make_conv(torch::nn::Conv2dOptions options) {
  torch::nn::Conv2d conv(options);
  torch::nn::init::kaiming_normal_(conv->weight, 0.0, torch::kFanOut, torch::kReLU);
  if (options.bias()) torch::nn::init::zeros_(conv->bias);
  return conv;
}

torch::nn::Conv2dOptions plain(std::int64_t in, std::int64_t out, std::int64_t kernel) {
  return torch::nn::Conv2dOptions(in, out, kernel).padding(kernel / 2).bias(false);
}

// "conv" and "bn".
class ConvNorm : public TensorModule {
 public:
  explicit ConvNorm(const torch::nn::Conv2dOptions& options)
      : conv_(register_module("conv", make_conv(options))),
        norm_(register_module("bn", torch::nn::BatchNorm2d(options.out_channels()))) {}
  torch::Tensor forward(const torch::Tensor& input) override { return norm_->forward(conv_->forward(input)); }

 private:
  torch::nn::Conv2d conv_;
  torch::nn::BatchNorm2d norm_;
};

class ConvNormRelu : public ConvNorm {
 public:
  using ConvNorm::ConvNorm;
  torch::Tensor forward(const torch::Tensor& input) override { return ConvNorm::forward(input).relu_(); }
};

class Stem final : public ConvNormRelu {
 public:
  explicit Stem(std::int64_t channels) : ConvNormRelu(plain(3, channels, 7).stride(2)) {}
  torch::Tensor forward(const torch::Tensor& images) override {
    return torch::max_pool2d(ConvNormRelu::forward(images), {3, 3}, {2, 2}, 1);
  }
};

// 1x1 over the channels, then 3x3 within each.
class LightConv final : public TensorModule {
 public:
  explicit LightConv(std::int64_t channels)
      : pointwise_(register_module("conv1", make_conv(plain(channels, channels, 1)))),
        depthwise_(register_module("conv2", make_conv(plain(channels, channels, 3).groups(channels)))),
        norm_(register_module("bn", torch::nn::BatchNorm2d(channels))) {}
  torch::Tensor forward(const torch::Tensor& map) override {
    return norm_->forward(depthwise_->forward(pointwise_->forward(map))).relu_();
  }

 private:
  torch::nn::Conv2d pointwise_;
  torch::nn::Conv2d depthwise_;
  torch::nn::BatchNorm2d norm_;
};

// The unified aggregation gate (section 3.2): each channel is scaled by what the whole map's mean says of it.
class Gate final : public TensorModule {
 public:
  explicit Gate(std::int64_t channels) {
    const auto inner = std::max<std::int64_t>(1, channels / gate_reduction);
    fc1_ = register_module("fc1", make_conv(plain(channels, inner, 1).bias(true)));
    fc2_ = register_module("fc2", make_conv(plain(inner, channels, 1).bias(true)));
  }
  torch::Tensor forward(const torch::Tensor& map) override {
    const auto squeezed = torch::adaptive_avg_pool2d(map, {1, 1});
    return map * fc2_->forward(fc1_->forward(squeezed).relu_()).sigmoid_();
  }

 private:
  torch::nn::Conv2d fc1_{nullptr};
  torch::nn::Conv2d fc2_{nullptr};
};

class OmniScaleBlock final : public TensorModule {
 public:
  OmniScaleBlock(std::int64_t in, std::int64_t out) {
    const auto inner = out / bottleneck_reduction;
    reduce_ = register_module("conv1", std::make_shared<ConvNormRelu>(plain(in, inner, 1)));
    for (std::int64_t length = 1; length <= streams; ++length) add_stream(length, inner);
    gate_ = register_module("gate", std::make_shared<Gate>(inner));
    expand_ = register_module("conv3", std::make_shared<ConvNorm>(plain(inner, out, 1)));
    if (in != out) {
      downsample_ = register_module("downsample", std::make_shared<ConvNorm>(plain(in, out, 1)));
    }
  }

  torch::Tensor forward(const torch::Tensor& input) override {
    const auto reduced = reduce_->forward(input);
    torch::Tensor sum;
    for (auto& stream : streams_) {
      const auto gated = gate_->forward(stream->forward(reduced));
      sum = sum.defined() ? sum + gated : gated;
    }
    auto map = expand_->forward(sum);
    map += downsample_ == nullptr ? input : downsample_->forward(input);
    return map.relu_();
  }

 private:
  // "conv2a" is a light convolution, "conv2b" to "conv2d" are rows of them: "conv2b.0", "conv2b.1".
  void add_stream(std::int64_t length, std::int64_t channels) {
    torch::nn::Sequential stream;
    for (std::int64_t i = 0; i < length; ++i) stream->push_back(std::make_shared<LightConv>(channels));
    const auto name = std::string("conv2") + static_cast<char>('a' + length - 1);
    if (length == 1) {
      register_module(name, stream->ptr<LightConv>(0));
    } else {
      register_module(name, stream);
    }
    streams_.push_back(stream);
  }

  std::shared_ptr<ConvNormRelu> reduce_;
  std::vector<torch::nn::Sequential> streams_;
  std::shared_ptr<Gate> gate_;
  std::shared_ptr<ConvNorm> expand_;
  std::shared_ptr<ConvNorm> downsample_;  // null where the input has the output's channels
};

class Transition final : public TensorModule {
 public:
  Transition(std::int64_t channels, std::int64_t stride)
      : conv_(register_module("0", std::make_shared<ConvNormRelu>(plain(channels, channels, 1)))),
        stride_(stride) {}
  torch::Tensor forward(const torch::Tensor& input) override {
    const auto map = conv_->forward(input);
    return stride_ == 1 ? map : torch::avg_pool2d(map, {stride_, stride_});
  }

 private:
  std::shared_ptr<ConvNormRelu> conv_;
  std::int64_t stride_;
};

}  // namespace

Schema<Osnet::Params> Osnet::schema() {
  Schema<Params> s("Omni-scale network: small, designed for re-identification.",
                   "Zhou et al., ICCV 2019, table 1");
  s.add("width_multiplier", &Params::width_multiplier,
        "multiplies the channels of all layers, rounded to a multiple of 8; published: 0.25, 0.5, 0.75 and 1")
      .range(0.125, 8)
      .formerly("width");
  s.add("last_stride", &Params::last_stride,
        "stride of the last downsampling, conv3.2; 1 gives a feature map of twice the height and width; a "
        "head with branches may set its own stride and must then cut before it, for example after 'conv3.1'")
      .range(1, 2);
  return s;
}

std::vector<WeightsLayout> Osnet::weights_layouts() {
  return {{.name = "torchreid",
           .required = {"conv1.conv.weight", "conv2.0.conv2a.conv1.weight"},
           .rules = {{"conv#.*", "conv#.*"}}}};
}

Osnet::Osnet(const Params& params, const Context& /*context*/) {
  for (const double channels : {64.0, 256.0, 384.0, 512.0}) {
    channels_.push_back(std::max<std::int64_t>(8, std::llround(channels * params.width_multiplier / 8) * 8));
  }
  assemble(params.last_stride);
}

std::vector<BlockRecipe> Osnet::block_recipes(std::int64_t last_stride) const {
  std::vector<BlockRecipe> recipes;
  recipes.push_back({"conv1", [out = channels_[0]] { return std::make_shared<Stem>(out); }});
  for (std::size_t stage = 1; stage < channels_.size(); ++stage) {
    const auto name = "conv" + std::to_string(stage + 1);
    const auto in = channels_[stage - 1];
    const auto out = channels_[stage];
    recipes.push_back({name + ".0", [=] { return std::make_shared<OmniScaleBlock>(in, out); }});
    recipes.push_back({name + ".1", [=] { return std::make_shared<OmniScaleBlock>(out, out); }});
    if (stage + 1 == channels_.size()) continue;
    const auto stride = stage + 2 == channels_.size() ? last_stride : 2;
    recipes.push_back({name + ".2", [=] { return std::make_shared<Transition>(out, stride); }});
  }
  recipes.push_back(
      {"conv5", [out = channels_.back()] { return std::make_shared<ConvNormRelu>(plain(out, out, 1)); }});
  return recipes;
}

}  // namespace kindred::osnet
