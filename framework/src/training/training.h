// A training under way: epochs, checkpoints, evaluations.
#pragma once

#include <torch/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/loader.h"
#include "kindred/role/metric.h"
#include "progress/progress.h"
#include "progress/rate.h"
#include "recipe/plan.h"
#include "results/evaluation.h"
#include "results/metrics_file.h"
#include "system/precision.h"
#include "system/ranks.h"
#include "training/checkpoint.h"
#include "training/joint_batch.h"
#include "training/run_directory.h"
#include "training/trainer.h"
#include "training/training_data.h"

namespace kindred::training {

class Training {
 public:
  /// All arguments taken by reference must outlive it.
  /// @param metrics one of the sinks behind `progress`; nullptr on all ranks but the first, which is the one
  ///                that writes
  /// @param ranks those that train together: each batch is shared by them, the images of an identity staying
  ///              together. A batch that cannot be is an error in the first epoch, and left out of a later
  ///              one. Images are those of one process, but for augmentations that are ordered(), which see
  ///              those of a rank alone.
  Training(const recipe::Plan& plan, const RunDirectory& directory, torch::Device device,
           progress::ProgressSink& progress, results::MetricsFile* metrics, const std::atomic<bool>& stop,
           const system::Ranks& ranks = system::Ranks::alone());

  /// Goes on where the directory's checkpoint stands, if there is one.
  void resume();
  /// Trains to the end and writes the model; false when stopped before.
  [[nodiscard]] bool run();

  [[nodiscard]] std::int64_t epochs_done() const { return epoch_ - 1; }
  /// Of all batches so far, in this process and in those before it.
  [[nodiscard]] std::int64_t images_learned_from() const;
  [[nodiscard]] double last_loss() const { return last_loss_; }
  [[nodiscard]] const std::optional<double>& best_score() const { return best_score_; }

 private:
  /// The rest of the epoch under way; false when stopped in it.
  [[nodiscard]] bool run_epoch();
  /// @param joint of all ranks, to which this rank gives the batch
  void learn(const data::Batch& batch, const JointBatch& joint, std::int64_t batches);
  /// The schedule's in this epoch, for a batch counted from 0.
  [[nodiscard]] double learning_rate_factor(std::int64_t batch, std::int64_t batches) const;
  void finish_epoch(std::int64_t batches);
  void evaluate_epoch();
  /// On the first rank; nothing on the others.
  [[nodiscard]] std::optional<results::Evaluation> evaluate(const TestSet& test_set);
  void checkpoint();
  /// Throws DataError for a checkpoint that stands where this training never does.
  void require_place(const Checkpoint& checkpoint) const;
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches_of_epoch(std::int64_t epoch) const;
  /// Throws ComponentError for a batch that cannot be divided among the ranks.
  void require_shares(const std::vector<std::vector<std::size_t>>& batches) const;
  /// Empty for one process alone.
  struct Shares {
    std::vector<std::vector<std::size_t>> own;  ///< the places of this rank in each batch
    std::vector<std::size_t> largest;           ///< of any rank, in each batch
    [[nodiscard]] std::size_t largest_of(std::size_t batch) const {
      return largest.empty() ? 0 : largest.at(batch);
    }
  };
  /// Of a batch that cannot be divided, each rank has one image alone, from which nobody can learn.
  [[nodiscard]] Shares shares_of(const std::vector<std::vector<std::size_t>>& batches) const;
  [[nodiscard]] progress::Progress progress_of(std::int64_t batches) const;
  [[nodiscard]] std::string environment() const;
  [[nodiscard]] bool evaluates() const { return plan_.train.evaluate_every > 0; }

  const recipe::Plan& plan_;
  const RunDirectory& directory_;
  torch::Device device_;
  system::Computing inference_;  // of evaluations in between
  progress::ProgressSink& progress_;
  results::MetricsFile* metrics_;
  const std::atomic<bool>& stop_;
  const system::Ranks& ranks_;

  TrainingData data_;
  std::unique_ptr<Sampler> sampler_;
  std::unique_ptr<Schedule> schedule_;
  std::vector<std::unique_ptr<Augmentation>> augmentations_;
  data::Loader loader_;
  Trainer trainer_;

  std::int64_t epoch_ = 1;  // under way
  std::int64_t batch_ = 0;  // done of it
  double last_loss_ = 0;
  std::optional<FigureInfo> best_by_;  // when it evaluates
  std::string evaluation_;             // evaluation_identity()
  std::optional<double> best_score_;

  progress::Rate rate_;         // images
  progress::Rate batch_rate_;   // batches
  double waited_ = 0;           // seconds for images, in this epoch since the start or the resumption
  double worked_ = 0;           // seconds altogether, likewise
  double last_checkpoint_ = 0;  // monotonic seconds
  std::int64_t skipped_ = 0;    // images told of
  bool told_of_waiting_ = false;
  bool told_of_cache_ = false;
  bool told_of_collapse_ = false;
  bool told_of_nobody_else_ = false;
};

}  // namespace kindred::training
