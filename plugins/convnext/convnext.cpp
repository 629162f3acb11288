#include "convnext.h"

#include <array>
#include <cstddef>
#include <numeric>
#include <string>

#include "blocks.h"
#include "kindred/nn/drop_path.h"
#include "weights_layouts.h"

namespace kindred::convnext {

namespace {

constexpr std::size_t stages = 4;

struct Shape {
  std::int64_t channels;  // of the first stage; each further stage has twice as many
  std::array<std::int64_t, stages> depths;
};

// Section 3.
Shape shape_of(Convnext::Size size) {
  switch (size) {
    case Convnext::Size::tiny:
      return {96, {3, 3, 9, 3}};
    case Convnext::Size::small:
      return {96, {3, 3, 27, 3}};
    case Convnext::Size::base:
      break;
  }
  return {128, {3, 3, 27, 3}};
}

}  // namespace

Schema<Convnext::Params> Convnext::schema() {
  Schema<Params> s("ConvNeXt: a convolutional network with the design of Swin Transformers.",
                   "Liu et al., CVPR 2022");
  s.add("size", &Params::size,
        "'tiny': 28 million parameters, 'small': 49 million, 'base': 88 million; the feature map has 768, "
        "768 or 1024 channels",
        {{"tiny", Size::tiny}, {"small", Size::small}, {"base", Size::base}});
  s.add("last_stride", &Params::last_stride,
        "stride of the last downsampling, stages.3.downsample; 1 gives a feature map of twice the height and "
        "width from the same tensors: its 2 x 2 convolution then moves by one pixel, and a row and a column "
        "of zeros are added at the bottom and at the right; a head with branches may set its own stride")
      .range(1, 2);
  s.add("drop_path", &Params::drop_path,
        "stochastic depth: probability that the last block's residual branch is left out for an image in "
        "training; those of the blocks before it are, evenly, less")
      .range(0, 0.9)
      .also_called({"drop_path_rate"});
  s.add("final_norm", &Params::final_norm,
        "normalize the channels of each pixel of the last map, as networks for detection do; classifiers "
        "normalize the pooled vector");
  s.add("recompute", &Params::recompute,
        "compute blocks again in the backward pass instead of keeping what it needs: a training takes about "
        "a third longer and far less memory, with the same results")
      .affects(Affects::nothing);
  return s;
}

std::vector<WeightsLayout> Convnext::weights_layouts() {
  return convnext_weights_layouts();
}

Convnext::Convnext(const Params& params, const Context& context) : params_(params), random_(context.random) {
  assemble(params.last_stride);
}

std::int64_t Convnext::channels() const {
  return shape_of(params_.size).channels << (stages - 1);
}

std::vector<BlockRecipe> Convnext::block_recipes(std::int64_t last_stride) const {
  const auto shape = shape_of(params_.size);
  const auto rates = drop_path_rates(
      params_.drop_path, std::accumulate(shape.depths.begin(), shape.depths.end(), std::int64_t{0}));
  std::vector<BlockRecipe> recipes;
  recipes.push_back(stem(shape.channels));
  std::size_t number = 0;
  for (std::size_t stage = 0; stage < stages; ++stage) {
    const auto name = "stages." + std::to_string(stage) + ".";
    const auto channels = shape.channels << stage;
    if (stage > 0) {
      recipes.push_back(
          downsampling(name + "downsample", channels / 2, stage + 1 == stages ? last_stride : 2));
    }
    for (std::int64_t i = 0; i < shape.depths[stage]; ++i) {
      const ResidualOptions options{
          .channels = channels, .drop_path = rates[number++], .recompute = params_.recompute};
      recipes.push_back(residual_block(name + "blocks." + std::to_string(i), options, random_));
    }
  }
  if (params_.final_norm) recipes.push_back(convnext::final_norm(shape.channels << (stages - 1)));
  return recipes;
}

}  // namespace kindred::convnext
