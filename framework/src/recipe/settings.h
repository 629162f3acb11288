// The kernel's own tables of a recipe: what belongs to no component.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kindred/schema.h"

namespace kindred {

/// Keys at the top of a recipe.
struct RunSettings {
  std::string name;
  std::int64_t seed = 1;
  static Schema<RunSettings> schema();
};

/// Keys of each entry of [[augmentation]] and [[loss]], beside `type`.
struct EntrySettings {
  std::optional<std::string> name;  ///< absent: what `type` says
  bool enabled = true;
  static Schema<EntrySettings> schema();
};

enum class Reduction { sum, mean };

/// Further keys of each entry of [[loss]].
struct LossSettings {
  std::vector<std::string> on;
  double weight = 1.0;
  Reduction reduction = Reduction::sum;
  static Schema<LossSettings> schema();
};

/// Further keys of [backbone]. Paths are relative to the working directory.
struct BackboneSettings {
  std::optional<std::string> weights;         ///< absent: random
  std::optional<std::string> weights_sha256;  ///< absent: any file
  static Schema<BackboneSettings> schema();
};

/// Table [weights]: what the whole network starts from.
struct WeightsSettings {
  std::optional<std::string> file;    ///< absent: random, or what [backbone] says
  std::optional<std::string> sha256;  ///< absent: any file
  std::vector<std::string> allow_missing;
  static Schema<WeightsSettings> schema();
};

/// Table [loader].
struct LoaderSettings {
  std::int64_t workers = 0;   ///< 0: one for each usable processor
  std::int64_t prefetch = 4;  ///< batches
  bool skip_bad_images = false;
  static Schema<LoaderSettings> schema();
};

/// Table [train].
struct TrainSettings {
  std::int64_t epochs = 60;
  std::int64_t evaluate_every = 0;    ///< epochs; 0: not during training
  std::int64_t checkpoint_every = 1;  ///< epochs
  double checkpoint_minutes = 10;     ///< within a long epoch
  static Schema<TrainSettings> schema();
};

/// Table [embed].
struct EmbedSettings {
  std::int64_t batch_size = 64;
  static Schema<EmbedSettings> schema();
};

enum class CameraMode { automatic, known, single };

/// Table [evaluate].
struct EvaluateSettings {
  CameraMode cameras = CameraMode::automatic;
  static Schema<EvaluateSettings> schema();
};

/// Table [machine]: where a run is carried out, not what it computes; a run may be continued with another.
struct MachineSettings {
  std::string device = "auto";  ///< "auto", "cpu", "cuda" or "cuda:N"
  std::int64_t threads = 0;     ///< 0: all usable processors
  static Schema<MachineSettings> schema();
};

}  // namespace kindred
