// A command that several processes carry out together.
#pragma once

#include <memory>

#include "progress/progress.h"
#include "session.h"
#include "system/ranks.h"

namespace kindred::launcher {

/// This process among those that were started with it (rank_place.h). Every command whose work can be divided
/// has one; alone it changes nothing.
class JoinedRanks {
 public:
  /// Meets the others. Throws as rank_place() and system::Ranks do.
  explicit JoinedRanks(const Session& session);

  [[nodiscard]] const system::Ranks& ranks() const { return ranks_; }
  /// Of rank 0 what a session shows; of the others their warnings, with their number.
  [[nodiscard]] progress::ProgressSink& progress() { return *progress_; }

  /// To be called by a command that has done its work, before it prints what came of it: returns when all
  /// have. A pipeline does so by itself.
  void end() const;

 private:
  system::Ranks ranks_;
  std::unique_ptr<progress::ProgressSink> progress_;
};

}  // namespace kindred::launcher
