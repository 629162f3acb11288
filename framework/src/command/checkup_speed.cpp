#include <torch/cuda.h>
#include <torch/utils.h>

#include <algorithm>
#include <cstdint>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "command/checkup_steps.h"
#include "inference/feature_extraction.h"
#include "kindred/role/dataset.h"
#include "model/model.h"
#include "progress/text_progress.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "system/precision.h"
#include "system/transfer.h"
#include "text/number_text.h"
#include "training/image_size.h"
#include "training/trainer.h"

namespace kindred::command {
namespace {

constexpr std::int64_t people_of_market = 751;  // in training

/// Of noise, and of one size: what it takes to decode images is not measured.
class NoiseImages final : public Dataset {
 public:
  NoiseImages(std::int64_t images, cv::Size size) : images_(images), pixels_(size, CV_8UC3) {
    cv::RNG(6).fill(pixels_, cv::RNG::UNIFORM, 0, 256);
  }
  [[nodiscard]] std::vector<Sample> samples() const override {
    std::vector<Sample> samples(static_cast<std::size_t>(images_));
    for (std::size_t i = 0; i < samples.size(); ++i) {
      samples[i].path = std::to_string(i) + ".png";
      samples[i].split = Split::query;
    }
    return samples;
  }
  [[nodiscard]] cv::Mat image(const Sample&) const override { return pixels_; }

 private:
  std::int64_t images_;
  cv::Mat pixels_;
};

/// How much is computed for a figure.
struct Effort {
  std::int64_t batch;
  double seconds;  ///< at least so long, after the first
};

Effort effort(torch::Device device, bool quick) {
  if (device.is_cuda()) return {64, quick ? 1.0 : 5.0};
  return quick ? Effort{4, 0.5} : Effort{16, 8.0};
}

void wait_for(torch::Device device) {
  if (device.is_cuda()) torch::cuda::synchronize(device.index());
}

/// Where the augmentations leave the size to the data, that of most data sets.
cv::Size size_of(const recipe::Plan& plan) {
  return training::image_size(plan, /*at_test_time=*/true).value_or(cv::Size(128, 256));
}

std::string rate_text(double images, double seconds) {
  return text::significant_text(images / seconds, 3) + " images/s";
}

CheckList::Finding embed_speed(const recipe::Plan& plan, torch::Device device, system::Precision precision,
                               const Effort& effort) {
  auto own = plan;
  own.embed.batch_size = device.is_cuda() ? 4 * effort.batch : effort.batch;
  const auto network = model::build_model(plan, model::any_population(people_of_market));
  const auto size = size_of(plan);
  progress::SilentProgress silent;
  const auto extract = [&](std::int64_t batches) {
    const NoiseImages dataset(batches * own.embed.batch_size, size);
    const double start = progress::monotonic_seconds();
    static_cast<void>(inference::extract_features(*network, own, dataset, dataset.samples(), "images",
                                                  {device, precision}, silent));
    return progress::monotonic_seconds() - start;
  };
  static_cast<void>(extract(1));
  const double one = extract(1);
  const auto batches = std::clamp<std::int64_t>(static_cast<std::int64_t>(effort.seconds / one), 1, 200);
  const double seconds = batches == 1 ? one : extract(batches);
  return {rate_text(static_cast<double>(batches * own.embed.batch_size), seconds), {}};
}

CheckList::Finding train_speed(recipe::Plan plan, torch::Device device, system::Precision precision,
                               const Effort& effort) {
  plan.train.precision = precision;
  training::Trainer trainer(plan, model::build_model(plan, model::any_population(people_of_market)), device);
  trainer.start_epoch(1);
  const auto size = size_of(plan);
  auto images = system::transfer_buffer({effort.batch, 3, size.height, size.width}, torch::kFloat32);
  images.normal_();
  const auto labels = torch::arange(effort.batch) % (effort.batch / 2);
  std::int64_t number = 0;
  const auto step = [&] { trainer.step(images, labels, 1, number++, 1e-3); };
  for (int i = 0; i < (device.is_cuda() ? 5 : 1); ++i) step();
  wait_for(device);
  const double start = progress::monotonic_seconds();
  std::int64_t steps = 0;
  double seconds = 0;
  while (steps == 0 || seconds < effort.seconds) {
    for (int i = 0; i < (device.is_cuda() ? 10 : 1); ++i, ++steps) step();
    wait_for(device);
    seconds = progress::monotonic_seconds() - start;
  }
  return {rate_text(static_cast<double>(steps * effort.batch), seconds), {}};
}

}  // namespace

void measure_networks(const std::vector<NamedRecipe>& recipes, const Catalog& catalog, torch::Device device,
                      bool quick, CheckList& checks) {
  const auto amount = effort(device, quick);
  std::vector<system::Precision> precisions{system::suitable_precision(device)};
  if (!quick && precisions.front() != system::Precision::fp32) precisions.push_back(system::Precision::fp32);
  for (const auto& [name, text] : recipes) {
    recipe::Plan plan;
    bool made = false;
    checks.check(name, "", [&, &label = name, &recipe = text]() -> CheckList::Finding {
      plan = recipe::make_plan(recipe::parse_recipe(recipe, label, {}), catalog);
      made = true;
      const auto size = size_of(plan);
      return {"images of " + std::to_string(size.height) + " x " + std::to_string(size.width), {}};
    });
    if (!made) continue;
    for (const auto precision : precisions) {
      const auto what = ", " + system::precision_name(precision);
      checks.check(name + ", embed" + what, "", [&] { return embed_speed(plan, device, precision, amount); });
      // A step of networks after the first, which are larger, takes longer than all else together.
      if (quick && device.is_cpu() && &name != &recipes.front().name) {
        checks.leave_out(name + ", train" + what, "left out by --quick");
        continue;
      }
      checks.check(name + ", train" + what, "", [&] { return train_speed(plan, device, precision, amount); });
    }
  }
}

}  // namespace kindred::command
