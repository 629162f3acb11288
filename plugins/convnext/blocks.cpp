#include "blocks.h"

#include <torch/nn/init.h>
#include <torch/nn/modules/conv.h>

#include <utility>

#include "kindred/core/error.h"
#include "kindred/nn/drop_path.h"
#include "kindred/nn/feed_forward.h"
#include "kindred/nn/recompute.h"
#include "kindred/nn/tensor_module.h"
#include "kindred/nn/transformer_block.h"

namespace kindred::convnext {

namespace {

constexpr std::int64_t patch = 4;
constexpr std::int64_t mlp_ratio = 4;
constexpr double initial_deviation = 0.02;
constexpr double initial_scale = 1e-6;
constexpr double epsilon = 1e-6;

// [N, C, h, w] -> [N, h, w, C]
torch::Tensor channels_last(const torch::Tensor& map) {
  return map.permute({0, 2, 3, 1}).contiguous();
}

torch::Tensor as_map(const torch::Tensor& pixels) {
  return pixels.permute({0, 3, 1, 2});
}

torch::nn::Conv2d make_conv(const torch::nn::Conv2dOptions& options) {
  torch::nn::Conv2d conv(options);
  torch::nn::init::normal_(conv->weight, 0.0, initial_deviation);
  torch::nn::init::zeros_(conv->bias);
  return conv;
}

void check_size(const torch::Tensor& map, std::int64_t least) {
  if (map.size(2) >= least && map.size(3) >= least) return;
  throw ComponentError("backbone/convnext",
                       "the images are too small: a map of " + std::to_string(map.size(2)) + " x " +
                           std::to_string(map.size(3)) + " cannot be made smaller " + std::to_string(least) +
                           " times; use images of at least 32 x 32 "
                           "pixels");
}

// Over the channels of each pixel.
class PixelNorm final : public TensorModule {
 public:
  explicit PixelNorm(std::int64_t channels)
      : weight_(register_parameter("weight", torch::ones({channels}))),
        bias_(register_parameter("bias", torch::zeros({channels}))) {}

  torch::Tensor forward(const torch::Tensor& map) override { return as_map(of_pixels(channels_last(map))); }

  // The same of [N, h, w, C].
  [[nodiscard]] torch::Tensor of_pixels(const torch::Tensor& pixels) const {
    return torch::layer_norm(pixels, weight_.sizes(), weight_, bias_, epsilon);
  }

 private:
  torch::Tensor weight_;
  torch::Tensor bias_;
};

class Stem final : public TensorModule {
 public:
  explicit Stem(std::int64_t channels)
      : conv_(register_module("0", make_conv(torch::nn::Conv2dOptions(3, channels, patch).stride(patch)))),
        norm_(register_module("1", std::make_shared<PixelNorm>(channels))) {}

  torch::Tensor forward(const torch::Tensor& images) override {
    check_size(images, patch);
    return norm_->forward(conv_->forward(images));
  }

 private:
  torch::nn::Conv2d conv_;
  std::shared_ptr<PixelNorm> norm_;
};

class Residual final : public TensorModule {
 public:
  Residual(const ResidualOptions& options, std::shared_ptr<RandomStream> random)
      : recompute_(options.recompute),
        depthwise_(register_module("conv_dw",
                                   make_conv(torch::nn::Conv2dOptions(options.channels, options.channels, 7)
                                                 .padding(3)
                                                 .groups(options.channels)))),
        norm_(register_module("norm", std::make_shared<PixelNorm>(options.channels))),
        mlp_(register_module("mlp",
                             std::make_shared<FeedForward>(options.channels, mlp_ratio * options.channels))),
        scale_(register_parameter("gamma", torch::full({options.channels}, initial_scale))),
        drop_(register_module("drop_path", std::make_shared<DropPath>(options.drop_path, random))),
        random_(std::move(random)) {
    initialize_transformer(*this);
  }

  torch::Tensor forward(const torch::Tensor& map) override {
    if (!recompute_ || !is_training() || !needs_gradients(*this, map)) return computed(map);
    const auto self = std::static_pointer_cast<Residual>(shared_from_this());
    return recomputed([self](const torch::Tensor& input) { return self->computed(input); }, map, random_);
  }

 private:
  torch::Tensor computed(const torch::Tensor& map) {
    const auto pixels = norm_->of_pixels(channels_last(depthwise_->forward(map)));
    return map + as_map(drop_->forward(mlp_->forward(pixels) * scale_));
  }

  bool recompute_;
  torch::nn::Conv2d depthwise_;
  std::shared_ptr<PixelNorm> norm_;
  std::shared_ptr<FeedForward> mlp_;
  torch::Tensor scale_;
  std::shared_ptr<DropPath> drop_;
  std::shared_ptr<RandomStream> random_;
};

class Downsampling final : public TensorModule {
 public:
  Downsampling(std::int64_t in, std::int64_t stride)
      : stride_(stride),
        norm_(register_module("0", std::make_shared<PixelNorm>(in))),
        conv_(register_module("1", make_conv(torch::nn::Conv2dOptions(in, 2 * in, 2).stride(stride)))) {}

  torch::Tensor forward(const torch::Tensor& map) override {
    check_size(map, stride_);
    const auto normed = norm_->forward(map);
    return conv_->forward(stride_ == 1 ? torch::constant_pad_nd(normed, {0, 1, 0, 1}) : normed);
  }

 private:
  std::int64_t stride_;
  std::shared_ptr<PixelNorm> norm_;
  torch::nn::Conv2d conv_;
};

}  // namespace

BlockRecipe stem(std::int64_t channels) {
  return {"stem", [=] { return std::make_shared<Stem>(channels); }};
}

BlockRecipe residual_block(std::string name, const ResidualOptions& options,
                           const std::shared_ptr<RandomStream>& random) {
  return {std::move(name), [=] { return std::make_shared<Residual>(options, random); }};
}

BlockRecipe downsampling(std::string name, std::int64_t in, std::int64_t stride) {
  return {std::move(name), [=] { return std::make_shared<Downsampling>(in, stride); }};
}

BlockRecipe final_norm(std::int64_t channels) {
  return {"norm", [=] { return std::make_shared<PixelNorm>(channels); }};
}

}  // namespace kindred::convnext
