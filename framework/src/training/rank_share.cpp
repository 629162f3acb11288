#include "training/rank_share.h"

#include <algorithm>
#include <map>

namespace kindred::training {

std::vector<std::size_t> share_of_rank(const std::vector<std::size_t>& batch,
                                       const std::vector<std::int64_t>& labels, int rank, int ranks) {
  std::vector<std::vector<std::size_t>> groups;
  std::map<std::int64_t, std::size_t> group_of;
  for (std::size_t place = 0; place < batch.size(); ++place) {
    const auto [found, is_new] = group_of.emplace(labels.at(batch[place]), groups.size());
    if (is_new) groups.emplace_back();
    groups[found->second].push_back(place);
  }
  std::vector<std::size_t> share;
  std::size_t before = 0;
  for (const auto& group : groups) {
    // Where the middle of the group lies decides.
    const auto middle = 2 * before + group.size();
    const auto owner = middle * static_cast<std::size_t>(ranks) / (2 * batch.size());
    if (owner == static_cast<std::size_t>(rank)) share.insert(share.end(), group.begin(), group.end());
    before += group.size();
  }
  std::sort(share.begin(), share.end());
  return share;
}

}  // namespace kindred::training
