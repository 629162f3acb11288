// What a training leaves behind, as a report needs it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report/piece.h"
#include "results/environment_file.h"

namespace kindred::report {

/// A figure by epoch, from 1; not a number where it was not finite.
using EpochSeries = std::map<std::int64_t, double>;

/// What metrics.jsonl says of finished epochs and evaluations in between.
struct TrainingMetrics {
  std::int64_t epochs = 0;                     ///< as many as the training was to have; 0: not said
  std::map<std::string, EpochSeries> figures;  ///< "loss", "learning_rate", "loss/triplet(g1)", ...
  /// "mAP", "rank1", ...: shares of 1; of each test set by its name and, of several, their mean by "".
  std::map<std::string, std::map<std::string, EpochSeries>> evaluations;
  std::optional<double>
      images_per_second;              ///< as the last epoch says; nothing for a number that was not finite
  std::string last_time;              ///< of the last event: "2026-11-24T14:22:42.039Z"
  std::vector<std::string> warnings;  ///< notes that begin with "warning:", without that word
  std::int64_t unreadable_lines = 0;

  [[nodiscard]] std::int64_t last_epoch() const;
};

struct TrainingFiles {
  Piece<std::string> recipe;  ///< recipe.toml as it is written
  Piece<results::EnvironmentFile> environment;
  Piece<TrainingMetrics> metrics;
  bool model = false;  ///< model.safetensors is there: the training has ended
};

[[nodiscard]] TrainingFiles read_training_files(const std::filesystem::path& folder);

/// Lines of a log (RunLog) that say "warn", "error" or "warning:", without time and level, each with the
/// lines that belong to it. Throws DataError when the file cannot be read.
[[nodiscard]] std::vector<std::string> read_log_warnings(const std::filesystem::path& file);

}  // namespace kindred::report
