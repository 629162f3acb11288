// The engine's own tables of a recipe: what belongs to no component.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "file/storage.h"
#include "kindred/core/schema.h"
#include "system/precision_kind.h"
#include "system/tensor_float.h"

namespace kindred::recipe {

/// Keys at the top of a recipe.
struct RunSettings {
  std::string name;
  std::int64_t seed = 1;
  std::vector<std::string> evaluate_on;  ///< names of data sets; empty: all
  static Schema<RunSettings> schema();
};

/// Keys of each entry of a list of tables, such as [[dataset]], [[loss]], [[pseudo_labels]] and
/// [[optimizer.group]], beside `type` where it has one.
struct EntrySettings {
  std::optional<std::string> name;  ///< absent: what `type` says
  bool enabled = true;
  static Schema<EntrySettings> schema();
};

/// Further keys of each entry of [[dataset]].
struct DatasetSettings {
  std::optional<double> share;
  static Schema<DatasetSettings> schema();
};

enum class Reduction { sum, mean };

/// Further keys of each entry of [[loss]].
struct LossSettings {
  std::vector<std::string> on;
  double weight = 1.0;
  Reduction reduction = Reduction::sum;
  std::optional<std::string> weights_file;    ///< of the loss's own networks or features; absent: none
  std::optional<std::string> weights_sha256;  ///< absent: any file
  std::optional<std::string> weights_key;     ///< absent: the weights are looked for
  static Schema<LossSettings> schema();
};

/// Further keys of each entry of [[post_processor]].
struct PostProcessorSettings {
  std::vector<std::string> domains;
  static Schema<PostProcessorSettings> schema();
};

/// Further keys of [backbone]. Paths are relative to the working directory.
struct BackboneSettings {
  std::optional<std::string> weights;         ///< absent: random
  std::optional<std::string> weights_sha256;  ///< absent: any file
  std::optional<std::string> weights_key;     ///< absent: the weights are looked for
  std::vector<std::string> weights_allow_unused;
  static Schema<BackboneSettings> schema();
};

/// Table [weights]: what the whole network starts from.
struct WeightsSettings {
  std::optional<std::string> file;    ///< absent: random, or what [backbone] says
  std::optional<std::string> sha256;  ///< absent: any file
  std::optional<std::string> key;     ///< absent: the weights are looked for
  std::vector<std::string> allow_missing;
  std::vector<std::string> allow_unused;
  static Schema<WeightsSettings> schema();
};

/// Keys of each entry of [[teacher]]: another model, whose descriptors losses may be on as "NAME.descriptor".
struct TeacherSettings {
  std::string name;
  bool enabled = true;
  std::optional<std::string> weights;         ///< a model file of Kindred
  std::optional<std::string> weights_sha256;  ///< absent: any file
  bool average = false;                       ///< the moving average of the weights in training, no file
  static Schema<TeacherSettings> schema();
};

/// Keys of each entry of [[pseudo_labels]], beside `dataset`: images that join the training.
struct PseudoLabelsSettings {
  std::string file;
  static Schema<PseudoLabelsSettings> schema();
};

/// Table [folds]: a validation on the training split, one fold of its identities at a time.
struct FoldsSettings {
  std::int64_t count = 4;
  std::int64_t fold = 0;  ///< the one that is validated, from 1; 0: the data set is as it is
  std::int64_t seed = 1;
  std::int64_t min_images_for_query = 2;
  std::string distractors;  ///< a folder or manifest; "": none
  static Schema<FoldsSettings> schema();
};

/// Table [loader].
struct LoaderSettings {
  std::int64_t workers = 0;   ///< 0: one for each usable processor
  std::int64_t prefetch = 4;  ///< batches
  bool skip_bad_images = false;
  double max_megapixels = 50;  ///< of an image
  std::int64_t cache_mib = 0;  ///< for decoded images of a training
  static Schema<LoaderSettings> schema();
};

/// Keys of each entry of [[optimizer.group]]: parameters that learn unlike the others.
struct GroupSettings {
  std::string name;
  bool enabled = true;
  std::vector<std::string> parameters;  ///< names; '*' stands for any characters
  double learning_rate_factor = 1;
  double bias_factor = 1;
  double weight_decay_factor = 1;
  bool weight_decay_on_vectors = true;
  double layer_decay = 1;
  std::int64_t frozen_epochs = 0;
  static Schema<GroupSettings> schema();
};

/// Table [train].
struct TrainSettings {
  std::int64_t epochs = 60;
  std::int64_t accumulate = 1;   ///< parts that each batch is computed in
  bool sync_batch_norm = false;  ///< statistics of batches are those of all ranks
  system::Precision precision = system::Precision::fp32;
  double clip_gradient_norm = 0;      ///< 0: not
  double ema_decay = 0;               ///< 0: no averaged weights
  std::int64_t evaluate_every = 0;    ///< epochs; 0: not during training
  std::string best_by = "mAP";        ///< name of a figure
  std::int64_t checkpoint_every = 1;  ///< epochs
  double checkpoint_minutes = 10;     ///< within a long epoch
  bool tensorboard = true;            ///< write event files
  static Schema<TrainSettings> schema();
};

/// Table [embed].
struct EmbedSettings {
  std::int64_t batch_size = 64;
  bool flip_test = false;
  std::int64_t frames = 0;  ///< of each tracklet; 0: all
  file::Storage storage = file::Storage::float32;
  std::int64_t shard_images = 0;  ///< of each array; 0: one array
  system::Precision precision = system::Precision::trained;
  static Schema<EmbedSettings> schema();
};

enum class CameraMode { automatic, known, single };

enum class ClothesMode { any, changed, same };

/// Table [evaluate].
struct EvaluateSettings {
  CameraMode cameras = CameraMode::automatic;
  bool multi_query = false;
  bool exclude_same_image = true;
  ClothesMode clothes = ClothesMode::any;
  std::int64_t single_gallery_shot = 0;  ///< galleries that are drawn; 0: the whole gallery
  static Schema<EvaluateSettings> schema();
};

/// Table [ranking].
struct RankingSettings {
  std::int64_t top = 20;
  bool by_domain = false;
  static Schema<RankingSettings> schema();
};

/// Table [machine]: where a run is carried out, not what it computes; a run may be continued with another.
struct MachineSettings {
  std::string device = "auto";                                   ///< "auto", "cpu", "cuda" or "cuda:N"
  std::int64_t threads = 0;                                      ///< 0: all usable processors
  std::int64_t ranks = 1;                                        ///< processes that share the work
  system::TensorFloat tf32 = system::TensorFloat::convolutions;  ///< of GPUs
  bool cudnn_benchmark = true;                                   ///< of GPUs
  static Schema<MachineSettings> schema();
};

}  // namespace kindred::recipe
