#include "data/planned_loader.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>

#include "api/image/pixel_limit_scope.h"
#include "data/open_choice.h"
#include "kindred/core/error.h"
#include "system/processors.h"
#include "system/rank_machine.h"

namespace kindred::data {
namespace {

/// From the last dot of the file's name on; "" without one.
std::string ending_of(std::string_view path) {
  path.remove_prefix(path.find_last_of('/') + 1);
  const auto dot = path.find_last_of('.');
  return std::string(dot == std::string_view::npos ? "" : path.substr(dot));
}

}  // namespace

std::vector<std::unique_ptr<Augmentation>> create_augmentations(const recipe::ExtractionPlan& plan) {
  std::vector<std::unique_ptr<Augmentation>> augmentations;
  for (const auto& choice : plan.augmentations) augmentations.push_back(choice.create({}));
  return augmentations;
}

std::int64_t max_pixels(const recipe::ExtractionPlan& plan) {
  return std::max<std::int64_t>(1, std::llround(plan.loader.max_megapixels * 1e6));
}

LoaderOptions loader_options(const recipe::ExtractionPlan& plan, torch::Device device,
                             const system::RankPlace& place) {
  LoaderOptions options;
  const auto workers = system::threads_of_rank(plan.loader.workers, place);
  options.workers = workers > 0 ? workers : system::usable_processors();
  options.prefetch = plan.loader.prefetch;
  options.skip_bad_images = plan.loader.skip_bad_images;
  options.max_pixels = max_pixels(plan);
  options.seed = plan.seed;
  options.pinned = device.is_cuda();
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

void try_each_ending(const recipe::ExtractionPlan& plan, const Dataset& dataset,
                     const std::vector<Sample>& samples) {
  if (plan.loader.skip_bad_images) return;
  const PixelLimitScope limit(max_pixels(plan));
  struct Ending {
    const Sample* first;
    std::int64_t images = 0;
  };
  std::map<std::string, Ending> endings;
  for (const auto& sample : samples)
    ++endings.try_emplace(ending_of(sample.path), Ending{&sample}).first->second.images;
  for (const auto& [ending, found] : endings) {
    try {
      static_cast<void>(dataset.image(*found.first));
    } catch (const DataError& error) {
      if (found.images == 1) throw;
      throw with_addition(error, " (" + std::to_string(found.images) + " images " +
                                     (ending.empty() ? "have no ending" : "end in " + ending) +
                                     "; loader.skip_bad_images = true leaves out those that cannot be read)");
    }
  }
}

}  // namespace kindred::data
