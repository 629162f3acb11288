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
  Schema<BackboneSettings> s("What a recipe says of any backbone.");
  s.add("weights", &BackboneSettings::weights,
        "file that the backbone starts from: safetensors, or what PyTorch's torch.save has written; relative "
        "to the working directory; every tensor of the backbone must be in it; \"\" for none, where a recipe "
        "that is extended names one");
  s.add("weights_sha256", &BackboneSettings::weights_sha256,
        "what that file is: training refuses another one; the resolved recipe always says it")
      .like(is_sha256, sha256_form);
  s.rule([](const BackboneSettings& settings) -> std::string {
    return settings.weights_sha256 && !settings.weights ? "weights_sha256 needs weights" : "";
  });
  return s;
}

Schema<PseudoLabelsSettings> PseudoLabelsSettings::schema() {
  Schema<PseudoLabelsSettings> s(
      "Images of no known identity that join the training under the identities that a labeler gave them.");
  s.add("file", &PseudoLabelsSettings::file,
        "labels.csv, as the stage 'label' writes it; relative to the working directory")
      .like(is_not_empty, "the name of a file")
      .required();
  return s;
}

Schema<WeightsSettings> WeightsSettings::schema() {
  Schema<WeightsSettings> s("What the whole network starts from, in place of random numbers.");
  s.add("file", &WeightsSettings::file,
        "file with the tensors of backbone and head: a trained model, safetensors, or what PyTorch's "
        "torch.save has written; relative to the working directory")
      .like(is_not_empty, "a path");
  s.add("sha256", &WeightsSettings::sha256,
        "what that file is: training refuses another one; the resolved recipe always says it")
      .like(is_sha256, sha256_form);
  s.add("allow_missing", &WeightsSettings::allow_missing,
        "names of the network's tensors that the file may lack or have in another shape, such as "
        "'head.classifier*' for other identities; they start from random numbers; '*' stands for any "
        "characters")
      .like(is_not_empty, "the name of a tensor");
  s.rule([](const WeightsSettings& settings) -> std::string {
    if (settings.sha256 && !settings.file) return "sha256 needs file";
    return !settings.allow_missing.empty() && !settings.file ? "allow_missing needs file" : "";
  });
  return s;
}

Schema<FoldsSettings> FoldsSettings::schema() {
  Schema<FoldsSettings> s(
      "Validation by folds: the training split's identities are dealt out, one fold of them becomes query "
      "and gallery, the others are trained on.");
  s.add("count", &FoldsSettings::count, "folds that the identities are dealt into").range(2, 1000);
  s.add(
       "fold", &FoldsSettings::fold,
       "the one that is validated, from 1; 0: the data set's own query and gallery are used; `kindred folds` "
       "goes through all of them")
      .at_least(0);
  s.add("seed", &FoldsSettings::seed,
        "which identities come together and which images are queries; unlike the recipe's own seed, it "
        "changes nothing else")
      .at_least(0);
  s.add("min_images_for_query", &FoldsSettings::min_images_for_query,
        "identities with fewer images give no query: all their images are in the gallery")
      .at_least(2)
      .unit("images");
  s.add("distractors", &FoldsSettings::distractors,
        "a data set of other people, or a folder or manifest of images, that joins each gallery: all of it "
        "but its training split, whatever identities it gives; relative to the working directory; \"\" for "
        "none");
  s.rule([](const FoldsSettings& folds) -> std::string {
    if (folds.fold <= folds.count) return "";
    return "fold = " + std::to_string(folds.fold) + " must be at most count = " + std::to_string(folds.count);
  });
  return s;
}

Schema<LoaderSettings> LoaderSettings::schema() {
  Schema<LoaderSettings> s("How images are decoded and augmented ahead of their use.");
  s.add("workers", &LoaderSettings::workers,
        "threads that decode and augment; 0: one for each usable processor; the images do not depend on it")
      .range(0, 1024)
      .unit("threads");
  s.add("prefetch", &LoaderSettings::prefetch, "batches held ready at most").range(1, 1024).unit("batches");
  s.add("skip_bad_images", &LoaderSettings::skip_bad_images,
        "leave out images that cannot be decoded, and count them, instead of stopping at the first");
  return s;
}

Schema<TrainSettings> TrainSettings::schema() {
  Schema<TrainSettings> s("How long a training lasts, and what it does in between.");
  s.add("epochs", &TrainSettings::epochs, "passes over the sampler's batches; 0 writes the untrained network")
      .range(0, 1000000)
      .unit("epochs");
  s.add("precision", &TrainSettings::precision,
        "of the network's computations; 'bf16' and 'fp16' are mixed with fp32 where that is needed; 'auto': "
        "bf16 where the device is made for it, else fp16 on a GPU, else fp32; fp16 needs a GPU",
        {{"fp32", system::Precision::fp32},
         {"fp16", system::Precision::fp16},
         {"bf16", system::Precision::bf16},
         {"auto", system::Precision::automatic}});
  s.add("clip_gradient_norm", &TrainSettings::clip_gradient_norm,
        "the most that the gradient's Euclidean norm over all parameters may be: a longer one is scaled down "
        "to it; 0: no limit")
      .at_least(0);
  s.add("ema_decay", &TrainSettings::ema_decay,
        "keep an exponential moving average of the weights, of which each step leaves so much; it is what is "
        "evaluated and used; 0: none")
      .range(0, 1);
  s.rule([](const TrainSettings& settings) -> std::string {
    return settings.ema_decay < 1 ? "" : "ema_decay = 1 would never move the average; it must be below 1";
  });
  s.add("evaluate_every", &TrainSettings::evaluate_every,
        "evaluate on query and gallery each time so many epochs are done; 0: not during training")
      .at_least(0)
      .unit("epochs");
  s.add("checkpoint_every", &TrainSettings::checkpoint_every,
        "keep what is needed to go on each time so many epochs are done")
      .at_least(1)
      .unit("epochs");
  s.add("checkpoint_minutes", &TrainSettings::checkpoint_minutes,
        "keep it within an epoch too, when the last time is so long ago")
      .above(0)
      .unit("minutes");
  return s;
}

Schema<EmbedSettings> EmbedSettings::schema() {
  Schema<EmbedSettings> s("How images are turned into descriptors.");
  s.add("batch_size", &EmbedSettings::batch_size, "images described at a time")
      .range(1, 65536)
      .unit("images");
  s.add("flip_test", &EmbedSettings::flip_test,
        "describe each image and its mirror image, and add the two; takes twice as long");
  s.add(
      "storage", &EmbedSettings::storage,
      "how descriptors are written: 'float32' as they are; 'float16' and 'bfloat16' in half the space, which "
      "changes them by up to 0.05 % and 0.4 % of their length",
      {{"float32", file::Storage::float32},
       {"float16", file::Storage::float16},
       {"bfloat16", file::Storage::bfloat16}});
  s.add("precision", &EmbedSettings::precision,
        "of the network's computations; 'trained': what the model was trained in, where the device can",
        {{"trained", system::Precision::trained},
         {"fp32", system::Precision::fp32},
         {"fp16", system::Precision::fp16},
         {"bf16", system::Precision::bf16},
         {"auto", system::Precision::automatic}});
  return s;
}

Schema<EvaluateSettings> EvaluateSettings::schema() {
  Schema<EvaluateSettings> s("How rankings are judged.");
  s.add(
      "cameras", &EvaluateSettings::cameras,
      "whether gallery images of the query's own identity and camera are left out: 'known' does so and needs "
      "cameras, 'single' does not, 'auto' does so where cameras are known",
      {{"auto", CameraMode::automatic}, {"known", CameraMode::known}, {"single", CameraMode::single}});
  s.add("multi_query", &EvaluateSettings::multi_query,
        "merge the queries of one identity and camera into one: the mean of their descriptors");
  s.add("map_depth", &EvaluateSettings::map_depth,
        "mAP looks at so many images at the start of each ranking; 0: at all")
      .at_least(0)
      .unit("images");
  s.add("false_positive_rates", &EvaluateSettings::false_positive_rates,
        "shares of the pairs of different persons that may be taken for one person; for each the threshold "
        "and the share of right pairs found are told")
      .above(0)
      .at_most(0.1);
  return s;
}

Schema<LossSettings> LossSettings::schema() {
  Schema<LossSettings> s("What a recipe says of any loss.");
  s.add("on", &LossSettings::on,
        "outputs of the head that the loss is put on, each with an instance of its own; '*' stands for any "
        "characters")
      .like([](const std::string& name) { return !name.empty(); }, "the name of an output")
      .required();
  s.add("weight", &LossSettings::weight, "what the loss is multiplied by in the sum of all losses").above(0);
  s.add("reduction", &LossSettings::reduction, "how the outputs that it is on are put together",
        {{"sum", Reduction::sum}, {"mean", Reduction::mean}});
  s.rule([](const LossSettings& settings) -> std::string {
    if (!settings.on.empty()) return "";
    return "on = [] puts it on nothing; name at least one output of the head, or say enabled = false";
  });
  return s;
}

Schema<PostProcessorSettings> PostProcessorSettings::schema() {
  Schema<PostProcessorSettings> s("What a recipe says of any post-processor.");
  s.add("domains", &PostProcessorSettings::domains,
        "domains whose queries and gallery it is applied to, with [ranking] by_domain = true; []: all");
  return s;
}

Schema<RankingSettings> RankingSettings::schema() {
  Schema<RankingSettings> s("How the gallery is searched.");
  s.add("top", &RankingSettings::top, "gallery images that a run lists for each query")
      .range(1, 1000000000)
      .unit("images");
  s.add("by_domain", &RankingSettings::by_domain,
        "search each domain by itself: a query's own domain is post-processed alone and comes first, images "
        "of other domains follow by their cosine distance");
  return s;
}

Schema<GroupSettings> GroupSettings::schema() {
  const auto given = [](const std::string& name) { return !name.empty(); };
  Schema<GroupSettings> s("Parameters that learn unlike the others; the first group that names one has it.");
  s.add("name", &GroupSettings::name, "what the group is called by overrides and in logs")
      .like(given, "a name")
      .required();
  s.add("enabled", &GroupSettings::enabled, "false: the group is left out");
  s.add("parameters", &GroupSettings::parameters,
        "names of tensors of the model, and of the losses as 'loss.LOSS(OUTPUT).TENSOR'; '*' stands for any "
        "characters")
      .like(given, "a name")
      .required();
  s.add("learning_rate_factor", &GroupSettings::learning_rate_factor, "multiplies the learning rate")
      .above(0);
  s.add("bias_factor", &GroupSettings::bias_factor,
        "multiplies it once more for parameters whose name ends in 'bias'")
      .above(0);
  s.add("weight_decay_factor", &GroupSettings::weight_decay_factor, "multiplies the weight decay; 0: none")
      .at_least(0);
  s.add("frozen_epochs", &GroupSettings::frozen_epochs,
        "first epochs in which they stay as they are, and so do the statistics of batch normalisations that "
        "are frozen whole")
      .at_least(0)
      .unit("epochs");
  s.rule([](const GroupSettings& settings) -> std::string {
    if (!settings.parameters.empty()) return "";
    return "parameters = [] catches nothing; name at least one tensor, or say enabled = false";
  });
  return s;
}

Schema<EntrySettings> EntrySettings::schema() {
  Schema<EntrySettings> s("What a recipe says of any entry of a list of tables.");
  s.add("name", &EntrySettings::name,
        "what the entry is called by overrides and in logs; needed when two entries have the same type")
      .like([](const std::string& name) { return !name.empty(); }, "a name");
  s.add("enabled", &EntrySettings::enabled, "false: the entry is left out");
  return s;
}

Schema<RunSettings> RunSettings::schema() {
  Schema<RunSettings> s("What a recipe says of the whole run.");
  s.add("name", &RunSettings::name,
        "what the experiment is called: its folder is runs/NAME; without one, the file's name");
  s.rule([](const RunSettings& run) {
    const bool path = run.name.find('/') != std::string::npos || run.name.starts_with('.');
    return path ? "name = \"" + run.name + "\" must be no path: it names a folder in runs/" : std::string();
  });
  s.add("seed", &RunSettings::seed, "where all random numbers of a run come from").at_least(0);
  return s;
}

Schema<MachineSettings> MachineSettings::schema() {
  Schema<MachineSettings> s("Where a run is carried out, not what it computes.");
  s.add("device", &MachineSettings::device, "what computes; 'auto': CUDA when it works here, else the CPU")
      .like(is_device, "'auto', 'cpu', 'cuda' or 'cuda:N'");
  s.add("threads", &MachineSettings::threads, "threads that compute on the CPU; 0: all usable processors")
      .range(0, 4096)
      .unit("threads");
  return s;
}

}  // namespace kindred::recipe
