#include "transreid.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "golden/formula_values.h"
#include "kindred/core/error.h"
#include "kindred/role/backbone.h"
#include "vit.h"

using kindred::transreid::Transreid;
using kindred::vit::Vit;
using Shape = std::vector<std::int64_t>;

namespace {

constexpr std::int64_t identities = 5;

Vit narrow_vit(std::int64_t height = 64, bool extra_tokens = false) {
  Vit::Params params;
  params.dim = 32;
  params.depth = 3;
  params.heads = 4;
  params.image_height = height;
  params.image_width = 32;
  params.distilled = extra_tokens;
  params.registers = extra_tokens ? 2 : 0;
  return Vit(params, {});
}

std::vector<std::string> names_of(const std::vector<kindred::OutputInfo>& outputs) {
  std::vector<std::string> names;
  for (const auto& output : outputs) names.push_back(output.name);
  return names;
}

}  // namespace

TEST_CASE("outputs are the global and four local vectors, their logits and the descriptor") {
  auto vit = narrow_vit();
  Transreid head({}, {vit, identities});
  const auto outputs = head.outputs();
  CHECK(names_of(outputs) == std::vector<std::string>{"global", "local1", "local2", "local3", "local4",
                                                      "logits.global", "logits.local1", "logits.local2",
                                                      "logits.local3", "logits.local4", "descriptor"});
  const auto values = head.forward(head.trunk()->propagate(kindred::test::formula_images(64, 32)));
  REQUIRE(values.size() == outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    CAPTURE(outputs[i].name);
    CHECK(values[i].sizes().vec() == Shape{2, outputs[i].dim});
  }
  CHECK(outputs.back().dim == 5 * 32);
  CHECK(torch::equal(values.back().narrow(1, 0, 32), values[0]));
  CHECK(torch::allclose(values.back().narrow(1, 64, 32), values[2] / 4));
  CHECK(Transreid::takes() == kindred::FeatureForm::tokens);
}

TEST_CASE("without the jigsaw patch module there is the class token of the whole backbone alone") {
  const torch::NoGradGuard no_grad;
  auto vit = narrow_vit();
  Transreid head({.jpm = false}, {vit, identities});
  CHECK(names_of(head.outputs()) == std::vector<std::string>{"global", "logits.global", "descriptor"});
  head.eval();
  const auto trunk = head.trunk();
  trunk->eval();
  const auto tokens = trunk->propagate(kindred::test::formula_images(64, 32));
  CHECK(torch::equal(head.forward(tokens)[0], tokens.values.select(1, 0)));
  CHECK(trunk->named_parameters().contains("norm.weight"));
  for (const auto& item : head.named_parameters()) {
    CHECK(item.key().find("branch") == std::string::npos);
  }
}

TEST_CASE("both branches begin as copies of the last block and the norm, which the trunk then lacks") {
  auto vit = narrow_vit();
  const Transreid head({}, {vit, identities});
  const auto tensors = head.named_parameters();
  const auto original = vit.trunk("norm")->named_parameters();
  for (const std::string name : {"blocks.2.attn.qkv.weight", "norm.bias"}) {
    CAPTURE(name);
    for (const std::string branch : {"global_branch.", "local_branch."}) {
      REQUIRE(tensors.contains(branch + name));
      CHECK(torch::equal(tensors[branch + name], original[name]));
      CHECK(tensors[branch + name].data_ptr() != original[name].data_ptr());
    }
  }
  CHECK_FALSE(tensors.contains("global_branch.blocks.1.attn.qkv.weight"));
  CHECK(head.trunk()->named_parameters().contains("blocks.1.attn.qkv.weight"));
  CHECK_FALSE(head.trunk()->named_parameters().contains("blocks.2.attn.qkv.weight"));
  CHECK_FALSE(tensors["neck_local3.bias"].requires_grad());
  CHECK_FALSE(tensors.contains("classifier_global.bias"));
}

TEST_CASE("a local vector sees a quarter of the patches, from the whole body, and the class token") {
  // 8 patches: shifted by 4 they are 4 5 6 7 0 1 2 3, in turn of two groups 4 0 5 1 6 2 7 3.
  auto vit = narrow_vit();
  Transreid head({}, {vit, identities});
  head.eval();
  auto features = head.trunk()->propagate(kindred::test::formula_images(64, 32));
  features.values = features.values.detach().set_requires_grad(true);
  const auto descriptor = head.forward(features)[0];
  const std::vector<std::vector<std::int64_t>> patches = {{4, 0}, {5, 1}, {6, 2}, {7, 3}};
  for (std::size_t part = 0; part < 4; ++part) {
    CAPTURE(part);
    const auto local = descriptor.narrow(1, 32 * (static_cast<std::int64_t>(part) + 1), 32);
    const auto slope =
        torch::autograd::grad({(local * torch::arange(32)).sum()}, {features.values}, {}, true)[0];
    const auto used = slope.abs().sum(2)[0] > 0;  // [9]
    auto expected = torch::zeros({9}, torch::kBool);
    expected[0] = true;
    for (const auto patch : patches[part]) expected[1 + patch] = true;
    CHECK(torch::equal(used, expected));
  }
}

TEST_CASE("distillation token and registers are no patches") {
  const torch::NoGradGuard no_grad;
  auto vit = narrow_vit(64, true);
  Transreid head({}, {vit, identities});
  head.eval();
  const auto features = head.trunk()->propagate(kindred::test::formula_images(64, 32));
  CHECK(features.values.size(1) == 12);
  const auto expected = head.forward(features)[0];
  auto changed = features;
  changed.values = features.values.clone();
  changed.values.narrow(1, 1, 3).add_(1);
  const auto descriptor = head.forward(changed)[0];
  CHECK(torch::equal(descriptor.narrow(1, 32, 128), expected.narrow(1, 32, 128)));
  CHECK_FALSE(torch::equal(descriptor.narrow(1, 0, 32), expected.narrow(1, 0, 32)));
}

TEST_CASE("the descriptor is taken before or after the batch norms") {
  const torch::NoGradGuard no_grad;
  auto vit = narrow_vit();
  Transreid before({}, {vit, identities});
  Transreid after({.test_feature = Transreid::TestFeature::after}, {vit, identities});
  for (auto* head : {&before, &after}) {
    head->eval();
    for (auto& item : head->named_buffers()) {
      if (item.key().ends_with("running_var")) item.value().fill_(4);
      if (item.key().ends_with("running_mean")) item.value().fill_(1);
    }
  }
  const auto features = before.trunk()->propagate(kindred::test::formula_images(64, 32));
  const auto plain = before.forward(features)[0];
  const auto normed = after.forward(features)[0];
  CHECK(torch::allclose(normed.narrow(1, 0, 32), (plain.narrow(1, 0, 32) - 1) / 2, 1e-4, 1e-5));
  CHECK(torch::allclose(normed.narrow(1, 32, 32), (plain.narrow(1, 32, 32) - 0.25) / 2, 1e-4, 1e-5));
}

TEST_CASE("too few patches, groups that do not divide them and a batch of one are refused with what to do") {
  auto vit = narrow_vit();
  const auto features = vit.trunk("blocks.1")->propagate(kindred::test::formula_images(64, 32));
  const auto message = [&](const Transreid::Params& params,
                           const kindred::Activations& input) -> std::string {
    Transreid head(params, {vit, identities});
    try {
      (void)head.forward(input);
    } catch (const kindred::ComponentError& error) {
      return error.what();
    }
    return "";
  };
  CHECK(message({.parts = 9}, features) ==
        "head/transreid: error: the images have 8 patches, too few for shift = 5 and parts = 9; use larger "
        "images, or "
        "lower these");
  CHECK(message({.shift = 10}, features).find("too few for shift = 10") != std::string::npos);
  CHECK(message({.shift = 9}, features).empty());
  CHECK(message({.shuffle_groups = 5}, features) ==
        "head/transreid: error: 8 patches do not divide into shuffle_groups = 5; choose 2, or a divisor");
  auto single = features.with(features.values.narrow(0, 0, 1));
  CHECK(message({}, single).find("use larger batches") != std::string::npos);
}

TEST_CASE("what is for the branches is refused without them, and a cut at no block") {
  const std::vector<std::pair<std::string, kindred::Value>> idle = {{"cut", kindred::Value("blocks.0")},
                                                                    {"shift", kindred::Value(2)},
                                                                    {"shuffle_groups", kindred::Value(4)},
                                                                    {"parts", kindred::Value(2)}};
  for (const auto& [key, value] : idle) {
    kindred::Table table;
    table.set("jpm", kindred::Value(false));
    table.set(key, value);
    kindred::Diagnostics diagnostics;
    (void)Transreid::schema().parse(kindred::Value(table), "head 'transreid'", diagnostics);
    REQUIRE(diagnostics.all().size() == 1);
    CHECK(diagnostics.all()[0].message ==
          "head 'transreid': " + key + " has no effect with jpm = false; leave it out");
  }
  auto vit = narrow_vit();
  CHECK_THROWS_WITH_AS(Transreid({.cut = "blocks.7"}, {vit, identities}),
                       doctest::Contains("no block 'blocks.7'"), kindred::ComponentError);
}

TEST_CASE("gradients reach every parameter of TransReID that is trained") {
  auto vit = narrow_vit();
  Transreid head({}, {vit, identities});
  const auto trunk = head.trunk();
  auto loss = torch::zeros({});
  for (const auto& output : head.forward(trunk->propagate(torch::rand({4, 3, 64, 32})))) {
    loss = loss + (output * torch::rand_like(output)).sum();
  }
  loss.backward();
  const auto check = [](const torch::nn::Module& module) {
    for (const auto& item : module.named_parameters()) {
      CAPTURE(item.key());
      if (!item.value().requires_grad()) continue;
      REQUIRE(item.value().grad().defined());
      CHECK(item.value().grad().abs().sum().item<double>() > 0);
    }
  };
  check(head);
  check(*trunk);
}
