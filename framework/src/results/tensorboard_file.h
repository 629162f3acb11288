// The figures of metrics.jsonl and the rank sheets once more, as TensorBoard shows them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "file/event_file.h"
#include "progress/progress.h"
#include "results/metrics_file.h"

namespace kindred::results {

/// events.out.tfevents.SECONDS.kindred in a run's folder. Scalars:
///
///   train/FIGURE          of the updates of an epoch, by the number of batches learned from
///   epoch/FIGURE          of finished epochs, by epoch
///   evaluate/FIGURE       of evaluations in between, by epoch; "evaluate NAME/" of each of several test sets
///
/// and beside the latter the image evaluate/rank_sheet where the folder has its file (rank_sheet.h).
///
/// A training that goes on begins a new file with what metrics.jsonl still has, and removes the former one:
/// no step is there twice, none is missing, and damage to the former file does not matter.
class TensorBoardFile final : public progress::ProgressSink {
 public:
  /// Nothing is written before begin(), which decides what steps come next.
  /// @param updates_between as of MetricsFile
  explicit TensorBoardFile(std::filesystem::path folder, std::int64_t updates_between = 50);

  /// @param before what has been measured already, and will not be measured again
  /// Throws DataError when a file cannot be written; so do update() and finish().
  void begin(const Metrics& before);

  void update(const progress::Progress& progress) override;
  void finish(const progress::Progress& progress) override;
  void note(const std::string& text) override;

 private:
  void add(const progress::Progress& progress, MetricsEvent::Kind kind, double wall_time);
  void add_figures(std::string_view group, const progress::Progress& progress, std::int64_t step,
                   double wall_time);
  void add_rank_sheet(const std::string& stage, std::int64_t epoch, double wall_time);

  std::filesystem::path folder_;
  std::int64_t updates_between_;
  std::int64_t updates_ = 0;
  std::int64_t batches_ = 0;  ///< of finished epochs
  std::unique_ptr<file::EventFile> file_;
};

}  // namespace kindred::results
