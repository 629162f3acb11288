// Scores of a run and what its rankings look like.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "report/blocks.h"
#include "report/map_pictures.h"
#include "report/pictures.h"
#include "report/ranking_sheet.h"
#include "report/run_files.h"

namespace kindred::report {

/// Scores with the name under which they are shown.
struct NamedScores {
  std::string name;
  const results::Evaluation* scores;
  /// What they are to be compared with, by its place in the list, and what has made the difference: before
  /// post-processing, or by the descriptors of the ranking before.
  std::size_t base = 0;
  std::string step;  ///< "post-processing", "ranking A to ranking B"; "" for those that come first
};

/// Those of each stage that ranks, before and after its post-processing, in order.
[[nodiscard]] std::vector<NamedScores> all_scores(const RunFiles& run);

/// The final scores in large figures, and a table of all with the change of each step.
[[nodiscard]] Section score_section(const RunFiles& run);

/// The scores of the last stage that ranks, by pair of cameras and by domain.
[[nodiscard]] Section part_section(const RunFiles& run);

/// Of the last stage that ranks: the curves and tables of its metrics, how their first value is spread over
/// the queries, and rankings as pictures.
/// @param maps nullptr: without activation maps
/// @param rankings set to how many are shown
[[nodiscard]] Section ranking_section(const RunFiles& run, const SheetSize& size, Pictures& pictures,
                                      MapPictures* maps, std::size_t& rankings);

/// The last stage that ranks of which there is more than scores; nullptr for none.
[[nodiscard]] const RunStage* last_ranking(const RunFiles& run);

}  // namespace kindred::report
