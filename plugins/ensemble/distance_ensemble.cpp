#include "distance_ensemble.h"

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <utility>

#include "kindred/core/error.h"
#include "member_weights.h"

namespace kindred::ensemble {
namespace {

struct Member {
  DistanceBlock distances;
  double share;
  std::filesystem::path file;  ///< "" for this search's own
};

void require_finite(const torch::Tensor& block, std::int64_t first, const std::filesystem::path& file) {
  const auto finite = torch::isfinite(block).all(1);
  if (finite.all().item<bool>()) return;
  const auto row = finite.logical_not().nonzero()[0][0].item<std::int64_t>();
  throw DataError(file, "a distance of query " + std::to_string(first + row) +
                            " of this search (from 0) is not finite; write the file again");
}

torch::Tensor scaled_by_row(const torch::Tensor& block) {
  const auto nearest = std::get<0>(block.min(1, true));
  const auto span = std::get<0>(block.max(1, true)) - nearest;
  return (block - nearest) / span.masked_fill(span == 0, 1);
}

}  // namespace

Schema<DistanceEnsemble::Params> DistanceEnsemble::schema() {
  Schema<Params> s("Averages the distances of this search with those of other models or other searches.",
                   "scale = 'row': Lee, SIGIR 1997");
  s.add("distances", &Params::distances,
        ".npy files of the other distances, as `kindred match --distances` writes them")
      .required()
      .file();
  s.add("weights", &Params::weights,
        "weight of this search, then one for each entry of distances; []: all equal")
      .above(0);
  s.add("scale", &Params::scale,
        "'none': distances are used as they are; 'row': the distances of each query are scaled to [0, 1], so "
        "that different kinds of distances can be mixed",
        {{"none", Scale::none}, {"row", Scale::row}});
  s.rule([](const Params& params) {
    return wrong_members("distances", params.distances.size(), params.weights);
  });
  return s;
}

DistanceEnsemble::DistanceEnsemble(const Params& params, const Context& /*context*/) : params_(params) {}

void DistanceEnsemble::apply(Retrieval& retrieval, RetrievalHost& host) const {
  const auto weights = shares(params_.distances.size(), params_.weights);
  std::vector<Member> members = {{std::move(retrieval.distances), weights[0], {}}};
  for (std::size_t i = 0; i < params_.distances.size(); ++i) {
    members.push_back({host.distances_of(params_.distances[i]), weights[i + 1], params_.distances[i]});
  }
  retrieval.distances = [members = std::move(members), by_row = params_.scale == Scale::row](
                            std::int64_t first, std::int64_t last) {
    torch::Tensor sum;
    for (const auto& member : members) {
      auto block = member.distances(first, last);
      if (!member.file.empty()) require_finite(block, first, member.file);
      if (by_row) block = scaled_by_row(block);
      if (sum.defined()) {
        sum.add_(block, member.share);
      } else {
        sum = block * member.share;
      }
    }
    return sum;
  };
}

}  // namespace kindred::ensemble
