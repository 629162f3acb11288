#include "kindred/nn/side_embedding.h"

#include <torch/nn/init.h>

namespace kindred {

namespace {

constexpr double side_deviation = 0.02;

// One entry more at the end of a dimension: what an unknown one has.
torch::Tensor with_unknown(const torch::Tensor& table, std::int64_t dimension, UnknownSide unknown) {
  const auto mean = table.mean(dimension, /*keepdim=*/true);
  return torch::cat({table, unknown == UnknownSide::mean ? mean : torch::zeros_like(mean)}, dimension);
}

// -1 becomes the place of the unknown one.
torch::Tensor places_of(const torch::Tensor& indices, std::int64_t unknown) {
  return torch::where(indices.lt(0), torch::full_like(indices, unknown), indices);
}

}  // namespace

std::vector<std::pair<std::string, UnknownSide>> unknown_side_choices() {
  return {{"refuse", UnknownSide::refuse}, {"none", UnknownSide::none}, {"mean", UnknownSide::mean}};
}

SideEmbedding::SideEmbedding(std::int64_t cameras, std::int64_t views, std::int64_t channels,
                             UnknownSide unknown)
    : cameras_(cameras),
      views_(views),
      unknown_(unknown),
      embedding_(register_parameter("embedding", torch::empty({cameras * views, 1, channels}))) {
  torch::nn::init::normal_(embedding_, 0.0, side_deviation);
}

SideEmbedding::~SideEmbedding() = default;

torch::Tensor SideEmbedding::forward(const torch::Tensor& cameras, const torch::Tensor& views) const {
  const auto channels = embedding_.size(2);
  auto table = embedding_.view({cameras_, views_, channels});
  auto columns = views_;
  const bool may_be_unknown = unknown_ != UnknownSide::refuse;
  const auto indices = [&](const torch::Tensor& given, std::int64_t known) {
    return may_be_unknown ? places_of(given, known) : given;
  };
  torch::Tensor index;
  if (cameras_ > 1) {
    if (may_be_unknown) table = with_unknown(table, 0, unknown_);
    index = indices(cameras, cameras_);
  }
  if (views_ > 1) {
    if (may_be_unknown) {
      table = with_unknown(table, 1, unknown_);
      ++columns;
    }
    const auto column = indices(views, views_);
    index = index.defined() ? index * columns + column : column;
  }
  return table.reshape({-1, channels}).index_select(0, index).unsqueeze(1);
}

}  // namespace kindred
