#include "blocks.h"

#include <torch/nn/functional/upsampling.h>
#include <torch/nn/init.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <cmath>
#include <utility>
#include <vector>

#include "kindred/nn/adapts_weights.h"
#include "kindred/nn/attention.h"
#include "kindred/nn/drop_path.h"
#include "kindred/nn/feed_forward.h"
#include "kindred/nn/recompute.h"
#include "kindred/nn/tensor_module.h"
#include "kindred/nn/transformer_block.h"

namespace kindred::swin {

namespace {

constexpr std::int64_t patch = 4;
constexpr std::int64_t mlp_ratio = 4;
constexpr double initial_deviation = 0.02;
constexpr double epsilon = 1e-5;
constexpr double masked = -100.0;  // as the reference has it: finite, and enough for 16 bits
constexpr const char* bias_table = "relative_position_bias_table";

// [N, C, h, w] -> [N, h, w, C]
torch::Tensor channels_last(const torch::Tensor& map) {
  return map.permute({0, 2, 3, 1}).contiguous();
}

torch::Tensor as_map(const torch::Tensor& pixels) {
  return pixels.permute({0, 3, 1, 2});
}

torch::nn::LayerNorm make_norm(std::int64_t channels) {
  return token_norm(channels, epsilon);
}

// How many zeros make `length` a multiple of `unit`.
std::int64_t missing_to_multiple(std::int64_t length, std::int64_t unit) {
  return (unit - length % unit) % unit;
}

// Pixels [N, h, w, C] with rows of zeros at the bottom and columns at the right.
torch::Tensor padded(const torch::Tensor& pixels, std::int64_t rows, std::int64_t columns) {
  if (rows == 0 && columns == 0) return pixels;
  return torch::constant_pad_nd(pixels, {0, 0, 0, columns, 0, rows});
}

class PatchEmbedding final : public TensorModule {
 public:
  explicit PatchEmbedding(std::int64_t channels)
      : projection_(register_module(
            "proj", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, channels, patch).stride(patch)))),
        norm_(register_module("norm", make_norm(channels))) {}

  torch::Tensor forward(const torch::Tensor& images) override {
    const auto rows = missing_to_multiple(images.size(2), patch);
    const auto columns = missing_to_multiple(images.size(3), patch);
    const auto whole =
        rows == 0 && columns == 0 ? images : torch::constant_pad_nd(images, {0, columns, 0, rows});
    return as_map(norm_->forward(channels_last(projection_->forward(whole))));
  }

 private:
  torch::nn::Conv2d projection_;
  torch::nn::LayerNorm norm_;
};

// [N, h, w, C] -> [N windows, window^2, C]; h and w are multiples of the window.
torch::Tensor into_windows(const torch::Tensor& pixels, std::int64_t window) {
  const auto rows = pixels.size(1) / window;
  const auto columns = pixels.size(2) / window;
  return pixels.view({pixels.size(0), rows, window, columns, window, pixels.size(3)})
      .permute({0, 1, 3, 2, 4, 5})
      .reshape({-1, window * window, pixels.size(3)});
}

// The other way round.
torch::Tensor from_windows(const torch::Tensor& windows, std::int64_t window, std::int64_t height,
                           std::int64_t width) {
  const auto channels = windows.size(2);
  return windows.view({-1, height / window, width / window, window, window, channels})
      .permute({0, 1, 3, 2, 4, 5})
      .reshape({-1, height, width, channels});
}

struct Shift {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  [[nodiscard]] bool any() const { return rows > 0 || columns > 0; }
};

// [length]: 0, 1 or 2: pixels ahead of the last window, those in it that were neighbors before the shift, and
// those that moved around the edge.
torch::Tensor regions(std::int64_t length, std::int64_t window, std::int64_t shift,
                      const torch::Device& device) {
  const auto places = torch::arange(length, torch::TensorOptions().dtype(torch::kInt64).device(device));
  if (shift == 0) return torch::zeros_like(places);
  return places.ge(length - window).to(torch::kInt64) + places.ge(length - shift).to(torch::kInt64);
}

// [windows, 1, window^2, window^2], added to the logits: what was no neighbor before the shift is not seen.
torch::Tensor shift_mask(std::int64_t height, std::int64_t width, std::int64_t window, const Shift& shift,
                         const torch::TensorOptions& options) {
  const auto rows = regions(height, window, shift.rows, options.device());
  const auto columns = regions(width, window, shift.columns, options.device());
  const auto region = (3 * rows.unsqueeze(1) + columns.unsqueeze(0)).view({1, height, width, 1});
  const auto windows = into_windows(region, window).squeeze(2);
  return windows.unsqueeze(1).ne(windows.unsqueeze(2)).to(options.dtype()).mul(masked).unsqueeze(1);
}

// For each pair of pixels in a window the row of the table that belongs to their offset: [window^4].
torch::Tensor offset_index(std::int64_t window) {
  const auto places = torch::arange(window, torch::kInt64);
  const auto row = places.repeat_interleave(window);
  const auto column = places.repeat({window});
  const auto offsets = [&](const torch::Tensor& at) {
    return at.unsqueeze(1) - at.unsqueeze(0) + window - 1;
  };
  return (offsets(row) * (2 * window - 1) + offsets(column)).flatten();
}

// Multi-head attention among the pixels of each window, with a learned bias for each offset (equation 4).
class WindowAttention final : public torch::nn::Module, public AdaptsWeights {
 public:
  WindowAttention(std::int64_t channels, std::int64_t heads, std::int64_t window)
      : heads_(heads),
        window_(window),
        qkv_(register_module("qkv", torch::nn::Linear(channels, 3 * channels))),
        projection_(register_module("proj", torch::nn::Linear(channels, channels))),
        table_(register_parameter(bias_table, torch::empty({(2 * window - 1) * (2 * window - 1), heads}))),
        index_(offset_index(window)) {
    torch::nn::init::normal_(table_, 0.0, initial_deviation);
  }

  // windows [N windows, window^2, C], mask [windows, 1, window^2, window^2] or undefined -> windows
  torch::Tensor forward(const torch::Tensor& windows, const torch::Tensor& mask) {
    const auto pixels = window_ * window_;
    const auto channels = windows.size(2);
    const auto depth = channels / heads_;
    auto parts = qkv_->forward(windows).view({-1, pixels, 3, heads_, depth}).permute({2, 0, 3, 1, 4});
    auto logit_bias = bias();
    if (mask.defined()) {
      // The windows of an image become heads: each has its own mask, the same for all images.
      const auto heads = mask.size(0) * heads_;
      parts = parts.reshape({3, -1, heads, pixels, depth});
      logit_bias = (logit_bias + mask).view({heads, pixels, pixels});
    }
    const auto seen =
        dot_product_attention(parts.select(0, 0), parts.select(0, 1), parts.select(0, 2), logit_bias)
            .reshape({-1, heads_, pixels, depth});
    return projection_->forward(seen.transpose(1, 2).reshape({-1, pixels, channels}));
  }

  // Of another window: bicubic interpolation, as Microsoft's and SOLIDER's programs do it.
  [[nodiscard]] torch::Tensor adapted(const std::string& name, const torch::Tensor& source) const override {
    namespace F = torch::nn::functional;
    if (name != bias_table || source.dim() != 2 || source.size(1) != heads_ || source.size(0) == 0 ||
        !source.is_floating_point()) {
      return {};
    }
    const auto side = std::llround(std::sqrt(static_cast<double>(source.size(0))));
    if (side * side != source.size(0)) return {};
    const torch::NoGradGuard no_grad;
    const auto square = source.to(torch::kFloat32).t().reshape({1, heads_, side, side});
    const std::vector<std::int64_t> size(2, 2 * window_ - 1);
    const auto resized = F::interpolate(
        square, F::InterpolateFuncOptions().size(size).mode(torch::kBicubic).align_corners(false));
    return resized.view({heads_, -1}).t().contiguous().to(table_.options());
  }

 private:
  // [heads, window^2, window^2]
  [[nodiscard]] torch::Tensor bias() {
    const auto pixels = window_ * window_;
    if (index_.device() != table_.device()) index_ = index_.to(table_.device());
    return table_.index_select(0, index_).view({pixels, pixels, heads_}).permute({2, 0, 1}).contiguous();
  }

  std::int64_t heads_;
  std::int64_t window_;
  torch::nn::Linear qkv_;
  torch::nn::Linear projection_;
  torch::Tensor table_;
  torch::Tensor index_;  // no buffer: it is the same in every network
};

class WindowBlock final : public TensorModule {
 public:
  WindowBlock(const WindowBlockOptions& options, std::shared_ptr<RandomStream> random)
      : window_(options.window),
        shift_(options.shifted ? options.window / 2 : 0),
        shift_single_window_(options.shift_single_window),
        recompute_(options.recompute),
        norm1_(register_module("norm1", make_norm(options.channels))),
        attention_(register_module(
            "attn", std::make_shared<WindowAttention>(options.channels, options.heads, options.window))),
        norm2_(register_module("norm2", make_norm(options.channels))),
        mlp_(register_module("mlp",
                             std::make_shared<FeedForward>(options.channels, mlp_ratio * options.channels))),
        drop_(register_module("drop_path", std::make_shared<DropPath>(options.drop_path, random))),
        random_(std::move(random)) {
    initialize_transformer(*this);
  }

  torch::Tensor forward(const torch::Tensor& map) override {
    if (!recompute_ || !is_training() || !needs_gradients(*this, map)) return computed(map);
    const auto self = std::static_pointer_cast<WindowBlock>(shared_from_this());
    return recomputed([self](const torch::Tensor& input) { return self->computed(input); }, map, random_);
  }

 private:
  torch::Tensor computed(const torch::Tensor& map) {
    auto pixels = channels_last(map);
    pixels = pixels + drop_->forward(attended(norm1_->forward(pixels)));
    pixels = pixels + drop_->forward(mlp_->forward(norm2_->forward(pixels)));
    return as_map(pixels);
  }

  [[nodiscard]] Shift shift_for(std::int64_t height, std::int64_t width) const {
    const auto shift = [&](std::int64_t length) {
      return length > window_ || shift_single_window_ ? shift_ : 0;
    };
    return {shift(height), shift(width)};
  }

  torch::Tensor attended(const torch::Tensor& pixels) {
    const auto height = pixels.size(1);
    const auto width = pixels.size(2);
    auto whole = padded(pixels, missing_to_multiple(height, window_), missing_to_multiple(width, window_));
    const auto rows = whole.size(1);
    const auto columns = whole.size(2);
    const auto shift = shift_for(rows, columns);
    torch::Tensor mask;
    if (shift.any()) {
      whole = torch::roll(whole, {-shift.rows, -shift.columns}, {1, 2});
      mask = shift_mask(rows, columns, window_, shift, whole.options());
    }
    whole = from_windows(attention_->forward(into_windows(whole, window_), mask), window_, rows, columns);
    if (shift.any()) whole = torch::roll(whole, {shift.rows, shift.columns}, {1, 2});
    return whole.narrow(1, 0, height).narrow(2, 0, width);
  }

  std::int64_t window_;
  std::int64_t shift_;
  bool shift_single_window_;
  bool recompute_;
  torch::nn::LayerNorm norm1_;
  std::shared_ptr<WindowAttention> attention_;
  torch::nn::LayerNorm norm2_;
  std::shared_ptr<FeedForward> mlp_;
  std::shared_ptr<DropPath> drop_;
  std::shared_ptr<RandomStream> random_;
};

class PatchMerging final : public TensorModule {
 public:
  PatchMerging(std::int64_t in, std::int64_t stride)
      : stride_(stride),
        norm_(register_module("norm", make_norm(4 * in))),
        reduction_(register_module("reduction",
                                   torch::nn::Linear(torch::nn::LinearOptions(4 * in, 2 * in).bias(false)))) {
    initialize_transformer(*this);
  }

  torch::Tensor forward(const torch::Tensor& map) override {
    const auto pixels = channels_last(map);
    const auto zeros = [&](std::int64_t length) { return stride_ == 1 ? 1 : length % 2; };
    const auto whole = padded(pixels, zeros(pixels.size(1)), zeros(pixels.size(2)));
    const auto every = [&](std::int64_t dim, std::int64_t first, const torch::Tensor& of) {
      const auto count = (of.size(dim) - 2) / stride_ + 1;
      return of.slice(dim, first, first + (count - 1) * stride_ + 1, stride_);
    };
    const auto at = [&](std::int64_t row, std::int64_t column) {
      return every(2, column, every(1, row, whole));
    };
    const auto joined = torch::cat({at(0, 0), at(1, 0), at(0, 1), at(1, 1)}, 3);
    return as_map(reduction_->forward(norm_->forward(joined)));
  }

 private:
  std::int64_t stride_;
  torch::nn::LayerNorm norm_;
  torch::nn::Linear reduction_;
};

class SemanticEmbedding final : public TensorModule {
 public:
  SemanticEmbedding(std::int64_t channels, double weight)
      : weight_(weight),
        scale_(register_module("w", torch::nn::Linear(2, channels))),
        offset_(register_module("b", torch::nn::Linear(2, channels))) {
    initialize_transformer(*this);
    for (auto& parameter : parameters()) parameter.set_requires_grad(false);
  }

  torch::Tensor forward(const torch::Tensor& map) override {
    return map * torch::softplus(value_of(scale_)) + value_of(offset_);
  }

 private:
  // linear(weight, 1 - weight), [C, 1, 1]
  [[nodiscard]] torch::Tensor value_of(const torch::nn::Linear& linear) const {
    const auto value =
        linear->weight.select(1, 0) * weight_ + linear->weight.select(1, 1) * (1 - weight_) + linear->bias;
    return value.view({-1, 1, 1});
  }

  double weight_;
  torch::nn::Linear scale_;
  torch::nn::Linear offset_;
};

class FinalNorm final : public TensorModule {
 public:
  explicit FinalNorm(std::int64_t channels)
      : weight_(register_parameter("weight", torch::ones({channels}))),
        bias_(register_parameter("bias", torch::zeros({channels}))) {}
  torch::Tensor forward(const torch::Tensor& map) override {
    return as_map(torch::layer_norm(channels_last(map), weight_.sizes(), weight_, bias_, epsilon));
  }

 private:
  torch::Tensor weight_;
  torch::Tensor bias_;
};

}  // namespace

BlockRecipe patch_embedding(std::int64_t channels) {
  return {"patch_embed", [=] { return std::make_shared<PatchEmbedding>(channels); }};
}

BlockRecipe window_block(std::string name, const WindowBlockOptions& options,
                         const std::shared_ptr<RandomStream>& random) {
  return {std::move(name), [=] { return std::make_shared<WindowBlock>(options, random); }};
}

BlockRecipe patch_merging(std::string name, std::int64_t in, std::int64_t stride) {
  return {std::move(name), [=] { return std::make_shared<PatchMerging>(in, stride); }};
}

BlockRecipe semantic_embedding(std::string name, std::int64_t channels, double weight) {
  return {std::move(name), [=] { return std::make_shared<SemanticEmbedding>(channels, weight); }};
}

BlockRecipe final_norm(std::int64_t channels) {
  return {"norm", [=] { return std::make_shared<FinalNorm>(channels); }};
}

}  // namespace kindred::swin
