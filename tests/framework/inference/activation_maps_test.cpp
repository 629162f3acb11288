#include "inference/activation_maps.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data_files.h"
#include "kindred/role/backbone.h"
#include "kindred/role/head.h"
#include "model/map_watch.h"
#include "model/model_file.h"
#include "plugin/plugin_loader.h"
#include "progress/progress.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "small_networks.h"
#include "temporary_folder.h"
#include "test_paths.h"
#include "tiny_components.h"

namespace kindred::test {
using namespace kindred::inference;  // NOLINT
namespace {

/// A model of the tiny components that is watched.
struct WatchedModel {
  Catalog catalog = tiny_catalog();
  recipe::Plan plan = tiny_plan(catalog);
  model::MapWatch watch;
  std::shared_ptr<model::Model> model = model::build_model(plan, 5, {}, &watch);
  torch::Tensor images = torch::rand({4, 3, 16, 8});

  WatchedModel() { model->eval(); }
};

/// From 0 to 1.
torch::Tensor stretched(const torch::Tensor& map) {
  return (map - map.min()) / (map.max() - map.min());
}

TEST_CASE("the energy of a map is the sum of the squares over its channels, stretched from 0 to 1") {
  WatchedModel tiny;
  const auto energies = ActivationMaps(*tiny.model, tiny.watch, torch::kCPU).energy(tiny.images);
  static_cast<void>(tiny.model->describe(tiny.images));
  const auto maps = tiny.watch.take();
  REQUIRE(maps.size() == 1);
  REQUIRE(energies.size(0) == 4);
  REQUIRE(energies.size(1) == maps[0].map().size(2));
  REQUIRE(energies.size(2) == maps[0].map().size(3));
  for (std::int64_t i = 0; i < 4; ++i) {
    CHECK(torch::allclose(energies[i], stretched(maps[0].map()[i].square().sum(0)), 1e-4, 1e-5));
  }
}

TEST_CASE("what makes an image similar to the query is Grad-CAM of the cosine similarity") {
  WatchedModel tiny;
  const auto similar = ActivationMaps(*tiny.model, tiny.watch, torch::kCPU).similarity_to_first(tiny.images);
  REQUIRE(similar.size(0) == 3);
  static_cast<void>(tiny.model->describe(tiny.images));
  const auto map = tiny.watch.take().at(0).map();
  // The head takes the mean m over the map; of s = cos(q, m) with |m| held fixed the gradient is q/|q| / |m|.
  const auto means = map.mean({2, 3});
  const auto query = means[0] / means[0].norm();
  for (std::int64_t i = 1; i < 4; ++i) {
    const auto cam = ((query / means[i].norm()).view({-1, 1, 1}) * map[i]).sum(0);
    CHECK(cam.mean().item<float>() ==
          doctest::Approx(query.dot(means[i]).item<float>() / means[i].norm().item<float>()));
    CHECK(torch::allclose(similar[i - 1], stretched(cam.relu()), 1e-3, 1e-4));
  }
  for (const auto& parameter : tiny.model->parameters()) CHECK_FALSE(parameter.grad().defined());
}

TEST_CASE("a map that is the same everywhere is nothing, not noise") {
  WatchedModel tiny;
  const torch::NoGradGuard no_gradients;
  for (auto& parameter : tiny.model->parameters()) parameter.zero_();
  ActivationMaps maps(*tiny.model, tiny.watch, torch::kCPU);
  CHECK(maps.energy(tiny.images).abs().max().item<float>() == 0);
  CHECK(maps.similarity_to_first(tiny.images).abs().max().item<float>() == 0);
}

TEST_CASE("the maps of every backbone are seen under every head, and watching changes nothing") {
  const auto plugins = plugin::load_plugins({std::filesystem::path(build_directory) / "lib/kindred/plugins"});
  const auto backbones = plugins.catalog.components(Backbone::role_name);
  const auto heads = plugins.catalog.components(Head::role_name);
  REQUIRE(backbones.size() >= 5);
  REQUIRE(heads.size() >= 2);
  for (const auto* backbone : backbones) {
    const auto small = small_backbone_of(backbone->info().name);
    for (const auto* head : heads) {
      CAPTURE(backbone->info().name);
      CAPTURE(head->info().name);
      const auto made = small_plan(plugins.catalog, backbone->info(), head->info());
      if (!made) continue;
      const auto& plan = *made;
      const bool takes_tokens = head->info().takes_form == FeatureForm::tokens;
      const bool clip = head->info().name == "clip_reid";
      const bool branches = head->info().name == "mgn";
      const auto plain = model::build_model(plan, 4);
      model::MapWatch watch;
      const auto watched = model::build_model(plan, 4, {}, &watch);
      const auto tensors = model::module_tensors(*plain);
      const auto same = model::module_tensors(*watched);
      REQUIRE(tensors.size() == same.size());
      for (std::size_t i = 0; i < tensors.size(); ++i) {
        REQUIRE(tensors[i].first == same[i].first);
        REQUIRE(torch::equal(tensors[i].second, same[i].second));
      }
      plain->eval();
      watched->eval();
      const auto images = torch::rand({3, 3, 96, 48});
      CHECK(torch::allclose(plain->describe(images), watched->describe(images)));
      const auto maps = watch.take();
      // TransReID's local branch sees parts of images.
      CHECK(maps.size() == (branches ? 3 : takes_tokens ? 2 : 1));
      for (const auto& map : maps) CHECK(map.map().dim() == 4);
      ActivationMaps drawn(*watched, watch, torch::kCPU);
      const auto energy = drawn.energy(images);
      CHECK(energy.min().item<float>() == 0);
      CHECK(energy.max().item<float>() == 1);
      if (takes_tokens || (clip && small.tokens)) continue;  // the class token alone
      const auto similar = drawn.similarity_to_first(images);
      REQUIRE(similar.size(0) == 2);
      CHECK(similar.max().item<float>() == 1);
    }
  }
}

TEST_CASE("a map is stretched over its image, red where it is high and blue where it is low") {
  const cv::Mat image(32, 16, CV_8UC3, cv::Scalar(0, 0, 0));
  const auto drawn = overlay(image, torch::tensor({{1.0F}, {0.0F}}));
  CHECK(drawn.size() == image.size());
  const auto top = drawn.at<cv::Vec3b>(0, 8);
  const auto bottom = drawn.at<cv::Vec3b>(31, 8);
  CHECK(top[0] > top[2]);
  CHECK(bottom[2] > bottom[0]);
}

TEST_CASE("each image gets a sheet of itself, its map and both, in the folder and nowhere else") {
  const TemporaryFolder folder;
  WatchedModel tiny;
  model::write_model_file(folder / "model.safetensors", *model::build_model(tiny.plan, 5), tiny.plan);
  MapModel model(folder / "model.safetensors", tiny.catalog, {});
  const TinyDataset dataset({}, {});
  const std::vector<Sample> samples{{"train/a.jpg", 10, 1, "", Split::train},
                                    {"../../b.png", 20, 2, "", Split::query},
                                    {"/c", 30, 2, "", Split::query}};
  progress::SilentProgress progress;
  write_energy_maps(model, dataset, samples, folder / "out/maps", torch::kCPU, progress);
  for (const auto* name : {"train/a.jpg", "_/_/b.png.jpg", "c.jpg"}) {
    CAPTURE(name);
    const auto sheet = read_image(folder / (std::string("out/maps/") + name));
    CHECK(sheet.size() == cv::Size(3 * 8 + 2 * 8, 16));  // images of 8 x 16, gaps of 8
  }
  CHECK(files_in(folder / "out") == 1);
  CHECK(files_in(folder.path()) == 2);  // the model and "out"
}

}  // namespace
}  // namespace kindred::test
