// The score by which the NAIC competitions ranked.
#pragma once

#include <cstdint>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/metric.h"

namespace kindred::naic {

/// (mAP + Rank-1) / 2, with mAP at a depth (kindred/search/average_precision.h).
class NaicScore final : public Metric {
 public:
  struct Params {
    std::int64_t depth = 200;
  };
  static Schema<Params> schema();

  NaicScore(const Params& params, const Context& context);
  [[nodiscard]] std::vector<FigureInfo> figures() const override;
  [[nodiscard]] MetricResult judge(const std::vector<QueryRanks>& queries) const override;

 private:
  Params params_;
};

}  // namespace kindred::naic
