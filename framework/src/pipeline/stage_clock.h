// What a stage has cost so far, kept on disk while it runs.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "progress/progress.h"
#include "results/stage_record.h"

namespace kindred::pipeline {

/// Hands a stage's progress on and, every 20 seconds of it, writes the stage's record with the cost so far,
/// so that an attempt that is killed counts.
class StageClock final : public progress::ProgressSink {
 public:
  /// Starts the clock. All three outlive it.
  StageClock(const std::filesystem::path& folder, results::StageRecord& record, progress::ProgressSink& sink);

  void update(const progress::Progress& progress) override;
  void finish(const progress::Progress& progress) override;
  void note(const std::string& text) override;

  /// Brings the record's cost up to now: that of earlier attempts, and of this one.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;

  void keep();

  const std::filesystem::path& folder_;
  results::StageRecord& record_;
  progress::ProgressSink& sink_;
  results::StageCost before_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point kept_ = start_;
};

}  // namespace kindred::pipeline
