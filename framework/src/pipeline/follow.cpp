#include "pipeline/follow.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "system/device.h"
#include "system/rank_machine.h"

namespace kindred::pipeline {

bool follow_pipeline(const Pipeline& pipeline, const Catalog& catalog, const std::filesystem::path& folder,
                     const system::Ranks& ranks, progress::ProgressSink& progress,
                     const std::atomic<bool>& stop) {
  bool interrupted = false;
  for (;;) {
    const auto name = ranks.await_post();
    if (name.empty()) return interrupted;
    const auto found = std::find_if(pipeline.stages.begin(), pipeline.stages.end(),
                                    [&](const auto& stage) { return stage->name == name; });
    if (found == pipeline.stages.end()) throw std::logic_error("rank 0 runs another pipeline");
    const auto folder_of = [&](const std::string& other) { return folder / other; };
    system::set_threads(system::threads_of_rank(pipeline.machine.threads, ranks.place()));
    const auto device = system::device_of_rank(pipeline.machine.device, ranks.place());
    const auto result = (*found)->run({catalog, folder / name, folder_of, device, progress, stop, ranks});
    interrupted = interrupted || result.interrupted;
  }
}

}  // namespace kindred::pipeline
