#include "results/evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace kindred::results {

const EvaluatedFigure* Evaluation::find(std::string_view name) const {
  const auto at = std::find_if(figures.begin(), figures.end(),
                               [&](const EvaluatedFigure& figure) { return figure.info.name == name; });
  return at == figures.end() ? nullptr : &*at;
}

double Evaluation::value(std::string_view name) const {
  const auto* found = find(name);
  return found == nullptr ? std::numeric_limits<double>::quiet_NaN() : found->value;
}

bool comparable(const Evaluation& a, const Evaluation& b) {
  return a.images_sha256 == b.images_sha256 && a.cameras_known == b.cameras_known &&
         a.multi_query == b.multi_query && a.itself_ignored == b.itself_ignored && a.clothes == b.clothes &&
         a.single_gallery_shot == b.single_gallery_shot;
}

std::vector<std::string> reasons_without_value(const Evaluation& evaluation) {
  std::vector<std::string> reasons;
  for (const auto& figure : evaluation.figures) {
    if (!std::isnan(figure.value) || figure.caution.empty()) continue;
    auto reason = figure.metric + ": " + figure.caution;
    if (std::find(reasons.begin(), reasons.end(), reason) == reasons.end())
      reasons.push_back(std::move(reason));
  }
  return reasons;
}

std::vector<FigureInfo> figures_of(const std::vector<const Evaluation*>& evaluations, Prominence least) {
  std::vector<FigureInfo> figures;
  for (const auto* evaluation : evaluations) {
    for (const auto& figure : evaluation->figures) {
      const bool known = std::any_of(figures.begin(), figures.end(),
                                     [&](const FigureInfo& other) { return other.name == figure.info.name; });
      if (!known && figure.info.prominence <= least) figures.push_back(figure.info);
    }
  }
  return figures;
}

}  // namespace kindred::results
