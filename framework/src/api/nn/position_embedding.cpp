#include "kindred/nn/position_embedding.h"

#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <torch/nn/init.h>
#include <torch/utils.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace kindred {

namespace {

constexpr double embedding_deviation = 0.02;
constexpr double difference_of_equal_shapes = 0.05;

std::optional<std::int64_t> square_side(std::int64_t area) {
  const auto side = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(area))));
  return side > 0 && side * side == area ? std::optional(side) : std::nullopt;
}

// How far the ratios of rows to columns are from each other, on a logarithmic scale.
double difference_of_shapes(const TokenGrid& a, const TokenGrid& b) {
  const auto ratio = [](const TokenGrid& grid) {
    return std::log(static_cast<double>(grid.rows) / static_cast<double>(grid.columns));
  };
  return std::abs(ratio(a) - ratio(b));
}

// The grid of so many tokens whose shape is nearest to that of `like`; of two as near, also where their
// logarithms are rounded differently, the one with more rows.
TokenGrid grid_like(const TokenGrid& like, std::int64_t area, std::int64_t extra) {
  constexpr double rounding = 1e-9;
  TokenGrid best{area, 1, extra};
  for (std::int64_t rows = area; rows >= 1; --rows) {
    const TokenGrid grid{rows, area / rows, extra};
    if (area % rows != 0) continue;
    if (difference_of_shapes(grid, like) < difference_of_shapes(best, like) - rounding) best = grid;
  }
  return best;
}

std::optional<TokenGrid> grid_of_source(const TokenGrid& own, std::int64_t tokens) {
  if (tokens == own.extra + own.rows * own.columns) return own;
  for (const auto extra : {own.extra, std::int64_t{1}, std::int64_t{2}}) {
    if (const auto side = square_side(tokens - extra)) return TokenGrid{*side, *side, extra};
  }
  for (const std::int64_t extra : {0, 1, 2}) {
    if (tokens - extra == own.rows * own.columns) return TokenGrid{own.rows, own.columns, extra};
  }
  if (tokens <= own.extra) return std::nullopt;
  // 289 tokens may be 17 x 17, or 24 x 12 after a class token.
  const auto like = grid_like(own, tokens - own.extra, own.extra);
  if (difference_of_shapes(like, own) <= difference_of_equal_shapes) return like;
  if (const auto side = square_side(tokens)) return TokenGrid{*side, *side, 0};
  return like;
}

}  // namespace

PositionEmbedding::PositionEmbedding(const TokenGrid& grid, std::int64_t channels, GridResampling resampling)
    : grid_(grid),
      resampling_(resampling),
      embedding_(register_parameter("embedding",
                                    torch::empty({1, grid.extra + grid.rows * grid.columns, channels}))) {
  torch::nn::init::normal_(embedding_, 0.0, embedding_deviation);
}

PositionEmbedding::~PositionEmbedding() = default;

torch::Tensor PositionEmbedding::forward(const torch::Tensor& tokens) {
  return tokens + embedding_;
}

torch::Tensor PositionEmbedding::adapted(const std::string& name, const torch::Tensor& source) const {
  const torch::NoGradGuard no_grad;
  const auto channels = embedding_.size(2);
  const bool fits = name == "embedding" && source.is_floating_point() &&
                    (source.dim() == 2 || (source.dim() == 3 && source.size(0) == 1)) &&
                    source.size(-1) == channels;
  if (!fits) return {};
  const auto tokens = source.reshape({-1, channels}).to(embedding_.device(), torch::kFloat32);
  const auto grid = grid_of_source(grid_, tokens.size(0));
  if (!grid) return {};
  const auto places = tokens.narrow(0, grid->extra, grid->rows * grid->columns);
  auto map = places.reshape({1, grid->rows, grid->columns, channels}).permute({0, 3, 1, 2});
  if (grid->rows != grid_.rows || grid->columns != grid_.columns) {
    map = resampled_grid(map, grid_.rows, grid_.columns, resampling_);
  }
  auto result = torch::zeros(embedding_.sizes(), tokens.options());
  const auto kept = std::min(grid->extra, grid_.extra);
  result.narrow(1, 0, kept).copy_(tokens.narrow(0, 0, kept));
  result.narrow(1, grid_.extra, grid_.rows * grid_.columns)
      .copy_(map.permute({0, 2, 3, 1}).reshape({1, grid_.rows * grid_.columns, channels}));
  return result.to(embedding_.scalar_type());
}

torch::Tensor resampled_grid(const torch::Tensor& map, std::int64_t rows, std::int64_t columns,
                             GridResampling resampling) {
  const auto values = map.to(torch::kFloat32);
  const std::array<std::int64_t, 2> size = {rows, columns};
  return resampling == GridResampling::bicubic
             ? at::_upsample_bicubic2d_aa(values, size, /*align_corners=*/false)
             : at::upsample_bilinear2d(values, size, /*align_corners=*/false);
}

}  // namespace kindred
