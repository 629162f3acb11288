#include "local_ranks.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "rank_place.h"
#include "recipe/settings.h"
#include "session.h"
#include "system/child_process.h"
#include "system/ranks.h"

namespace kindred::launcher {
namespace {

using std::chrono::steady_clock;
using system::ChildProcess;

constexpr std::chrono::milliseconds glance{50};
/// How long ranks have, after the first failure, to notice it; and then to keep what they can.
constexpr std::chrono::seconds until_asked{2};
constexpr std::chrono::seconds until_killed{8};

/// What a rank that is not the first prints as an error: warnings are shown at once, the rest is kept.
class OtherOutput {
 public:
  explicit OtherOutput(std::size_t rank) : warning_("rank " + std::to_string(rank) + ": ") {}

  void take(const std::string& text) {
    line_ += text;
    for (auto end = line_.find('\n'); end != std::string::npos; end = line_.find('\n')) {
      const auto line = line_.substr(0, end + 1);
      line_.erase(0, end + 1);
      if (line.starts_with(warning_)) {
        std::cerr << line << std::flush;
      } else {
        kept_ += line;
      }
    }
    if (kept_.size() > most) kept_.erase(0, kept_.size() - most);
  }
  /// With the rank in front.
  [[nodiscard]] std::string kept() const { return kept_ + line_; }

 private:
  static constexpr std::size_t most = 64 << 10;

  std::string warning_;
  std::string line_;  ///< that has not ended yet
  std::string kept_;
};

struct Rank {
  std::unique_ptr<ChildProcess> process;
  OtherOutput output;
};

/// Ranks from their start to their end.
class LocalRanks {
 public:
  LocalRanks(std::int64_t count, const std::vector<std::string>& arguments) {
    const auto number = std::to_string(count);
    for (std::int64_t rank = 0; rank < count; ++rank) {
      const auto own = std::to_string(rank);
      system::ChildCommand command;
      command.arguments = arguments;
      command.environment = {{"RANK", own},
                             {"WORLD_SIZE", number},
                             {"LOCAL_RANK", own},
                             {"LOCAL_WORLD_SIZE", number},
                             {"MASTER_ADDR", "127.0.0.1"},
                             {"MASTER_PORT", std::to_string(meeting_.port())},
                             {"TORCHELASTIC_USE_AGENT_STORE", "False"},
                             {local_rank_variable, own}};
      if (rank > 0) {
        command.out = system::Output::dropped;
        command.err = system::Output::kept;
      }
      ranks_.push_back({std::make_unique<ChildProcess>(command), OtherOutput(ranks_.size())});
    }
  }

  [[nodiscard]] int wait() {
    const auto& stop = stop_requested();
    bool is_told = false;
    while (!have_ended()) {
      std::vector<ChildProcess*> all;
      for (const auto& rank : ranks_) all.push_back(rank.process.get());
      ChildProcess::await_output(all, glance);
      for (auto& rank : ranks_) rank.output.take(rank.process->read_err());
      if (stop && !is_told) {
        is_told = true;
        for (auto* process : all) process->send(SIGTERM);
      }
      look_for_failure();
      end_others();
    }
    for (auto& rank : ranks_) rank.output.take(rank.process->read_err());
    look_for_failure();
    return outcome();
  }

 private:
  [[nodiscard]] bool have_ended() const {
    return std::all_of(ranks_.begin(), ranks_.end(),
                       [](const Rank& rank) { return rank.process->ending().has_value(); });
  }

  static bool is_own_failure(const std::optional<system::Ending>& ending) {
    if (!ending || ending->is_success()) return false;
    // One that was asked to stop before it could listen has not failed.
    if (ending->signal == SIGTERM && stop_requested()) return false;
    return ending->exit_code != lost_rank_exit && ending->exit_code != Session::interrupted_exit;
  }

  /// The lowest of those that had failed when the first failure was seen.
  void look_for_failure() {
    const auto is_any_failure = [](const std::optional<system::Ending>& ending) {
      return is_own_failure(ending) || (ending && ending->exit_code == lost_rank_exit);
    };
    for (std::size_t i = 0; i < ranks_.size(); ++i) {
      const auto& ending = ranks_[i].process->ending();
      if (!is_any_failure(ending)) continue;
      if (!failed_at_) failed_at_ = steady_clock::now();
      // Those that are ended from here have not failed themselves.
      const bool is_ended_from_here = are_ended_ || (are_asked_ && ending->signal == SIGTERM);
      if (!first_ && !is_ended_from_here && is_own_failure(ending)) first_ = i;
    }
  }

  void end_others() {
    if (!failed_at_) return;
    const auto since = steady_clock::now() - *failed_at_;
    if (since > until_killed) {
      are_ended_ = true;
      for (const auto& rank : ranks_) rank.process->send(SIGKILL);
    } else if (since > until_asked && !are_asked_) {
      are_asked_ = true;
      for (const auto& rank : ranks_) rank.process->send(SIGTERM);
    }
  }

  /// Says what no rank has said yet.
  [[nodiscard]] int outcome() const {
    const auto ending_of = [&](std::size_t rank) { return *ranks_[rank].process->ending(); };
    if (first_) {
      const auto ending = ending_of(*first_);
      // All ranks may find the same; then rank 0 has said it already.
      const bool is_said = is_own_failure(ending_of(0)) && ending_of(0).signal == 0;
      if (*first_ != 0 && !is_said) std::cerr << ranks_[*first_].output.kept();
      if (ending.signal != 0) {
        std::cerr << "error: rank " << *first_ << " of " << ranks_.size() << ' ' << ending.text()
                  << (ending.signal == SIGKILL
                          ? ", perhaps for lack of memory, which all ranks share; use fewer ranks"
                          : "")
                  << '\n';
      }
      return ending.signal == 0 ? ending.exit_code : 1;
    }
    if (failed_at_ && !stop_requested()) {
      std::cerr << "error: the " << ranks_.size()
                << " ranks have lost each other, although none of them failed; run the same command again to "
                   "continue\n";
      return 1;
    }
    return std::any_of(ranks_.begin(), ranks_.end(),
                       [](const Rank& rank) { return !rank.process->ending()->is_success(); })
               ? Session::interrupted_exit
               : 0;
  }

  system::MeetingPoint meeting_;
  std::vector<Rank> ranks_;
  std::optional<steady_clock::time_point> failed_at_;
  std::optional<std::size_t> first_;  ///< rank that has failed by itself
  bool are_asked_ = false;
  bool are_ended_ = false;
};

}  // namespace

std::int64_t asked_ranks(const Value& recipe) {
  const auto* table = recipe.as<Table>();
  const auto* machine = table == nullptr ? nullptr : table->find("machine");
  if (machine == nullptr) return 1;
  Diagnostics diagnostics;
  const auto settings = recipe::MachineSettings::schema().parse(*machine, "[machine]", diagnostics);
  return diagnostics.empty() ? settings.ranks : 1;
}

std::optional<int> run_local_ranks(std::int64_t ranks, const Session& session) {
  const auto place = rank_place();
  if (place.count > 1) {
    if (ranks != 1 && ranks != place.count && place.rank == 0) {
      std::cerr << "warning: machine.ranks = " << ranks << " has no effect: " << place.count
                << " ranks have been started already\n";
    }
    return std::nullopt;
  }
  if (ranks <= 1) return std::nullopt;
  static_cast<void>(stop_requested());  // from now on, so that it may come while ranks are started
  return LocalRanks(ranks, session.same_command()).wait();
}

bool is_local_rank() {
  return std::getenv(local_rank_variable) != nullptr;
}

}  // namespace kindred::launcher
