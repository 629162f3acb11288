#include "progress/meter.h"

#include <algorithm>
#include <utility>

namespace kindred::progress {

Meter::Meter(ProgressSink& sink, std::string stage, std::int64_t total) : sink_(sink) {
  progress_.stage = std::move(stage);
  progress_.total = total;
  progress_.unit = "images";
}

void Meter::update(std::int64_t done) {
  const auto now = Clock::now();
  rate_.add(static_cast<double>(done - progress_.done), std::chrono::duration<double>(now - last_).count());
  last_ = now;
  progress_.done = done;
  progress_.images_per_second = rate_.per_second();
  progress_.remaining_seconds = rate_.seconds_for(static_cast<double>(progress_.total - done));
  sink_.update(progress_);
}

void Meter::finish() {
  const auto seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  // This process may have had no part in it, or skipped the last images.
  progress_.done = std::max(progress_.done, progress_.total);
  progress_.images_per_second = seconds > 0 ? static_cast<double>(progress_.done) / seconds : 0;
  progress_.remaining_seconds = 0;
  sink_.finish(progress_);
}

}  // namespace kindred::progress
