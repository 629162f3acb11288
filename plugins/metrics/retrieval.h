// How well rankings find the same person: mAP, CMC and mINP.
#pragma once

#include <cstdint>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/metric.h"

namespace kindred::metrics {

/// mAP (kindred/search/average_precision.h), called "mAP@k" at a depth k; "rankK" of CMC, the share of
/// queries with a right image among the first K; mINP, the mean of n / rank of the last of n right images. Of
/// each query: ap, inp and first_rank. The whole CMC is the curve "cmc".
class Retrieval final : public Metric {
 public:
  struct Params {
    std::int64_t depth = 0;
    std::vector<std::int64_t> ranks{1, 5, 10};
  };
  static Schema<Params> schema();
  static constexpr int default_order = 0;

  Retrieval(const Params& params, const Context& context);
  [[nodiscard]] std::vector<FigureInfo> figures() const override;
  [[nodiscard]] MetricResult judge(const std::vector<QueryRanks>& queries) const override;

 private:
  Params params_;
};

}  // namespace kindred::metrics
