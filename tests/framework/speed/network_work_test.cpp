#include "speed/network_work.h"

#include <functional>
#include <stdexcept>

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "kindred/nn/attention.h"
#include "speed/machine_limits.h"

using namespace kindred;
using namespace kindred::speed;

namespace {

namespace nn = torch::nn;

/// FLOP by hand for two images of 8 x 6: a convolution 3 -> 4 with 3 x 3 weights, stride 2 and padding 1
/// gives 4 x 3 places; one of two groups 4 -> 4 of 3 x 3 with padding 1; a layer 48 -> 5.
constexpr double first_flops = 2.0 * 2 * (4 * 3) * 4 * (3 * 9);
constexpr double grouped_flops = 2.0 * 2 * (4 * 3) * 4 * (2 * 9);
constexpr double linear_flops = 2.0 * 2 * 48 * 5;

nn::Sequential small_network() {
  return nn::Sequential(nn::Conv2d(nn::Conv2dOptions(3, 4, 3).stride(2).padding(1)), nn::ReLU(),
                        nn::Conv2d(nn::Conv2dOptions(4, 4, 3).padding(1).groups(2).bias(false)),
                        nn::Flatten(), nn::Linear(48, 5));
}

}  // namespace

TEST_CASE("the FLOP of convolutions and linear layers are those counted by hand") {
  auto network = small_network();
  const auto images = torch::ones({2, 3, 8, 6});
  const auto work = recorded_work([&] {
    const torch::NoGradGuard no_gradients;
    static_cast<void>(network->forward(images));
  });
  REQUIRE(work.calls.size() == 3);
  CHECK(work.calls[0].op == "aten::convolution");
  CHECK(work.calls[0].flops == first_flops);
  CHECK(work.calls[1].flops == grouped_flops);
  CHECK(work.calls[2].flops == linear_flops);
  CHECK(work.flops() == first_flops + grouped_flops + linear_flops);
}

TEST_CASE("a backward pass costs the gradients of inputs and weights, none for the images") {
  auto network = small_network();
  const auto images = torch::ones({2, 3, 8, 6});
  const auto work = recorded_work([&] { network->forward(images).sum().backward(); });
  CHECK(work.flops() == 2 * first_flops + 3 * grouped_flops + 3 * linear_flops);
}

TEST_CASE("equal calls are counted together, and 16 bits once") {
  nn::Conv2d convolution(nn::Conv2dOptions(4, 4, 3).padding(1));
  const auto map = torch::ones({1, 4, 5, 5});
  const system::Computing half{torch::kCPU, system::can_compute(torch::kCPU, system::Precision::bf16)
                                                ? system::Precision::bf16
                                                : system::Precision::fp32};
  const auto work = recorded_work([&] {
    const torch::NoGradGuard no_gradients;
    const system::Autocast autocast(half);
    static_cast<void>(convolution->forward(map));
    static_cast<void>(convolution->forward(map));
  });
  REQUIRE(work.calls.size() == 1);
  CHECK(work.calls[0].times == 2);
  CHECK(work.flops() == 2 * 2.0 * 25 * 4 * 4 * 9);
  CHECK((work.calls[0].tensors[0]->type == torch::kBFloat16) == (half.precision == system::Precision::bf16));
}

TEST_CASE("products of batches of matrices, transposed convolutions and attention are counted") {
  const auto flops = [](const std::function<void()>& run) { return recorded_work(run).flops(); };
  CHECK(flops([] {
          static_cast<void>(torch::bmm(torch::ones({3, 2, 4}), torch::ones({3, 4, 5})));
        }) == 2.0 * 3 * 2 * 4 * 5);
  CHECK(flops([] {
          static_cast<void>(torch::matmul(torch::ones({7, 4}), torch::ones({4, 5})));
        }) == 2.0 * 7 * 4 * 5);
  nn::ConvTranspose2d transposed(nn::ConvTranspose2dOptions(3, 2, 2).stride(2));
  CHECK(flops([&] {
          static_cast<void>(transposed->forward(torch::ones({1, 3, 4, 5})));
        }) == 2.0 * 3 * 4 * 5 * 2 * 4);
  // Two images, three heads: five tokens ask seven, with four numbers each.
  CHECK(flops([] {
          const auto tokens = torch::ones({2, 3, 7, 4});
          static_cast<void>(dot_product_attention(torch::ones({2, 3, 5, 4}), tokens, tokens));
        }) == 2.0 * 2 * 3 * 5 * 7 * (4 + 4));
}

TEST_CASE("what is not a product is not counted, and a recording ends when it throws") {
  CHECK(recorded_work([] { static_cast<void>((torch::ones({9}) + 1).relu().sum()); }).calls.empty());
  CHECK_THROWS_WITH(static_cast<void>(recorded_work([] { throw std::runtime_error("within"); })), "within");
  CHECK(recorded_work([] {}).flops() == 0);
}

TEST_CASE("each call is measured alone, forwards and backwards") {
  auto network = small_network();
  const auto images = torch::ones({2, 3, 8, 6});
  const auto work = recorded_work([&] { network->forward(images).sum().backward(); });
  const auto alone = time_alone(work, 0.001);
  CHECK(alone.left_out == 0);
  CHECK(alone.flops == work.flops());
  CHECK(alone.seconds > 0);
}

TEST_CASE("a call that cannot be repeated is left out and told") {
  auto network = small_network();
  auto work = recorded_work([&] { static_cast<void>(network->forward(torch::ones({2, 3, 8, 6}))); });
  const auto flops = work.flops() - work.calls[0].flops;
  work.calls[0].op = "aten::no_such_operator";
  const auto alone = time_alone(work, 0.001);
  CHECK(alone.left_out == 1);
  CHECK(alone.flops == flops);
}

TEST_CASE("limits of the machine are positive and finite") {
  const double flops = product_flops_per_second({torch::kCPU, system::Precision::fp32}, 0.01);
  CHECK(flops > 1e6);
  CHECK(flops < 1e16);
  const double bytes = copied_bytes_per_second(torch::kCPU, 0.01);
  CHECK(bytes > 1e6);
  CHECK(bytes < 1e14);
}
