#include "model/least_images.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

#include "kindred/core/error.h"
#include "kindred/role/backbone.h"
#include "kindred/role/head.h"
#include "model/model.h"
#include "one_thread.h"
#include "plugin/plugin_loader.h"
#include "small_networks.h"
#include "test_paths.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::model;
using namespace kindred::test;

namespace {

Activations images_of(std::int64_t height, std::int64_t width, std::int64_t count = 2) {
  Activations images(torch::zeros({count, 3, height, width}));
  images.cameras = torch::zeros({count}, torch::kInt64);
  images.views = torch::zeros({count}, torch::kInt64);
  return images;
}

/// A network that takes images of 33 x 17 and larger ones.
void takes_33_17(const Activations& images) {
  if (images.values.size(2) < 33 || images.values.size(3) < 17) throw std::runtime_error("too small");
}

}  // namespace

TEST_CASE("the smallest images are found, whichever side is too short") {
  const ImageExtent least{33, 17};
  CHECK(least_images(takes_33_17, images_of(16, 8)) == least);
  CHECK(least_images(takes_33_17, images_of(32, 600)) == least);
  CHECK(least_images(takes_33_17, images_of(33, 16)) == least);
  CHECK(least_images(takes_33_17, images_of(1, 1)) == least);
}

TEST_CASE("images are not called too small where their size is not the matter") {
  CHECK(least_images(takes_33_17, images_of(33, 17)) == std::nullopt);
  const auto takes_nothing = [](const Activations&) { throw std::runtime_error("never"); };
  CHECK(least_images(takes_nothing, images_of(16, 8)) == std::nullopt);
  const auto takes_one_size = [](const Activations& images) {
    if (images.values.size(2) != 64) throw std::runtime_error("another size");
  };
  CHECK(least_images(takes_one_size, images_of(16, 8)) == std::nullopt);
}

TEST_CASE("a model names the size that it needs, and is in the mode that it was in") {
  const auto catalog = tiny_catalog();
  const auto model = build_model(tiny_plan(catalog), any_population());
  for (const bool training : {false, true}) {
    model->train(training);
    const auto norms = model->named_buffers();
    const auto before = norms["backbone.norm.running_mean"].clone();
    try {
      static_cast<void>(model->forward(images_of(1, 2)));
      FAIL("images of 1 x 2 pixels are taken");
    } catch (const ImagesTooSmall& error) {
      const auto least = error.least();
      const std::string size = std::to_string(least.height) + " x " + std::to_string(least.width);
      CHECK(std::string(error.what()) ==
            "error: backbone 'tiny' of plugin 'tiny' takes images of at least " + size +
                " pixels (height x width), and these have 1 x 2; choose larger images in the augmentation "
                "that sets their size, or another backbone or head");
      CHECK(model->is_training() == training);
      CHECK(torch::equal(norms["backbone.norm.running_mean"], before));
      model->eval();
      CHECK_NOTHROW(static_cast<void>(model->forward(images_of(least.height, least.width))));
      CHECK_THROWS_AS(static_cast<void>(model->forward(images_of(least.height - 1, least.width))),
                      ImagesTooSmall);
    }
  }
}

TEST_CASE("no network that is offered hands on LibTorch's own error for small images") {
  const OneThread one_thread;
  const auto plugins = plugin::load_plugins({std::filesystem::path(build_directory) / "lib/kindred/plugins"});
  std::int64_t refused = 0;
  for (const auto* backbone : plugins.catalog.components(Backbone::role_name)) {
    for (const auto* head : plugins.catalog.components(Head::role_name)) {
      CAPTURE(backbone->info().name);
      CAPTURE(head->info().name);
      const auto plan = small_plan(plugins.catalog, backbone->info(), head->info());
      if (!plan) continue;
      const auto model = build_model(*plan, any_population(4));
      model->eval();
      const auto try_images = [&](std::int64_t height, std::int64_t width) {
        std::optional<ImageExtent> least;
        try {
          static_cast<void>(model->describe(images_of(height, width)));
        } catch (const ImagesTooSmall& error) {
          ++refused;
          least = error.least();
        } catch (const Error& error) {
          // A component that says what it needs.
          ++refused;
          CHECK(std::string(error.what()).find("LibTorch") == std::string::npos);
        }
        return least;
      };
      for (const auto side : {1, 6}) {
        if (const auto least = try_images(side, side)) CHECK(!try_images(least->height, least->width));
      }
    }
  }
  CHECK(refused > 0);
}
