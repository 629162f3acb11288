#include "recipe/recipe_layout.h"

#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "recipe/settings.h"

namespace kindred::recipe {
namespace {

using Kind = RecipeTable::Kind;

ParameterInfo type_key(const std::string& role) {
  ParameterInfo info;
  info.name = "type";
  info.type = "text";
  info.required = true;
  info.doc = "name of the " + role + "; `kindred list` shows all";
  return info;
}

template <class Settings>
void append(std::vector<ParameterInfo>& parameters) {
  auto more = Settings::schema().parameters();
  std::move(more.begin(), more.end(), std::back_inserter(parameters));
}

RecipeTable component(const std::string& role, std::string summary) {
  return {role, Kind::component, true, std::move(summary), {type_key(role)}, {}};
}

RecipeTable components(const std::string& role, bool required, std::string summary) {
  RecipeTable table{role, Kind::components, required, std::move(summary), {type_key(role)}, {}};
  append<EntrySettings>(table.parameters);
  return table;
}

template <class Settings>
RecipeTable settings(std::string key, Affects affects = Affects::training) {
  RecipeTable table{std::move(key), Kind::settings, false, Settings::schema().summary(), {}, {}, "", affects};
  append<Settings>(table.parameters);
  return table;
}

/// Puts a list of tables of the engine into a component's table.
template <class Settings>
void add_list(RecipeTable& table, const std::string& name) {
  auto list = settings<Settings>(table.key + "." + name);
  list.kind = Kind::settings_list;
  ParameterInfo info;
  info.name = name;
  info.type = "list of tables";
  info.value = Value(Array());
  info.doc = list.summary + " `kindred describe " + list.key + "` shows its keys";
  table.parameters.push_back(std::move(info));
  table.inner.push_back(std::move(list));
}

/// What other programs call the tables.
std::vector<std::string> synonyms_of(const std::string& key) {
  static const std::map<std::string, std::vector<std::string>> synonyms = {
      {"dataset", {"data", "datasets", "input"}},
      {"folds", {"cross_validation", "cv", "kfold"}},
      {"augmentation", {"transform", "transforms", "augment", "aug", "preprocessing"}},
      {"sampler", {"batch", "batches", "batch_sampler"}},
      {"backbone", {"model", "network", "net", "arch"}},
      {"head", {"neck", "classifier"}},
      {"loss", {"losses", "criterion", "objective"}},
      {"optimizer", {"optim", "solver", "optimiser"}},
      {"schedule", {"scheduler", "lr_scheduler", "lr_schedule", "lr"}},
      {"weights", {"pretrained", "checkpoint", "init"}},
      {"teacher", {"teachers", "distillation", "distill", "mean_teacher"}},
      {"loader", {"dataloader", "data_loader"}},
      {"train", {"trainer", "training"}},
      {"embed", {"inference", "test", "extract", "features"}},
      {"post_processor", {"rerank", "reranking", "re_ranking", "postprocessing"}},
      {"evaluate", {"eval", "evaluation", "validation"}},
      {"metric", {"metrics", "scores"}},
      {"machine", {"device", "hardware", "gpu"}},
  };
  const auto found = synonyms.find(key);
  return found == synonyms.end() ? std::vector<std::string>() : found->second;
}

/// A key that is a table of a component.
ParameterInfo dataset_of_its_own() {
  ParameterInfo info;
  info.name = "dataset";
  info.type = "table";
  info.doc = "data set with these images, written like [dataset]; if not set, the data set of the recipe";
  return info;
}

}  // namespace

std::string RecipeTable::header() const {
  if (kind == Kind::option) return "--" + key;
  const auto path = within.empty() ? key : within + "." + key;
  if (kind == Kind::variant) {
    const auto dot = path.find('.');
    return "[[" + path.substr(0, dot) + "]] type = \"" + path.substr(dot + 1) + "\"";
  }
  return kind == Kind::components || kind == Kind::settings_list ? "[[" + path + "]]" : "[" + path + "]";
}

std::vector<ParameterInfo> top_level_parameters() {
  return RunSettings::schema().parameters();
}

std::vector<RecipeTable> recipe_layout() {
  auto dataset = component(
      "dataset",
      "Where images come from and whom they show. Several data sets are a list, [[dataset]], with a name and "
      "perhaps a share for each.");
  append<EntrySettings>(dataset.parameters);
  append<DatasetSettings>(dataset.parameters);
  auto loss = components(
      "loss", true, "Terms of the function that training minimizes, applied to named outputs of the head.");
  append<LossSettings>(loss.parameters);
  auto post_processor =
      components("post_processor", false,
                 "Processing of descriptors and distances between the network and the ranking, in order.");
  append<PostProcessorSettings>(post_processor.parameters);
  post_processor.affects = Affects::ranking;
  auto metric = components("metric", false,
                           "Figures that rankings are evaluated by, in order. Without [[metric]], those of "
                           "the default metrics, whose parameters a table [metric.NAME] changes.");
  metric.affects = Affects::ranking;
  auto optimizer = component("optimizer", "How the weights are updated from the gradients.");
  add_list<GroupSettings>(optimizer, "group");
  auto backbone = component("backbone", "The network that turns images into features: a map, or tokens.");
  append<BackboneSettings>(backbone.parameters);
  auto pseudo_labels = settings<PseudoLabelsSettings>("pseudo_labels");
  pseudo_labels.kind = Kind::settings_list;
  pseudo_labels.parameters.push_back(dataset_of_its_own());
  auto teacher = settings<TeacherSettings>("teacher");
  teacher.kind = Kind::settings_list;
  std::vector<RecipeTable> layout = {
      std::move(dataset),
      settings<FoldsSettings>("folds"),
      std::move(pseudo_labels),
      components("augmentation", false,
                 "Changes to an image between decoding and conversion to a tensor, in order."),
      component("sampler", "Which training images form each batch."),
      std::move(backbone),
      component("head", "Turns the feature map of the backbone into vectors, logits and the descriptor."),
      std::move(loss),
      std::move(teacher),
      std::move(optimizer),
      component("schedule", "How the learning rate changes during training."),
      settings<WeightsSettings>("weights"),
      settings<LoaderSettings>("loader", Affects::nothing),
      settings<TrainSettings>("train"),
      settings<EmbedSettings>("embed", Affects::features),
      std::move(post_processor),
      settings<RankingSettings>("ranking", Affects::ranking),
      settings<EvaluateSettings>("evaluate", Affects::ranking),
      std::move(metric),
      settings<MachineSettings>("machine", Affects::nothing),
  };
  for (auto& table : layout) table.also_called = synonyms_of(table.key);
  return layout;
}

}  // namespace kindred::recipe
