#include "kindred/nn/feed_forward.h"

namespace kindred {

namespace {

constexpr double quick_gelu_slope = 1.702;

}  // namespace

FeedForward::FeedForward(std::int64_t channels, std::int64_t hidden, FeedForwardActivation activation)
    : activation_(activation),
      fc1_(register_module("fc1", torch::nn::Linear(channels, hidden))),
      fc2_(register_module("fc2", torch::nn::Linear(hidden, channels))) {}

FeedForward::~FeedForward() = default;

torch::Tensor FeedForward::forward(const torch::Tensor& tokens) {
  const auto hidden = fc1_->forward(tokens);
  return fc2_->forward(activation_ == FeedForwardActivation::gelu
                           ? torch::gelu(hidden)
                           : hidden * torch::sigmoid(quick_gelu_slope * hidden));
}

}  // namespace kindred
