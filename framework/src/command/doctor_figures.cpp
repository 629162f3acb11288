#include <algorithm>
#include <bit>
#include <optional>
#include <set>
#include <unordered_map>

#include "command/doctor_checks.h"

namespace kindred {
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
    } else if (sample.identity == unlabelled_identity) {
      ++figures.unlabelled;
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
  figures.identities = static_cast<std::int64_t>(counts.size());
  if (counts.empty()) return figures;
  std::sort(counts.begin(), counts.end());
  figures.images_per_identity = {counts.front(), counts[(counts.size() - 1) / 2], counts.back()};
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

MatchFigures match_figures(const std::vector<Sample>& samples) {
  MatchFigures match;
  std::unordered_map<std::int64_t, std::set<std::int64_t>> gallery;  // identity -> cameras
  std::set<std::int64_t> cameras;
  std::set<std::int64_t> asked;
  for (const Sample& sample : samples) {
    if (sample.split == Split::train) continue;
    cameras.insert(sample.camera);
    if (sample.split == Split::query) asked.insert(sample.identity);
    if (sample.split == Split::gallery && sample.identity >= 0)
      gallery[sample.identity].insert(sample.camera);
  }
  match.cameras_known = !cameras.contains(unknown_camera) && cameras.size() > 1;

  for (const Sample& sample : samples) {
    if (sample.split == Split::gallery && sample.identity >= 0 && !asked.contains(sample.identity)) {
      ++match.distractors;
    }
    if (sample.split != Split::query) continue;
    ++match.queries;
    if (sample.identity < 0) continue;
    ++match.labelled;
    const auto found = gallery.find(sample.identity);
    if (found == gallery.end()) {
      ++match.identity_missing;
    } else if (match.cameras_known && found->second.size() == 1 && found->second.contains(sample.camera)) {
      ++match.same_camera_only;
    } else {
      ++match.matched;
    }
  }
  return match;
}

}  // namespace kindred
