#include "stage/stage_reader.h"

#include <optional>
#include <utility>

namespace kindred::stage {
namespace {

const Table& table_of(const Value& value) {
  return *value.as<Table>();
}

bool is_empty(const Value& value) {
  return value.as<Table>() != nullptr && table_of(value).empty();
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
      for (const auto& name : *value->as<Array>()) input.names.push_back(*name.as<std::string>());
    }
    if (!input.names.empty()) inputs_.push_back(std::move(input));
  }
}

recipe::DataPlan StageReader::data() {
  recipe::DataPlan plan;
  plan.catalog = &chooser_.catalog();
  plan.dataset = dataset();
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

const Value* StageReader::dataset_table() {
  if (const auto* own = table("dataset")) return own;
  if (!is_empty(defaults_.dataset)) return &defaults_.dataset;
  chooser_.diagnostics.error(
      location(),
      title() + " has no data; add a table [dataset] to the pipeline, or [stage.dataset] to the stage");
  return nullptr;
}

recipe::Choice<Dataset> StageReader::dataset() {
  recipe::Choice<Dataset> choice;
  const auto* value = dataset_table();
  // Errors of the pipeline's own are told once, not for each stage.
  if (value == nullptr) return choice;
  const bool own = table("dataset") != nullptr;
  if (own) {
    chooser_.choose(*value, title() + ": dataset", {"type"}, choice);
    return choice;
  }
  recipe::ComponentChooser silent(chooser_.catalog());
  silent.choose(*value, "[dataset]", {"type"}, choice);
  return choice;
}

std::optional<recipe::Plan> StageReader::plan(const std::optional<std::string>& start_from) {
  const auto* recipe = table("recipe");
  if (recipe == nullptr || recipe->as<Table>() == nullptr) {
    chooser_.diagnostics.error(
        recipe == nullptr ? location() : recipe->location(),
        title() + " needs a recipe: the name of a file, or a table [stage.recipe], which may have 'extends'");
    return std::nullopt;
  }
  const auto* dataset = dataset_table();
  if (dataset == nullptr) return std::nullopt;
  auto whole = *recipe;
  whole.as<Table>()->set("dataset", *dataset);
  if (!is_empty(defaults_.machine)) whole.as<Table>()->set("machine", defaults_.machine);
  if (start_from && !stand_in_for_weights(whole)) {
    chooser_.diagnostics.error(
        location_of("start_from"),
        title() + ": both start_from and the recipe set the initial weights; remove one of them");
    return std::nullopt;
  }
  try {
    auto plan = recipe::make_plan(whole, chooser_.catalog());
    if (start_from) plan.weights.file.reset();
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
