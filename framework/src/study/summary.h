// What the runs of a study say together: means, spreads, differences.
#pragma once

#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "results/evaluation.h"
#include "study/study.h"
#include "study/study_runs.h"

namespace kindred::study {

struct MeanDeviation {
  std::size_t count = 0;
  double mean = 0;                  ///< of none: 0
  std::optional<double> deviation;  ///< with n - 1 below; absent for fewer than two
};

[[nodiscard]] MeanDeviation mean_deviation(const std::vector<double>& values);

/// What a run's rankings of one test set were found to be.
struct RunScores {
  results::Evaluation scores;  ///< as the recipe ranks the gallery
  /// Of a recipe with post-processors: without them.
  std::optional<results::Evaluation> by_descriptors_alone = std::nullopt;
  std::string test_set = "";  ///< name of the data set; "" when the recipe has one alone
};

/// A run and what has become of it: a result, a failure, or neither yet.
struct RunOutcome {
  StudyRun run;
  std::vector<RunScores> results;  ///< of each test set
  std::string failure;
};

/// Which of a run's rankings.
enum class RankingKind {
  final,             ///< as its recipe says
  descriptors_alone  ///< without post-processors
};

/// Rankings that are compared with each other.
struct ComparedRankings {
  RankingKind kind = RankingKind::final;
  std::string test_set = "";  ///< as RunScores::test_set
};

struct VariantSummary {
  std::vector<MeanDeviation> figures;
  /// To the first variant, over the seeds and folds that both have, where the two can be compared; of the
  /// first variant itself none.
  std::vector<MeanDeviation> differences;
  bool comparable = true;  ///< with the first variant: results::comparable() of all these pairs
};

/// For each variant of the study, in order, each of the figures. Runs that do not have a figure do not count.
[[nodiscard]] std::vector<VariantSummary> summarize(const Study& study,
                                                    const std::vector<RunOutcome>& outcomes,
                                                    const ComparedRankings& rankings,
                                                    const std::vector<FigureInfo>& figures);

/// A table of text that can be shown on a terminal or in Markdown.
struct Grid {
  std::string title;  ///< "" when there is only one
  std::vector<std::string> heads;
  std::vector<std::vector<std::string>> rows;

  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string markdown() const;
};

/// A row for each variant: of each headline figure mean ± standard deviation (number of runs), shares in per
/// cent. Where a recipe has post-processors a second table shows the descriptors alone. Of several test sets
/// each has its tables, and before them one shows what each variant is trained on by what it is tested on.
[[nodiscard]] std::vector<Grid> variant_grids(const Study& study, const std::vector<RunOutcome>& outcomes);

/// The variants that the tables show without a difference, or with one of fewer runs, because what was
/// evaluated is not comparable with the first variant's.
[[nodiscard]] std::vector<std::string> incomparable_variants(const Study& study,
                                                             const std::vector<RunOutcome>& outcomes);

/// One variant by its folds: a column for each with the headline figures, "mAP/Rank-1", their mean and
/// standard deviation, and a row for each ranking of each test set.
[[nodiscard]] std::vector<Grid> fold_grids(const std::vector<RunOutcome>& outcomes);

/// All of it for programs: for each ranking a line for each run ("run"), each variant ("mean") and each
/// variant's difference to the first ("difference"), with columns NAME and NAME_deviation for every figure;
/// shares in [0, 1].
void write_study_csv(std::ostream& out, const Study& study, const std::vector<RunOutcome>& outcomes);

}  // namespace kindred::study
