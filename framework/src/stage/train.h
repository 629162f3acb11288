// Stage "train": samples -> a trained model in a run directory.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>

#include "plan.h"
#include "progress.h"

namespace kindred {

struct TrainOutcome {
  bool interrupted = false;     ///< `stop` was set: a checkpoint was written, the same call goes on
  std::filesystem::path model;  ///< the artefact, once training has ended
  std::int64_t epochs_done = 0;
  double last_loss = 0;
};

/// Trains, or goes on where the run directory's checkpoint stands; a training that has ended is not repeated.
/// On the CPU, and with the same number of threads, the model is the same to the last bit however often
/// training was stopped in between. Throws DataError when the directory belongs to another recipe (the
/// differing keys are named), Error when the loss is not finite any more (the last checkpoint is kept).
/// Writes: recipe.toml, checkpoint.safetensors, model.safetensors, metrics.jsonl.
[[nodiscard]] TrainOutcome train(const Plan& plan, const std::filesystem::path& run_directory,
                                 ProgressSink& progress, const std::atomic<bool>& stop);

}  // namespace kindred
