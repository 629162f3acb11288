#include "joined_ranks.h"

#include <chrono>
#include <iostream>
#include <string>

#include "rank_place.h"
#include "text/printable.h"

namespace kindred::launcher {
namespace {

/// How long a rank waits for another one, which may be writing a checkpoint or reading a large folder; one
/// that has ended is noticed at once.
constexpr std::chrono::minutes patience{30};

/// What is shown of a rank that is not the first: warnings, with its number.
class RankWarnings final : public progress::ProgressSink {
 public:
  explicit RankWarnings(int rank) : rank_(rank) {}
  void update(const progress::Progress&) override {}
  void finish(const progress::Progress&) override {}
  void note(const std::string& text) override {
    if (!text.starts_with("warning")) return;
    std::cerr << "rank " + std::to_string(rank_) + ": " + text::escaped_lines(text) + "\n";
  }

 private:
  int rank_;
};

}  // namespace

JoinedRanks::JoinedRanks(const Session& session) : ranks_(rank_place(), patience) {
  if (ranks_.is_first()) {
    progress_ = session.make_progress();
  } else {
    progress_ = std::make_unique<RankWarnings>(ranks_.rank());
  }
}

void JoinedRanks::end() const {
  if (!ranks_.are_many()) return;
  if (ranks_.is_first()) {
    ranks_.dismiss();
  } else {
    static_cast<void>(ranks_.await_post());
  }
}

}  // namespace kindred::launcher
