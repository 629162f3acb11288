#include "study/side_by_side.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>

#include "study/run_scores.h"

namespace kindred::study {

struct SideBySide::Run {
  Run(RunOutcome& of, const system::ChildCommand& command) : outcome(of), program(command) {}

  RunOutcome& outcome;
  system::ChildProcess program;
  std::string out;
  std::string line;  ///< of what it says, the last one, which has not ended
  std::string last;  ///< and the one before
};

std::string failure_head(const StudyRun& run) {
  return run.folder.string() + " failed: ";
}

SideBySide::SideBySide(const StudyJobs& jobs, const std::filesystem::path& folder,
                       progress::ProgressSink& progress, const std::atomic<bool>& stop,
                       std::function<void(const RunOutcome&)> done)
    : jobs_(jobs), folder_(folder), progress_(progress), stop_(stop), done_(std::move(done)) {
  running_.resize(static_cast<std::size_t>(jobs.count));
}

SideBySide::~SideBySide() = default;

bool SideBySide::run(const std::vector<RunOutcome*>& outcomes,
                     const std::function<void(const RunOutcome&)>& start) {
  auto next = outcomes.begin();
  bool is_told = false;
  bool interrupted = false;
  for (;;) {
    for (std::size_t job = 0; job < running_.size(); ++job) {
      if (running_[job] || next == outcomes.end() || stop_) continue;
      start(**next);
      running_[job] =
          std::make_unique<Run>(**next, jobs_.program((*next)->run, static_cast<std::int64_t>(job)));
      ++next;
    }
    std::vector<system::ChildProcess*> programs;
    for (const auto& run : running_) {
      if (run) programs.push_back(&run->program);
    }
    if (programs.empty()) break;
    if (stop_ && !is_told) {
      is_told = true;
      for (auto* program : programs) program->send(SIGTERM);
    }
    system::ChildProcess::await_output(programs, std::chrono::milliseconds(50));
    for (auto& run : running_) {
      if (!run) continue;
      const bool has_ended = run->program.ending().has_value();
      relay(*run, has_ended);
      if (!has_ended) continue;
      interrupted = !take_result(*run) || interrupted;
      done_(run->outcome);
      run.reset();
    }
  }
  return !interrupted && !(stop_ && next != outcomes.end());
}

void SideBySide::relay(Run& run, bool has_ended) {
  run.out += run.program.read_out();
  run.line += run.program.read_err();
  if (has_ended && !run.line.empty() && !run.line.ends_with('\n')) run.line += '\n';
  const auto name = run.outcome.run.folder.string();
  // As run_study.cpp heads what a run has come to. A name alone may be the beginning of any line: "train".
  const std::string heads[] = {name + ": ", name + ", tested on ", failure_head(run.outcome.run)};
  for (auto end = run.line.find('\n'); end != std::string::npos; end = run.line.find('\n')) {
    run.last = run.line.substr(0, end);
    run.line.erase(0, end + 1);
    const bool named = std::any_of(std::begin(heads), std::end(heads),
                                   [&](const auto& head) { return run.last.starts_with(head); });
    progress_.note(named ? run.last : name + ": " + run.last);
  }
}

bool SideBySide::take_result(Run& run) const {
  auto& outcome = run.outcome;
  const auto& ending = *run.program.ending();
  if (ending.is_success()) {
    outcome.results = scores_in(folder_ / outcome.run.folder, outcome.run.plan);
    return true;
  }
  if (ending.signal == 0 && ending.exit_code == jobs_.stopped_exit) return false;
  if (ending.signal == SIGTERM && stop_) return false;  // it was not listening yet
  const auto head = failure_head(outcome.run);
  if (ending.signal == 0 && run.out.starts_with(head)) {
    outcome.failure = run.out.substr(head.size());
    while (outcome.failure.ends_with('\n')) outcome.failure.pop_back();
  } else {
    outcome.failure = "its process " + ending.text() + (run.last.empty() ? "" : ": " + run.last);
    progress_.note(head + outcome.failure);
  }
  return true;
}

}  // namespace kindred::study
