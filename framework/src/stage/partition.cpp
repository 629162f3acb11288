#include "stage/partition.h"

#include <opencv2/core/mat.hpp>

#include "data/each_image.h"
#include "kindred/core/error.h"

namespace kindred::stage {

PartitionOutcome partition(const Partitioner& partitioner, const Dataset& dataset,
                           const std::vector<Sample>& samples, const std::filesystem::path& folder,
                           progress::ProgressSink& progress) {
  const auto csv = folder / results::DomainsFile::name;
  if (samples.empty()) throw DataError(csv, "is not written: there are no images");
  results::DomainsFile list;
  list.images.resize(samples.size());
  data::for_each_image(samples.size(), "partition", &progress, [&](std::size_t i) {
    const auto image = partitioner.needs_pixels() ? dataset.image(samples[i]) : cv::Mat();
    list.images[i] = {samples[i].path, samples[i].split, partitioner.domain(samples[i], image)};
  });
  list.write(csv);
  return {csv, list.domains()};
}

}  // namespace kindred::stage
