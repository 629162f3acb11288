#include "recipe/settings.h"

#include <algorithm>
#include <cctype>

namespace kindred::recipe {
namespace {

bool is_device(const std::string& name) {
  const std::string prefix = "cuda:";
  if (name == "auto" || name == "cpu" || name == "cuda") return true;
  if (name.rfind(prefix, 0) != 0 || name.size() == prefix.size() || name.size() > prefix.size() + 3)
    return false;
  return std::all_of(name.begin() + static_cast<std::ptrdiff_t>(prefix.size()), name.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

bool is_sha256(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}
constexpr const char* sha256_form = "64 hexadecimal digits, as sha256sum prints them";

bool is_not_empty(const std::string& text) {
  return !text.empty();
}

}  // namespace

Schema<BackboneSettings> BackboneSettings::schema() {
  Schema<BackboneSettings> s("Keys that every backbone has in a recipe.");
  s.add("weights", &BackboneSettings::weights,
        "file of initial weights: safetensors, or a file of PyTorch's torch.save; relative to the working "
        "directory; must contain every tensor of the backbone but those for its cameras and views; \"\": "
        "none, overriding an extended recipe")
      .file()
      .also_called({"pretrained", "pretrain_path", "pretrained_path", "checkpoint", "init"});
  s.add("weights_sha256", &BackboneSettings::weights_sha256,
        "SHA-256 of that file; training refuses any other file; always set in the resolved recipe")
      .like(is_sha256, sha256_form);
  s.add("weights_key", &BackboneSettings::weights_key,
        "key of that file under which the weights are, such as teacher, where it holds several networks")
      .like(is_not_empty, "a key");
  s.add("weights_allow_unused", &BackboneSettings::weights_allow_unused,
        "names of tensors of that file that the backbone need not have a place for, such as 'projector.*'; "
        "'*' matches any characters")
      .like(is_not_empty, "the name of a tensor");
  s.rule([](const BackboneSettings& settings) -> std::string {
    if (settings.weights) return "";
    if (settings.weights_sha256) return "weights_sha256 needs weights";
    if (settings.weights_key) return "weights_key needs weights";
    return settings.weights_allow_unused.empty() ? "" : "weights_allow_unused needs weights";
  });
  return s;
}

Schema<TeacherSettings> TeacherSettings::schema() {
  Schema<TeacherSettings> s(
      "Another model, which is not trained, and whose descriptors of the training images losses may be on.");
  s.add("name", &TeacherSettings::name,
        "name of the teacher in overrides and logs; losses are on its output 'NAME.descriptor'")
      .like([](const std::string& name) { return is_not_empty(name) && name.find('*') == std::string::npos; },
            "a name without '*'")
      .required();
  s.add("enabled", &TeacherSettings::enabled, "false: ignore the teacher");
  s.add("weights", &TeacherSettings::weights,
        "model file of Kindred, such as runs/NAME/model/model.safetensors; relative to the working directory")
      .like(is_not_empty, "the name of a file")
      .file()
      .also_called({"file", "model", "checkpoint"});
  s.add("weights_sha256", &TeacherSettings::weights_sha256,
        "SHA-256 of that file; training refuses any other file; always set in the resolved recipe")
      .like(is_sha256, sha256_form);
  s.add("average", &TeacherSettings::average,
        "true: instead of a file, the moving average of the weights in this training, a mean teacher; needs "
        "train.ema_decay")
      .also_called({"ema", "mean_teacher", "momentum"});
  s.rule([](const TeacherSettings& settings) -> std::string {
    if (settings.average && settings.weights) return "weights and average = true exclude each other";
    if (!settings.average && !settings.weights) {
      return "needs weights, the model file of the teacher, or average = true";
    }
    return settings.weights_sha256 && !settings.weights ? "weights_sha256 needs weights" : "";
  });
  return s;
}

Schema<PseudoLabelsSettings> PseudoLabelsSettings::schema() {
  Schema<PseudoLabelsSettings> s(
      "Unlabeled images that are added to the training images, with the pseudo identities of a labeler.");
  s.add("file", &PseudoLabelsSettings::file,
        "labels.csv as written by the stage 'label'; relative to the working directory")
      .like(is_not_empty, "the name of a file")
      .required()
      .file();
  return s;
}

Schema<WeightsSettings> WeightsSettings::schema() {
  Schema<WeightsSettings> s("Initial weights of the whole network, instead of random numbers.");
  s.add("file", &WeightsSettings::file,
        "file with the tensors of backbone and head: a model file, other safetensors, or a file of PyTorch's "
        "torch.save; relative to the working directory")
      .like(is_not_empty, "a path")
      .file()
      .also_called({"path", "checkpoint", "pretrained", "weights"});
  s.add("sha256", &WeightsSettings::sha256,
        "SHA-256 of that file; training refuses any other file; always set in the resolved recipe")
      .like(is_sha256, sha256_form);
  s.add("key", &WeightsSettings::key,
        "key of that file under which the weights are, such as teacher, where it holds several networks")
      .like(is_not_empty, "a key");
  s.add("allow_missing", &WeightsSettings::allow_missing,
        "names of tensors of the network that the file may lack or contain in another shape, such as "
        "'head.classifier*' for other identities; they start from random numbers; '*' matches any characters")
      .like(is_not_empty, "the name of a tensor")
      .also_called({"strict", "ignore", "exclude", "skip"});
  s.add("allow_unused", &WeightsSettings::allow_unused,
        "names of tensors of the file that the network need not have a place for, such as 'auxiliary.*'; "
        "'*' matches any characters")
      .like(is_not_empty, "the name of a tensor");
  s.rule([](const WeightsSettings& settings) -> std::string {
    if (settings.file) return "";
    if (settings.sha256) return "sha256 needs file";
    if (settings.key) return "key needs file";
    if (!settings.allow_missing.empty()) return "allow_missing needs file";
    return settings.allow_unused.empty() ? "" : "allow_unused needs file";
  });
  return s;
}

Schema<FoldsSettings> FoldsSettings::schema() {
  Schema<FoldsSettings> s(
      "Cross-validation: the identities of the training split are split into folds; one fold becomes query "
      "and gallery, the others are trained on.");
  s.add("count", &FoldsSettings::count, "number of folds")
      .range(2, 1000)
      .also_called({"k", "n_folds", "num_folds", "splits", "n_splits"});
  s.add("fold", &FoldsSettings::fold,
        "fold to validate on, from 1; 0: query and gallery of the data set; `kindred folds` runs all folds")
      .at_least(0);
  s.add("seed", &FoldsSettings::seed,
        "seed of the split into folds and of the choice of queries; unlike the seed of the recipe, it "
        "affects nothing else")
      .at_least(0);
  s.add("min_images_for_query", &FoldsSettings::min_images_for_query,
        "identities with fewer images have no query; all their images are in the gallery")
      .at_least(2)
      .unit("images")
      .affects(Affects::features);
  s.add("distractors", &FoldsSettings::distractors,
        "folder or manifest of images of other people, added to each gallery without its training split and "
        "regardless of identities; relative to the working directory; \"\": none")
      .affects(Affects::features)
      .location();
  s.rule([](const FoldsSettings& folds) -> std::string {
    if (folds.fold <= folds.count) return "";
    return "fold = " + std::to_string(folds.fold) + " must be at most count = " + std::to_string(folds.count);
  });
  return s;
}

Schema<LoaderSettings> LoaderSettings::schema() {
  Schema<LoaderSettings> s("How images are decoded and augmented in the background.");
  s.add("workers", &LoaderSettings::workers,
        "threads that decode and augment; 0: one for each usable processor, of which each rank of a machine "
        "has an equal share; does not change the images")
      .range(0, 1024)
      .unit("threads")
      .also_called({"num_workers", "n_jobs", "jobs", "threads"});
  s.add("prefetch", &LoaderSettings::prefetch, "largest number of batches kept ready")
      .range(1, 1024)
      .unit("batches")
      .also_called({"prefetch_factor", "queue", "buffer"});
  s.add("skip_bad_images", &LoaderSettings::skip_bad_images,
        "skip and count images that cannot be decoded, instead of stopping at the first")
      .affects(Affects::features)
      .also_called({"on_bad_image", "on_bad_images", "on_error", "bad_images", "ignore_errors",
                    "ignore_bad_images", "skip_errors", "skip_broken", "skip_corrupt", "allow_corrupt",
                    "tolerate_errors"});
  s.add("max_megapixels", &LoaderSettings::max_megapixels,
        "largest size of an image; a larger one counts as one that cannot be decoded, by its header alone; "
        "crops of people are far smaller, so it is probably not one, and decoding it takes long")
      .above(0)
      .at_most(1073)
      .unit("million pixels")
      .affects(Affects::features);
  s.add("cache_mib", &LoaderSettings::cache_mib,
        "memory for decoded images of a training, of each rank where there are several; they are not decoded "
        "again in later epochs: worth it "
        "where the log says that the training waits for images; an image takes height x width x 3 bytes as "
        "it is "
        "stored, and those that are read first are kept; does not change the images")
      .range(0, 1 << 30)
      .unit("MiB")
      .also_called(
          {"cache", "cache_images", "cache_size", "in_memory", "ram_cache", "cache_mb", "cache_in_memory"});
  return s;
}

Schema<TrainSettings> TrainSettings::schema() {
  Schema<TrainSettings> s("How long to train, in which precision, and when to evaluate and save.");
  s.add("epochs", &TrainSettings::epochs,
        "passes over the batches of the sampler; 0: write the untrained network")
      .range(0, 1000000)
      .unit("epochs")
      .also_called(
          {"num_epochs", "max_epochs", "max_epoch", "n_epochs", "total_epochs", "iterations", "max_iter"});
  s.add("accumulate", &TrainSettings::accumulate,
        "parts that each batch of the sampler is computed in, one after the other: k parts need about 1/k of "
        "the memory and a third more time; the losses still see the whole batch, only batch normalizations "
        "and what networks draw at random see a part at a time")
      .range(1, 4096)
      .unit("parts")
      .also_called({"accumulation_steps", "grad_accumulation", "gradient_accumulation", "accum_iter",
                    "accumulate_grad_batches", "gradient_accumulation_steps", "update_freq"});
  s.add(
       "sync_batch_norm", &TrainSettings::sync_batch_norm,
       "batch normalizations use the statistics of the whole batch where several ranks share it, so that the "
       "training is that of one process; otherwise each rank uses those of its own images; of no effect for "
       "one process alone")
      .also_called({"syncbn", "sync_bn", "use_sync_bn"});
  s.add("precision", &TrainSettings::precision,
        "precision of the network; 'bf16' and 'fp16' are mixed with fp32 where needed; 'auto': bf16 if the "
        "device is designed for it, else fp16 on a GPU, else fp32; fp16 needs a GPU",
        {{"fp32", system::Precision::fp32},
         {"fp16", system::Precision::fp16},
         {"bf16", system::Precision::bf16},
         {"auto", system::Precision::automatic}})
      .also_called({"amp", "mixed_precision", "fp16", "bf16", "half", "dtype"});
  s.add("clip_gradient_norm", &TrainSettings::clip_gradient_norm,
        "largest Euclidean norm of the gradient over all parameters of the recipe's optimizer; a larger "
        "gradient is scaled down; 0: no limit")
      .at_least(0)
      .also_called({"grad_clip", "gradient_clip", "clip_grad", "clip_grad_norm", "max_grad_norm",
                    "gradient_clip_val"});
  s.add("ema_decay", &TrainSettings::ema_decay,
        "decay of an exponential moving average of the weights, the share that each step keeps; the averaged "
        "weights are evaluated and used; 0: no average")
      .range(0, 1)
      .also_called({"ema", "momentum_teacher", "model_ema", "model_ema_decay", "weight_average"});
  s.rule([](const TrainSettings& settings) -> std::string {
    return settings.ema_decay < 1 ? "" : "ema_decay = 1 would never change the average; it must be below 1";
  });
  s.add("evaluate_every", &TrainSettings::evaluate_every,
        "evaluate on query and gallery after every so many epochs; 0: not during training")
      .at_least(0)
      .unit("epochs")
      .affects(Affects::nothing)
      .also_called({"eval_period", "eval_freq", "eval_every", "eval_interval", "val_every", "validate_every",
                    "check_val_every_n_epoch"});
  s.add("best_by", &TrainSettings::best_by,
        "figure of the recipe's metrics whose best evaluation is kept as best.safetensors")
      .affects(Affects::nothing)
      .also_called({"monitor", "best_metric", "select_by"});
  s.add("checkpoint_every", &TrainSettings::checkpoint_every, "write a checkpoint after every so many epochs")
      .at_least(1)
      .unit("epochs")
      .affects(Affects::nothing)
      .also_called({"save_every", "save_freq", "save_interval", "checkpoint_period", "checkpoint_interval"});
  s.add("checkpoint_minutes", &TrainSettings::checkpoint_minutes,
        "write a checkpoint within an epoch too, if the last one is older than this")
      .above(0)
      .unit("minutes")
      .affects(Affects::nothing);
  s.add("tensorboard", &TrainSettings::tensorboard,
        "write the figures of metrics.jsonl to an event file for TensorBoard, too")
      .affects(Affects::nothing)
      .also_called({"use_tensorboard", "tensorboard_log", "tb", "use_tb", "summary_writer"});
  return s;
}

Schema<EmbedSettings> EmbedSettings::schema() {
  Schema<EmbedSettings> s("How features of images are extracted.");
  s.add("batch_size", &EmbedSettings::batch_size, "images per batch")
      .range(1, 65536)
      .unit("images")
      .also_called({"test_batch", "batch", "ims_per_batch"});
  s.add("flip_test", &EmbedSettings::flip_test,
        "add the descriptors of each image and its mirror image; takes twice as long")
      .also_called({"tta", "flip", "flip_feats", "horizontal_flip", "test_time_augmentation"});
  s.add(
       "frames", &EmbedSettings::frames,
       "frames of each tracklet that are taken, at equal distances; its descriptor is the mean of theirs; 0: "
       "all")
      .range(0, 1'000'000)
      .also_called({"seq_len", "num_frames", "frames_per_tracklet", "sample_frames"});
  s.add("storage", &EmbedSettings::storage,
        "number format on disk; 'float32': unchanged; 'float16' and 'bfloat16': half the size, with a change "
        "of up to 0.05 % and 0.4 % of the length",
        {{"float32", file::Storage::float32},
         {"float16", file::Storage::float16},
         {"bfloat16", file::Storage::bfloat16}})
      .also_called({"dtype", "format", "number_format"});
  s.add("shard_images", &EmbedSettings::shard_images,
        "descriptors in each file, for more images than memory holds: NAME.0000.npy and so on, listed in "
        "NAME.shards.csv; best a multiple of batch_size; 0: all in NAME.npy")
      .range(0, 1'000'000'000)
      .also_called({"shard_size", "chunk_size", "rows_per_file"});
  s.add("precision", &EmbedSettings::precision,
        "inference precision; 'trained': that of the training, if the device supports it",
        {{"trained", system::Precision::trained},
         {"fp32", system::Precision::fp32},
         {"fp16", system::Precision::fp16},
         {"bf16", system::Precision::bf16},
         {"auto", system::Precision::automatic}})
      .also_called({"amp", "mixed_precision", "half", "fp16"});
  return s;
}

Schema<EvaluateSettings> EvaluateSettings::schema() {
  Schema<EvaluateSettings> s("How rankings are evaluated; [[metric]] chooses the figures.");
  s.add("cameras", &EvaluateSettings::cameras,
        "whether to ignore gallery images with the identity and camera of the query: 'known': yes, needs "
        "cameras; 'single': no; 'auto': yes if cameras are known",
        {{"auto", CameraMode::automatic}, {"known", CameraMode::known}, {"single", CameraMode::single}})
      .also_called({"ignore_same_camera", "same_camera", "junk", "camera_mode"});
  s.add("multi_query", &EvaluateSettings::multi_query,
        "merge the queries of one identity, camera and clothes into the mean of their descriptors");
  s.add("exclude_same_image", &EvaluateSettings::exclude_same_image,
        "whether to ignore, for a query that is in the gallery too, this image itself: the same path and the "
        "same descriptor");
  s.add("clothes", &EvaluateSettings::clothes,
        "which gallery images of the identity of the query count: 'changed': those in other clothes; 'same': "
        "those in the clothes of the query; 'any': all; the first two need clothes",
        {{"any", ClothesMode::any}, {"changed", ClothesMode::changed}, {"same", ClothesMode::same}});
  s.add("single_gallery_shot", &EvaluateSettings::single_gallery_shot,
        "rank each query so many times in a gallery with one randomly drawn image of each identity, and "
        "average; the draws are the same for every model; 0: rank the whole gallery once")
      .at_least(0)
      .at_most(100)
      .unit("draws");
  return s;
}

Schema<DatasetSettings> DatasetSettings::schema() {
  Schema<DatasetSettings> s("Keys that every data set has in a list [[dataset]].");
  s.add("share", &DatasetSettings::share,
        "share of the images of each batch, relative to the shares of the other data sets; 0: not trained "
        "on; without any share the sampler sees all images as one data set")
      .range(0, 1e6);
  return s;
}

Schema<LossSettings> LossSettings::schema() {
  Schema<LossSettings> s("Keys that every loss has in a recipe.");
  s.add("on", &LossSettings::on,
        "outputs of the head that the loss is applied to, with a separate instance for each; '*' matches any "
        "characters")
      .like([](const std::string& name) { return !name.empty(); }, "the name of an output")
      .required()
      .also_called({"outputs", "output", "inputs", "apply_to", "target"});
  s.add("weight", &LossSettings::weight, "factor of the loss in the sum of all losses")
      .above(0)
      .also_called({"scale", "factor", "lambda", "loss_weight", "coefficient"});
  s.add("reduction", &LossSettings::reduction, "how the losses of the outputs are combined",
        {{"sum", Reduction::sum}, {"mean", Reduction::mean}});
  s.add(
       "weights_file", &LossSettings::weights_file,
       "file with the tensors that the loss needs, such as those of a text encoder, or losses.safetensors of "
       "another training; relative to the working directory")
      .file();
  s.add("weights_sha256", &LossSettings::weights_sha256,
        "SHA-256 of that file; training refuses any other file; always set in the resolved recipe")
      .like(is_sha256, sha256_form);
  s.add(
       "weights_key", &LossSettings::weights_key,
       "key of that file under which the tensors are, or what their names begin with, where it holds several "
       "losses or networks")
      .like(is_not_empty, "a key");
  s.rule([](const LossSettings& settings) -> std::string {
    if (!settings.weights_file && settings.weights_sha256) return "weights_sha256 needs weights_file";
    if (!settings.weights_file && settings.weights_key) return "weights_key needs weights_file";
    if (!settings.on.empty()) return "";
    return "on = [] applies the loss to nothing; name at least one output of the head, or set enabled = "
           "false";
  });
  return s;
}

Schema<PostProcessorSettings> PostProcessorSettings::schema() {
  Schema<PostProcessorSettings> s("Keys that every post-processor has in a recipe.");
  s.add("domains", &PostProcessorSettings::domains,
        "domains that it is applied to, with [ranking] by_domain = true; []: all");
  return s;
}

Schema<RankingSettings> RankingSettings::schema() {
  Schema<RankingSettings> s("How the gallery is searched.");
  s.add("top", &RankingSettings::top, "gallery images to list for each query")
      .range(1, 1000000000)
      .unit("images")
      .also_called({"k", "topk", "top_k", "max_rank", "depth"});
  s.add("by_domain", &RankingSettings::by_domain,
        "search each domain separately: images of the query's domain are post-processed on their own and "
        "come first, then images of other domains by cosine distance");
  return s;
}

Schema<GroupSettings> GroupSettings::schema() {
  const auto given = [](const std::string& name) { return !name.empty(); };
  Schema<GroupSettings> s(
      "Parameters with their own learning settings; a parameter belongs to the first group that matches it.");
  s.add("name", &GroupSettings::name, "name of the group in overrides and logs")
      .like(given, "a name")
      .required();
  s.add("enabled", &GroupSettings::enabled, "false: ignore the group");
  s.add("parameters", &GroupSettings::parameters,
        "names of tensors of the model, and of losses as 'loss.LOSS(OUTPUT).TENSOR'; '*' matches any "
        "characters")
      .like(given, "a name")
      .required()
      .also_called({"params", "match", "pattern", "patterns", "layers"});
  s.add("learning_rate_factor", &GroupSettings::learning_rate_factor, "multiplies the learning rate")
      .above(0)
      .also_called({"lr_mult", "lr_factor", "lr_scale", "multiplier"});
  s.add("bias_factor", &GroupSettings::bias_factor,
        "also multiplies the learning rate of parameters whose name ends in 'bias'")
      .above(0);
  s.add("weight_decay_factor", &GroupSettings::weight_decay_factor,
        "multiplies the weight decay; 0: no weight decay")
      .at_least(0)
      .also_called({"wd_mult", "decay_mult", "weight_decay"});
  s.add("weight_decay_on_vectors", &GroupSettings::weight_decay_on_vectors,
        "false: no weight decay on parameters of one dimension: biases, and weights of normalizations")
      .also_called({"no_weight_decay", "filter_bias_and_bn", "decay_norm_and_bias"});
  s.add("layer_decay", &GroupSettings::layer_decay,
        "multiplies the learning rate once for each block of the backbone from the block of the parameter to "
        "the last one, so that early blocks learn slowly; parameters of no block keep theirs; 1: no effect")
      .above(0)
      .at_most(1)
      .also_called({"layerwise_lr_decay", "layer_wise_lr_decay", "lr_layer_decay", "llrd"});
  s.add("frozen_epochs", &GroupSettings::frozen_epochs,
        "first epochs in which the parameters are frozen, and also the statistics of batch normalizations "
        "all of whose parameters are frozen")
      .at_least(0)
      .unit("epochs")
      .also_called({"freeze", "freeze_epochs", "fixbase_epoch", "frozen", "freeze_iters"});
  s.rule([](const GroupSettings& settings) -> std::string {
    if (!settings.weight_decay_on_vectors && settings.weight_decay_factor == 0) {
      return "weight_decay_on_vectors = false has no effect with weight_decay_factor = 0; remove one of them";
    }
    if (!settings.parameters.empty()) return "";
    return "parameters = [] matches nothing; name at least one tensor, or set enabled = false";
  });
  return s;
}

Schema<EntrySettings> EntrySettings::schema() {
  Schema<EntrySettings> s("Keys that every entry of a list of tables has.");
  s.add("name", &EntrySettings::name,
        "name of the entry in overrides and logs, by default its type; to override one of two entries of a "
        "type, name it")
      .like([](const std::string& name) { return !name.empty(); }, "a name");
  s.add("enabled", &EntrySettings::enabled, "false: ignore the entry");
  return s;
}

Schema<RunSettings> RunSettings::schema() {
  Schema<RunSettings> s("Keys of the whole run.");
  s.add("name", &RunSettings::name,
        "name of the experiment, whose folder is runs/NAME; by default the name of the file")
      .affects(Affects::nothing);
  s.rule([](const RunSettings& run) -> std::string {
    const bool path = run.name.find('/') != std::string::npos || run.name.starts_with('.');
    const bool control =
        std::any_of(run.name.begin(), run.name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
    if (control) return "name holds a control character; it is the name of a folder in runs/";
    return path ? "name = \"" + run.name + "\" must not be a path: it is the name of a folder in runs/"
                : std::string();
  });
  s.add("seed", &RunSettings::seed, "seed of all random numbers of a run")
      .at_least(0)
      .also_called({"random_seed", "manual_seed", "random_state"});
  s.add("evaluate_on", &RunSettings::evaluate_on,
        "names of the data sets of [[dataset]] whose query and gallery are evaluated, during training and "
        "after it, each by itself; []: all")
      .affects(Affects::nothing);
  return s;
}

Schema<MachineSettings> MachineSettings::schema() {
  Schema<MachineSettings> s(
      "The hardware that a run uses and how; at most the last bits of what it computes depend on it, but for "
      "what several ranks train with batch normalizations of their own (train.sync_batch_norm).");
  s.add("device", &MachineSettings::device,
        "device to compute on; 'auto': CUDA if it works on this machine, else the CPU")
      .like(is_device, "'auto', 'cpu', 'cuda' or 'cuda:N'")
      .also_called({"gpu", "gpus", "cuda", "accelerator"});
  s.add("threads", &MachineSettings::threads, "threads to compute with on the CPU; 0: all usable processors")
      .range(0, 4096)
      .unit("threads")
      .also_called({"num_threads", "cpus", "n_jobs", "workers"});
  s.add("ranks", &MachineSettings::ranks,
        "processes on this machine that share the work of a training, and of whatever else can be shared: "
        "each "
        "has the GPU of its number, or its share of the threads; without effect where torchrun, mpirun or "
        "srun "
        "starts the processes")
      .range(1, 1024)
      .unit("processes")
      .also_called({"nproc_per_node", "nproc", "world_size", "processes", "num_gpus"});
  s.add("tf32", &MachineSettings::tf32,
        "where GPUs since Ampere may round factors of 32-bit products to TF32, which has 10 bits after the "
        "point instead of 23: 'convolutions' (as PyTorch does), 'all': matrix products of networks too, "
        "'off'; no effect on searches, which stay exact, and on the CPU",
        {{"convolutions", system::TensorFloat::convolutions},
         {"all", system::TensorFloat::all},
         {"off", system::TensorFloat::off}})
      .also_called({"allow_tf32", "matmul_precision", "float32_matmul_precision"});
  s.add("cudnn_benchmark", &MachineSettings::cudnn_benchmark,
        "on a GPU, let cuDNN try its algorithms for each size of a convolution once and take the fastest; "
        "false: take what it expects to be fast, which is the same in each run; no effect on the CPU")
      .also_called({"benchmark", "cudnn"});
  return s;
}

}  // namespace kindred::recipe
