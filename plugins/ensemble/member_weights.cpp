#include "member_weights.h"

#include <numeric>

namespace kindred::ensemble {

std::string wrong_members(const std::string& key, std::size_t members, const std::vector<double>& weights) {
  if (members == 0) return key + " is empty; name at least one member besides this search";
  if (weights.empty() || weights.size() == members + 1) return "";
  return "weights has " + std::to_string(weights.size()) + (weights.size() == 1 ? " number" : " numbers") +
         ", but needs " + std::to_string(members + 1) + ": one for this search, then one for each entry of " +
         key;
}

std::vector<double> shares(std::size_t members, const std::vector<double>& weights) {
  auto result = weights.empty() ? std::vector<double>(members + 1, 1.0) : weights;
  const double sum = std::accumulate(result.begin(), result.end(), 0.0);
  for (auto& share : result) share /= sum;
  return result;
}

}  // namespace kindred::ensemble
