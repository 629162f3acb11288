// Scores of a run and what its rankings look like.
#pragma once

#include <cstddef>

#include "report/blocks.h"
#include "report/pictures.h"
#include "report/ranking_sheet.h"
#include "report/run_files.h"

namespace kindred::report {

/// The final scores in large figures, and a table of all: of each stage that ranks, before and after its
/// post-processing.
[[nodiscard]] Section score_section(const RunFiles& run);

/// Of the last stage that ranks: the curves and tables of its metrics, how their first value is spread over
/// the queries, and rankings as pictures.
/// @param rankings set to how many are shown
[[nodiscard]] Section ranking_section(const RunFiles& run, const SheetSize& size, Pictures& pictures,
                                      std::size_t& rankings);

}  // namespace kindred::report
