#include "bnneck.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/nn/residual_network.h"

using namespace kindred;  // NOLINT
using namespace kindred::bnneck;
using Shape = std::vector<std::int64_t>;

namespace {

constexpr std::int64_t identities = 7;

ResidualNetwork small_backbone() {
  return ResidualNetwork(
      {.stages = {1, 1, 1, 1}, .last_stride = 1, .width_multiplier = 0.125});  // 256 channels
}

}  // namespace

TEST_CASE("outputs are the global vector, the neck, the logits and the descriptor") {
  auto backbone = small_backbone();
  Bnneck head({}, {backbone, identities});
  const auto outputs = head.outputs();
  REQUIRE(outputs.size() == 4);
  const std::vector<std::string> names = {"global", "neck", "logits", "descriptor"};
  const auto values = head.forward(head.trunk()->propagate(torch::rand({3, 3, 64, 32})).values);
  REQUIRE(values.size() == outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    CAPTURE(names[i]);
    CHECK(outputs[i].name == names[i]);
    CHECK(outputs[i].kind == (names[i] == "logits" ? OutputKind::logits : OutputKind::feature));
    CHECK(outputs[i].dim == (names[i] == "logits" ? identities : 256));
    CHECK(values[i].sizes().vec() == Shape{3, outputs[i].dim});
  }
}

TEST_CASE("the trunk is the whole backbone") {
  auto backbone = small_backbone();
  const Bnneck head({}, {backbone, identities});
  CHECK(head.trunk()->named_parameters().size() ==
        backbone.trunk(backbone.blocks().back())->named_parameters().size());
  CHECK_FALSE(head.named_parameters().contains("trunk.conv1.weight"));
}

TEST_CASE("the global vector is the pooled map and the neck its batch norm") {
  auto backbone = small_backbone();
  Bnneck head({}, {backbone, identities});
  const auto map = torch::rand({4, 256, 8, 4});
  const auto values = head.forward(map);
  CHECK(torch::allclose(values[0], map.mean({2, 3}), 1e-5, 1e-6));
  const auto centered = values[0] - values[0].mean(0, true);
  const auto normalized = centered / (values[0].var(0, /*unbiased=*/false, true) + 1e-5).sqrt();
  CHECK(torch::allclose(values[1], normalized, 1e-3, 1e-4));
  const auto weight = head.named_parameters()["classifier.weight"];
  CHECK(torch::allclose(values[2], values[1].matmul(weight.t()), 1e-4, 1e-5));
}

TEST_CASE("the neck has no bias to learn and the classifier none at all") {
  auto backbone = small_backbone();
  Bnneck head({}, {backbone, 1000});
  const auto parameters = head.named_parameters();
  CHECK_FALSE(parameters["neck.bias"].requires_grad());
  CHECK(parameters["neck.bias"].eq(0).all().item<bool>());
  CHECK_FALSE(parameters.contains("classifier.bias"));
  CHECK(parameters["classifier.weight"].std().item<double>() == doctest::Approx(0.001).epsilon(0.02));
}

TEST_CASE("the test feature chooses the descriptor, in training and in evaluation") {
  for (const auto feature : {Bnneck::TestFeature::neck, Bnneck::TestFeature::global}) {
    auto backbone = small_backbone();
    Bnneck head({.test_feature = feature}, {backbone, identities});
    {
      const torch::NoGradGuard no_grad;
      head.named_buffers()["neck.running_mean"].fill_(0.25);
    }
    const auto map = torch::rand({4, 256, 8, 4});
    const auto training = head.forward(map);
    CHECK(torch::equal(training[3], training[feature == Bnneck::TestFeature::neck ? 1 : 0]));

    head.eval();
    const auto evaluated = head.forward(map);
    REQUIRE(evaluated.size() == 1);
    const bool is_global = torch::allclose(evaluated[0], map.mean({2, 3}), 1e-5, 1e-6);
    CHECK(is_global == (feature == Bnneck::TestFeature::global));
  }
}

TEST_CASE("a reduced width shortens every feature") {
  auto backbone = small_backbone();
  Bnneck head({.pooling = PoolingKind::gem, .reduced_dim = 32}, {backbone, identities});
  CHECK(head.outputs()[0].dim == 32);
  const auto values = head.forward(torch::rand({3, 256, 8, 4}));
  CHECK(values[0].sizes().vec() == Shape{3, 32});
  CHECK(values[3].sizes().vec() == Shape{3, 32});
  head.eval();
  CHECK(head.forward(torch::rand({1, 256, 8, 4}))[0].sizes().vec() == Shape{1, 32});
}

TEST_CASE("gradients reach every parameter that is trained") {
  auto backbone = small_backbone();
  Bnneck head({.pooling = PoolingKind::gem, .reduced_dim = 16}, {backbone, identities});
  const auto trunk = head.trunk();
  const auto values = head.forward(trunk->propagate(torch::rand({4, 3, 64, 32})).values);
  auto sum = torch::zeros({});
  for (const auto& value : values) sum = sum + (value * torch::rand_like(value)).sum();
  sum.backward();
  for (const auto* module :
       {static_cast<torch::nn::Module*>(&head), static_cast<torch::nn::Module*>(trunk.get())}) {
    for (const auto& item : module->named_parameters()) {
      if (!item.value().requires_grad()) continue;
      CAPTURE(item.key());
      REQUIRE(item.value().grad().defined());
      CHECK(item.value().grad().abs().sum().item<double>() > 0);
    }
  }
}

TEST_CASE("one image is enough to describe and too few to train on") {
  auto backbone = small_backbone();
  Bnneck head({}, {backbone, identities});
  CHECK_THROWS_WITH_AS((void)head.forward(torch::rand({1, 256, 8, 4})),
                       doctest::Contains("at least 2 images"), ComponentError);
  head.eval();
  CHECK(head.forward(torch::rand({1, 256, 8, 4}))[0].size(0) == 1);
}

TEST_CASE("a class token in place of a pooled map needs a backbone that has one") {
  auto backbone = small_backbone();
  CHECK_THROWS_WITH_AS(
      Bnneck({.pooling = PoolingKind::class_token}, {backbone, identities}),
      "head/bnneck: error: pooling = 'class_token' needs a backbone with tokens, such as 'vit', but "
      "this one gives a map; set head.pooling = 'avg', 'max' or 'gem'",
      ComponentError);
}
