// Scores of a run and what its rankings look like.
#pragma once

#include <cstddef>
#include <optional>
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
  /// What they are to be compared with, by its place in the list: the same before post-processing, or the
  /// descriptors of the last ranking before of the same images. Nothing for the first of some images.
  std::optional<std::size_t> base{};
  std::string step{};  ///< what has made the difference: "by post-processing", "from A to B"
  bool post_processed = false;
};

/// Those of each stage that ranks, before and after its post-processing, in order.
[[nodiscard]] std::vector<NamedScores> all_scores(const RunFiles& run);

/// Of those, by place, the last of each test set: of the same queries and gallery.
[[nodiscard]] std::vector<std::size_t> final_scores(const std::vector<NamedScores>& all);

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

/// The stages that rank of which there is more than scores, in order.
[[nodiscard]] std::vector<const RunStage*> shown_rankings(const RunFiles& run);

/// The last of them; nullptr for none.
[[nodiscard]] const RunStage* last_ranking(const RunFiles& run);

}  // namespace kindred::report
