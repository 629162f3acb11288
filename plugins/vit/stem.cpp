#include "stem.h"

#include <torch/nn/init.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include <algorithm>
#include <string>
#include <vector>

#include "kindred/core/error.h"

namespace kindred::vit {

namespace {

constexpr double token_deviation = 0.02;
constexpr const char* component = "backbone/vit";

// A linear layer of the pixels of each patch, written as a convolution.
class PatchEmbedding final : public TensorModule {
 public:
  PatchEmbedding(std::int64_t channels, std::int64_t patch, std::int64_t stride)
      : proj_(register_module(
            "proj", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, channels, patch).stride(stride)))) {}
  torch::Tensor forward(const torch::Tensor& images) override { return proj_->forward(images); }

 private:
  torch::nn::Conv2d proj_;
};

// Xiao et al., "Early Convolutions Help Transformers See Better", NeurIPS 2021, section 4: convolutions 3x3
// that halve the map and double the channels, then one of 1x1.
class ConvolutionStem final : public TensorModule {
 public:
  ConvolutionStem(std::int64_t channels, std::int64_t stride) {
    using namespace torch::nn;  // NOLINT
    std::int64_t from = 3;
    for (std::int64_t left = stride; left > 1; left /= 2) {
      const auto to = std::max<std::int64_t>(channels * 2 / left, 1);
      layers_->push_back(Conv2d(Conv2dOptions(from, to, 3).stride(2).padding(1).bias(false)));
      layers_->push_back(BatchNorm2d(to));
      layers_->push_back(ReLU());
      from = to;
    }
    layers_->push_back(Conv2d(Conv2dOptions(from, channels, 1)));
    register_module("layers", layers_);
  }
  torch::Tensor forward(const torch::Tensor& images) override { return layers_->forward(images); }

 private:
  torch::nn::Sequential layers_;
};

torch::Tensor first_value(std::int64_t count, std::int64_t channels) {
  return torch::nn::init::normal_(torch::empty({1, count, channels}), 0.0, token_deviation);
}

std::int64_t places(std::int64_t pixels, const StemOptions& options) {
  return options.patch == 0 ? (pixels + options.stride - 1) / options.stride
                            : (pixels - options.patch) / options.stride + 1;
}

std::string size_text(std::int64_t height, std::int64_t width) {
  return std::to_string(height) + " x " + std::to_string(width);
}

}  // namespace

ExtraTokens::ExtraTokens(std::int64_t channels, bool distilled, std::int64_t registers)
    : class_token_(register_parameter("class_token", first_value(1, channels))) {
  if (distilled) distillation_token_ = register_parameter("distillation_token", first_value(1, channels));
  if (registers > 0)
    register_tokens_ = register_parameter("register_tokens", first_value(registers, channels));
}

torch::Tensor ExtraTokens::with_embedded(const torch::Tensor& tokens) const {
  std::vector<torch::Tensor> row = {class_token_.expand({tokens.size(0), -1, -1})};
  if (distillation_token_.defined()) row.push_back(distillation_token_.expand({tokens.size(0), -1, -1}));
  row.push_back(tokens);
  return torch::cat(row, 1);
}

torch::Tensor ExtraTokens::with_registers(const torch::Tensor& tokens) const {
  if (!register_tokens_.defined()) return tokens;
  const std::int64_t ahead = distillation_token_.defined() ? 2 : 1;
  return torch::cat({tokens.narrow(1, 0, ahead), register_tokens_.expand({tokens.size(0), -1, -1}),
                     tokens.narrow(1, ahead, tokens.size(1) - ahead)},
                    1);
}

TokenGrid grid_of(const StemOptions& options) {
  return {places(options.height, options), places(options.width, options),
          1 + (options.distilled ? 1 : 0) + options.registers};
}

Stem::Stem(const StemOptions& options) : options_(options) {
  if (options.patch == 0) {
    patch_embed_ = std::make_shared<ConvolutionStem>(options.channels, options.stride);
  } else {
    patch_embed_ = std::make_shared<PatchEmbedding>(options.channels, options.patch, options.stride);
  }
  register_module("patch_embed", patch_embed_);
  tokens_ = register_module(
      "tokens", std::make_shared<ExtraTokens>(options.channels, options.distilled, options.registers));
  auto grid = grid_of(options);
  grid.extra -= options.registers;
  position_ = register_module(
      "position", std::make_shared<PositionEmbedding>(grid, options.channels, options.resampling));
  if (options.cameras > 1 || options.views > 1) {
    side_ = register_module("side", std::make_shared<SideEmbedding>(options.cameras, options.views,
                                                                    options.channels, options.unknown));
  }
}

Activations Stem::propagate(const Activations& images) {
  const auto height = images.values.size(2);
  const auto width = images.values.size(3);
  if (height != options_.height || width != options_.width) {
    throw ComponentError(component, "the images have " + size_text(height, width) +
                                        " pixels (height x width), but the position embeddings are for " +
                                        size_text(options_.height, options_.width) +
                                        "; set backbone.image_height = " + std::to_string(height) +
                                        " and backbone.image_width = " + std::to_string(width) +
                                        ", or resize the images");
  }
  const bool cameras_missing = options_.cameras > 1 && !images.cameras.defined();
  if (cameras_missing || (options_.views > 1 && !images.views.defined())) {
    throw ComponentError(component, std::string("the ") + (cameras_missing ? "cameras" : "views") +
                                        " of the images are not known; give images that tell them, or train "
                                        "with backbone.side_information = 'none'");
  }
  const auto patches = patch_embed_->forward(images.values).flatten(2).transpose(1, 2);
  auto tokens = position_->forward(tokens_->with_embedded(patches));
  if (side_ != nullptr) {
    tokens = tokens + options_.side_factor * side_->forward(images.cameras, images.views);
  }
  auto result = images.with(tokens_->with_registers(tokens));
  result.grid = grid_of(options_);
  return result;
}

}  // namespace kindred::vit
