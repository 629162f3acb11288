#include "inference/shared_extraction.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstddef>

#include "data/tracklets.h"
#include "kindred/core/error.h"

namespace kindred::inference {
namespace {

/// The first of a rank's batches; that of `ranks` is the number of all.
std::size_t first_of_rank(std::size_t units, std::size_t batch, int rank, int ranks) {
  const auto batches = (units + batch - 1) / batch;
  return std::min(units, batches * static_cast<std::size_t>(rank) / static_cast<std::size_t>(ranks) * batch);
}

}  // namespace

file::Features extract_together(FeatureExtraction& extraction, const Dataset& dataset,
                                const std::vector<Sample>& samples, const std::string& what,
                                std::int64_t batch_size, const system::Ranks& ranks,
                                progress::ProgressSink& progress) {
  if (!ranks.are_many()) return extraction.extract(dataset, samples, what, progress);
  // Of one row each.
  const auto units = data::frames_of_tracklets(samples);
  const auto begin =
      first_of_rank(units.size(), static_cast<std::size_t>(batch_size), ranks.rank(), ranks.count());
  const auto end =
      first_of_rank(units.size(), static_cast<std::size_t>(batch_size), ranks.rank() + 1, ranks.count());
  std::vector<Sample> own;
  for (auto unit = begin; unit < end; ++unit) {
    for (const auto frame : units[unit]) own.push_back(samples[frame]);
  }
  file::Features part;
  if (!own.empty() || samples.empty()) part = extraction.extract(dataset, own, what, progress);

  // Images that are bad and skipped have no row.
  const auto stand_for = data::samples_of_tracklets(samples);
  std::vector<std::int64_t> kept;
  auto unit = begin;
  for (const auto& sample : part.samples) {
    while (stand_for[unit].path != sample.path) ++unit;
    kept.push_back(static_cast<std::int64_t>(unit++));
  }
  auto dim = torch::full({1}, part.samples.empty() ? 0 : part.descriptors.size(1), torch::kLong);
  dim = torch::cat(ranks.gather(dim)).max();
  if (part.samples.empty()) part.descriptors = torch::empty({0, dim.item<std::int64_t>()});
  file::Features all;
  all.descriptors = torch::cat(ranks.gather(part.descriptors.contiguous()));
  const auto places = torch::cat(ranks.gather(torch::tensor(kept, torch::kLong)));
  for (std::int64_t i = 0; i < places.size(0); ++i) {
    all.samples.push_back(stand_for[static_cast<std::size_t>(places[i].item<std::int64_t>())]);
  }
  return all;
}

}  // namespace kindred::inference
