// Evaluations as people read them.
#pragma once

#include <string>

#include "results/evaluation.h"

namespace kindred::results {

/// "43.08 %", "0.25"; "-" for NaN.
[[nodiscard]] std::string figure_text(FigureKind kind, double value);

/// For columns whose unit the reader knows: shares in per cent, "43.08". @param sign "+1.20" for a difference
[[nodiscard]] std::string figure_cell(FigureKind kind, double value, bool sign = false);

/// A line of figures for each metric that lists any, a line of what was judged, and tables. A figure with too
/// little behind it has a "?" after it and a line with the reason.
[[nodiscard]] std::string evaluation_text(const Evaluation& evaluation);

}  // namespace kindred::results
