#include "stage/train.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "file/safetensors.h"
#include "progress/run_log.h"
#include "results/metrics_file.h"
#include "results/tensorboard_file.h"
#include "system/device.h"
#include "system/gpu_arithmetic.h"
#include "system/precision.h"
#include "system/rank_machine.h"
#include "text/number_text.h"
#include "training/checkpoint.h"
#include "training/extension.h"
#include "training/planned_schedule.h"
#include "training/run_directory.h"
#include "training/training.h"
#include "weights/initial_weights.h"

namespace kindred::stage {
namespace {

/// The plan with a precision that is not 'auto' any more, the same on all ranks: their devices may suit
/// different ones, and a gradient that is scaled for fp16 has no sum with one that is not.
recipe::Plan decided(recipe::Plan plan, const std::optional<Value>& begun, const system::Ranks& ranks) {
  if (plan.train.precision != system::Precision::automatic) return plan;
  // As rank 0 finds it, so that all ask each other or none.
  if (ranks.broadcast(begun ? 1.0 : 0.0) == 0.0) {
    plan.train.precision =
        system::suitable_precision(system::device_of_rank(plan.machine.device, ranks.place()), ranks);
    return plan;
  }
  if (begun) {
    Diagnostics unread;  // a recipe of another version is RunDirectory::freeze()'s to refuse
    const auto* written = begun->as<Table>()->find("train");
    if (written != nullptr) {
      plan.train.precision = recipe::TrainSettings::schema().parse(*written, "[train]", unread).precision;
    }
  }
  const auto of_first = ranks.broadcast(static_cast<double>(plan.train.precision));
  plan.train.precision = static_cast<system::Precision>(std::lround(of_first));
  return plan;
}

void tell_of_precision(const recipe::Plan& asked, const recipe::Plan& plan, torch::Device device,
                       const system::Ranks& ranks, progress::ProgressSink& progress) {
  const auto precision = plan.train.precision;
  const auto name = system::precision_name(precision);
  if (asked.train.precision == system::Precision::automatic) {
    const auto suitable = system::suitable_precision(device, ranks);
    std::string why;
    if (suitable != precision) {
      why = ", which this training started with; " + system::precision_name(suitable) + " would suit " +
            device.str() + " better";
    } else if (system::suitable_precision(device) != precision) {
      why = ", which suits the devices of all ranks";
    }
    progress.note("train.precision = \"auto\": computing in " + name + why);
  } else if (precision != system::Precision::fp32) {
    progress.note("computing in " + name);
  }
  if (const auto text = system::gpu_arithmetic_text(device, plan.machine.tf32, plan.machine.cudnn_benchmark);
      !text.empty()) {
    progress.note(text);
  }
  if (!system::is_made_for(device, precision)) {
    progress.note("warning: " + system::device_text(device) + " is not designed for " + name +
                  ", which may be slower than fp32");
  }
}

void tell_of_best_by(const recipe::TrainSettings& settings, progress::ProgressSink& progress) {
  if (settings.evaluate_every > 0 || settings.best_by == recipe::TrainSettings().best_by) return;
  progress.note(
      "warning: train.best_by has no effect: with train.evaluate_every = 0 there are no evaluations to "
      "choose "
      "from");
}

/// The usual cause is a warm-up that is longer than the training, or at whose end a fall has begun already.
void tell_of_low_rates(const recipe::Plan& plan, progress::ProgressSink& progress) {
  constexpr double low = 0.9;
  const auto schedule = training::create_schedule(plan);
  double highest = 0;
  for (std::int64_t epoch = 1; epoch <= plan.train.epochs; ++epoch) {
    for (const double share : {0.0, 0.5, 0.99}) highest = std::max(highest, schedule->factor(epoch, share));
  }
  if (plan.train.epochs == 0 || highest >= low) return;
  progress.note("warning: " + plan.schedule.subject() + " takes the learning rate to " +
                text::significant_text(100 * highest, 2) + " % of the optimizer's at most in " +
                text::count_text(plan.train.epochs, "epoch", "epochs") +
                "; is its warm-up too long for so short a training?");
}

/// A model whose training can go on to more epochs is not the plan's.
bool has_ended(const recipe::Plan& plan, const training::RunDirectory& directory) {
  if (!std::filesystem::exists(directory.model())) return false;
  const auto checkpoint = training::read_checkpoint_position(directory.checkpoint());
  return !checkpoint || checkpoint->epoch > plan.train.epochs;
}

TrainOutcome already_done(const recipe::Plan& plan, const training::RunDirectory& directory,
                          progress::ProgressSink& progress) {
  TrainOutcome outcome;
  outcome.was_done = true;
  outcome.model = directory.model();
  if (std::filesystem::exists(directory.averaged_model()))
    outcome.averaged_model = directory.averaged_model();
  outcome.epochs_done = plan.train.epochs;
  if (const auto checkpoint = training::read_checkpoint_position(directory.checkpoint())) {
    outcome.last_loss = checkpoint->last_loss;
    outcome.best_score = checkpoint->best_score;
  }
  progress.note("already trained: " + outcome.model.string() +
                " exists; to train again, use another run directory or remove this one");
  return outcome;
}

/// What a training writes while it is under way.
struct Records {
  explicit Records(const training::RunDirectory& directory)
      : metrics(directory.metrics()), log(directory.log()), tensorboard(directory.folder()) {}

  results::MetricsFile metrics;
  progress::RunLog log;
  results::TensorBoardFile tensorboard;
};

}  // namespace

TrainOutcome train(const recipe::Plan& asked, const std::filesystem::path& run_directory,
                   progress::ProgressSink& progress, const std::atomic<bool>& stop,
                   const system::Ranks& ranks) {
  const training::RunDirectory directory(run_directory, ranks.is_first());
  const auto plan = decided(weights::settled(asked), training::binding_recipe(run_directory), ranks);
  directory.require_recipe(plan);
  // Before rank 0 writes anything that would change what others find.
  if (ranks.any(has_ended(plan, directory))) {
    // Of a training that was killed just after its model was written.
    std::error_code ignored;
    if (ranks.is_first()) {
      std::filesystem::remove(training::previous_checkpoint(directory.checkpoint()), ignored);
    }
    return already_done(plan, directory, progress);
  }

  const auto device = system::device_of_rank(plan.machine.device, ranks.place());
  system::require_precision(plan.train.precision, device, "train.precision");
  system::set_threads(system::threads_of_rank(plan.machine.threads, ranks.place()));
  system::set_gpu_arithmetic(plan.machine.tf32, plan.machine.cudnn_benchmark);
  std::optional<Records> records;
  std::vector<progress::ProgressSink*> sinks{&progress};
  if (ranks.is_first()) {
    records.emplace(directory);
    sinks.insert(sinks.begin(), {&records->metrics, &records->tensorboard, &records->log});
  }
  progress::TeeProgress tee(sinks);

  if (ranks.are_many()) tee.note(std::to_string(ranks.count()) + " ranks share each batch");
  tell_of_precision(asked, plan, device, ranks, tee);
  tell_of_best_by(plan.train, tee);
  tell_of_low_rates(plan, tee);
  training::Training training(plan, directory, device, tee, records ? &records->metrics : nullptr, stop,
                              ranks);
  training.resume();
  if (records) {
    if (plan.train.tensorboard) records->tensorboard.begin(results::Metrics::read(directory.metrics()));
    // Only now: what says how a model was made is not changed for what cannot go on.
    training::set_models_aside(directory, plan);
    directory.record_recipe(plan);
    directory.write_environment(device, plan.train.precision);
  }
  TrainOutcome outcome;
  outcome.interrupted = !training.run();
  if (!outcome.interrupted) {
    outcome.model = directory.model();
    if (plan.train.ema_decay > 0) outcome.averaged_model = directory.averaged_model();
  }
  outcome.epochs_done = training.epochs_done();
  outcome.images = training.images_learned_from();
  outcome.last_loss = training.last_loss();
  outcome.best_score = training.best_score();
  return outcome;
}

}  // namespace kindred::stage
