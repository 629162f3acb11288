#include "stage/train.h"

#include "file/safetensors.h"
#include "progress/metrics_file.h"
#include "system/device.h"
#include "system/log.h"
#include "system/precision.h"
#include "training/run_directory.h"
#include "training/training.h"
#include "weights/initial_weights.h"

namespace kindred {
namespace {

/// The plan with a precision that is not 'auto' any more.
Plan decided(Plan plan, const std::optional<Value>& begun) {
  if (plan.train.precision != Precision::automatic) return plan;
  if (begun) {
    Diagnostics unread;  // a recipe of another version is RunDirectory::freeze()'s to refuse
    const auto* written = begun->as<Table>()->find("train");
    if (written != nullptr) {
      plan.train.precision = TrainSettings::schema().parse(*written, "[train]", unread).precision;
    }
  } else {
    plan.train.precision = suitable_precision(resolve_device(plan.machine.device));
  }
  return plan;
}

void tell_of_precision(const Plan& asked, const Plan& plan, torch::Device device, ProgressSink& progress) {
  const auto precision = plan.train.precision;
  const auto name = precision_name(precision);
  if (asked.train.precision == Precision::automatic) {
    const auto suitable = suitable_precision(device);
    progress.note("train.precision = \"auto\": computing in " + name +
                  (suitable == precision ? ""
                                         : ", in which this training was begun; " + precision_name(suitable) +
                                               " would suit " + device.str() + " better"));
  } else if (precision != Precision::fp32) {
    progress.note("computing in " + name);
  }
  if (!is_made_for(device, precision)) {
    progress.note("warning: " + device_text(device) + " is not made for " + name +
                  ", which may be slower here than fp32");
  }
}

TrainOutcome already_done(const Plan& plan, const RunDirectory& directory, ProgressSink& progress) {
  TrainOutcome outcome;
  outcome.was_done = true;
  outcome.model = directory.model();
  if (std::filesystem::exists(directory.averaged_model()))
    outcome.averaged_model = directory.averaged_model();
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

std::vector<RecipeDifference> differences_from_begun(const Plan& plan,
                                                     const std::filesystem::path& run_directory) {
  const auto begun = binding_recipe(run_directory);
  if (!begun) return {};
  return deciding_differences(*begun, decided(with_hashes_of_weights(plan), begun));
}

TrainOutcome train(const Plan& asked, const std::filesystem::path& run_directory, ProgressSink& progress,
                   const std::atomic<bool>& stop) {
  const RunDirectory directory(run_directory);
  const auto plan = decided(with_hashes_of_weights(asked), binding_recipe(run_directory));
  directory.freeze(plan);
  if (std::filesystem::exists(directory.model())) return already_done(plan, directory, progress);

  const auto device = resolve_device(plan.machine.device);
  require_precision(plan.train.precision, device, "train.precision");
  set_threads(plan.machine.threads);
  directory.write_environment(device, plan.train.precision);
  MetricsFile metrics(directory.metrics());
  RunLog log(directory.log());
  TeeProgress tee({&metrics, &log, &progress});

  tell_of_precision(asked, plan, device, tee);
  Training training(plan, directory, device, tee, metrics, stop);
  training.resume();
  TrainOutcome outcome;
  outcome.interrupted = !training.run();
  if (!outcome.interrupted) {
    outcome.model = directory.model();
    if (plan.train.ema_decay > 0) outcome.averaged_model = directory.averaged_model();
  }
  outcome.epochs_done = training.epochs_done();
  outcome.images = training.images_learnt_from();
  outcome.last_loss = training.last_loss();
  outcome.best_score = training.best_score();
  return outcome;
}

}  // namespace kindred
