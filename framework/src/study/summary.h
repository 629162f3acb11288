// What the runs of a study say together: means, spreads, differences.
#pragma once

#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "study/cell_result.h"
#include "study/cells.h"
#include "study/study.h"

namespace kindred::study {

struct MeanDeviation {
  std::size_t count = 0;
  double mean = 0;                  ///< of none: 0
  std::optional<double> deviation;  ///< with n - 1 below; absent for fewer than two
};

[[nodiscard]] MeanDeviation spread_of(const std::vector<double>& values);

/// A run and what has become of it: a result, a failure, or neither yet.
struct CellOutcome {
  Cell cell;
  std::optional<CellResult> result;
  std::string failure;
};

/// Which of a run's rankings.
enum class RankingKind {
  final,             ///< as its recipe says
  descriptors_alone  ///< without post-processors
};

struct ArmSummary {
  MeanDeviation mean_ap;
  MeanDeviation rank1;
  /// To the first arm, over the seeds and folds that both have; of the first arm itself none.
  MeanDeviation mean_ap_difference;
  MeanDeviation rank1_difference;
};

/// For each arm of the study, in order.
[[nodiscard]] std::vector<ArmSummary> summarize(const Study& study, const std::vector<CellOutcome>& outcomes,
                                                RankingKind ranking);

/// A table of text that can be shown on a terminal or in Markdown.
struct Grid {
  std::string title;  ///< "" when there is only one
  std::vector<std::string> heads;
  std::vector<std::vector<std::string>> rows;

  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string markdown() const;
};

/// A row for each arm: mean ± standard deviation (number of runs), in per cent. Where a recipe has
/// post-processors a second table shows the descriptors alone.
[[nodiscard]] std::vector<Grid> arm_grids(const Study& study, const std::vector<CellOutcome>& outcomes);

/// One arm by its folds: a column for each, "mAP/Rank-1" in per cent, their mean and standard deviation, and
/// a row for each ranking.
[[nodiscard]] std::vector<Grid> fold_grids(const std::vector<CellOutcome>& outcomes);

/// All of it for programs: for each ranking a line for each run ("cell"), each arm ("mean") and each arm's
/// difference to the first ("difference"); shares in [0, 1].
void write_study_csv(std::ostream& out, const Study& study, const std::vector<CellOutcome>& outcomes);

}  // namespace kindred::study
