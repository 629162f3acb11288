#include "stage/partition.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>
#include <unordered_map>

#include "data/each_image.h"
#include "data/tracklets.h"
#include "kindred/core/error.h"

namespace kindred::stage {
namespace {

/// All frames of a tracklet are of the domain of most of them; of several, of the first by name.
void agree_in_tracklets(const std::vector<Sample>& samples, results::DomainsFile& list) {
  for (const auto& frames : data::frames_of_tracklets(samples)) {
    if (frames.size() == 1) continue;
    std::map<std::string, std::int64_t> counts;
    for (const auto frame : frames) ++counts[list.images[frame].domain];
    const auto most = std::max_element(counts.begin(), counts.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    for (const auto frame : frames) list.images[frame].domain = most->first;
  }
}

/// As a list of domains that says otherwise is refused where it is read.
void require_one_domain(const results::DomainsFile& list) {
  std::unordered_map<std::string_view, const results::DomainsFile::Image*> known;
  for (const auto& image : list.images) {
    const auto& other = *known.emplace(image.path, &image).first->second;
    if (other.domain == image.domain) continue;
    throw DataError(image.path,
                    "is of the domain '" + other.domain + "' in the split '" + split_name(*other.split) +
                        "' and of '" + image.domain + "' in '" + split_name(*image.split) +
                        "', though it is one image: its camera, or the other frames of its "
                        "tracklet, are others there; correct these, or leave it out of one split");
  }
}

}  // namespace

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
  agree_in_tracklets(samples, list);
  require_one_domain(list);
  list.write(csv);
  return {csv, list.domains()};
}

}  // namespace kindred::stage
