// Tells a sink how far one stage has come.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "progress/progress.h"
#include "progress/rate.h"

namespace kindred::progress {

/// Counts images of a stage with one task, and works out the speed and the time that is left.
class Meter {
 public:
  /// @param stage "embed query"
  Meter(ProgressSink& sink, std::string stage, std::int64_t total);
  /// So many images are done, in all.
  void update(std::int64_t done);
  /// The stage is over: all images are done, here or by other processes. What is told is the speed of the
  /// whole.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  ProgressSink& sink_;
  Progress progress_;
  Rate rate_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
};

}  // namespace kindred::progress
