// How much each member of an ensemble counts.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace kindred::ensemble {

/// What is wrong with a list of members and their weights, for a schema's rule; "" when nothing is. There
/// must be a member beside this search, and no weight at all or one for each, this search's first.
/// @param key "features"
[[nodiscard]] std::string wrong_members(const std::string& key, std::size_t members,
                                        const std::vector<double>& weights);

/// [members + 1], with sum 1; equal ones where none are given.
[[nodiscard]] std::vector<double> shares(std::size_t members, const std::vector<double>& weights);

}  // namespace kindred::ensemble
