#include "retrieval.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <utility>

#include "kindred/search/average_precision.h"

namespace kindred::metrics {

Schema<Retrieval::Params> Retrieval::schema() {
  Schema<Params> s("mAP, CMC and mINP: how early a ranking lists the correct images of its query.",
                   "mAP and CMC: Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015; "
                   "mINP: Ye et al., Deep Learning for Person Re-identification, TPAMI 2021");
  s.add("depth", &Params::depth, "images at the start of each ranking that mAP is computed over; 0: all")
      .at_least(0)
      .unit("images");
  s.add("ranks", &Params::ranks,
        "ranks of CMC whose figures are given: a query counts if a correct image is among the first so many; "
        "the curve cmc has every rank")
      .at_least(1);
  s.rule([](const Params& params) -> std::string {
    const std::set<std::int64_t> once(params.ranks.begin(), params.ranks.end());
    return once.size() == params.ranks.size() ? "" : "ranks has a number twice; name each once";
  });
  return s;
}

Retrieval::Retrieval(const Params& params, const Context& /*context*/) : params_(params) {}

std::vector<FigureInfo> Retrieval::figures() const {
  const auto map = params_.depth > 0 ? "mAP@" + std::to_string(params_.depth) : std::string("mAP");
  std::vector<FigureInfo> figures{{.name = map,
                                   .label = map,
                                   .doc = "mean over the queries of the average precision of their rankings",
                                   .prominence = Prominence::headline}};
  for (const auto rank : params_.ranks) {
    const auto number = std::to_string(rank);
    const bool first = figures.size() == 1;
    figures.push_back({.name = "rank" + number,
                       .label = "Rank-" + number,
                       .doc = "share of the queries with a correct image among the first " + number,
                       .prominence = first ? Prominence::headline : Prominence::listed});
  }
  figures.push_back({.name = "mINP",
                     .label = "mINP",
                     .doc = "mean over the queries of n / rank of the last of their n correct images"});
  return figures;
}

namespace {

/// The share of the queries with a right image among the first k, for each k up to that from which on it does
/// not rise.
/// @param first_ranks of the first right image of each query; at least one
MetricTable cmc_curve(std::vector<double> first_ranks) {
  std::sort(first_ranks.begin(), first_ranks.end());
  MetricColumn rank{"rank", "rank", FigureKind::number, {}};
  MetricColumn share{"share", "queries with a correct image", FigureKind::share, {}};
  std::size_t found = 0;
  for (double k = 1; k <= first_ranks.back(); ++k) {
    while (found < first_ranks.size() && first_ranks[found] <= k) ++found;
    rank.values.push_back(k);
    share.values.push_back(static_cast<double>(found) / static_cast<double>(first_ranks.size()));
  }
  MetricTable table;
  table.name = "cmc";
  table.title = "CMC curve";
  table.doc = "Share of the queries with a correct image among the first images of their rankings";
  table.columns = {std::move(rank), std::move(share)};
  table.plot = MetricTable::Plot{"rank", "share", /*logarithmic_x=*/true};
  return table;
}

}  // namespace

MetricResult Retrieval::judge(const std::vector<QueryRanks>& queries) const {
  const auto depth = params_.depth > 0 ? "@" + std::to_string(params_.depth) : std::string();
  MetricColumn ap{"ap" + depth, "AP" + depth, FigureKind::share, {}};
  MetricColumn inp{"inp", "INP", FigureKind::share, {}};
  MetricColumn first{"first_rank", "first correct image at rank", FigureKind::number, {}};
  double ap_sum = 0;
  double inp_sum = 0;
  std::vector<double> within(params_.ranks.size());
  for (const auto& query : queries) {
    const auto& ranks = query.ranks;
    ap.values.push_back(average_precision(ranks, params_.depth));
    inp.values.push_back(static_cast<double>(ranks.size()) / static_cast<double>(ranks.back()));
    first.values.push_back(static_cast<double>(ranks.front()));
    ap_sum += ap.values.back();
    inp_sum += inp.values.back();
    for (std::size_t i = 0; i < within.size(); ++i) within[i] += ranks.front() <= params_.ranks[i] ? 1 : 0;
  }
  const auto count = static_cast<double>(queries.size());
  MetricResult result;
  result.values.push_back(ap_sum / count);
  for (const auto found : within) result.values.push_back(found / count);
  result.values.push_back(inp_sum / count);
  result.tables = {cmc_curve(first.values)};
  result.per_query = {std::move(ap), std::move(inp), std::move(first)};
  return result;
}

}  // namespace kindred::metrics
