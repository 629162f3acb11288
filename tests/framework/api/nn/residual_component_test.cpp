#include "kindred/nn/residual_component.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "recipe/toml_reader.h"

using namespace kindred;

namespace {

Schema<ResidualParameters> schema(std::vector<std::int64_t> depths) {
  Schema<ResidualParameters> s("");
  add_residual_parameters(s, std::move(depths));
  return s;
}

std::string error_of(const std::string& toml, std::vector<std::int64_t> depths) {
  Diagnostics diagnostics;
  static_cast<void>(
      schema(std::move(depths)).parse(recipe::parse_toml(toml, "r"), "backbone 'x'", diagnostics));
  return diagnostics.empty() ? "" : diagnostics.all().front().message;
}

}  // namespace

TEST_CASE("the depths that a component has are said, and others refused") {
  CHECK(schema({18, 34, 50}).parameters().front().doc == "layers: 18, 34 or 50");
  CHECK(error_of("depth = 34", {18, 34, 50}).empty());
  CHECK(error_of("depth = 101", {18, 34, 50}) == "backbone 'x': depth = 101 is not one of 18, 34 and 50");
  CHECK(error_of("depth = 18", {50, 101}) == "backbone 'x': depth = 18 is neither 50 nor 101");
}

TEST_CASE("the former name of the width multiplier is answered with the present one") {
  CHECK(error_of("width = 0.5", {50, 101}) ==
        "backbone 'x' has no parameter 'width'; it is called 'width_multiplier' now");
}

TEST_CASE("the parameters decide the network: blocks by the depth, strides and channels as given") {
  const auto shallow = residual_options({.depth = 34, .last_stride = 2, .width_multiplier = 0.5});
  CHECK(shallow.block == ResidualBlock::basic);
  CHECK(shallow.stages == std::vector<std::int64_t>{3, 4, 6, 3});
  CHECK(shallow.last_stride == 2);
  CHECK(shallow.width_multiplier == 0.5);
  const auto deep = residual_options({.depth = 101});
  CHECK(deep.block == ResidualBlock::bottleneck);
  CHECK(deep.stages == std::vector<std::int64_t>{3, 4, 23, 3});
  CHECK(deep.last_stride == 1);
}

TEST_CASE("each stem has the layouts of the programs that name their tensors so") {
  const auto names = [](ResidualStem stem) {
    std::vector<std::string> result;
    for (const auto& layout : residual_weights_layouts(stem)) result.push_back(layout.name);
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
    return result;
  };
  CHECK(names(ResidualStem::torchvision) == std::vector<std::string>{"fast-reid MGN", "fast-reid baseline",
                                                                     "reid-strong-baseline", "torchreid",
                                                                     "torchvision"});
  CHECK(names(ResidualStem::layer0) == std::vector<std::string>{"MGN on SE-ResNet (NAIC 2019)",
                                                                "pretrained-models (Cadene)",
                                                                "reid-strong-baseline", "torchreid"});
}
