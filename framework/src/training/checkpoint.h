// What is needed to go on with a training as if it had never stopped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "file/safetensors.h"
#include "progress/progress.h"

namespace kindred::training {

struct Checkpoint {
  std::int64_t epoch = 1;  ///< the epoch under way, from 1; one more than all when training has ended
  std::int64_t batch = 0;  ///< batches of it that are done
  std::string identity;    ///< Plan::identity() as TOML
  std::string data;        ///< what the training images were: TrainingData::fingerprint
  std::int64_t metrics_position = 0;  ///< bytes of metrics.jsonl that belong to what is done
  std::string evaluation;             ///< what decided best_score: evaluation_identity()
  std::optional<double> best_score;
  double last_loss = 0;      ///< of the last epoch that is done
  std::string environment;   ///< what the last bits depend on: LibTorch, device, threads
  bool is_previous = false;  ///< of what was read: the newest one is damaged or missing
  /// Tensors of the model, the losses, the optimizers, the random generators; cameras and views of the model.
  file::TensorFile state;
};

/// Writes the checkpoint; the one before is kept beside it as NAME.previous.safetensors. At every moment at
/// least one of the two is whole. Throws DataError.
void write_checkpoint(const std::filesystem::path& file, const Checkpoint& checkpoint);

/// Nothing when there is no checkpoint. A damaged one is passed over, with a note, for the previous one
/// (`is_previous`). Changes no file: all ranks read. Throws DataError naming what is wrong with both when
/// neither can be used.
[[nodiscard]] std::optional<Checkpoint> read_checkpoint(const std::filesystem::path& file,
                                                        progress::ProgressSink& notes);

/// Puts the previous checkpoint in the place of a newest one that cannot be used, which would otherwise
/// become the previous one of the next. Throws DataError.
void restore_previous_checkpoint(const std::filesystem::path& file);

/// What a checkpoint tells without its tensors: everything but `state`, unchecked. Nothing when there is none
/// that can be read.
[[nodiscard]] std::optional<Checkpoint> read_checkpoint_position(const std::filesystem::path& file);

/// A tensor of a checkpoint's state. Throws DataError naming `file` when it is not there.
[[nodiscard]] const torch::Tensor& state_tensor(const file::TensorFile& state, const std::string& name,
                                                const std::filesystem::path& file);

/// The name under which the checkpoint before is kept.
[[nodiscard]] std::filesystem::path previous_checkpoint(const std::filesystem::path& file);

}  // namespace kindred::training
