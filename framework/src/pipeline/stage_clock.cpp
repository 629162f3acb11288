#include "pipeline/stage_clock.h"

#include <algorithm>

#include "system/memory.h"

namespace kindred::pipeline {

StageClock::StageClock(const std::filesystem::path& folder, results::StageRecord& record,
                       progress::ProgressSink& sink)
    : folder_(folder), record_(record), sink_(sink), before_(record.cost) {
  system::reset_peak_memory();
}

void StageClock::update(const progress::Progress& progress) {
  keep();
  sink_.update(progress);
}

void StageClock::finish(const progress::Progress& progress) {
  keep();
  sink_.finish(progress);
}

void StageClock::note(const std::string& text) {
  sink_.note(text);
}

void StageClock::stop() {
  record_.cost.seconds = before_.seconds + std::chrono::duration<double>(Clock::now() - start_).count();
  record_.cost.peak_memory_mib = std::max(before_.peak_memory_mib, system::peak_memory_mib());
}

void StageClock::keep() {
  if (Clock::now() - kept_ < std::chrono::seconds(20)) return;
  kept_ = Clock::now();
  stop();
  results::write_stage_record(folder_, record_);
}

}  // namespace kindred::pipeline
