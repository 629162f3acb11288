#include "plain_cnn.h"

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/utils.h>

#include <cmath>
#include <cstddef>
#include <string>

#include "kindred/nn/random_tensor.h"
#include "kindred/nn/tensor_module.h"

namespace my_plugins {
namespace {

class ConvBlock final : public kindred::TensorModule {
 public:
  ConvBlock(std::int64_t in, std::int64_t out, std::int64_t stride, kindred::RandomStream& random)
      : conv_(register_module(
            "conv",
            torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(false)))),
        norm_(register_module("norm", torch::nn::BatchNorm2d(out))) {
    // He et al., ICCV 2015: keeps the variance of the gradients.
    const torch::NoGradGuard no_grad;
    conv_->weight.copy_(kindred::random_normal(conv_->weight.sizes(), random, 0,
                                               std::sqrt(2.0 / (9.0 * static_cast<double>(out)))));
  }
  torch::Tensor forward(const torch::Tensor& input) override {
    return torch::relu(norm_->forward(conv_->forward(input)));
  }

 private:
  torch::nn::Conv2d conv_;
  torch::nn::BatchNorm2d norm_;
};

}  // namespace

kindred::Schema<PlainCnn::Params> PlainCnn::schema() {
  kindred::Schema<Params> s("A plain chain of 3x3 convolutions, each of which halves height and width.");
  s.add("channels", &Params::channels, "of the blocks, in order").range(1, 4096);
  s.rule([](const Params& params) -> std::string {
    return params.channels.empty() ? "channels needs at least one number" : "";
  });
  return s;
}

PlainCnn::PlainCnn(const Params& params, const Context& context) : params_(params), random_(context.random) {
  assemble(/*last_stride=*/2);
}

std::vector<kindred::BlockRecipe> PlainCnn::block_recipes(std::int64_t last_stride) const {
  std::vector<kindred::BlockRecipe> blocks;
  std::int64_t in = 3;
  for (std::size_t i = 0; i < params_.channels.size(); ++i) {
    const auto out = params_.channels[i];
    const auto stride = i + 1 == params_.channels.size() ? last_stride : 2;
    blocks.push_back({"block" + std::to_string(i + 1), [in, out, stride, random = random_] {
                        return std::make_shared<ConvBlock>(in, out, stride, *random);
                      }});
    in = out;
  }
  return blocks;
}

}  // namespace my_plugins
