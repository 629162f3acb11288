#include "mgn.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "golden/formula_images.h"
#include "golden/golden_model.h"
#include "kindred/core/error.h"
#include "kindred/nn/chain_backbone.h"
#include "kindred/nn/residual_network.h"
#include "kindred/nn/tensor_module.h"

using namespace kindred;  // NOLINT
using namespace kindred::mgn;
using Shape = std::vector<std::int64_t>;

namespace {

constexpr std::int64_t identities = 7;
const std::vector<std::string> part_names = {"g1", "g2", "g3", "p2_0", "p2_1", "p3_0", "p3_1", "p3_2"};

ResidualNetwork small_backbone() {
  return ResidualNetwork(
      {.stages = {1, 1, 2, 1}, .width_multiplier = 0.125, .se_reduction = 16});  // 256 channels
}

class Identity final : public TensorModule {
 public:
  torch::Tensor forward(const torch::Tensor& input) override { return input; }
};

// The map is the image, so that what is pooled can be written down.
class ImageBackbone final : public ChainBackbone {
 public:
  ImageBackbone() { assemble(2); }
  std::int64_t channels() const override { return 3; }

 protected:
  std::vector<BlockRecipe> block_recipes(std::int64_t) const override {
    const auto identity = [] { return std::make_shared<Identity>(); };
    return {{"first", identity}, {"second", identity}};
  }
};

// Reductions that give out what was pooled.
void make_transparent(Mgn& head) {
  const torch::NoGradGuard no_grad;
  for (auto& item : head.named_parameters()) {
    if (item.key().ends_with("conv.weight") && item.key().starts_with("reduction_")) {
      item.value().copy_(torch::eye(3).view({3, 3, 1, 1}));
    }
    if (item.key().ends_with("bn.weight")) item.value().fill_(1);
  }
}

torch::Tensor rest_map(Mgn& head, const std::string& branch, const torch::Tensor& map) {
  return std::dynamic_pointer_cast<NetworkPart>(head.named_children()[branch])->propagate(map).values;
}

}  // namespace

TEST_CASE("the descriptor agrees with an independent evaluation of the definition") {
  at::set_num_threads(2);
  const torch::NoGradGuard no_grad;
  ResidualNetwork backbone({.stem = ResidualStem::layer0, .se_reduction = 16, .stride_in_first = true});
  test::fill_backbone_by_formula(*backbone.trunk("layer4.2"));
  Mgn head({}, {backbone, identities});
  auto parameters = head.named_parameters();
  for (std::size_t r = 0; r < part_names.size(); ++r) {
    const auto prefix = "reduction_" + part_names[r] + ".";
    REQUIRE(parameters[prefix + "conv.weight"].sizes().vec() == Shape{256, 2048, 1, 1});
    test::fill_by_formula(parameters[prefix + "conv.weight"], "conv.weight",
                          329 + static_cast<std::int64_t>(r));
    parameters[prefix + "bn.weight"].fill_(1);
  }
  const auto trunk = head.trunk();
  trunk->eval();
  head.eval();
  const auto descriptor = head.forward(trunk->propagate(test::formula_images(384, 128)).values).at(0);

  const auto golden = test::golden_json("mgn_se_resnet50_expected.json");
  REQUIRE(descriptor.sizes().vec() == golden["descriptor_shape"].get<Shape>());
  const auto list = [&](const char* key) { return golden[key].get<std::vector<double>>(); };
  CHECK(test::relative_difference(descriptor.norm(2, 1), list("descriptor_norms")) < 1e-4);
  const auto every_128th = descriptor.slice(1, 0, 2048, 128);
  CHECK(test::relative_difference(every_128th[0], list("descriptor_image0_every_128th")) < 1e-4);
  CHECK(test::relative_difference(every_128th[1], list("descriptor_image1_every_128th")) < 1e-4);
}

TEST_CASE("training gives 8 features, 8 logits and the descriptor, as wide as announced") {
  auto backbone = small_backbone();
  Mgn head({.reduced_dim = 16}, {backbone, identities});
  const auto outputs = head.outputs();
  const auto values = head.forward(head.trunk()->propagate(torch::rand({2, 3, 96, 32})).values);
  REQUIRE(outputs.size() == 17);
  REQUIRE(values.size() == 17);
  for (std::size_t i = 0; i < 8; ++i) {
    CHECK(outputs[i].name == part_names[i]);
    CHECK(outputs[i].kind == OutputKind::feature);
    CHECK(outputs[8 + i].name == "logits." + part_names[i]);
    CHECK(outputs[8 + i].kind == OutputKind::logits);
  }
  CHECK(outputs[16].name == "descriptor");
  CHECK(outputs[16].kind == OutputKind::feature);
  for (std::size_t i = 0; i < 17; ++i) {
    CAPTURE(outputs[i].name);
    CHECK(outputs[i].dim == (i < 8 ? 16 : i < 16 ? identities : 128));
    CHECK(values[i].sizes().vec() == Shape{2, outputs[i].dim});
  }
  const auto features = std::vector<torch::Tensor>(values.begin(), values.begin() + 8);
  CHECK(torch::equal(values[16], torch::cat(features, 1)));
}

TEST_CASE("classifiers see the features behind a ReLU") {
  auto backbone = small_backbone();
  Mgn head({.reduced_dim = 16}, {backbone, identities});
  const auto values = head.forward(head.trunk()->propagate(torch::rand({2, 3, 96, 32})).values);
  const auto parameters = head.named_parameters();
  for (std::size_t i = 0; i < 8; ++i) {
    const auto weight = parameters["classifier_" + part_names[i] + ".weight"];
    CHECK(values[i].lt(0).any().item<bool>());
    CHECK(torch::allclose(values[8 + i], values[i].relu().matmul(weight.t()), 1e-4, 1e-5));
  }
}

TEST_CASE("evaluation gives the descriptor alone, of a single image too") {
  auto backbone = small_backbone();
  Mgn head({.reduced_dim = 16}, {backbone, identities});
  head.trunk()->eval();
  head.eval();
  const auto values = head.forward(head.trunk()->propagate(torch::rand({1, 3, 96, 32})).values);
  REQUIRE(values.size() == 1);
  CHECK(values[0].sizes().vec() == Shape{1, 128});
}

TEST_CASE("each vector is pooled from its stripe, from top to bottom") {
  ImageBackbone backbone;
  // Row h of channel c is 10 c + h.
  const auto map = (torch::arange(3, torch::kFloat32) * 10).view({1, 3, 1, 1}) +
                   torch::arange(6, torch::kFloat32).view({1, 1, 6, 1}) + torch::zeros({1, 3, 6, 2});
  const auto check = [&](PoolingKind pooling, const std::vector<double>& rows) {
    Mgn head({.cut = "first", .reduced_dim = 3, .pooling = pooling}, {backbone, identities});
    make_transparent(head);
    head.eval();
    const auto descriptor = head.forward(map).at(0);
    REQUIRE(descriptor.sizes().vec() == Shape{1, 24});
    for (std::size_t part = 0; part < 8; ++part) {
      for (std::size_t c = 0; c < 3; ++c) {
        CAPTURE(part_names[part]);
        CHECK(descriptor[0][static_cast<std::int64_t>(3 * part + c)].item<double>() ==
              doctest::Approx(rows[part] + 10.0 * static_cast<double>(c)).epsilon(1e-4));
      }
    }
  };
  check(PoolingKind::max, {5, 5, 5, 2, 5, 1, 3, 5});
  check(PoolingKind::average, {2.5, 2.5, 2.5, 1, 4, 0.5, 2.5, 4.5});
}

TEST_CASE("branch 1 halves the map in its last stage and the others do not") {
  auto backbone = small_backbone();
  Mgn head({.reduced_dim = 16}, {backbone, identities});
  const auto map = head.trunk()->propagate(torch::rand({2, 3, 96, 32})).values;
  REQUIRE(map.sizes().vec() == Shape{2, 128, 6, 2});
  CHECK(rest_map(head, "branch1", map).sizes().vec() == Shape{2, 256, 3, 1});
  CHECK(rest_map(head, "branch2", map).sizes().vec() == Shape{2, 256, 6, 2});
  CHECK(rest_map(head, "branch3", map).sizes().vec() == Shape{2, 256, 6, 2});
}

TEST_CASE("branches start as copies of the backbone's weights and part from then on") {
  auto backbone = small_backbone();
  {
    const torch::NoGradGuard no_grad;
    for (auto& parameter : backbone.trunk("layer4.0")->parameters()) parameter.add_(0.5);  // as if loaded
  }
  Mgn head({.reduced_dim = 16}, {backbone, identities});
  const auto original = backbone.trunk("layer4.0")->named_parameters();
  std::size_t copied = 0;
  for (const auto& item : head.named_parameters()) {
    if (!item.key().starts_with("branch")) continue;
    const auto name = item.key().substr(std::string("branch1.").size());
    CAPTURE(item.key());
    REQUIRE(original.contains(name));
    CHECK(torch::equal(item.value(), original[name]));
    CHECK(item.value().data_ptr() != original[name].data_ptr());
    ++copied;
  }
  // Three copies of layer3.1 (9 + 4 of SE) and layer4.0 (the same + 3 of its shortcut).
  CHECK(copied == 3 * (13 + 16));
}

TEST_CASE("tensors are named for their branch and part") {
  auto backbone = small_backbone();
  const Mgn head({.reduced_dim = 16}, {backbone, identities});
  const auto parameters = head.named_parameters();
  CHECK(parameters.contains("branch1.layer3.1.conv1.weight"));
  CHECK(parameters.contains("branch3.layer4.0.se_module.fc1.bias"));
  CHECK(parameters.contains("reduction_p3_2.conv.weight"));
  CHECK(parameters.contains("classifier_g1.bias"));
  for (const auto& item : parameters) CHECK(item.key().find("layer3.0") == std::string::npos);
}

TEST_CASE("gradients reach every parameter of trunk and head") {
  for (const bool attention : {false, true}) {
    CAPTURE(attention);
    torch::manual_seed(9);
    auto backbone = small_backbone();
    Mgn head({.reduced_dim = 16, .pooling = PoolingKind::gem, .attention = attention},
             {backbone, identities});
    const auto trunk = head.trunk();
    const auto values = head.forward(trunk->propagate(torch::rand({4, 3, 96, 32})).values);
    auto sum = torch::zeros({});
    for (const auto& value : values) sum = sum + (value * torch::rand_like(value)).sum();
    sum.backward();
    for (const auto* module :
         {static_cast<torch::nn::Module*>(&head), static_cast<torch::nn::Module*>(trunk.get())}) {
      for (const auto& item : module->named_parameters()) {
        CAPTURE(item.key());
        REQUIRE(item.value().grad().defined());
        CHECK(item.value().grad().abs().sum().item<double>() > 0);
      }
    }
  }
}

TEST_CASE("attention scales each vector by a weight that the global vectors give") {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(9);
  auto backbone = small_backbone();
  Mgn head({.reduced_dim = 16, .attention = true}, {backbone, identities});
  head.eval();
  const auto map = head.trunk()->propagate(torch::rand({2, 3, 96, 32})).values;
  auto parameters = head.named_parameters();
  REQUIRE(parameters["attention.0.weight"].sizes().vec() == Shape{128, 3 * 256, 1, 1});
  REQUIRE(parameters["attention.2.weight"].sizes().vec() == Shape{8, 128, 1, 1});
  const auto weighted = head.forward(map).at(0);
  // With a bias of 100 every weight is 1: the descriptor without attention.
  parameters["attention.2.weight"].zero_();
  parameters["attention.2.bias"].fill_(100);
  const auto plain = head.forward(map).at(0);
  const auto weights = (weighted / plain).view({2, 8, 16});
  CHECK(weights.gt(0).all().item<bool>());
  CHECK(weights.lt(1).all().item<bool>());
  // One weight for a vector, and not the same for all.
  CHECK((weights.amax(2) - weights.amin(2)).max().item<double>() < 1e-3);
  CHECK(weights.mean(2).std().item<double>() > 1e-4);
}

TEST_CASE("any backbone with the cut will do, and a cut that it lacks is refused with its blocks") {
  auto backbone = small_backbone();
  CHECK_NOTHROW(Mgn({.cut = "layer2.0"}, {backbone, identities}));
  CHECK_THROWS_WITH_AS(Mgn({.cut = "layer3"}, {backbone, identities}), doctest::Contains("'layer3.0'"),
                       ComponentError);
}

TEST_CASE("images too low for three stripes are refused with the height that they need") {
  auto backbone = small_backbone();
  Mgn head({.reduced_dim = 16}, {backbone, identities});
  head.eval();
  const auto trunk = head.trunk();
  CHECK_THROWS_WITH_AS((void)head.forward(trunk->propagate(torch::rand({2, 3, 32, 32})).values),
                       doctest::Contains("2 rows, too few for 3 stripes; make the images at least 1.5 times"),
                       ComponentError);
  CHECK_NOTHROW((void)head.forward(trunk->propagate(torch::rand({2, 3, 48, 32})).values));
}

TEST_CASE("a cut behind the last downsampling is refused, unless the branches' strides are the same") {
  auto backbone = small_backbone();
  const auto trained = [&](const Mgn::Params& params) {
    Mgn head(params, {backbone, identities});
    return head.forward(head.trunk()->propagate(torch::rand({2, 3, 96, 32})).values);
  };
  CHECK_THROWS_WITH_AS((void)trained({.cut = "layer4.0", .reduced_dim = 16}),
                       doctest::Contains("first_stride = 2 has no effect: behind the cut 'layer4.0'"),
                       ComponentError);
  CHECK_NOTHROW((void)trained({.cut = "layer4.0", .reduced_dim = 16, .first_stride = 1}));
  CHECK_NOTHROW((void)trained({.cut = "layer3.1", .reduced_dim = 16}));
}

TEST_CASE("a batch of one image is too few to train on") {
  auto backbone = small_backbone();
  Mgn head({.reduced_dim = 16}, {backbone, identities});
  CHECK_THROWS_WITH_AS((void)head.forward(head.trunk()->propagate(torch::rand({1, 3, 96, 32})).values),
                       doctest::Contains("at least 2 images"), ComponentError);
}

TEST_CASE("the stride of the first branch, the exponents of the stripes and the biases are parameters") {
  auto backbone = small_backbone();
  const auto map = torch::rand({2, 128, 12, 4});
  for (const std::int64_t stride : {1, 2}) {
    Mgn head({.reduced_dim = 8, .first_stride = stride}, {backbone, identities});
    CHECK(rest_map(head, "branch1", map).size(2) == 12 / stride);
    CHECK(rest_map(head, "branch2", map).size(2) == 12);
    CHECK(head.named_parameters().contains("classifier_g1.bias"));
    CHECK_FALSE(head.named_parameters().contains("pool_g1.p"));
  }
  Mgn head(
      {.reduced_dim = 8, .pooling = PoolingKind::gem, .exponent_per_stripe = true, .classifier_bias = false},
      {backbone, identities});
  const auto names = head.named_parameters();
  for (const auto* name : {"pool_g1.p", "pool_g3.p", "pool_p2.p_1", "pool_p3.p_0", "pool_p3.p_2"}) {
    CHECK(names.contains(name));
  }
  CHECK_FALSE(names.contains("pool_p2.p"));
  CHECK_FALSE(names.contains("classifier_g1.bias"));
}

TEST_CASE("exponents of stripes need a learned generalized mean") {
  const auto error_of = [](Table table) {
    Diagnostics diagnostics;
    static_cast<void>(Mgn::schema().parse(Value(std::move(table)), "head 'mgn'", diagnostics));
    return diagnostics.empty() ? std::string() : diagnostics.all().front().message;
  };
  Table table;
  table.set("exponent_per_stripe", Value(true));
  CHECK(error_of(table).find("exponent_per_stripe needs pooling = 'gem' without gem_exponent") !=
        std::string::npos);
  table.set("pooling", Value(std::string("gem")));
  CHECK(error_of(table).empty());
  table.set("gem_exponent", Value(3.0));
  CHECK(error_of(table).find("without gem_exponent") != std::string::npos);
}
