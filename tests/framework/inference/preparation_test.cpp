#include "inference/preparation.h"

#include <doctest/doctest.h>
#include <torch/csrc/jit/runtime/interpreter.h>
#include <torch/torch.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "kindred/core/random.h"
#include "kindred/role/augmentation.h"
#include "plugin/plugin_loader.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "test_paths.h"

namespace kindred::test {
using namespace kindred::inference;  // NOLINT
namespace {

/// The augmentations of a recipe, as a model's images go through them.
Preparer preparer_of(const std::vector<std::string>& overrides) {
  static const auto plugins =
      plugin::load_plugins({std::filesystem::path(build_directory) / "lib/kindred/plugins"});
  auto all = overrides;
  all.emplace_back("augmentation.horizontal_flip.enabled=false");
  all.emplace_back("augmentation.pad_crop.enabled=false");
  const auto plan = recipe::make_plan(
      recipe::load_recipe(std::string(source_directory) + "/tests/e2e/tiny.toml", all), plugins.catalog);
  auto augmentations = std::make_shared<std::vector<std::unique_ptr<Augmentation>>>();
  for (const auto& choice : plan.augmentations) augmentations->push_back(choice.create({}));
  return [augmentations](const cv::Mat& source) {
    auto image = source.clone();
    RandomStream random(1, {1});
    for (auto& augmentation : *augmentations) augmentation->apply(image, random);
    const bool bytes = image.depth() == CV_8U;
    const auto pixels =
        torch::from_blob(image.data, {image.rows, image.cols, 3}, bytes ? torch::kByte : torch::kFloat)
            .to(torch::kFloat)
            .permute({2, 0, 1})
            .clone();
    return bytes ? pixels / 255 : pixels;
  };
}

const cv::Size tiny_size(24, 48);

torch::Tensor prepared(const Preparation& preparation, const cv::Mat& image) {
  torch::jit::Stack stack{torch::from_blob(image.data, {1, image.rows, image.cols, 3}, torch::kByte).clone()};
  torch::jit::InterpreterState(torch::jit::Code(preparation_graph(preparation), "prepare")).run(stack);
  return stack.at(0).toTensor()[0];
}

cv::Mat picture(cv::Size size) {
  cv::Mat coarse(7, 5, CV_8UC3);
  cv::RNG(3).fill(coarse, cv::RNG::UNIFORM, 0, 256);
  cv::Mat image;
  cv::resize(coarse, image, size, 0, 0, cv::INTER_CUBIC);
  return image;
}

}  // namespace

TEST_CASE("what augmentations do to images is found out, and the graph does the same") {
  const std::string resize = "augmentation.resize.";
  struct Case {
    std::vector<std::string> overrides;
    Scaling scaling;
  };
  const std::vector<Case> cases = {
      {{}, Scaling::linear},
      {{resize + "interpolation='area'"}, Scaling::area},
      {{resize + "interpolation='cubic'"}, Scaling::cubic},
      {{resize + "antialias=true"}, Scaling::antialiased_linear},
      {{resize + "interpolation='cubic'", resize + "antialias=true"}, Scaling::antialiased_cubic}};
  for (const auto& item : cases) {
    const auto prepare = preparer_of(item.overrides);
    const auto found = find_preparation(prepare, tiny_size);
    REQUIRE(found);
    CAPTURE(scaling_text(item.scaling));
    CHECK(scaling_text(found->scaling) == scaling_text(item.scaling));
    CHECK(found->mean[0] == doctest::Approx(0.485).epsilon(1e-5));
    CHECK(found->mean[2] == doctest::Approx(0.406).epsilon(1e-5));
    CHECK(found->deviation[1] == doctest::Approx(0.224).epsilon(1e-5));
    for (const auto size :
         {cv::Size(24, 48), cv::Size(61, 133), cv::Size(11, 19), cv::Size(90, 30), cv::Size(10, 200)}) {
      const auto image = picture(size);
      // In levels of 8 bits: how fixed-point numbers round.
      const auto difference =
          (prepared(*found, image) - prepare(image)).abs().max().item<double>() * 255 * 0.229;
      CAPTURE(size.width);
      CHECK(difference < 1.6);
    }
  }
}

TEST_CASE("the graph makes all numbers where the images lie, and has no constants but factor and offset") {
  for (const auto scaling : {Scaling::linear, Scaling::area, Scaling::cubic, Scaling::antialiased_linear,
                             Scaling::antialiased_cubic}) {
    CAPTURE(scaling_text(scaling));
    const auto graph = preparation_graph({tiny_size, scaling, {0.5, 0.5, 0.5}, {0.2, 0.2, 0.2}});
    int made = 0;
    int constants = 0;
    for (const auto* node : graph->nodes()) {
      const std::string name = node->kind().toQualString();
      CHECK_FALSE((name == "aten::ones" || name == "aten::zeros" || name == "aten::full"));
      if (name == "prim::Constant" && node->output()->type()->kind() == c10::TypeKind::TensorType)
        ++constants;
      if (name != "aten::arange") continue;
      ++made;
      CHECK(std::string(node->namedInput("device")->node()->kind().toQualString()) == "prim::device");
    }
    CHECK(made >= 4);
    CHECK(constants == 2);
  }
}

TEST_CASE("without normalization values are in [0, 1]; inverted ones have a negative deviation") {
  const auto plain = find_preparation(preparer_of({"augmentation.normalize.enabled=false"}), tiny_size);
  REQUIRE(plain);
  CHECK(plain->mean[1] == 0);
  CHECK(plain->deviation[1] == doctest::Approx(1));
  const Preparer inverted = [](const cv::Mat& image) {
    cv::Mat scaled;
    cv::resize(image, scaled, tiny_size);
    return 1 - torch::from_blob(scaled.data, {48, 24, 3}, torch::kByte).to(torch::kFloat).permute({2, 0, 1}) /
                   255;
  };
  const auto found = find_preparation(inverted, tiny_size);
  REQUIRE(found);
  CHECK(found->mean[0] == doctest::Approx(1));
  CHECK(found->deviation[0] == doctest::Approx(-1));
}

TEST_CASE("what is more than scaling and standardizing is not described by a preparation") {
  const auto with = [](const std::function<void(cv::Mat&)>& change) -> Preparer {
    return [change](const cv::Mat& image) {
      cv::Mat scaled;
      cv::resize(image, scaled, tiny_size);
      change(scaled);
      return torch::from_blob(scaled.data, {48, 24, 3}, torch::kByte).to(torch::kFloat).permute({2, 0, 1}) /
             255;
    };
  };
  CHECK(find_preparation(with([](cv::Mat&) {}), tiny_size));
  CHECK_FALSE(find_preparation(with([](cv::Mat& image) {
                                 cv::Mat one = image.reshape(1);
                                 cv::equalizeHist(one, one);
                               }),
                               tiny_size));
  CHECK_FALSE(find_preparation(with([](cv::Mat& image) { cv::cvtColor(image, image, cv::COLOR_RGB2BGR); }),
                               tiny_size));
  CHECK_FALSE(find_preparation(with([](cv::Mat& image) {
                                 cv::GaussianBlur(image, image, {5, 5}, 2);
                               }),
                               tiny_size));
  CHECK_FALSE(find_preparation(with([](cv::Mat& image) { image *= 0; }), tiny_size));
}

}  // namespace kindred::test
