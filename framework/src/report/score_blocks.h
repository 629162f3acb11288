// Figures of metrics as text, and what several pages show of them.
#pragma once

#include <string>

#include "kindred/role/metric.h"
#include "report/blocks.h"
#include "results/evaluation.h"

namespace kindred::report {

/// With its unit: "62.50 %".
[[nodiscard]] std::string value_text(FigureKind kind, double value);
/// In a column whose head says the unit: "62.50"; "" where there is no value.
[[nodiscard]] std::string cell_text(FigureKind kind, double value);

/// A change as a cell: "+10.00", or "▼ −0.35" in the color of what is wrong where it is for the worse.
[[nodiscard]] Html change_cell(const FigureInfo& figure, double before, double after);
/// The figures that have become worse, as in "Rank-1 by 0.35 and mAP by 1.20 points"; "" for none.
[[nodiscard]] std::string losses_text(const results::Evaluation& before, const results::Evaluation& after);

/// Where figures are not those of the rankings that are shown beside them: what they are of. Else nothing.
[[nodiscard]] Html other_rankings_notice(const results::Evaluation& scores);

/// "237 of 237 queries in 313 gallery images (50 distractors, 0 junk ignored), across cameras: ..."
[[nodiscard]] std::string basis_text(const results::Evaluation& scores);

}  // namespace kindred::report
