#include "stage/train.h"

#include "file/safetensors.h"
#include "progress/metrics_file.h"
#include "system/device.h"
#include "system/log.h"
#include "training/run_directory.h"
#include "training/training.h"
#include "weights/initial_weights.h"

namespace kindred {
namespace {

TrainOutcome already_done(const Plan& plan, const RunDirectory& directory, ProgressSink& progress) {
  TrainOutcome outcome;
  outcome.was_done = true;
  outcome.model = directory.model();
  outcome.epochs_done = plan.train.epochs;
  if (const auto checkpoint = read_checkpoint_position(directory.checkpoint())) {
    outcome.last_loss = checkpoint->last_loss;
    outcome.best_score = checkpoint->best_score;
  }
  progress.note("training has ended already: " + outcome.model.string() +
                " is there; to train anew, use another run directory or remove this one");
  return outcome;
}

}  // namespace

TrainOutcome train(const Plan& asked, const std::filesystem::path& run_directory, ProgressSink& progress,
                   const std::atomic<bool>& stop) {
  const RunDirectory directory(run_directory);
  const auto plan = with_hashes_of_weights(asked);
  directory.freeze(plan);
  if (std::filesystem::exists(directory.model())) return already_done(plan, directory, progress);

  const auto device = resolve_device(plan.machine.device);
  set_threads(plan.machine.threads);
  directory.write_environment(device);
  MetricsFile metrics(directory.metrics());
  RunLog log(directory.log());
  TeeProgress tee({&metrics, &log, &progress});

  Training training(plan, directory, device, tee, metrics, stop);
  training.resume();
  TrainOutcome outcome;
  outcome.interrupted = !training.run();
  if (!outcome.interrupted) outcome.model = directory.model();
  outcome.epochs_done = training.epochs_done();
  outcome.last_loss = training.last_loss();
  outcome.best_score = training.best_score();
  return outcome;
}

}  // namespace kindred
