// A model file of a small network with random weights, and crops to try it on.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "kindred/core/random.h"
#include "model/model.h"
#include "model/model_file.h"
#include "model/population.h"
#include "plugin/plugin_loader.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {

/// The plugins of the build tree.
inline const Catalog& built_plugins() {
  static const auto plugins =
      plugin::load_plugins({std::filesystem::path(build_directory) / "lib/kindred/plugins"});
  return plugins.catalog;
}

/// Writes FOLDER/NAME, of tests/e2e/tiny.toml with overrides: 24 x 48 pixels, 64 numbers.
inline std::filesystem::path write_made_model(const TemporaryFolder& folder,
                                              const std::vector<std::string>& overrides = {},
                                              const std::string& name = "model.safetensors",
                                              const std::vector<model::Camera>& cameras = {},
                                              const std::vector<std::int64_t>& views = {}) {
  const auto plan = recipe::make_plan(
      recipe::load_recipe(std::string(source_directory) + "/tests/e2e/tiny.toml", overrides),
      built_plugins());
  model::Population population(5);
  population.cameras = cameras;
  population.views = views;
  const auto made = model::build_model(plan, population);
  const torch::NoGradGuard no_gradients;
  for (auto& item : made->named_buffers()) {
    if (item.key().ends_with("running_mean")) item.value().normal_(0, 0.2);
  }
  model::write_model_file(folder / name, *made, plan);
  return folder / name;
}

/// Pictures of different sizes with 8-bit noise around a color of their own, BGR.
inline std::vector<cv::Mat> made_crops(std::size_t count) {
  std::vector<cv::Mat> crops;
  for (std::size_t i = 0; i < count; ++i) {
    RandomStream random(11, {i});
    cv::Mat crop(40 + static_cast<int>(random.integer(0, 60)), 20 + static_cast<int>(random.integer(0, 30)),
                 CV_8UC3);
    const auto color = random.integer(0, 180);
    for (int y = 0; y < crop.rows; ++y) {
      for (int x = 0; x < 3 * crop.cols; ++x) {
        crop.ptr<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(color + random.integer(0, 75) * (x % 3) / 2);
      }
    }
    crops.push_back(crop);
  }
  return crops;
}

/// The largest difference of two matrices of floats of one size; infinite for others.
inline double largest_difference(const cv::Mat& a, const cv::Mat& b) {
  if (a.size() != b.size() || a.type() != b.type()) return 1e300;
  return a.empty() ? 0 : cv::norm(a, b, cv::NORM_INF);
}

}  // namespace kindred::test
