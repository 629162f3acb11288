#include "feature_ensemble.h"

#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <filesystem>

#include "kindred/core/error.h"
#include "kindred/search/row_lengths.h"
#include "member_weights.h"

namespace kindred::ensemble {
namespace {

void require_directions(const torch::Tensor& rows, std::int64_t queries,
                        const std::filesystem::path& folder) {
  const auto lengths = row_lengths(rows);
  const auto* length = lengths.data_ptr<double>();
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    if (length[i] > 0 && std::isfinite(length[i])) continue;
    const bool query = i < queries;
    throw DataError(
        folder, "its descriptor of " +
                    (query ? "query " + std::to_string(i) : "gallery image " + std::to_string(i - queries)) +
                    " of this search (from 0) has length 0 or is not finite; extract the features again");
  }
}

}  // namespace

Schema<FeatureEnsemble::Params> FeatureEnsemble::schema() {
  Schema<Params> s(
      "Concatenates the descriptors of other models for the same images with those of this search; the "
      "cosine becomes the weighted mean of the models' cosines.");
  s.add("features", &Params::features,
        "folders with the features of the other models, as `kindred embed` writes them")
      .required()
      .file();
  s.add("weights", &Params::weights,
        "weight of this search, then one for each entry of features; []: all equal")
      .above(0);
  s.rule(
      [](const Params& params) { return wrong_members("features", params.features.size(), params.weights); });
  return s;
}

FeatureEnsemble::FeatureEnsemble(const Params& params, const Context& /*context*/) : params_(params) {}

void FeatureEnsemble::apply(Retrieval& retrieval, RetrievalHost& host) const {
  const auto weights = shares(params_.features.size(), params_.weights);
  std::vector<torch::Tensor> members = {retrieval.descriptors};
  for (const auto& folder : params_.features) {
    members.push_back(host.descriptors_of(folder).contiguous());
    require_directions(members.back(), retrieval.queries, folder);
  }
  for (std::size_t m = 0; m < members.size(); ++m) {
    scale_to_unit_length(members[m]);
    members[m].mul_(std::sqrt(weights[m]));
  }
  retrieval.descriptors = torch::cat(members, 1);
}

}  // namespace kindred::ensemble
