#include <algorithm>
#include <bit>
#include <cstdint>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "command/doctor_checks.h"
#include "data/tracklets.h"

namespace kindred::command {
namespace {

std::vector<std::pair<std::int64_t, std::int64_t>> histogram_of(const std::vector<std::int64_t>& counts) {
  std::vector<std::pair<std::int64_t, std::int64_t>> buckets;
  for (const std::int64_t count : counts) {
    const auto bucket = static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(count))) - 1;
    while (buckets.size() <= bucket) buckets.emplace_back(std::int64_t{1} << buckets.size(), 0);
    ++buckets[bucket].second;
  }
  return buckets;
}

/// @param numbers at least one
Quantiles quantiles_of(std::vector<std::int64_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return {numbers.front(), numbers[(numbers.size() - 1) / 2], numbers.back()};
}

void count_tracklets(const std::vector<Sample>& samples, SplitFigures& figures) {
  std::vector<std::int64_t> counts;
  for (const auto& frames : data::frames_of_tracklets(samples)) {
    const auto& first = samples[frames.front()];
    if (first.split != figures.split || first.tracklet.empty()) continue;
    counts.push_back(static_cast<std::int64_t>(frames.size()));
    if (frames.size() == 1) ++figures.single_frame_tracklets;
  }
  figures.tracklets = static_cast<std::int64_t>(counts.size());
  if (!counts.empty()) figures.frames_per_tracklet = quantiles_of(std::move(counts));
}

SplitFigures figures_of(const std::vector<Sample>& samples, Split split) {
  struct Person {
    std::int64_t images = 0;
    std::set<std::int64_t> cameras;
  };
  SplitFigures figures;
  figures.split = split;
  std::unordered_map<std::int64_t, Person> people;
  for (const Sample& sample : samples) {
    if (sample.split != split) continue;
    ++figures.images;
    ++figures.cameras[sample.camera];
    ++figures.domains[sample.domain];
    if (sample.identity == junk_identity) {
      ++figures.junk;
    } else if (sample.identity == unlabeled_identity) {
      ++figures.unlabeled;
    } else {
      Person& person = people[sample.identity];
      ++person.images;
      person.cameras.insert(sample.camera);
    }
  }
  std::vector<std::int64_t> counts;
  for (const auto& [identity, person] : people) {
    counts.push_back(person.images);
    const bool one = person.cameras.size() == 1 && *person.cameras.begin() != unknown_camera;
    if (one) ++figures.one_camera_identities;
  }
  count_tracklets(samples, figures);
  figures.identities = static_cast<std::int64_t>(counts.size());
  if (counts.empty()) return figures;
  figures.images_per_identity = quantiles_of(counts);
  figures.histogram = histogram_of(counts);
  return figures;
}

}  // namespace

std::vector<SplitFigures> split_figures(const std::vector<Sample>& samples) {
  std::vector<SplitFigures> splits;
  for (const Split split : {Split::train, Split::query, Split::gallery}) {
    SplitFigures figures = figures_of(samples, split);
    if (figures.images > 0) splits.push_back(std::move(figures));
  }
  return splits;
}

std::vector<const Sample*> compared_samples(const std::vector<Sample>& samples) {
  std::set<std::int64_t> asked;
  std::set<std::int64_t> there;
  for (const Sample& sample : samples) {
    if (sample.identity < 0) continue;
    if (sample.split == Split::query) asked.insert(sample.identity);
    if (sample.split == Split::gallery) there.insert(sample.identity);
  }
  std::vector<const Sample*> result;
  for (const Sample& sample : samples) {
    const bool shared = asked.contains(sample.identity) && there.contains(sample.identity);
    if (shared && sample.split != Split::train) result.push_back(&sample);
  }
  return result;
}

GalleryAnswers::GalleryAnswers(const std::vector<Sample>& samples) {
  for (const Sample& sample : samples) {
    if (sample.split != Split::gallery || sample.identity < 0) continue;
    ++counts_[sample.identity][sample.camera];
    paths_.insert(sample.path);
  }
}

std::int64_t GalleryAnswers::all(const Sample& query) const {
  const auto found = counts_.find(query.identity);
  if (found == counts_.end()) return 0;
  std::int64_t images = 0;
  for (const auto& [camera, count] : found->second) images += count;
  return images - (paths_.contains(query.path) ? 1 : 0);
}

std::int64_t GalleryAnswers::of_other_cameras(const Sample& query) const {
  const auto found = counts_.find(query.identity);
  if (found == counts_.end()) return 0;
  std::int64_t images = 0;
  for (const auto& [camera, count] : found->second) images += camera == query.camera ? 0 : count;
  return images;
}

MatchFigures match_figures(const std::vector<Sample>& images) {
  std::vector<Sample> samples;
  for (const auto& frames : data::frames_of_tracklets(images)) samples.push_back(images[frames.front()]);
  MatchFigures match;
  std::set<std::int64_t> asked;
  for (const Sample& sample : samples) {
    if (sample.split != Split::query) continue;
    ++match.queries;
    if (sample.identity < 0) continue;
    ++match.labeled;
    asked.insert(sample.identity);
  }
  for (const Sample& sample : samples) {
    const bool ranked = sample.split == Split::gallery && sample.identity != junk_identity;
    if (ranked && !asked.contains(sample.identity)) ++match.distractors;
  }

  std::set<std::int64_t> cameras;
  for (const Sample* sample : compared_samples(samples)) cameras.insert(sample->camera);
  match.cameras_known = cameras.size() > 1 && !cameras.contains(unknown_camera);
  const GalleryAnswers answers(samples);
  for (const Sample& sample : samples) {
    if (sample.split != Split::query || sample.identity < 0) continue;
    if (answers.all(sample) == 0) {
      ++match.identity_missing;
    } else if (match.cameras_known && answers.of_other_cameras(sample) == 0) {
      ++match.same_camera_only;
    } else {
      ++match.matched;
    }
  }
  return match;
}

}  // namespace kindred::command
