#include "stage/stage_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "kindred/core/error.h"
#include "recipe/list_of_tables.h"

namespace kindred::stage {
namespace {

const Table& table_of(const Value& value) {
  return *value.as<Table>();
}

bool is_empty(const Value& value) {
  return value.as<Table>() != nullptr && table_of(value).empty();
}

/// The pipeline's keys, each in the place of the recipe's own.
void set_machine(const Value& of_pipeline, Table& recipe) {
  if (is_empty(of_pipeline)) return;
  const auto* own = recipe.find("machine");
  const bool both = own != nullptr && own->as<Table>() != nullptr && of_pipeline.as<Table>() != nullptr;
  auto machine = both ? *own : of_pipeline;
  if (both) {
    for (const auto& entry : table_of(of_pipeline).entries()) {
      machine.as<Table>()->set(entry.key, entry.value, entry.key_location);
    }
  }
  recipe.set("machine", std::move(machine));
}

/// Names a file of weights in a recipe, so that what depends on one is allowed; false when it has one
/// already.
bool stand_in_for_weights(Value& recipe) {
  auto& root = *recipe.as<Table>();
  const auto names_file = [&](const char* table, const char* key) {
    const auto* value = root.find(table);
    const auto* file =
        value == nullptr || value->as<Table>() == nullptr ? nullptr : table_of(*value).find(key);
    return file != nullptr && !(*file == Value(std::string()));
  };
  if (names_file("weights", "file") || names_file("backbone", "weights")) return false;
  if (root.find("weights") == nullptr) root.set("weights", Value());
  auto* weights = root.find("weights")->as<Table>();
  if (weights != nullptr) weights->set("file", Value(std::string("a stage's model")));
  return true;
}

constexpr const char* a_stages_losses = "a stage's losses";

/// Names a file of tensors in each loss that needs one and has none; false when there is no such loss.
bool stand_in_for_losses(Value& recipe, const Catalog& catalog) {
  auto* losses = recipe.as<Table>()->find("loss");
  auto* list = losses == nullptr ? nullptr : losses->as<Array>();
  if (list == nullptr) return true;  // the recipe's error is another one
  bool any = false;
  for (auto& loss : *list) {
    auto* table = loss.as<Table>();
    const auto* type = table == nullptr ? nullptr : table->find("type");
    const auto* name = type == nullptr ? nullptr : type->as<std::string>();
    const auto* component = name == nullptr ? nullptr : catalog.find("loss", *name);
    if (component == nullptr || component->info().weights_layouts.empty()) continue;
    if (table->find("weights_file") != nullptr) continue;
    table->set("weights_file", Value(std::string(a_stages_losses)));
    any = true;
  }
  return any;
}

}  // namespace

StageReader::StageReader(const Value& stage, const PipelineDefaults& defaults,
                         recipe::ComponentChooser& chooser)
    : stage_(stage), defaults_(defaults), chooser_(chooser) {
  const auto* name = table_of(stage).find("name");
  if (name != nullptr && name->as<std::string>() != nullptr) name_ = *name->as<std::string>();
}

SourceLocation StageReader::location_of(const std::string& key) const {
  const auto* value = table_of(stage_).find(key);
  return value == nullptr ? location() : value->location();
}

void StageReader::read_inputs(const std::vector<ParameterInfo>& parameters, const Value& written) {
  for (const auto& parameter : parameters) {
    if (parameter.meaning != Meaning::stage) continue;
    const auto* value = written.as<Table>()->find(parameter.name);
    StageInput input{parameter.name, {}, parameter.stage_types, location_of(parameter.name)};
    if (value != nullptr && value->as<std::string>() != nullptr)
      input.names.push_back(*value->as<std::string>());
    if (value != nullptr && value->as<Array>() != nullptr) {
      for (const auto& element : *value->as<Array>()) {
        const auto& name = *element.as<std::string>();
        if (std::find(input.names.begin(), input.names.end(), name) != input.names.end()) {
          chooser_.diagnostics.error(element.location(),
                                     title() + ": " + parameter.name + " names '" + name + "' twice");
        }
        input.names.push_back(name);
      }
    }
    if (!input.names.empty()) inputs_.push_back(std::move(input));
  }
}

recipe::DataPlan StageReader::data() {
  recipe::DataPlan plan;
  plan.catalog = &chooser_.catalog();
  if (auto choice = only_dataset()) {
    choice->share.reset();
    plan.datasets.push_back(std::move(*choice));
  } else {
    plan.datasets.emplace_back();
  }
  plan.folds = engine_table<recipe::FoldsSettings>("folds");
  plan.folds_location = location_of("folds");
  return plan;
}

const Value* StageReader::table(const std::string& key) const {
  return table_of(stage_).find(key);
}

const Value* StageReader::required_table(const std::string& key, const std::string& what_there_is) {
  const auto* value = table(key);
  if (value == nullptr) {
    chooser_.diagnostics.error(
        location(), title() + " needs a table [stage." + key + "] with a 'type'; " + what_there_is);
  }
  return value;
}

const Value* StageReader::dataset_value() {
  if (const auto* own = table("dataset")) return own;
  if (!is_empty(defaults_.dataset)) return &defaults_.dataset;
  chooser_.diagnostics.error(
      location(),
      title() + " has no data; add a table [dataset] to the pipeline, or [stage.dataset] to the stage");
  return nullptr;
}

std::optional<std::vector<std::string>> StageReader::picked_names() const {
  const auto* own = table("dataset");
  if (own == nullptr) return std::nullopt;
  if (const auto* name = own->as<std::string>()) return std::vector{*name};
  const auto* list = own->as<Array>();
  if (list == nullptr || list->empty()) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& element : *list) {
    if (element.as<std::string>() == nullptr) return std::nullopt;
    names.push_back(*element.as<std::string>());
  }
  return names;
}

std::vector<recipe::DatasetChoice> StageReader::pipeline_datasets() const {
  if (is_empty(defaults_.dataset)) return {};
  recipe::ComponentChooser silent(chooser_.catalog());
  return recipe::choose_datasets(defaults_.dataset, "[dataset]", silent);
}

bool StageReader::are_known(const std::vector<std::string>& names) {
  const auto known = recipe::names_of(pipeline_datasets());
  bool all = true;
  for (const auto& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    all = false;
    const auto near = nearest_name(name, known);
    chooser_.diagnostics.error(
        location_of("dataset"),
        title() + ": the pipeline has no data set '" + name + "'; " +
            (known.empty()  ? "give it a list [[dataset]], or the stage a table [stage.dataset]"
             : near.empty() ? "it has " + quoted_list(known)
                            : "did you mean '" + near + "'?"));
  }
  return all;
}

std::optional<recipe::DatasetChoice> StageReader::only_dataset() {
  const auto* value = dataset_value();
  if (value == nullptr) return std::nullopt;
  const bool own = table("dataset") != nullptr;
  std::vector<recipe::DatasetChoice> choices;
  if (const auto names = picked_names()) {
    if (!are_known(*names)) return std::nullopt;
    const auto all = pipeline_datasets();
    for (const auto& name : *names) choices.push_back(*recipe::find_dataset(all, name));
  } else {
    choices = own ? recipe::choose_datasets(*value, title() + ": dataset", chooser_) : pipeline_datasets();
  }
  if (choices.size() > 1) {
    chooser_.diagnostics.error(value->location(), title() + " reads one data set, and there are " +
                                                      quoted_list(recipe::names_of(choices)) +
                                                      "; choose one in the stage, with dataset = \"" +
                                                      choices.front().name + "\"");
  }
  if (choices.size() != 1) return std::nullopt;
  return choices.front();
}

void StageReader::pick_datasets(const std::vector<std::string>& names, Table& recipe) const {
  auto datasets = defaults_.dataset;
  auto* list = datasets.as<Array>();
  if (list != nullptr) {
    for (auto& entry : *list) {
      auto* keys = entry.as<Table>();
      if (keys == nullptr ||
          std::find(names.begin(), names.end(), recipe::entry_name(entry)) != names.end()) {
        continue;
      }
      keys->set("share", Value(0.0));
    }
  }
  recipe.set("dataset", std::move(datasets));
  if (recipe.find("evaluate_on") != nullptr) return;
  Array evaluated;
  for (const auto& name : names) evaluated.emplace_back(name);
  recipe.set("evaluate_on", Value(std::move(evaluated)));
}

std::optional<recipe::Plan> StageReader::plan(const std::optional<std::string>& start_from,
                                              const std::optional<std::string>& losses_from) {
  const auto* recipe = table("recipe");
  if (recipe == nullptr || recipe->as<Table>() == nullptr) {
    chooser_.diagnostics.error(
        recipe == nullptr ? location() : recipe->location(),
        title() + " needs a recipe: the name of a file, or a table [stage.recipe], which may have 'extends'");
    return std::nullopt;
  }
  if (const auto* stages = recipe->as<Table>()->find("stage")) {
    chooser_.diagnostics.error(recipe->location(),
                               title() + " needs a recipe of one model, and this is one of several stages (" +
                                   stages->location().origin + "); run that as a pipeline of its own");
    return std::nullopt;
  }
  const auto* dataset = dataset_value();
  if (dataset == nullptr) return std::nullopt;
  auto whole = *recipe;
  if (const auto names = picked_names()) {
    if (!are_known(*names)) return std::nullopt;
    pick_datasets(*names, *whole.as<Table>());
  } else {
    whole.as<Table>()->set("dataset", *dataset);
  }
  set_machine(defaults_.machine, *whole.as<Table>());
  if (start_from && !stand_in_for_weights(whole)) {
    chooser_.diagnostics.error(
        location_of("start_from"),
        title() + ": both start_from and the recipe set the initial weights; remove one of them");
    return std::nullopt;
  }
  if (losses_from && !stand_in_for_losses(whole, chooser_.catalog())) {
    chooser_.diagnostics.error(location_of("losses_from"),
                               title() +
                                   ": losses_from is of no use: every loss of the recipe that needs a "
                                   "file names one, or none does; remove losses_from");
    return std::nullopt;
  }
  try {
    auto plan = recipe::make_plan(whole, chooser_.catalog());
    if (start_from) plan.weights.file.reset();
    for (auto& loss : plan.losses) {
      if (losses_from && loss.weights_file == a_stages_losses) loss.weights_file.reset();
    }
    return plan;
  } catch (const RecipeError& error) {
    chooser_.add(error);
    return std::nullopt;
  }
}

recipe::RankingPlan StageReader::ranking_plan() {
  const Value nothing;
  const auto* recipe = table("recipe");
  if (recipe == nullptr) recipe = &nothing;
  if (recipe->as<Table>() == nullptr) {
    chooser_.diagnostics.error(
        recipe->location(),
        title() + ": recipe must be the name of a file or a table, not " + recipe->type_name());
    return {};
  }
  try {
    return recipe::choose_ranking(*recipe, chooser_.catalog());
  } catch (const RecipeError& error) {
    chooser_.add(error);
    return {};
  }
}

}  // namespace kindred::stage
