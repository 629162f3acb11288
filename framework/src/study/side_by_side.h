// Runs of a study that are done at the same time.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "progress/progress.h"
#include "study/study_runs.h"
#include "study/summary.h"
#include "system/child_process.h"

namespace kindred::study {

/// How runs are carried out.
struct StudyJobs {
  std::int64_t count = 1;  ///< at a time; 1: in this process
  /// The program that does run_one(), whose outputs are kept: what it prints, and exit code 0, 1 when the run
  /// has failed, or `stopped_exit` when it was stopped (SIGTERM).
  /// @param job 0 to count - 1; another one for each program that runs at the same time
  std::function<system::ChildCommand(const StudyRun& run, std::int64_t job)> program;
  int stopped_exit = 0;
};

/// How the reason of a failure begins where the program of a run prints it.
[[nodiscard]] std::string failure_head(const StudyRun& run);

/// Does several runs at a time, each in a process of its own. What their programs say is said again, with the
/// run's name in front.
class SideBySide {
 public:
  /// @param done called after each run that has ended
  SideBySide(const StudyJobs& jobs, const std::filesystem::path& folder, progress::ProgressSink& progress,
             const std::atomic<bool>& stop, std::function<void(const RunOutcome&)> done);
  ~SideBySide();
  SideBySide(const SideBySide&) = delete;
  SideBySide& operator=(const SideBySide&) = delete;

  /// @param start says that a run begins
  /// @return false when they were stopped
  [[nodiscard]] bool run(const std::vector<RunOutcome*>& outcomes,
                         const std::function<void(const RunOutcome&)>& start);

 private:
  struct Run;

  void relay(Run& run, bool has_ended);
  /// @return false when it was stopped
  [[nodiscard]] bool take_result(Run& run) const;

  const StudyJobs& jobs_;
  const std::filesystem::path& folder_;
  progress::ProgressSink& progress_;
  const std::atomic<bool>& stop_;
  std::function<void(const RunOutcome&)> done_;
  std::vector<std::unique_ptr<Run>> running_;  ///< by job
};

}  // namespace kindred::study
