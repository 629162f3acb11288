#include "vit.h"

#include <cstddef>
#include <string>

#include "kindred/core/error.h"
#include "kindred/nn/drop_path.h"
#include "kindred/nn/tensor_module.h"
#include "kindred/nn/transformer_block.h"

namespace kindred::vit {

namespace {

constexpr std::int64_t channels_per_head = 64;
constexpr std::int64_t hidden_ratio = 4;
constexpr double norm_epsilon = 1e-6;

struct Shape {
  std::int64_t dim;
  std::int64_t depth;
  std::int64_t heads;
};

Shape shape_of(const Vit::Params& params) {
  Shape shape{768, 12, 0};
  if (params.size == Vit::Size::tiny) shape.dim = 192;
  if (params.size == Vit::Size::small) shape.dim = 384;
  if (params.size == Vit::Size::large) shape = {1024, 24, 0};
  if (params.dim > 0) shape.dim = params.dim;
  if (params.depth > 0) shape.depth = params.depth;
  shape.heads = params.heads > 0 ? params.heads : shape.dim / channels_per_head;
  return shape;
}

bool uses_cameras(const Vit::Params& params) {
  return params.side_information == Vit::Side::camera || params.side_information == Vit::Side::camera_view;
}

bool uses_views(const Vit::Params& params) {
  return params.side_information == Vit::Side::view || params.side_information == Vit::Side::camera_view;
}

StemOptions stem_options(const Vit::Params& params, const Backbone::Context& context) {
  const bool convolutions = params.stem == Vit::StemKind::convolutions;
  return {.height = params.image_height,
          .width = params.image_width,
          .channels = shape_of(params).dim,
          .patch = convolutions ? 0 : params.patch_size,
          .stride = params.stride > 0 ? params.stride : params.patch_size,
          .distilled = params.distilled,
          .registers = params.registers,
          .resampling = params.position_resampling,
          .cameras = uses_cameras(params) ? context.cameras : 1,
          .views = uses_views(params) ? context.views : 1,
          .side_factor = params.side_factor,
          .unknown = params.unknown_camera};
}

std::string wrong_shape(const Vit::Params& params) {
  const auto shape = shape_of(params);
  if (params.heads > 0 ? shape.dim % shape.heads == 0 : shape.dim % channels_per_head == 0) return "";
  const auto dim = "dim = " + std::to_string(shape.dim);
  return params.heads > 0
             ? dim + " does not divide into heads = " + std::to_string(params.heads) + "; choose a multiple"
             : dim + " does not divide into heads of " + std::to_string(channels_per_head) +
                   "; choose a multiple, or set heads";
}

std::string wrong_stem(const Vit::Params& params) {
  if (params.stem == Vit::StemKind::convolutions) {
    if (params.patch_size != Vit::Params{}.patch_size) {
      return "patch_size has no effect with stem = 'convolutions'; set stride alone";
    }
    const auto stride = params.stride > 0 ? params.stride : params.patch_size;
    if (stride >= 2 && (stride & (stride - 1)) == 0) return "";
    return "stem = 'convolutions' halves the image again and again: stride must be 2, 4, 8, 16, 32 or 64";
  }
  if (params.stride > params.patch_size) {
    return "stride = " + std::to_string(params.stride) +
           " is larger than patch_size = " + std::to_string(params.patch_size) +
           ", so patches would leave gaps; lower stride";
  }
  return params.image_height < params.patch_size || params.image_width < params.patch_size
             ? "image_height and image_width must be at least patch_size = " +
                   std::to_string(params.patch_size)
             : "";
}

void require_side(bool wanted, std::int64_t known, const char* what) {
  if (!wanted || known > 1) return;
  throw ComponentError("backbone/vit", std::string("side_information wants the ") + what +
                                           "s of the images, but the training data have " +
                                           (known == 0 ? "none that are known" : "only one") +
                                           "; set backbone.side_information = 'none'" +
                                           ", or train with data of several " + what + "s");
}

// The norm after the last block, "norm.weight" and "norm.bias".
class FinalNorm final : public TensorModule {
 public:
  explicit FinalNorm(std::int64_t channels)
      : norm_(register_module("norm", token_norm(channels, norm_epsilon))) {}
  torch::Tensor forward(const torch::Tensor& tokens) override { return norm_->forward(tokens); }

 private:
  torch::nn::LayerNorm norm_;
};

}  // namespace

Schema<Vit::Params> Vit::schema() {
  Schema<Params> s("Vision transformer, with the tensors of timm's ViT and DeiT, TransReID and DINOv2.",
                   "Dosovitskiy et al., ICLR 2021; cameras and views: He et al., TransReID, ICCV 2021");
  s.add("size", &Params::size, "dim and depth: 192, 384, 768 and 12 blocks, or 1024 and 24",
        {{"tiny", Size::tiny}, {"small", Size::small}, {"base", Size::base}, {"large", Size::large}});
  s.add("dim", &Params::dim, "channels of a token; 0: those of size").range(0, 4096);
  s.add("depth", &Params::depth, "transformer blocks; 0: those of size").range(0, 64);
  s.add("heads", &Params::heads, "heads of the attention; 0: one for each 64 channels; ViT-H: 16")
      .range(0, 64);
  s.add("image_height", &Params::image_height,
        "of the images after the augmentations; embeddings of another size are interpolated when weights are "
        "read")
      .range(1, 4096)
      .unit("pixels");
  s.add("image_width", &Params::image_width, "likewise").range(1, 4096).unit("pixels");
  s.add("stem", &Params::stem,
        "how tokens are made of pixels: a linear layer of each patch, or convolutions 3x3 that halve the "
        "image until stride (Xiao et al., NeurIPS 2021), which help when there are no pretrained weights",
        {{"patches", StemKind::patches}, {"convolutions", StemKind::convolutions}});
  s.add("patch_size", &Params::patch_size, "height and width of a patch; DINOv2: 14")
      .range(1, 64)
      .unit("pixels");
  s.add("stride", &Params::stride,
        "from one patch to the next, less than patch_size for overlapping ones; TransReID: 12 or 16; 0: "
        "patch_size")
      .range(0, 64)
      .unit("pixels");
  s.add("distilled", &Params::distilled, "a distillation token after the class token, as in distilled DeiT");
  s.add("registers", &Params::registers, "tokens without a place; DINOv2 with registers: 4").range(0, 64);
  s.add("layer_scale", &Params::layer_scale,
        "factors of the branches of each block, learned from this value on; DINOv2: 1e-5; 0: none")
      .range(0, 1);
  s.add("drop_path", &Params::drop_path,
        "share of images for which the last block's branches are left out in training; evenly fewer in "
        "earlier ones")
      .range(0, 0.9);
  s.add("position_resampling", &Params::position_resampling,
        "how position embeddings are fitted to another grid when weights are read: 'bicubic' as in timm, "
        "'bilinear' as in TransReID",
        {{"bicubic", GridResampling::bicubic}, {"bilinear", GridResampling::bilinear}});
  s.add("side_information", &Params::side_information,
        "what of an image beside its pixels has a learned embedding that is added to its tokens",
        {{"none", Side::none},
         {"camera", Side::camera},
         {"view", Side::view},
         {"camera_view", Side::camera_view}});
  s.add("side_factor", &Params::side_factor, "multiplies that embedding").above(0);
  s.add("unknown_camera", &Params::unknown_camera,
        "images of a camera or view that the training did not have: an error, no embedding, or the mean of "
        "all",
        unknown_side_choices());
  s.add("recompute", &Params::recompute,
        "compute each block again in the backward pass instead of keeping what is inside: about a third more "
        "time for much less memory, with the same result")
      .affects(Affects::nothing);
  s.rule(wrong_shape);
  s.rule(wrong_stem);
  return s;
}

Vit::Vit(const Params& params, const Context& context)
    : params_(params),
      channels_(shape_of(params).dim),
      stem_(stem_options(params, context)),
      random_(context.random) {
  require_side(uses_cameras(params), context.cameras, "camera");
  require_side(uses_views(params), context.views, "view");
  assemble(1);
}

SideInformation Vit::side_information() const {
  return {uses_cameras(params_), uses_views(params_), params_.unknown_camera == UnknownSide::refuse};
}

std::vector<BlockRecipe> Vit::block_recipes(std::int64_t /*last_stride*/) const {
  const auto shape = shape_of(params_);
  std::vector<BlockRecipe> recipes = {
      {"stem", [options = stem_] { return std::make_shared<Stem>(options); }, BlockNames::top}};
  const auto rates = drop_path_rates(params_.drop_path, shape.depth);
  for (std::size_t i = 0; i < rates.size(); ++i) {
    TransformerBlockOptions options{.channels = shape.dim,
                                    .heads = shape.heads,
                                    .hidden = hidden_ratio * shape.dim,
                                    .norm_epsilon = norm_epsilon,
                                    .drop_path = rates[i],
                                    .random = random_,
                                    .recompute = params_.recompute};
    if (params_.layer_scale > 0) options.layer_scale = params_.layer_scale;
    recipes.push_back(
        {"blocks." + std::to_string(i), [options] { return std::make_shared<TransformerBlock>(options); }});
  }
  recipes.push_back(
      {"norm", [dim = shape.dim] { return std::make_shared<FinalNorm>(dim); }, BlockNames::top});
  return recipes;
}

}  // namespace kindred::vit
