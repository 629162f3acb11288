#include "kindred/nn/batch_norm.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "kindred/core/error.h"

using namespace kindred;  // NOLINT

namespace {

constexpr auto channels_last = torch::MemoryFormat::ChannelsLast;

torch::Tensor random_map(const std::vector<std::int64_t>& sizes, double mean = 0.3, double spread = 2) {
  return (torch::randn(sizes) * spread + mean).contiguous(channels_last);
}

torch::nn::BatchNorm2d random_norm(std::int64_t channels, std::optional<double> momentum = 0.1) {
  torch::nn::BatchNorm2dOptions options(channels);
  options.momentum().reset();
  if (momentum) options.momentum(*momentum);
  torch::nn::BatchNorm2d norm(options);
  const torch::NoGradGuard no_grad;
  norm->weight.normal_(1, 0.5);
  norm->bias.normal_(0, 0.5);
  norm->running_mean.normal_();
  norm->running_var.uniform_(0.5, 2);
  return norm;
}

torch::nn::BatchNorm2d copy_of(const torch::nn::BatchNorm2d& norm, torch::ScalarType type) {
  torch::nn::BatchNorm2d copy(norm->options);
  const torch::NoGradGuard no_grad;
  copy->to(type);
  copy->weight.copy_(norm->weight);
  copy->bias.copy_(norm->bias);
  copy->running_mean.copy_(norm->running_mean);
  copy->running_var.copy_(norm->running_var);
  copy->train(norm->is_training());
  return copy;
}

/// The largest difference, in parts of the largest value.
double difference_of(const torch::Tensor& found, const torch::Tensor& expected) {
  const auto wanted = expected.to(torch::kFloat64);
  return (found.to(torch::kFloat64) - wanted).abs().max().item<double>() /
         std::max(1e-3, wanted.abs().max().item<double>());
}

struct NormCase {
  std::vector<std::int64_t> sizes;
  bool relu = true;
  bool shortcut = false;
  torch::ScalarType type = torch::kFloat32;
  double bound = 1e-5;
  std::optional<double> momentum = 0.1;
  double mean = 0.3;
};

/// Against LibTorch's operations one after the other in 64 bits.
void check_norm(const NormCase& c) {
  CAPTURE(c.sizes);
  CAPTURE(c.relu);
  CAPTURE(c.shortcut);
  torch::manual_seed(3);
  auto norm = random_norm(c.sizes[1], c.momentum);
  auto exact = copy_of(norm, torch::kFloat64);
  auto map = random_map(c.sizes, c.mean).to(c.type).requires_grad_();
  auto shortcut = random_map(c.sizes).to(c.type).requires_grad_();
  auto exact_map = map.detach().to(torch::kFloat64).requires_grad_();
  auto exact_shortcut = shortcut.detach().to(torch::kFloat64).requires_grad_();
  const auto weights = random_map(c.sizes).to(c.type);
  for (int step = 0; step < 2; ++step) {
    const auto output = !c.relu      ? batch_normalized(*norm, map)
                        : c.shortcut ? batch_normalized_relu(*norm, map, shortcut)
                                     : batch_normalized_relu(*norm, map);
    auto expected = exact->forward(exact_map);
    if (c.shortcut) expected = expected + exact_shortcut;
    if (c.relu) expected = expected.relu();
    CHECK((output.scalar_type() == c.type));
    CHECK(output.is_contiguous(channels_last));
    CHECK(difference_of(output, expected) < c.bound);
    (output * weights).sum().backward();
    (expected * weights.to(torch::kFloat64)).sum().backward();
  }
  CHECK(difference_of(map.grad(), exact_map.grad()) < c.bound);
  if (c.shortcut) CHECK(difference_of(shortcut.grad(), exact_shortcut.grad()) < c.bound);
  CHECK(difference_of(norm->weight.grad(), exact->weight.grad()) < c.bound);
  CHECK(difference_of(norm->bias.grad(), exact->bias.grad()) < c.bound);
  CHECK(difference_of(norm->running_mean, exact->running_mean) < 1e-6);
  CHECK(difference_of(norm->running_var, exact->running_var) < 1e-6);
  CHECK(norm->num_batches_tracked.item<std::int64_t>() == 2);
}

bool is_one_operation(const torch::Tensor& output) {
  return output.grad_fn() != nullptr && output.grad_fn()->name().find("BatchNormStep") != std::string::npos;
}

class NormThreads {
 public:
  explicit NormThreads(int threads) : before_(at::get_num_threads()) { at::set_num_threads(threads); }
  ~NormThreads() { at::set_num_threads(before_); }

 private:
  int before_;
};

}  // namespace

TEST_CASE("a batch norm with what follows it gives LibTorch's result, gradients and running statistics") {
  for (const int threads : {1, 2}) {
    CAPTURE(threads);
    const NormThreads set(threads);
    for (const bool shortcut : {false, true}) {
      check_norm({.sizes = {4, 16, 6, 3}, .shortcut = shortcut});
      check_norm({.sizes = {2, 37, 5, 7}, .shortcut = shortcut});
      check_norm({.sizes = {3, 1, 4, 4}, .shortcut = shortcut});
      check_norm({.sizes = {2, 3, 2, 1}, .shortcut = shortcut});
      // Of two values, nearly all of the gradient cancels.
      check_norm({.sizes = {2, 3, 1, 1}, .shortcut = shortcut, .bound = 1e-2});
      check_norm({.sizes = {1, 20, 8, 2}, .shortcut = shortcut});
      // Several pieces for each image.
      check_norm({.sizes = {2, 64, 40, 33}, .shortcut = shortcut});
    }
    check_norm({.sizes = {4, 16, 6, 3}, .relu = false});
    check_norm({.sizes = {2, 64, 40, 33}, .relu = false});
  }
}

TEST_CASE("without a momentum, a batch norm keeps the mean of all batches") {
  check_norm({.sizes = {4, 16, 6, 3}, .momentum = std::nullopt});
}

TEST_CASE("the variance of values 10,000 times as far from 0 as from each other is right") {
  torch::manual_seed(3);
  auto norm = random_norm(8, 1.0);
  const auto map = random_map({4, 8, 40, 40}, 1000, 0.1);
  (void)batch_normalized(*norm, map);
  const auto expected = map.to(torch::kFloat64).var({0, 2, 3}, /*unbiased=*/true);
  CHECK(difference_of(norm->running_var, expected) < 1e-3);
}

TEST_CASE("a batch norm of 16-bit maps gives 16 bits, rounded once") {
  for (const bool shortcut : {false, true}) {
    check_norm({.sizes = {4, 19, 6, 3}, .shortcut = shortcut, .type = torch::kBFloat16, .bound = 1e-2});
  }
  torch::manual_seed(1);
  auto norm = random_norm(16);
  const auto map = random_map({4, 16, 6, 3}).to(torch::kBFloat16);
  const auto exact = copy_of(norm, torch::kFloat32)->forward(map.to(torch::kFloat32)).to(torch::kBFloat16);
  CHECK((batch_normalized(*norm, map) == exact).to(torch::kFloat32).mean().item<double>() > 0.99);
}

TEST_CASE("one thread and two give the same bits") {
  std::vector<torch::Tensor> outputs;
  std::vector<torch::Tensor> gradients;
  for (const int threads : {1, 2}) {
    const NormThreads set(threads);
    torch::manual_seed(5);
    auto norm = random_norm(64);
    auto map = random_map({3, 64, 40, 33}).requires_grad_();
    outputs.push_back(batch_normalized_relu(*norm, map));
    outputs.back().square().sum().backward();
    gradients.push_back(map.grad());
  }
  CHECK(torch::equal(outputs[0], outputs[1]));
  CHECK(torch::equal(gradients[0], gradients[1]));
}

TEST_CASE("training on the CPU with channels last is one operation, anything else LibTorch's") {
  auto norm = random_norm(16);
  const auto map = random_map({4, 16, 6, 3});
  CHECK(is_one_operation(batch_normalized_relu(*norm, map)));
  CHECK_FALSE(is_one_operation(batch_normalized_relu(*norm, map.contiguous())));
  norm->eval();
  const auto kept = norm->running_mean.clone();
  const auto output = batch_normalized_relu(*norm, map, map);
  CHECK_FALSE(is_one_operation(output));
  CHECK(torch::equal(output, (norm->forward(map) + map).relu()));
  CHECK(torch::equal(norm->running_mean, kept));
  auto wide = copy_of(random_norm(16), torch::kFloat64);
  CHECK_FALSE(is_one_operation(batch_normalized_relu(*wide, map.to(torch::kFloat64))));
}

TEST_CASE("maps in both formats give the same") {
  torch::manual_seed(2);
  auto norm = random_norm(16);
  const auto map = random_map({4, 16, 6, 3});
  const auto shortcut = random_map({4, 16, 6, 3});
  CHECK(difference_of(batch_normalized_relu(*norm, map, shortcut),
                      batch_normalized_relu(*norm, map.contiguous(), shortcut)) < 1e-5);
  CHECK(difference_of(batch_normalized_relu(*norm, map, shortcut.contiguous()),
                      batch_normalized_relu(*norm, map, shortcut)) < 1e-6);
}

TEST_CASE("a norm of one value for each channel is LibTorch's error") {
  auto norm = random_norm(3);
  CHECK_THROWS_WITH_AS((void)batch_normalized_relu(*norm, torch::zeros({1, 3, 1, 1})),
                       doctest::Contains("Expected more than 1 value per channel when training"),
                       std::exception);
  CHECK_THROWS_AS((void)batch_normalized_relu(*norm, torch::zeros({2, 4, 2, 2})), std::exception);
}

TEST_CASE("a value that is not a number stays one") {
  auto norm = random_norm(3);
  auto map = random_map({2, 3, 2, 2});
  map[0][1][0][0] = std::numeric_limits<float>::quiet_NaN();
  const auto output = batch_normalized_relu(*norm, map);
  CHECK(torch::isnan(output.select(1, 1)).all().item<bool>());
  CHECK_FALSE(torch::isnan(output.select(1, 0)).any().item<bool>());
  const auto halves = batch_normalized_relu(*norm, map.to(torch::kBFloat16));
  CHECK(torch::isnan(halves.select(1, 1)).all().item<bool>());
}

TEST_CASE("a batch norm in training is not differentiated twice") {
  auto norm = random_norm(3);
  const auto map = random_map({2, 3, 2, 2}).requires_grad_();
  const auto output = batch_normalized_relu(*norm, map).sum();
  CHECK_THROWS_AS(torch::autograd::grad({output}, {map}, {}, /*retain_graph=*/true, /*create_graph=*/true),
                  std::logic_error);
}

TEST_CASE("a head that normalizes refuses a batch of one image") {
  CHECK_NOTHROW(require_two_images(torch::zeros({2, 4}), "head/some"));
  CHECK_THROWS_WITH_AS(
      require_two_images(torch::zeros({1, 4}), "head/some"),
      "head/some: error: batch normalization needs at least 2 images in a training batch, but this "
      "one has 1; use larger batches",
      ComponentError);
}
