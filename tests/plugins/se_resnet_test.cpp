#include "se_resnet.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "golden/formula_images.h"
#include "golden/golden_model.h"
#include "kindred/core/error.h"
#include "tensor_checks.h"

using kindred::se_resnet::SeResnet;
using kindred::test::parameter_count;
using Shape = std::vector<std::int64_t>;

namespace {}  // namespace

TEST_CASE("tensors have the names and shapes of the public weights") {
  SeResnet net({}, {});
  const auto trunk = net.trunk("layer4.2");
  const auto tensors = kindred::test::golden_tensors(*trunk);
  const auto golden = kindred::test::golden_json("se_resnet50_tensors.json");
  REQUIRE(golden.size() == 329);
  CHECK(tensors.size() == golden.size());
  for (const auto& entry : golden) {
    const auto name = entry[0].get<std::string>();
    CAPTURE(name);
    REQUIRE(tensors.count(name) == 1);
    CHECK(tensors.at(name).sizes().vec() == entry[1].get<Shape>());
  }
}

TEST_CASE("the map agrees with an independent evaluation of the definition") {
  at::set_num_threads(2);
  const torch::NoGradGuard no_grad;
  SeResnet net({.last_stride = 2}, {});
  const auto trunk = net.trunk("layer4.2");
  kindred::test::fill_backbone_by_formula(*trunk);
  trunk->eval();
  const auto map = trunk->propagate(kindred::test::formula_images(384, 128)).values;

  const auto golden = kindred::test::golden_json("mgn_se_resnet50_expected.json");
  CHECK(map.sizes().vec() == golden["backbone_map_shape"].get<Shape>());
  CHECK(map.mean().item<double>() ==
        doctest::Approx(golden["backbone_map_mean"].get<double>()).epsilon(1e-4));
  CHECK(map.std().item<double>() == doctest::Approx(golden["backbone_map_std"].get<double>()).epsilon(1e-4));
  const auto means = golden["backbone_channel_means_image0_first8"].get<std::vector<double>>();
  CHECK(kindred::test::relative_difference(map[0].mean({1, 2}).narrow(0, 0, 8), means) < 1e-4);
}

TEST_CASE("the larger depths have the published numbers of parameters") {
  // Published with the 1000-class "last_linear": 28,088,024; 49,326,872; 66,821,848.
  SeResnet se50({.depth = 50}, {});
  CHECK(parameter_count(se50) == 28088024 - 2049000);
  SeResnet se101({.depth = 101}, {});
  CHECK(parameter_count(se101) == 49326872 - 2049000);
  SeResnet se152({.depth = 152}, {});
  CHECK(parameter_count(se152) == 66821848 - 2049000);
}

TEST_CASE("a last stride of 1 changes the map's size and no tensor") {
  const torch::NoGradGuard no_grad;
  SeResnet fine({.last_stride = 1, .width_multiplier = 0.125}, {});
  SeResnet coarse({.last_stride = 2, .width_multiplier = 0.125}, {});
  const auto fine_trunk = fine.trunk("layer4.2");
  const auto coarse_trunk = coarse.trunk("layer4.2");
  const auto images = torch::rand({1, 3, 128, 64});
  CHECK(fine_trunk->propagate(images).values.sizes().vec() == Shape{1, 256, 8, 4});
  CHECK(coarse_trunk->propagate(images).values.sizes().vec() == Shape{1, 256, 4, 2});
  const auto fine_tensors = kindred::test::golden_tensors(*fine_trunk);
  for (const auto& entry : kindred::test::golden_tensors(*coarse_trunk)) {
    const auto& name = entry.first;
    CAPTURE(name);
    REQUIRE(fine_tensors.count(name) == 1);
    CHECK(fine_tensors.at(name).sizes() == entry.second.sizes());
  }
}

TEST_CASE("the first pooling has no padding and rounds up") {
  const torch::NoGradGuard no_grad;
  SeResnet net({.width_multiplier = 0.125}, {});
  // 130 x 66 -> 65 x 33 by the convolution; padding would make 33 x 17 of it.
  const auto odd = net.trunk("layer0")->propagate(torch::rand({1, 3, 130, 66})).values;
  CHECK(odd.sizes().vec() == Shape{1, 8, 32, 16});
  // 128 x 64 -> 64 x 32 -> 31.5 and 15.5, rounded up.
  const auto even = net.trunk("layer0")->propagate(torch::rand({1, 3, 128, 64})).values;
  CHECK(even.sizes().vec() == Shape{1, 8, 32, 16});
}

TEST_CASE("a depth that does not exist is refused with those that do") {
  kindred::Table table;
  table.set("depth", kindred::Value(std::int64_t{18}));
  kindred::Diagnostics diagnostics;
  (void)SeResnet::schema().parse(kindred::Value(table), "backbone 'se_resnet'", diagnostics);
  REQUIRE(diagnostics.all().size() == 1);
  CHECK(diagnostics.all()[0].message == "backbone 'se_resnet': depth = 18 is not one of 50, 101 and 152");
}
