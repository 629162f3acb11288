#include "data/planned_loader.h"

#include <algorithm>
#include <numeric>

#include "system/processors.h"

namespace kindred::data {

std::vector<std::unique_ptr<Augmentation>> create_augmentations(const recipe::ExtractionPlan& plan) {
  std::vector<std::unique_ptr<Augmentation>> augmentations;
  for (const auto& choice : plan.augmentations) augmentations.push_back(choice.create({}));
  return augmentations;
}

LoaderOptions loader_options(const recipe::ExtractionPlan& plan) {
  LoaderOptions options;
  options.workers = plan.loader.workers > 0 ? plan.loader.workers : system::usable_processors();
  options.prefetch = plan.loader.prefetch;
  options.skip_bad_images = plan.loader.skip_bad_images;
  options.seed = plan.seed;
  return options;
}

std::vector<std::vector<std::size_t>> consecutive_batches(std::size_t samples, std::size_t size) {
  std::vector<std::vector<std::size_t>> batches;
  for (std::size_t first = 0; first < samples; first += size) {
    auto& batch = batches.emplace_back(std::min(size, samples - first));
    std::iota(batch.begin(), batch.end(), first);
  }
  return batches;
}

}  // namespace kindred::data
