// Stage "train": samples -> a trained model in a run directory.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "progress/progress.h"
#include "recipe/plan.h"
#include "system/ranks.h"

namespace kindred::stage {

struct TrainOutcome {
  bool interrupted = false;     ///< `stop` was set: a checkpoint was written, the same call goes on
  bool was_done = false;        ///< training had ended before this call, which did nothing
  std::filesystem::path model;  ///< the model file, once training has ended
  /// That of the averaged weights, with train.ema_decay: the one to use.
  std::filesystem::path averaged_model;
  std::int64_t epochs_done = 0;
  /// Learned from so far, in however many calls; 0 when was_done.
  std::int64_t images = 0;
  double last_loss = 0;  ///< mean over the last epoch that is done
  /// The best value of the evaluations in between, of the figure that train.best_by names.
  std::optional<double> best_score;
};

/// Trains, or goes on where the run directory's checkpoint stands; a training that has ended is not repeated.
/// On the CPU, and with the same number of threads, the model is the same to the last bit however often
/// training was stopped in between, orderly or not.
///
/// A training that has ended or was stopped goes on to other epochs than it was begun with where that is what
/// the recipe would have trained from the start (extension.h); the models of one that had ended are kept as
/// model.EPOCHS.safetensors.
///
/// Writes: recipe.toml, environment.json, checkpoint.safetensors, metrics.jsonl, an event file of
/// train.tensorboard (tensorboard_file.h), log.txt and, in the end, model.safetensors, with train.ema_decay
/// model.ema.safetensors, and losses.safetensors if losses leave something. With train.evaluate_every the
/// data set's queries and gallery are evaluated in between, with a picture of some in rank_sheets/, and
/// best.safetensors is the model with the best train.best_by so far; model.safetensors is always that of the
/// last epoch. With train.ema_decay what is evaluated, and best.safetensors, are the averaged weights. The
/// checkpoint before the newest stays as checkpoint.previous.safetensors until training has ended. A
/// checkpoint is written each train.checkpoint_every epochs, every train.checkpoint_minutes within an epoch,
/// at the end, and when `stop` is set, after the batch under way.
///
/// `train.precision = "auto"` is decided on before anything else, as the directory's own training was begun
/// or else by the devices of all ranks, and everything written says what it came to.
///
/// Sets the threads of the process (set_threads) and the seed of LibTorch's generators.
/// Throws DataError when the directory belongs to another recipe (the differing keys are named) or is in use,
/// when the training images have changed since the checkpoint, and when the checkpoint is damaged and the
/// previous one too; RecipeError for a group that catches nothing; Error when the device cannot compute in
/// the precision, and when the loss is not finite any more (the last checkpoint is kept).
/// @param ranks those that train together, each of which calls this with the same plan and directory: rank 0
///              writes, the others read what is there
[[nodiscard]] TrainOutcome train(const recipe::Plan& plan, const std::filesystem::path& run_directory,
                                 progress::ProgressSink& progress, const std::atomic<bool>& stop,
                                 const system::Ranks& ranks = system::Ranks::alone());

}  // namespace kindred::stage
