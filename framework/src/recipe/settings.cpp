#include "recipe/settings.h"

#include <algorithm>
#include <cctype>

namespace kindred {
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
        "to the working directory; every tensor of the backbone must be in it")
      .like(is_not_empty, "a path");
  s.add("weights_sha256", &BackboneSettings::weights_sha256,
        "what that file is: training refuses another one; the frozen recipe always says it")
      .like(is_sha256, sha256_form);
  s.rule([](const BackboneSettings& settings) -> std::string {
    return settings.weights_sha256 && !settings.weights ? "weights_sha256 needs weights" : "";
  });
  return s;
}

Schema<WeightsSettings> WeightsSettings::schema() {
  Schema<WeightsSettings> s("What the whole network starts from, in place of random numbers.");
  s.add("file", &WeightsSettings::file,
        "file with the tensors of backbone and head: a trained model, safetensors, or what PyTorch's "
        "torch.save has written; relative to the working directory")
      .like(is_not_empty, "a path");
  s.add("sha256", &WeightsSettings::sha256,
        "what that file is: training refuses another one; the frozen recipe always says it")
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
  return s;
}

Schema<EvaluateSettings> EvaluateSettings::schema() {
  Schema<EvaluateSettings> s("How rankings are judged.");
  s.add(
      "cameras", &EvaluateSettings::cameras,
      "whether gallery images of the query's own identity and camera are left out: 'known' does so and needs "
      "cameras, 'single' does not, 'auto' does so where cameras are known",
      {{"auto", CameraMode::automatic}, {"known", CameraMode::known}, {"single", CameraMode::single}});
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

}  // namespace kindred
