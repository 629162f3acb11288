// How far a user has to read.
#pragma once

#include <cstdint>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/metric.h"

namespace my_plugins {

/// The mean rank of the first right image over the queries, and the share of queries that find one by
/// `within`.
class MeanRank final : public kindred::Metric {
 public:
  struct Params {
    std::int64_t within = 20;
  };
  static kindred::Schema<Params> schema();

  MeanRank(const Params& params, const Context& context);

  [[nodiscard]] std::vector<kindred::FigureInfo> figures() const override;
  [[nodiscard]] kindred::MetricResult judge(const std::vector<kindred::QueryRanks>& queries) const override;

 private:
  Params params_;
};

}  // namespace my_plugins
