#include "manifest_layout.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

#include "kindred/text/sample_table.h"

namespace kindred::manifest {
namespace {

/// Deals the names of a tracklet's frames out anew, so that they are in the order of the frames' paths.
void keep_order_of_frames(const std::vector<Sample>& samples, std::vector<std::string>& names) {
  std::map<std::pair<Split, std::string_view>, std::vector<std::size_t>> tracklets;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (!samples[i].tracklet.empty()) tracklets[{samples[i].split, samples[i].tracklet}].push_back(i);
  }
  for (auto& [tracklet, frames] : tracklets) {
    std::vector<std::string> own;
    for (const auto frame : frames) own.push_back(names[frame]);
    std::sort(own.begin(), own.end());
    std::sort(frames.begin(), frames.end(),
              [&](std::size_t a, std::size_t b) { return samples[a].path < samples[b].path; });
    for (std::size_t i = 0; i < frames.size(); ++i) names[frames[i]] = std::move(own[i]);
  }
}

}  // namespace

Schema<ManifestLayout::Params> ManifestLayout::schema() {
  return Schema<Params>("Images by split, and manifest.csv with all that is known of them.");
}

ManifestLayout::ManifestLayout(const Params& /*params*/, const Context& /*context*/) {}

LayoutFiles ManifestLayout::files(const std::vector<Sample>& samples, const std::string& ending) const {
  LayoutFiles files;
  std::map<Split, std::int64_t> numbers;
  for (const auto& sample : samples) {
    files.images.push_back(std::string(split_name(sample.split)) + '/' +
                           zero_padded(++numbers[sample.split], 6) + '.' + ending);
  }
  keep_order_of_frames(samples, files.images);
  auto placed = samples;
  for (std::size_t i = 0; i < placed.size(); ++i) placed[i].path = files.images[i];
  std::ostringstream table;
  write_sample_table(table, placed);
  files.lists.push_back({"manifest.csv", table.str()});
  return files;
}

}  // namespace kindred::manifest
