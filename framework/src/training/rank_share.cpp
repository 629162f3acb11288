#include "training/rank_share.h"

#include <algorithm>
#include <map>
#include <utility>

namespace kindred::training {
namespace {

using Places = std::vector<std::size_t>;

/// What a rank has.
struct Share {
  std::vector<Places> groups;  ///< each of the images of an identity
  std::size_t images = 0;

  void add(Places group) {
    images += group.size();
    groups.push_back(std::move(group));
  }
  [[nodiscard]] bool is_short() const { return images < fewest_images_of_rank; }
  /// The smallest group without which it is not short, the last of several; `groups.size()` for none.
  [[nodiscard]] std::size_t spare_group() const {
    auto spare = groups.size();
    for (std::size_t i = 0; i < groups.size(); ++i) {
      const auto size = groups[i].size();
      if (images < size + fewest_images_of_rank) continue;
      if (spare == groups.size() || size <= groups[spare].size()) spare = i;
    }
    return spare;
  }
  [[nodiscard]] Places take(std::size_t group) {
    auto taken = std::move(groups[group]);
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(group));
    images -= taken.size();
    return taken;
  }
};

/// Of the images of each identity, in the order of their first ones.
std::vector<Places> places_by_identity(const std::vector<std::size_t>& batch,
                                       const std::vector<std::int64_t>& labels) {
  std::vector<Places> groups;
  std::map<std::int64_t, std::size_t> group_of;
  for (std::size_t place = 0; place < batch.size(); ++place) {
    const auto [found, is_new] = group_of.emplace(labels.at(batch[place]), groups.size());
    if (is_new) groups.emplace_back();
    groups[found->second].push_back(place);
  }
  return groups;
}

/// Gives ranks that are short what those with the most images can spare. When nobody can spare anything, each
/// rank that is not short has one identity, or two with an image each: then there are too few.
void relieve(std::vector<Share>& shares) {
  for (auto& needy : shares) {
    while (needy.is_short()) {
      Share* giver = nullptr;
      for (auto& share : shares) {
        if (&share == &needy || share.spare_group() == share.groups.size()) continue;
        if (giver == nullptr || share.images > giver->images) giver = &share;
      }
      if (giver == nullptr) return;
      needy.add(giver->take(giver->spare_group()));
    }
  }
}

}  // namespace

std::vector<std::vector<std::size_t>> shares_of_ranks(const std::vector<std::size_t>& batch,
                                                      const std::vector<std::int64_t>& labels, int ranks) {
  std::vector<Share> shares(static_cast<std::size_t>(ranks));
  std::size_t before = 0;
  for (auto& group : places_by_identity(batch, labels)) {
    // Where the middle of the group lies decides.
    const auto size = group.size();
    const auto owner = (2 * before + size) * shares.size() / (2 * batch.size());
    shares[owner].add(std::move(group));
    before += size;
  }
  relieve(shares);
  std::vector<std::vector<std::size_t>> places;
  for (const auto& share : shares) {
    auto& own = places.emplace_back();
    for (const auto& group : share.groups) own.insert(own.end(), group.begin(), group.end());
    std::sort(own.begin(), own.end());
  }
  return places;
}

}  // namespace kindred::training
