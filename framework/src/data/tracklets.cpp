#include "data/tracklets.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "kindred/core/error.h"

namespace kindred::data {

std::vector<Frames> frames_of_tracklets(const std::vector<Sample>& samples) {
  std::vector<Frames> all;
  all.reserve(samples.size());
  std::map<std::pair<Split, std::string_view>, std::size_t> places;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto& sample = samples[i];
    if (!sample.tracklet.empty()) {
      const auto [place, fresh] =
          places.emplace(std::pair<Split, std::string_view>(sample.split, sample.tracklet), all.size());
      if (!fresh) {
        all[place->second].push_back(i);
        continue;
      }
    }
    all.push_back({i});
  }
  for (auto& frames : all) {
    std::stable_sort(frames.begin(), frames.end(),
                     [&](std::size_t a, std::size_t b) { return samples[a].path < samples[b].path; });
  }
  return all;
}

Frames evenly_chosen(const Frames& frames, std::int64_t count) {
  const auto wanted = static_cast<std::size_t>(count);
  if (wanted == 0 || frames.size() <= wanted) return frames;
  Frames chosen;
  chosen.reserve(wanted);
  for (std::size_t i = 0; i < wanted; ++i) {
    chosen.push_back(frames[(2 * i + 1) * frames.size() / (2 * wanted)]);
  }
  return chosen;
}

const char* difference_of(const Sample& a, const Sample& b) {
  if (a.identity != b.identity) return "identity";
  if (a.camera != b.camera) return "camera";
  if (a.clothes != b.clothes) return "clothes";
  return a.domain != b.domain ? "domain" : "";
}

Sample sample_of_tracklet(const std::vector<Sample>& samples, const Frames& frames) {
  auto result = samples[frames.front()];
  for (const auto frame : frames) {
    const auto& other = samples[frame];
    if (const std::string what = difference_of(result, other); !what.empty()) {
      throw DataError(other.path, (what == "clothes" ? "has other " : "has another ") + what + " than '" +
                                      result.path + "', although both are frames of the tracklet '" +
                                      result.tracklet +
                                      "'; a tracklet shows one person before one camera, so correct one of "
                                      "them, or give them tracklets of their own");
    }
    if (other.view != result.view) result.view = unknown_view;
  }
  return result;
}

std::vector<Sample> samples_of_tracklets(const std::vector<Sample>& samples) {
  std::vector<Sample> result;
  for (const auto& frames : frames_of_tracklets(samples)) {
    result.push_back(sample_of_tracklet(samples, frames));
  }
  return result;
}

}  // namespace kindred::data
