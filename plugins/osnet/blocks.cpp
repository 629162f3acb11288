#include "blocks.h"

#include <torch/nn/init.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/instancenorm.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/nn/batch_norm.h"
#include "kindred/nn/tensor_module.h"

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

// Over the pixels of each channel of each image, with a weight and a bias for each channel.
torch::nn::InstanceNorm2d instance_norm(std::int64_t channels) {
  return torch::nn::InstanceNorm2d(torch::nn::InstanceNorm2dOptions(channels).affine(true));
}

torch::Tensor normalized(torch::nn::InstanceNorm2d& norm, const torch::Tensor& map) {
  if (map.size(2) * map.size(3) == 1) {
    throw ComponentError(
        "backbone/osnet",
        "the feature map shrinks to one pixel where instance normalization follows, which sets it to "
        "zero; use larger images");
  }
  return norm->forward(map).contiguous(map.suggest_memory_format());
}

// "conv" and, where there is a normalization, "bn".
class ConvNorm : public TensorModule {
 public:
  explicit ConvNorm(const torch::nn::Conv2dOptions& options, Norm norm = Norm::batch)
      : conv_(register_module("conv", make_conv(options))) {
    if (norm == Norm::batch) batch_ = register_module("bn", torch::nn::BatchNorm2d(options.out_channels()));
    if (norm == Norm::instance) {
      instance_ = register_module("bn", instance_norm(options.out_channels()));
    }
  }
  torch::Tensor forward(const torch::Tensor& input) override {
    const auto map = conv_->forward(input);
    if (!instance_.is_empty()) return normalized(instance_, map);
    return batch_.is_empty() ? map : batch_normalized(*batch_, map);
  }

  /// relu(forward(input) + shortcut); an undefined shortcut is none.
  [[nodiscard]] torch::Tensor forward_relu(const torch::Tensor& input, const torch::Tensor& shortcut = {}) {
    if (!batch_.is_empty()) return batch_normalized_relu(*batch_, conv_->forward(input), shortcut);
    auto map = ConvNorm::forward(input);
    if (shortcut.defined()) map += shortcut;
    return map.relu_();
  }

 private:
  torch::nn::Conv2d conv_;
  torch::nn::BatchNorm2d batch_{nullptr};
  torch::nn::InstanceNorm2d instance_{nullptr};
};

class ConvNormRelu : public ConvNorm {
 public:
  using ConvNorm::ConvNorm;
  torch::Tensor forward(const torch::Tensor& input) override { return forward_relu(input); }
};

class Stem final : public ConvNormRelu {
 public:
  Stem(std::int64_t channels, Norm norm) : ConvNormRelu(plain(3, channels, 7).stride(2), norm) {}
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
    return batch_normalized_relu(*norm_, depthwise_->forward(pointwise_->forward(map)));
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

// A level of names.
class Level final : public torch::nn::Module {};

torch::nn::Sequential row(std::int64_t length, std::int64_t channels) {
  torch::nn::Sequential stream;
  for (std::int64_t i = 0; i < length; ++i) stream->push_back(std::make_shared<LightConv>(channels));
  return stream;
}

class OmniScaleBlock final : public TensorModule {
 public:
  explicit OmniScaleBlock(const BlockOptions& options) : residual_norm_(options.residual_norm) {
    const auto inner = options.out / bottleneck_reduction;
    const bool inside = residual_norm_ == ResidualNorm::inside;
    reduce_ = register_module("conv1", std::make_shared<ConvNormRelu>(plain(options.in, inner, 1)));
    if (options.names == StreamNames::letters) {
      for (std::int64_t length = 1; length <= streams; ++length) add_lettered_stream(length, inner);
    } else {
      add_numbered_streams(inner);
    }
    gate_ = register_module("gate", std::make_shared<Gate>(inner));
    expand_ = register_module(
        "conv3", std::make_shared<ConvNorm>(plain(inner, options.out, 1), inside ? Norm::none : Norm::batch));
    if (options.in != options.out) {
      downsample_ =
          register_module("downsample", std::make_shared<ConvNorm>(plain(options.in, options.out, 1)));
    }
    if (residual_norm_ != ResidualNorm::none) {
      norm_ = register_module("IN", instance_norm(options.out));
    }
  }

  torch::Tensor forward(const torch::Tensor& input) override {
    const auto reduced = reduce_->forward(input);
    torch::Tensor sum;
    for (auto& stream : streams_) {
      const auto gated = gate_->forward(stream->forward(reduced));
      sum = sum.defined() ? sum + gated : gated;
    }
    const auto shortcut = downsample_ == nullptr ? input : downsample_->forward(input);
    if (residual_norm_ == ResidualNorm::none) return expand_->forward_relu(sum, shortcut);
    auto map = expand_->forward(sum);
    if (residual_norm_ == ResidualNorm::inside) map = normalized(norm_, map);
    map += shortcut;
    if (residual_norm_ == ResidualNorm::after_sum) map = normalized(norm_, map);
    return map.relu_();
  }

 private:
  // "conv2a" is a light convolution, "conv2b" to "conv2d" are rows of them: "conv2b.0", "conv2b.1".
  void add_lettered_stream(std::int64_t length, std::int64_t channels) {
    auto stream = row(length, channels);
    const auto name = std::string("conv2") + static_cast<char>('a' + length - 1);
    if (length == 1) {
      register_module(name, stream->ptr<LightConv>(0));
    } else {
      register_module(name, stream);
    }
    streams_.push_back(stream);
  }

  // "conv2.0.layers.0", "conv2.1.layers.0", "conv2.1.layers.1", ...
  void add_numbered_streams(std::int64_t channels) {
    torch::nn::ModuleList all;
    for (std::int64_t length = 1; length <= streams; ++length) {
      auto level = std::make_shared<Level>();
      streams_.push_back(level->register_module("layers", row(length, channels)));
      all->push_back(level);
    }
    register_module("conv2", all);
  }

  ResidualNorm residual_norm_;
  std::shared_ptr<ConvNormRelu> reduce_;
  std::vector<torch::nn::Sequential> streams_;
  std::shared_ptr<Gate> gate_;
  std::shared_ptr<ConvNorm> expand_;
  std::shared_ptr<ConvNorm> downsample_;     // null where the input has the output's channels
  torch::nn::InstanceNorm2d norm_{nullptr};  // empty without one
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

Schema<OsnetParams> osnet_schema(std::string summary, std::string source, const std::string& last,
                                 const std::string& cut) {
  Schema<OsnetParams> s(std::move(summary), std::move(source));
  s.add("width_multiplier", &OsnetParams::width_multiplier,
        "multiplies the channels of all layers, rounded to a multiple of 8; published: 0.25, 0.5, 0.75 and 1")
      .range(0.125, 8)
      .formerly("width");
  s.add("last_stride", &OsnetParams::last_stride,
        "stride of the last downsampling, " + last +
            "; 1 gives a feature map of twice the height and width; a head with branches may set its own "
            "stride "
            "and must then cut before it, for example after '" +
            cut + "'")
      .range(1, 2);
  return s;
}

std::vector<std::int64_t> stage_channels(double width_multiplier) {
  std::vector<std::int64_t> result;
  for (const double channels : {64.0, 256.0, 384.0, 512.0}) {
    result.push_back(std::max<std::int64_t>(8, std::llround(channels * width_multiplier / 8) * 8));
  }
  return result;
}

BlockRecipe stem(std::int64_t channels, Norm norm) {
  return {"conv1", [=] { return std::make_shared<Stem>(channels, norm); }};
}

BlockRecipe omni_scale_block(std::string name, const BlockOptions& options) {
  return {std::move(name), [=] { return std::make_shared<OmniScaleBlock>(options); }};
}

BlockRecipe transition(std::string name, std::int64_t channels, std::int64_t stride) {
  return {std::move(name), [=] { return std::make_shared<Transition>(channels, stride); }};
}

BlockRecipe last_convolution(std::int64_t channels) {
  return {"conv5", [=] { return std::make_shared<ConvNormRelu>(plain(channels, channels, 1)); }};
}

}  // namespace kindred::osnet
