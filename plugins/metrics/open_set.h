// How well distances tell persons apart, also those whom the gallery does not know.
#pragma once

#include <memory>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/metric.h"

namespace kindred::metrics {

/// "TPR@FPR=r" for each rate r: the share of the pairs of one person that the threshold finds which lets at
/// most the share r of the pairs of two persons through; the area under the ROC curve, "AUC", and by how much
/// that may be wrong. Two tables: the thresholds, and the curve. Counted by OpenSetCounter. No figure has a
/// value where there are no pairs of one of the two kinds.
class OpenSet final : public Metric {
 public:
  struct Params {
    std::vector<double> false_positive_rates{1e-4, 1e-3, 1e-2};
  };
  static Schema<Params> schema();
  static constexpr int default_order = 100;

  OpenSet(const Params& params, const Context& context);
  [[nodiscard]] std::vector<FigureInfo> figures() const override;
  [[nodiscard]] std::unique_ptr<PairCounter> count_pairs(const PairTotals& pairs) const override;

 private:
  Params params_;
};

}  // namespace kindred::metrics
