#include "near_pairs.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <numeric>
#include <vector>

#include "kindred/search/nearest_rows.h"

namespace my_plugins {
namespace {

/// Sets that are joined step by step; each is known by its smallest member.
class Sets {
 public:
  explicit Sets(std::size_t count) : above_(count) {
    std::iota(above_.begin(), above_.end(), std::size_t{0});
  }
  [[nodiscard]] std::size_t smallest(std::size_t member) {
    while (above_[member] != member) member = above_[member] = above_[above_[member]];
    return member;
  }
  void join(std::size_t a, std::size_t b) {
    a = smallest(a);
    b = smallest(b);
    above_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<std::size_t> above_;
};

}  // namespace

kindred::Schema<NearPairs::Params> NearPairs::schema() {
  kindred::Schema<Params> s("Identities are what pairs of near images connect.");
  s.add("max_distance", &Params::max_distance, "largest cosine distance of a pair").range(0, 2);
  s.add("neighbors", &Params::neighbors, "how many nearest images are looked at").at_least(1).unit("images");
  return s;
}

NearPairs::NearPairs(const Params& params, const Context&) : params_(params) {}

kindred::PseudoLabels NearPairs::label(const kindred::Retrieval& images, kindred::RetrievalHost& host) const {
  kindred::NearestOptions options;
  options.count = params_.neighbors + 1;  // each image is its own nearest
  options.device = host.device();
  const auto nearest = host.nearest_rows(images.descriptors, options);

  const auto count = images.descriptors.size(0);
  const auto near = [&](std::int64_t image, std::int64_t other) {
    const auto rows = nearest.of(image);
    const auto found = std::find(rows.begin(), rows.end(), other);
    // Of vectors of length 1, the squared Euclidean distance is twice the cosine distance.
    return found != rows.end() &&
           nearest.distances_of(image)[static_cast<std::size_t>(found - rows.begin())] <=
               2 * params_.max_distance;
  };
  Sets sets(static_cast<std::size_t>(count));
  std::vector<bool> paired(static_cast<std::size_t>(count));
  for (std::int64_t image = 0; image < count; ++image) {
    for (const auto other : nearest.of(image)) {
      if (other == image || !near(image, other) || !near(other, image)) continue;
      paired[static_cast<std::size_t>(image)] = true;
      sets.join(static_cast<std::size_t>(image), static_cast<std::size_t>(other));
    }
  }

  kindred::PseudoLabels labels;
  std::map<std::size_t, std::int64_t> numbers;
  std::int64_t alone = 0;
  for (std::size_t image = 0; image < paired.size(); ++image) {
    if (!paired[image]) {
      ++alone;
      labels.identities.push_back(kindred::unlabeled_identity);
      continue;
    }
    const auto next = static_cast<std::int64_t>(numbers.size());
    labels.identities.push_back(numbers.emplace(sets.smallest(image), next).first->second);
  }
  if (alone > 0) labels.left_out.push_back({"in no pair", alone});
  return labels;
}

}  // namespace my_plugins
