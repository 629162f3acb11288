#include "mean_rank.h"

#include <string>

namespace my_plugins {

kindred::Schema<MeanRank::Params> MeanRank::schema() {
  kindred::Schema<Params> s("The mean rank of the first right image.");
  s.add("within", &Params::within, "the rank up to which a query counts as answered").at_least(1);
  return s;
}

MeanRank::MeanRank(const Params& params, const Context&) : params_(params) {}

std::vector<kindred::FigureInfo> MeanRank::figures() const {
  // Figures of one name are compared with each other, so what decides a figure's meaning is in its name.
  const auto within = std::to_string(params_.within);
  return {{.name = "first_right",
           .label = "Mean rank",
           .doc = "mean rank of the first right image",
           .kind = kindred::FigureKind::number,
           .higher_is_better = false},
          {.name = "answered@" + within,
           .label = "Answered@" + within,
           .doc = "share of queries with a right image among the first " + within}};
}

kindred::MetricResult MeanRank::judge(const std::vector<kindred::QueryRanks>& queries) const {
  const auto count = static_cast<double>(queries.size());
  double sum = 0;
  double answered = 0;
  for (const auto& query : queries) {
    sum += static_cast<double>(query.ranks.front());
    answered += query.ranks.front() <= params_.within ? 1 : 0;
  }
  return {.values = {sum / count, answered / count}, .per_query = {}, .tables = {}};
}

}  // namespace my_plugins
