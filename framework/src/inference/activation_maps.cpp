#include "inference/activation_maps.h"

#include <torch/autograd.h>
#include <torch/nn/functional/normalization.h>
#include <torch/nn/functional/upsampling.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <opencv2/imgproc.hpp>
#include <ostream>
#include <utility>

#include "api/image/pixel_limit_scope.h"
#include "data/loader.h"
#include "data/planned_loader.h"
#include "file/atomic_file.h"
#include "kindred/core/error.h"
#include "kindred/image/encode.h"
#include "model/model_file.h"
#include "model/population.h"
#include "progress/meter.h"
#include "system/device.h"
#include "system/rank_range.h"

namespace kindred::inference {
namespace {

namespace F = torch::nn::functional;

constexpr int most_height = 512;
constexpr int gap = 8;

/// Maps [N, h, w] of several sizes, scaled to the largest and added.
torch::Tensor sum_of(const std::vector<torch::Tensor>& maps) {
  std::int64_t height = 0;
  std::int64_t width = 0;
  for (const auto& map : maps) {
    height = std::max(height, map.size(1));
    width = std::max(width, map.size(2));
  }
  torch::Tensor sum;
  for (const auto& map : maps) {
    auto scaled = map;
    if (map.size(1) != height || map.size(2) != width) {
      const auto options = F::InterpolateFuncOptions()
                               .size(std::vector<std::int64_t>{height, width})
                               .mode(torch::kBilinear)
                               .align_corners(false);
      scaled = F::interpolate(map.unsqueeze(1), options).squeeze(1);
    }
    sum = sum.defined() ? sum + scaled : scaled;
  }
  return sum;
}

/// Each map from 0 to 1; one that is the same everywhere, or not finite, is 0.
torch::Tensor ranged(const torch::Tensor& maps) {
  const auto flat = maps.flatten(1);
  const auto least = flat.amin(1, true);
  const auto range = flat.amax(1, true) - least;
  const auto scaled = torch::where(range > 0, (flat - least) / range, torch::zeros_like(flat));
  return torch::nan_to_num(scaled, 0.0, 0.0, 0.0)
      .view(maps.sizes())
      .to(torch::kCPU, torch::kFloat32)
      .contiguous();
}

void require_maps(const std::vector<Activations>& features) {
  const bool flat = features.empty() || std::any_of(features.begin(), features.end(), [](const auto& one) {
                      return !one.grid && one.values.dim() != 4;
                    });
  if (flat) {
    throw Error(
        "maps: error: the backbone of this model gives no feature maps [N, C, h, w], so there is nothing to "
        "show of where it looks");
  }
}

/// Those of whole images: heads may compute parts of images in larger batches, which are no maps of them.
std::vector<Activations> of_whole_images(std::vector<Activations> features, std::int64_t images) {
  std::erase_if(features, [&](const Activations& one) { return one.values.size(0) != images; });
  return features;
}

/// The map alone, in colors.
cv::Mat colored(const torch::Tensor& map, const cv::Size& size) {
  const auto bytes = (map * 255).round().to(torch::kUInt8).contiguous();
  const cv::Mat small(static_cast<int>(bytes.size(0)), static_cast<int>(bytes.size(1)), CV_8UC1,
                      bytes.data_ptr<std::uint8_t>());
  cv::Mat large;
  cv::resize(small, large, size, 0, 0, cv::INTER_CUBIC);
  cv::Mat colors;
  cv::applyColorMap(large, colors, cv::COLORMAP_JET);
  cv::cvtColor(colors, colors, cv::COLOR_BGR2RGB);
  return colors;
}

/// Where the picture of an image lies below a folder, and nowhere else.
std::filesystem::path file_of(const std::string& path) {
  std::filesystem::path file;
  for (const auto& part : std::filesystem::path(path).relative_path()) {
    file /= part == ".." ? std::filesystem::path("_") : part;
  }
  if (file.extension() != ".jpg") file += ".jpg";
  return file;
}

/// Image, map and both, side by side on white.
cv::Mat sheet_of(const cv::Mat& original, const torch::Tensor& map) {
  cv::Mat image = original;
  if (image.rows > most_height) {
    const double factor = static_cast<double>(most_height) / image.rows;
    const int width = std::max(1, static_cast<int>(std::lround(factor * image.cols)));
    cv::resize(original, image, cv::Size(width, most_height), 0, 0, cv::INTER_AREA);
  }
  const cv::Mat white(image.rows, gap, CV_8UC3, cv::Scalar(255, 255, 255));
  cv::Mat sheet;
  cv::hconcat(std::vector<cv::Mat>{image, white, colored(map, image.size()), white, overlay(image, map)},
              sheet);
  return sheet;
}

}  // namespace

ActivationMaps::ActivationMaps(model::Model& model, model::MapWatch& watch, torch::Device device)
    : model_(model), watch_(watch), device_(device) {
  system::place_module(model_, device_);
}

torch::Tensor ActivationMaps::energy(const Activations& images) {
  const torch::NoGradGuard no_gradients;
  static_cast<void>(model_.describe(model::placed(images, device_)));
  const auto maps = of_whole_images(watch_.take(), images.values.size(0));
  require_maps(maps);
  std::vector<torch::Tensor> energies;
  for (const auto& features : maps) {
    const auto energy = features.map().to(torch::kFloat32).square().sum(1);
    energies.push_back(
        F::normalize(energy.flatten(1), F::NormalizeFuncOptions().dim(1)).view(energy.sizes()));
  }
  return ranged(sum_of(energies));
}

torch::Tensor ActivationMaps::similarity_to_first(const Activations& images) {
  const torch::AutoGradMode gradients(true);
  auto descriptors = model_.forward(model::placed(images, device_)).back().to(torch::kFloat32);
  // Through its length a descriptor would lose as much as it gains: the length is held fixed.
  descriptors = descriptors / descriptors.detach().norm(2, 1, /*keepdim=*/true).clamp_min(1e-12);
  const auto maps = of_whole_images(watch_.take(), images.values.size(0));
  require_maps(maps);
  // In evaluation mode no image changes another's descriptor: the gradient of the sum holds those of all.
  const auto similarity = descriptors.slice(0, 1).matmul(descriptors[0].detach()).sum();
  if (!similarity.requires_grad()) require_maps({});
  std::vector<torch::Tensor> values;
  for (const auto& features : maps) values.push_back(features.values);
  const auto slopes = torch::autograd::grad({similarity}, values, /*grad_outputs=*/{}, /*retain_graph=*/false,
                                            /*create_graph=*/false, /*allow_unused=*/true);
  std::vector<torch::Tensor> contributions;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    if (!slopes[i].defined()) continue;  // a branch that the descriptor does not use
    const auto map = maps[i].map().detach().slice(0, 1).to(torch::kFloat32);
    const auto weights =
        maps[i].with(slopes[i]).map().slice(0, 1).to(torch::kFloat32).sum({2, 3}, /*keepdim=*/true);
    contributions.push_back((weights * map).sum(1));
  }
  if (contributions.empty()) require_maps({});
  return ranged(sum_of(contributions).relu());
}

cv::Mat overlay(const cv::Mat& image, const torch::Tensor& map, double image_share) {
  cv::Mat both;
  cv::addWeighted(image, image_share, colored(map, image.size()), 1 - image_share, 0, both);
  return both;
}

MapModel::MapModel(const std::filesystem::path& file, const Catalog& catalog,
                   const std::vector<std::string>& overrides) {
  auto read = model::read_model_file(file, catalog, overrides, &watch_);
  plan_ = std::move(read.plan);
  model_ = std::move(read.model);
}

void write_energy_maps(MapModel& model, const Dataset& dataset, const std::vector<Sample>& samples,
                       const std::filesystem::path& folder, torch::Device device,
                       progress::ProgressSink& progress, const system::Ranks& ranks) {
  const auto& plan = model.plan();
  const PixelLimitScope limit(data::max_pixels(plan));
  model.require_known(samples);
  auto maps = model.maps(device);
  const auto augmentations = data::create_augmentations(plan);
  data::Loader loader(dataset, samples, augmentations, data::loader_options(plan, device, ranks.place()),
                      false);
  auto batches = data::consecutive_batches(samples.size(), static_cast<std::size_t>(plan.embed.batch_size));
  const auto range = system::range_of_rank(static_cast<std::int64_t>(batches.size()), ranks);
  batches = {batches.begin() + range.first, batches.begin() + range.last};
  std::int64_t images = 0;
  for (const auto& batch : batches) images += static_cast<std::int64_t>(batch.size());
  loader.start(std::move(batches), 0);
  progress::Meter meter(progress, "maps", images);
  std::int64_t written = 0;
  while (const auto batch = loader.next()) {
    const auto energies =
        maps.energy(model::network_input(batch->images, samples, batch->samples, model.population()));
    for (std::size_t i = 0; i < batch->samples.size(); ++i) {
      const auto& sample = samples[batch->samples[i]];
      const auto file = folder / file_of(sample.path);
      const auto bytes =
          encode_image(sheet_of(dataset.image(sample), energies[static_cast<std::int64_t>(i)]), ".jpg", file);
      file::write_atomically(file, [&](std::ostream& out) {
        out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
      });
      ++written;
    }
    meter.update(written + loader.skipped());
  }
  const auto counts = torch::tensor({written, loader.skipped()}, torch::kLong);
  ranks.sum(counts);
  if (counts[0].item<std::int64_t>() == 0) {
    throw DataError(folder, "there is no image of which a map could be drawn");
  }
  if (const auto skipped = counts[1].item<std::int64_t>(); skipped > 0) {
    progress.note(std::to_string(skipped) + " images cannot be read and have no map");
  }
  meter.finish();
}

}  // namespace kindred::inference
