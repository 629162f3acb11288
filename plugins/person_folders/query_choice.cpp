#include "query_choice.h"

#include <algorithm>
#include <map>
#include <set>

#include "kindred/core/random.h"

namespace kindred::person_folders {
namespace {

constexpr std::uint64_t query_stream = 2;

using Images = std::vector<Sample*>;

Sample& drawn(Images& images, std::uint64_t seed) {
  // Not by the order in which the images were handed over.
  std::sort(images.begin(), images.end(), [](const Sample* a, const Sample* b) { return a->path < b->path; });
  const auto& first = *images.front();
  RandomStream random(seed, {query_stream, static_cast<std::uint64_t>(first.identity),
                             static_cast<std::uint64_t>(first.camera)});
  const auto last = static_cast<std::int64_t>(images.size()) - 1;
  return *images[static_cast<std::size_t>(random.integer(0, last))];
}

void choose_across_cameras(const Images& images, std::uint64_t seed) {
  std::map<std::int64_t, Images> cameras;
  for (auto* image : images) cameras[image->camera].push_back(image);
  if (cameras.size() < 2) return;
  bool chosen = false;
  for (auto& [camera, seen] : cameras) {
    if (seen.size() < 2) continue;
    drawn(seen, seed).split = Split::query;
    chosen = true;
  }
  if (!chosen) cameras.begin()->second.front()->split = Split::query;
}

}  // namespace

void choose_queries(std::vector<Sample*>& test, std::uint64_t seed) {
  std::map<std::int64_t, Images> people;
  std::set<std::int64_t> cameras;
  for (auto* sample : test) {
    sample->split = Split::gallery;
    cameras.insert(sample->camera);
    if (sample->identity >= 0) people[sample->identity].push_back(sample);
  }
  const bool across = cameras.size() > 1 && *cameras.begin() != unknown_camera;
  for (auto& [identity, images] : people) {
    if (across) {
      choose_across_cameras(images, seed);
    } else if (images.size() > 1) {
      drawn(images, seed).split = Split::query;
    }
  }
}

}  // namespace kindred::person_folders
