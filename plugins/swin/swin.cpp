#include "swin.h"

#include <array>
#include <cstddef>
#include <numeric>
#include <string>

#include "blocks.h"
#include "kindred/nn/drop_path.h"
#include "weights_layouts.h"

namespace kindred::swin {

namespace {

constexpr std::size_t stages = 4;
constexpr std::int64_t channels_per_head = 32;

struct Shape {
  std::int64_t channels;  // of the first stage; each further stage has twice as many
  std::array<std::int64_t, stages> depths;
};

// Section 3.3.
Shape shape_of(Swin::Size size) {
  switch (size) {
    case Swin::Size::tiny:
      return {96, {2, 2, 6, 2}};
    case Swin::Size::small:
      return {96, {2, 2, 18, 2}};
    case Swin::Size::base:
      break;
  }
  return {128, {2, 2, 18, 2}};
}

}  // namespace

Schema<Swin::Params> Swin::schema() {
  Schema<Params> s("Swin Transformer: attention within windows that shift from block to block.",
                   "Liu et al., ICCV 2021; with semantic_weight Chen et al., CVPR 2023 (SOLIDER)");
  s.add("size", &Params::size,
        "'tiny': 28 million parameters, 'small': 49 million, 'base': 87 million; the feature map has 768, "
        "768 or 1024 channels",
        {{"tiny", Size::tiny}, {"small", Size::small}, {"base", Size::base}});
  s.add("window", &Params::window,
        "height and width of a window, in patches of 4 x 4 pixels; pretrained weights of another window are "
        "interpolated")
      .range(2, 64)
      .unit("patches");
  s.add("last_stride", &Params::last_stride,
        "stride of the last patch merging, layers.3.downsample; 1 gives a feature map of twice the height "
        "and width from the same tensors: the 2 x 2 neighborhoods then overlap, and a row and a column of "
        "zeros are added at the bottom and at the right; a head with branches may set its own stride")
      .range(1, 2);
  s.add("drop_path", &Params::drop_path,
        "stochastic depth: probability that the last block's residual branches are left out for an image in "
        "training; those of the blocks before it are, evenly, less")
      .range(0, 0.9)
      .also_called({"drop_path_rate"});
  s.add("semantic_weight", &Params::semantic_weight,
        "SOLIDER's control: 1 asks for features of body parts, 0 for features of appearance; "
        "re-identification uses 0.2; absent: a plain Swin Transformer")
      .range(0, 1);
  s.add("shift_single_window", &Params::shift_single_window,
        "shift windows also along a height or a width that one window covers, as SOLIDER and mmdetection do; "
        "torchvision, timm and Microsoft do not");
  s.add("recompute", &Params::recompute,
        "compute blocks again in the backward pass instead of keeping what it needs: a training takes about "
        "a third longer and far less memory, with the same results")
      .affects(Affects::nothing);
  return s;
}

std::vector<WeightsLayout> Swin::weights_layouts() {
  return swin_weights_layouts();
}

Swin::Swin(const Params& params, const Context& context) : params_(params), random_(context.random) {
  assemble(params.last_stride);
}

std::int64_t Swin::channels() const {
  return shape_of(params_.size).channels << (stages - 1);
}

std::vector<BlockRecipe> Swin::block_recipes(std::int64_t last_stride) const {
  const auto shape = shape_of(params_.size);
  const auto rates = drop_path_rates(
      params_.drop_path, std::accumulate(shape.depths.begin(), shape.depths.end(), std::int64_t{0}));
  std::vector<BlockRecipe> recipes;
  recipes.push_back(patch_embedding(shape.channels));
  std::size_t number = 0;
  for (std::size_t stage = 0; stage < stages; ++stage) {
    const auto name = "layers." + std::to_string(stage) + ".";
    const auto channels = shape.channels << stage;
    if (stage > 0) {
      recipes.push_back(
          patch_merging(name + "downsample", channels / 2, stage + 1 == stages ? last_stride : 2));
      if (params_.semantic_weight) {
        recipes.push_back(semantic_embedding(name + "semantic", channels, *params_.semantic_weight));
      }
    }
    for (std::int64_t i = 0; i < shape.depths[stage]; ++i) {
      const WindowBlockOptions options{.channels = channels,
                                       .heads = channels / channels_per_head,
                                       .window = params_.window,
                                       .shifted = i % 2 == 1,
                                       .shift_single_window = params_.shift_single_window,
                                       .drop_path = rates[number++],
                                       .recompute = params_.recompute};
      recipes.push_back(window_block(name + "blocks." + std::to_string(i), options, random_));
    }
  }
  recipes.push_back(final_norm(shape.channels << (stages - 1)));
  return recipes;
}

}  // namespace kindred::swin
