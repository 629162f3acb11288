#include "report/map_pictures.h"

#include <cstddef>
#include <cstdint>
#include <system_error>

#include <torch/types.h>

#include <opencv2/core/mat.hpp>

#include "api/image/pixel_limit_scope.h"
#include "data/loader.h"
#include "data/planned_loader.h"
#include "kindred/core/error.h"
#include "model/population.h"
#include "stage/train_stage.h"

namespace kindred::report {

std::filesystem::path model_of(const RunFiles& run, const RunStage& ranking) {
  const RunStage* features = nullptr;
  for (const auto& input : ranking.inputs) {
    const auto* stage = run.find(input);
    if (stage != nullptr && stage->holds<EmbeddingFiles>() != nullptr) features = stage;
  }
  if (features == nullptr) {
    throw DataError(ranking.folder,
                    "its record does not say whose features were ranked, so there is no model to "
                    "draw activation maps with; omit --maps");
  }
  auto file = features->weights;
  for (const auto& input : features->inputs) {
    const auto* stage = run.find(input);
    if (stage != nullptr && stage->holds<TrainingFiles>() != nullptr)
      file = stage::trained_model(stage->folder);
  }
  std::error_code failure;
  if (!file.empty() && std::filesystem::exists(file, failure)) return file;
  throw DataError(
      file.empty() ? features->folder : file,
      "the model of the features is not there any more, and activation maps need it; omit --maps");
}

MapPictures::MapPictures(const std::filesystem::path& model, const Catalog& catalog)
    : model_(model, catalog, {"loader.skip_bad_images=true"}), maps_(model_.maps(torch::kCPU)) {
  model_.find_datasets_in_paths();  // so the stages of the run called them
}

std::vector<std::string> MapPictures::draw(const std::vector<std::string>& paths, const Pictures& pictures) {
  std::vector<std::string> addresses(paths.size());
  std::vector<Sample> samples;
  std::vector<std::size_t> places;  // of the samples among the paths
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const auto* sample = pictures.sample(paths[i]);
    if (sample == nullptr) continue;
    samples.push_back(*sample);
    places.push_back(i);
  }
  if (samples.empty()) return addresses;
  model_.require_known(samples);
  const auto& dataset = *pictures.dataset();
  const PixelLimitScope limit(data::max_pixels(model_.plan()));
  const auto augmentations = data::create_augmentations(model_.plan());
  data::Loader loader(dataset, samples, augmentations, data::loader_options(model_.plan()), false);
  loader.start(data::consecutive_batches(samples.size(), samples.size()), 0);
  const auto batch = loader.next();
  if (!batch) return addresses;
  const auto address_of = [&](std::size_t of_batch, const torch::Tensor& map) {
    const auto sample = batch->samples[of_batch];
    const auto image = smaller(dataset.image(samples[sample]), picture_width, picture_height);
    addresses[places[sample]] = jpeg_address(inference::overlay(image, map), picture_width, picture_height);
  };
  if (places[batch->samples.front()] != 0) return addresses;  // nothing can be similar to a missing query
  const auto input = [&](const torch::Tensor& images, const std::vector<std::size_t>& indices) {
    return model::network_input(images, samples, indices, model_.population());
  };
  address_of(0, maps_.energy(input(batch->images.slice(0, 0, 1), {batch->samples.front()}))[0]);
  if (batch->samples.size() < 2) return addresses;
  const auto similar = maps_.similarity_to_first(input(batch->images, batch->samples));
  for (std::size_t i = 1; i < batch->samples.size(); ++i) {
    address_of(i, similar[static_cast<std::int64_t>(i) - 1]);
  }
  return addresses;
}

}  // namespace kindred::report
