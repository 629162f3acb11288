#include "open_set.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "kindred/text/number_text.h"
#include "open_set_counter.h"

namespace kindred::metrics {
namespace {

constexpr const char* title = "Same person or not";

/// "0.001", "1e-05"
std::string rate_text(double rate) {
  return significant_text(rate, 6);
}

/// Below so many, a share moves by more than a tenth with each of them.
constexpr std::int64_t least_pairs = 10;

std::string pairs_text(std::int64_t count, const std::string& kind) {
  return std::to_string(count) + " " + kind + (count == 1 ? " pair" : " pairs");
}

/// What speaks against the TPR at a rate: `least_pairs` pairs of one person, and so many of two that as many
/// may pass. "" when nothing does.
std::string caution_at(double rate, const OpenSetScores& scores) {
  const double needed = std::ceil(static_cast<double>(least_pairs) / rate);
  if (static_cast<double>(scores.negatives) < needed) {
    return "from " + pairs_text(scores.negatives, "negative") + "; " + fixed_text(needed, 0) + " are needed";
  }
  if (scores.positives < least_pairs) {
    return "from " + pairs_text(scores.positives, "positive") + "; " + std::to_string(least_pairs) +
           " are needed";
  }
  return "";
}

/// Why there is no figure at all; "" when there are both kinds of pairs.
std::string caution_without_pairs(const OpenSetScores& scores) {
  if (scores.positives == 0) {
    return "there are no positive pairs; evaluate with a gallery that shows the people of the queries";
  }
  return scores.negatives == 0 ? "there are no negative pairs; evaluate with a gallery of several people"
                               : "";
}

std::string caution_of_area(const OpenSetScores& scores) {
  if (std::min(scores.positives, scores.negatives) >= least_pairs) return "";
  return "from " + pairs_text(scores.positives, "positive") + " and " +
         pairs_text(scores.negatives, "negative") + "; " + std::to_string(least_pairs) +
         " of each are needed";
}

MetricTable thresholds_of(const OpenSetScores& scores, bool cosine) {
  MetricColumn wanted{"wanted_false_positive_rate", "FPR up to", FigureKind::number, {}};
  MetricColumn rate{"false_positive_rate", "real FPR", FigureKind::share, {}};
  MetricColumn passed{"false_positives", "false positives", FigureKind::number, {}};
  MetricColumn found{"true_positive_rate", "TPR", FigureKind::share, {}};
  MetricColumn distance{"distance", "distance below", FigureKind::distance, {}};
  MetricColumn similarity{"similarity", "similarity above", FigureKind::number, {}};
  for (const auto& point : scores.points) {
    wanted.values.push_back(point.wanted_rate);
    rate.values.push_back(point.false_positive_rate);
    passed.values.push_back(static_cast<double>(point.false_positives));
    found.values.push_back(point.true_positive_rate);
    distance.values.push_back(point.threshold);
    similarity.values.push_back(1 - point.threshold);
  }
  MetricTable table;
  for (const auto& point : scores.points) table.cautions.push_back(caution_at(point.wanted_rate, scores));
  const auto& cautions = table.cautions;
  if (std::all_of(cautions.begin(), cautions.end(), [](const auto& text) { return text.empty(); })) {
    table.cautions.clear();
  }
  table.name = "thresholds";
  table.title = title;
  table.columns = {std::move(wanted), std::move(rate), std::move(passed), std::move(found),
                   std::move(distance)};
  if (cosine) table.columns.push_back(std::move(similarity));
  return table;
}

MetricTable curve_of(const OpenSetScores& scores) {
  MetricColumn distance{"distance", "distance below", FigureKind::distance, {}};
  MetricColumn passed{"false_positive_rate", "false positives", FigureKind::share, {}};
  MetricColumn found{"true_positive_rate", "true positives", FigureKind::share, {}};
  for (const auto& point : scores.curve) {
    distance.values.push_back(point.threshold);
    passed.values.push_back(static_cast<double>(point.false_positives) /
                            static_cast<double>(scores.negatives));
    found.values.push_back(static_cast<double>(point.true_positives) / static_cast<double>(scores.positives));
  }
  MetricTable table;
  table.name = "roc";
  table.title = title;
  table.doc =
      "ROC curve: share of pairs of the same person found, by the share of pairs of different people "
      "accepted; area under the curve " +
      fixed_text(scores.area, 4);
  table.columns = {std::move(distance), std::move(passed), std::move(found)};
  table.plot = MetricTable::Plot{"false_positive_rate", "true_positive_rate", /*logarithmic_x=*/true};
  return table;
}

class OpenSetResult final : public PairCounter {
 public:
  OpenSetResult(const PairTotals& pairs, const std::vector<double>& rates)
      : counter_(pairs, rates), figures_(rates.size() + 2), cosine_(pairs.cosine) {}

  [[nodiscard]] std::unique_ptr<Part> part() override {
    return std::make_unique<OpenSetCounter::Part>(counter_);
  }

  [[nodiscard]] bool is_divisible() const override { return true; }
  [[nodiscard]] std::string counted() override { return counter_.counted(); }
  void add_counted(const std::string& counted) override { counter_.add_counted(counted); }

  [[nodiscard]] MetricResult result() override {
    const auto scores = counter_.scores();
    MetricResult result;
    if (const auto caution = caution_without_pairs(scores); !caution.empty()) {
      result.values.assign(figures_, std::numeric_limits<double>::quiet_NaN());
      result.cautions.assign(figures_, caution);
      return result;
    }
    for (const auto& point : scores.points) result.values.push_back(point.true_positive_rate);
    result.values.insert(result.values.end(), {scores.area, scores.area_error});
    for (const auto& point : scores.points) {
      result.cautions.push_back(caution_at(point.wanted_rate, scores));
    }
    result.cautions.insert(result.cautions.end(), 2, caution_of_area(scores));
    if (!scores.points.empty()) result.tables.push_back(thresholds_of(scores, cosine_));
    result.tables.push_back(curve_of(scores));
    return result;
  }

 private:
  OpenSetCounter counter_;
  std::size_t figures_;
  bool cosine_;
};

}  // namespace

Schema<OpenSet::Params> OpenSet::schema() {
  Schema<Params> s(
      "Whether two images show the same person: thresholds on their distance and the ROC curve.");
  s.add("false_positive_rates", &Params::false_positive_rates,
        "false positive rates among pairs of different people; for each, the threshold and the share of "
        "correct pairs found are reported")
      .above(0)
      .at_most(0.1);
  s.rule([](const Params& params) -> std::string {
    const auto& rates = params.false_positive_rates;
    const std::set<double> once(rates.begin(), rates.end());
    return once.size() == rates.size() ? "" : "false_positive_rates has a number twice; name each once";
  });
  return s;
}

OpenSet::OpenSet(const Params& params, const Context& /*context*/) : params_(params) {}

std::vector<FigureInfo> OpenSet::figures() const {
  std::vector<FigureInfo> figures;
  for (const double rate : params_.false_positive_rates) {
    const auto name = "TPR@FPR=" + rate_text(rate);
    figures.push_back({.name = name,
                       .label = name,
                       .doc = "share of the pairs of one person that are found when the share " +
                              rate_text(rate) + " of the pairs of two passes",
                       .prominence = Prominence::detail});
  }
  figures.push_back({.name = "AUC",
                     .label = "AUC",
                     .doc = "area under the ROC curve: how often the pair of one person is the nearer",
                     .kind = FigureKind::number,
                     .prominence = Prominence::detail});
  figures.push_back({.name = "AUC_error",
                     .label = "error of AUC",
                     .doc = "by how much AUC may be wrong",
                     .kind = FigureKind::number,
                     .higher_is_better = false,
                     .prominence = Prominence::detail});
  return figures;
}

std::unique_ptr<PairCounter> OpenSet::count_pairs(const PairTotals& pairs) const {
  return std::make_unique<OpenSetResult>(pairs, params_.false_positive_rates);
}

}  // namespace kindred::metrics
