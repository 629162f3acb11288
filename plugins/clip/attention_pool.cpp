#include "attention_pool.h"

#include <torch/nn/init.h>

#include <cmath>
#include <string>

#include "kindred/core/error.h"
#include "kindred/nn/attention.h"
#include "variants.h"

namespace kindred::clip {
namespace {

constexpr const char* owner = "head/clip_reid";

}  // namespace

AttentionPool::AttentionPool(std::int64_t channels, std::int64_t dim, std::int64_t rows, std::int64_t columns)
    : heads_(channels / head_channels),
      rows_(rows),
      columns_(columns),
      position_(
          register_module("position", std::make_shared<PositionEmbedding>(
                                          TokenGrid{rows, columns, 1}, channels, GridResampling::bilinear))),
      queries_(register_module("q_proj", torch::nn::Linear(channels, channels))),
      keys_(register_module("k_proj", torch::nn::Linear(channels, channels))),
      values_(register_module("v_proj", torch::nn::Linear(channels, channels))),
      result_(register_module("c_proj", torch::nn::Linear(channels, dim))) {
  if (channels % head_channels != 0) {
    throw ComponentError(owner, "pools the map by attention, whose heads have " +
                                    std::to_string(head_channels) + " channels, but the backbone has " +
                                    std::to_string(channels) + "; choose one with a multiple of " +
                                    std::to_string(head_channels));
  }
  const auto deviation = 1 / std::sqrt(static_cast<double>(channels));
  for (auto& linear : {queries_, keys_, values_, result_}) {
    torch::nn::init::normal_(linear->weight, 0.0, deviation);
  }
}

torch::Tensor AttentionPool::forward(const torch::Tensor& map) {
  if (map.size(2) != rows_ || map.size(3) != columns_) {
    const auto text = [](std::int64_t rows, std::int64_t columns) {
      return "[" + std::to_string(rows) + ", " + std::to_string(columns) + "]";
    };
    throw ComponentError(owner, "grid = " + text(rows_, columns_) + ", but the map has rows and columns " +
                                    text(map.size(2), map.size(3)) + "; set grid to them");
  }
  const auto places = map.flatten(2).transpose(1, 2);
  const auto tokens = position_->forward(torch::cat({places.mean(1, true), places}, 1));
  const auto split = [&](const torch::Tensor& all) {
    return all.view({all.size(0), all.size(1), heads_, head_channels}).transpose(1, 2);
  };
  const auto mixed = dot_product_attention(split(queries_->forward(tokens.narrow(1, 0, 1))),
                                           split(keys_->forward(tokens)), split(values_->forward(tokens)));
  return result_->forward(mixed.transpose(1, 2).flatten(1));
}

}  // namespace kindred::clip
