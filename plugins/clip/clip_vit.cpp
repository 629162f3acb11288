#include "clip_vit.h"

#include <torch/nn/init.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "clip_layouts.h"
#include "kindred/core/error.h"
#include "kindred/nn/position_embedding.h"
#include "kindred/nn/transformer_block.h"

namespace kindred::clip {
namespace {

constexpr const char* vit_component = "backbone/clip_vit";

struct EmbeddingOptions {
  std::int64_t height;
  std::int64_t width;
  std::int64_t patch;
  std::int64_t stride;
  std::int64_t channels;
  std::int64_t cameras;
  std::int64_t views;
  double side_factor;
  UnknownSide unknown;
};

std::string size_text(std::int64_t height, std::int64_t width) {
  return std::to_string(height) + " x " + std::to_string(width);
}

class Embedding final : public NetworkPart {
 public:
  explicit Embedding(const EmbeddingOptions& options)
      : options_(options),
        grid_{(options.height - options.patch) / options.stride + 1,
              (options.width - options.patch) / options.stride + 1, 1},
        patch_(register_module("patch",
                               torch::nn::Conv2d(torch::nn::Conv2dOptions(3, options.channels, options.patch)
                                                     .stride(options.stride)
                                                     .bias(false)))),
        class_token_(register_parameter("class_token", torch::empty({options.channels}))),
        position_(register_module("position", std::make_shared<PositionEmbedding>(grid_, options.channels,
                                                                                  GridResampling::bilinear))),
        norm_(register_module("norm", token_norm(options.channels, norm_epsilon))) {
    torch::nn::init::normal_(class_token_, 0.0, 1 / std::sqrt(static_cast<double>(options.channels)));
    if (options.cameras == 0 && options.views == 0) return;
    side_ =
        register_module("side", std::make_shared<SideEmbedding>(std::max<std::int64_t>(options.cameras, 1),
                                                                std::max<std::int64_t>(options.views, 1),
                                                                options.channels, options.unknown));
  }

  [[nodiscard]] Activations propagate(const Activations& input) override {
    const auto& images = input.values;
    if (images.size(2) != options_.height || images.size(3) != options_.width) {
      throw ComponentError(vit_component,
                           "is made for images of " + size_text(options_.height, options_.width) +
                               " pixels and was given some of " + size_text(images.size(2), images.size(3)) +
                               "; set image_height and image_width of the backbone to those of the images");
    }
    const auto patches = patch_->forward(images).flatten(2).transpose(1, 2);
    auto first = class_token_.expand({images.size(0), 1, -1});
    if (side_ != nullptr) first = first + options_.side_factor * side_->forward(input.cameras, input.views);
    // With autocast the patches have 16 bits and the rest 32.
    const auto tokens = torch::cat({first, patches.to(first.scalar_type())}, 1);
    auto output = input.with(norm_->forward(position_->forward(tokens)));
    output.grid = grid_;
    return output;
  }

 private:
  EmbeddingOptions options_;
  TokenGrid grid_;
  torch::nn::Conv2d patch_;
  torch::Tensor class_token_;
  std::shared_ptr<PositionEmbedding> position_;
  torch::nn::LayerNorm norm_;
  std::shared_ptr<SideEmbedding> side_;  // nullptr without side information
};

class LastNorm final : public TensorModule {
 public:
  explicit LastNorm(std::int64_t channels) {
    weight_ = register_parameter("weight", torch::ones({channels}));
    bias_ = register_parameter("bias", torch::zeros({channels}));
  }
  torch::Tensor forward(const torch::Tensor& tokens) override {
    return torch::layer_norm(tokens, {tokens.size(-1)}, weight_, bias_, norm_epsilon);
  }

 private:
  torch::Tensor weight_;
  torch::Tensor bias_;
};

bool uses_cameras(ClipVit::Side side) {
  return side == ClipVit::Side::camera || side == ClipVit::Side::camera_view;
}

bool uses_views(ClipVit::Side side) {
  return side == ClipVit::Side::view || side == ClipVit::Side::camera_view;
}

/// Those to tell apart; an error when they are wanted and there are none.
std::int64_t wanted_count(bool wanted, std::int64_t count, const std::string& what) {
  if (wanted && count < 2) {
    throw ComponentError(vit_component, "side_information needs " + what +
                                            "s, but the training data tell no " + what +
                                            "s apart; set it to 'none'");
  }
  return wanted ? count : 0;
}

}  // namespace

Schema<ClipVit::Params> ClipVit::schema() {
  Schema<Params> s("CLIP's vision transformer, for images of any size.", "Radford et al., ICML 2021");
  s.add("variant", &Params::variant, "OpenAI's name of the network", vit_choices());
  s.add("depth", &Params::depth, "blocks; 0: as many as the variant has").range(0, 96).unit("blocks");
  s.add("activation", &Params::activation,
        "of the feed-forward parts: OpenAI's networks have quick_gelu, most of open_clip's gelu",
        activation_choices());
  s.add("image_height", &Params::image_height,
        "height of the images; weights of another size have their position embedding interpolated")
      .range(1, 16384)
      .unit("pixels");
  s.add("image_width", &Params::image_width, "width of the images").range(1, 16384).unit("pixels");
  s.add("stride", &Params::stride,
        "pixels between patches: 12 lets patches of 16 overlap; 0: as large as a patch")
      .range(0, 16384)
      .unit("pixels");
  s.add(
      "side_information", &Params::side_information,
      "what is known of the image and added to the class token as a learned vector: its camera, its view, or "
      "the pair of both",
      {{"none", Side::none},
       {"camera", Side::camera},
       {"view", Side::view},
       {"camera_view", Side::camera_view}});
  s.add("side_factor", &Params::side_factor, "multiplies the vectors of side_information").above(0);
  s.add("unknown_camera", &Params::unknown_camera,
        "images of a camera or view that the training did not have: an error, no vector, or the mean of all",
        unknown_side_choices());
  s.rule([](const Params& params) -> std::string {
    const auto patch = shape_of(params.variant).patch;
    if (params.stride > patch) {
      return "stride = " + std::to_string(params.stride) + " is larger than the variant's patches of " +
             std::to_string(patch) + " pixels, which would leave gaps; lower stride";
    }
    return params.image_height < patch || params.image_width < patch
               ? "image_height and image_width must be at least those of a patch, " + std::to_string(patch)
               : "";
  });
  return s;
}

std::vector<WeightsLayout> ClipVit::weights_layouts() {
  return vit_layouts();
}

ClipVit::ClipVit(const Params& params, const Context& context)
    : params_(params),
      shape_(shape_of(params.variant)),
      cameras_(wanted_count(uses_cameras(params.side_information), context.cameras, "camera")),
      views_(wanted_count(uses_views(params.side_information), context.views, "view")) {
  if (params.depth > 0) shape_.depth = params.depth;
  assemble(1);
}

SideInformation ClipVit::side_information() const {
  return {.cameras = uses_cameras(params_.side_information),
          .views = uses_views(params_.side_information),
          .refuses_unknown = params_.unknown_camera == UnknownSide::refuse};
}

std::vector<BlockRecipe> ClipVit::block_recipes(std::int64_t /*last_stride*/) const {
  const EmbeddingOptions embedding{params_.image_height,
                                   params_.image_width,
                                   shape_.patch,
                                   params_.stride == 0 ? shape_.patch : params_.stride,
                                   shape_.width,
                                   cameras_,
                                   views_,
                                   params_.side_factor,
                                   params_.unknown_camera};
  std::vector<BlockRecipe> recipes = {
      {"embedding", [embedding] { return std::make_shared<Embedding>(embedding); }}};
  const TransformerBlockOptions block{.channels = shape_.width,
                                      .heads = shape_.width / head_channels,
                                      .hidden = 4 * shape_.width,
                                      .activation = params_.activation,
                                      .norm_epsilon = norm_epsilon};
  for (std::int64_t i = 0; i < shape_.depth; ++i) {
    recipes.push_back(
        {"blocks." + std::to_string(i), [block] { return std::make_shared<TransformerBlock>(block); }});
  }
  recipes.push_back({"norm", [width = shape_.width] { return std::make_shared<LastNorm>(width); }});
  return recipes;
}

}  // namespace kindred::clip
