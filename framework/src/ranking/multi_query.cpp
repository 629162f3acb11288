#include "ranking/multi_query.h"

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "kindred/core/error.h"
#include "ranking/similarity.h"

namespace kindred::ranking {
namespace {

/// Means of directions that are shorter have lost all of them but rounding.
constexpr float shortest_mean = 1e-5F;

}  // namespace

file::Features merge_queries(const file::Features& query, const std::string& name) {
  const auto units = unit_rows(query.descriptors, name);
  file::Features merged;
  std::vector<std::int64_t> row_of;  // of each query, in the merged ones
  std::vector<std::int64_t> sizes;
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, std::int64_t> known;
  for (const auto& sample : query.samples) {
    const auto next = static_cast<std::int64_t>(merged.samples.size());
    auto row = next;
    if (sample.identity >= 0)
      row = known.emplace(std::tuple(sample.identity, sample.camera, sample.clothes), next).first->second;
    if (row == next) {
      merged.samples.push_back(sample);
      sizes.push_back(0);
    }
    row_of.push_back(row);
    ++sizes[static_cast<std::size_t>(row)];
  }

  merged.descriptors = torch::zeros({static_cast<std::int64_t>(sizes.size()), units.size(1)});
  for (std::size_t i = 0; i < row_of.size(); ++i) {
    merged.descriptors[row_of[i]].add_(units[static_cast<std::int64_t>(i)]);
  }
  merged.descriptors.div_(torch::tensor(sizes).unsqueeze(1));
  const auto lengths = merged.descriptors.norm(2, 1).contiguous();
  for (std::size_t row = 0; row < sizes.size(); ++row) {
    if (lengths.data_ptr<float>()[row] >= shortest_mean) continue;
    const auto& sample = merged.samples[row];
    throw DataError(
        name, "the descriptors of the " + std::to_string(sizes[row]) + " queries of identity " +
                  std::to_string(sample.identity) + " and the camera of '" + sample.path +
                  "' cancel each other out, so their mean has no direction; evaluate without multi_query");
  }
  merged.descriptors.div_(lengths.unsqueeze(1));
  return merged;
}

}  // namespace kindred::ranking
