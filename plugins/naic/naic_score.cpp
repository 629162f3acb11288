#include "naic_score.h"

#include <string>

#include "kindred/search/average_precision.h"

namespace kindred::naic {

Schema<NaicScore::Params> NaicScore::schema() {
  Schema<Params> s("The score of the NAIC competitions: (mAP + Rank-1) / 2.",
                   "National Artificial Intelligence Challenge, person re-identification, 2019");
  s.add("depth", &Params::depth, "images at the start of each ranking that mAP is computed over; 0: all")
      .at_least(0)
      .unit("images");
  return s;
}

NaicScore::NaicScore(const Params& params, const Context& /*context*/) : params_(params) {}

std::vector<FigureInfo> NaicScore::figures() const {
  // With another depth it is another figure.
  std::string depth;
  if (params_.depth != Params().depth) {
    depth = params_.depth == 0 ? "@all" : "@" + std::to_string(params_.depth);
  }
  return {{.name = "naic_score" + depth,
           .label = "NAIC score" + depth,
           .doc = "the mean of mAP, at the metric's depth, and Rank-1",
           .prominence = Prominence::headline}};
}

MetricResult NaicScore::judge(const std::vector<QueryRanks>& queries) const {
  double precisions = 0;
  double found_first = 0;
  for (const auto& query : queries) {
    precisions += average_precision(query.ranks, params_.depth);
    found_first += query.ranks.front() == 1 ? 1 : 0;
  }
  MetricResult result;
  result.values = {(precisions + found_first) / (2 * static_cast<double>(queries.size()))};
  return result;
}

}  // namespace kindred::naic
