#include "recipe/plan.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "kindred/role/exporter.h"
#include "kindred/role/index.h"
#include "kindred/role/labeler.h"
#include "kindred/role/layout.h"
#include "kindred/role/partitioner.h"
#include "kindred/role/writer.h"
#include "recipe/affects.h"
#include "recipe/planner.h"
#include "recipe/recipe_kind.h"
#include "recipe/recipe_layout.h"

namespace kindred::recipe {
namespace {

void append(Table& table, const Value& more) {
  for (const auto& entry : more.as<Table>()->entries()) table.set(entry.key, entry.value);
}

template <class Role>
Table typed_table(const Choice<Role>& choice) {
  Table table;
  table.set("type", Value(choice.factory->info().name));
  return table;
}

template <class Role>
Table named_table(const Choice<Role>& choice) {
  auto table = typed_table(choice);
  if (choice.name != choice.factory->info().name) table.set("name", Value(choice.name));
  return table;
}

/// [dataset] where nothing more is said of it, else [[dataset]].
Value resolved_datasets(const std::vector<DatasetChoice>& datasets) {
  auto first = datasets.front().resolved_entry();
  if (datasets.size() == 1 && first.as<Table>()->find("name") == nullptr) return first;
  Array list;
  for (const auto& choice : datasets) list.push_back(choice.resolved_entry());
  return {std::move(list)};
}

}  // namespace

std::string EvaluationPlan::metrics_text() const {
  std::string text;
  for (const auto& choice : metrics) text += (text.empty() ? "" : ", ") + choice.title();
  return text.empty() ? "none" : text;
}

std::string RankingPlan::post_processors_text() const {
  std::string text;
  for (const auto& choice : post_processors) {
    text += (text.empty() ? "" : ", ") + choice.title();
    for (std::size_t i = 0; i < choice.domains.size(); ++i) {
      text += (i == 0 ? " for " : " and ") + choice.domains[i];
    }
  }
  return text.empty() ? "none" : text;
}

Value RankingPlan::resolved_ranking() const {
  Table recipe;
  Array entries;
  for (const auto& choice : post_processors) {
    auto table = named_table(choice);
    append(table, PostProcessorSettings::schema().write({choice.domains}));
    append(table, choice.factory->write(choice.params.get()));
    entries.emplace_back(std::move(table));
  }
  recipe.set("post_processor", Value(std::move(entries)));
  recipe.set("ranking", RankingSettings::schema().write(ranking));
  recipe.set("evaluate", EvaluateSettings::schema().write(evaluate));
  entries = {};
  for (const auto& choice : metrics) {
    auto table = named_table(choice);
    append(table, choice.factory->write(choice.params.get()));
    entries.emplace_back(std::move(table));
  }
  if (!metrics.empty()) recipe.set("metric", Value(std::move(entries)));
  return {std::move(recipe)};
}

Value Plan::resolved() const {
  Table recipe;
  // All are not named, so that one of them can be left out.
  const auto tests = evaluate_on == names_of(datasets) ? std::vector<std::string>() : evaluate_on;
  append(recipe, RunSettings::schema().write({name, static_cast<std::int64_t>(seed), tests}));
  recipe.set("dataset", resolved_datasets(datasets));
  recipe.set("folds", FoldsSettings::schema().write(folds));
  Array entries;
  for (const auto& choice : pseudo_labels) {
    auto table = PseudoLabelsSettings::schema().write(choice);
    if (choice.dataset) table.as<Table>()->set("dataset", choice.dataset->resolved());
    entries.push_back(std::move(table));
  }
  recipe.set("pseudo_labels", Value(std::move(entries)));
  entries = {};
  for (const auto& choice : augmentations) {
    auto table = named_table(choice);
    append(table, choice.factory->write(choice.params.get()));
    entries.emplace_back(std::move(table));
  }
  recipe.set("augmentation", Value(std::move(entries)));
  recipe.set("sampler", sampler.resolved());
  auto backbone_table = typed_table(backbone);
  append(backbone_table, BackboneSettings::schema().write(backbone_start));
  append(backbone_table, backbone.factory->write(backbone.params.get()));
  recipe.set("backbone", Value(std::move(backbone_table)));
  recipe.set("head", head.resolved());
  entries = {};
  for (const auto& choice : losses) {
    auto table = named_table(choice);
    append(table,
           LossSettings::schema().write({choice.on, choice.weight, choice.reduction, choice.weights_file,
                                         choice.weights_sha256, choice.weights_key}));
    append(table, choice.factory->write(choice.params.get()));
    entries.emplace_back(std::move(table));
  }
  recipe.set("loss", Value(std::move(entries)));
  entries = {};
  for (const auto& teacher : teachers) entries.push_back(TeacherSettings::schema().write(teacher));
  recipe.set("teacher", Value(std::move(entries)));
  auto optimizer_table = optimizer.resolved();
  entries = {};
  for (const auto& group : groups) entries.push_back(GroupSettings::schema().write(group));
  optimizer_table.as<Table>()->set("group", Value(std::move(entries)));
  recipe.set("optimizer", std::move(optimizer_table));
  recipe.set("schedule", schedule.resolved());
  recipe.set("weights", WeightsSettings::schema().write(weights));
  recipe.set("loader", LoaderSettings::schema().write(loader));
  recipe.set("train", TrainSettings::schema().write(train));
  recipe.set("embed", EmbedSettings::schema().write(embed));
  append(recipe, resolved_ranking());
  recipe.set("machine", MachineSettings::schema().write(machine));
  return {std::move(recipe)};
}

Value Plan::identity() const {
  return part_affecting(Affects::training, resolved(), *catalog);
}

ModelPlan choose_model(const Value& recipe, const Catalog& catalog) {
  return Planner(recipe, catalog).make_model();
}

DataPlan choose_data(const Value& recipe, const Catalog& catalog) {
  return Planner(recipe, catalog).make_data();
}

std::vector<DatasetChoice> choose_datasets(const Value& recipe, const Catalog& catalog) {
  refuse_study(recipe);
  return Planner(recipe, catalog).make_datasets();
}

template <class Role>
Choice<Role> choose_component(const Value& recipe, const Catalog& catalog) {
  refuse_study(recipe);
  return Planner(recipe, catalog).make_component<Role>();
}
template Choice<Partitioner> choose_component(const Value& recipe, const Catalog& catalog);
template Choice<Index> choose_component(const Value& recipe, const Catalog& catalog);
template Choice<Labeler> choose_component(const Value& recipe, const Catalog& catalog);
template Choice<Exporter> choose_component(const Value& recipe, const Catalog& catalog);
template Choice<Layout> choose_component(const Value& recipe, const Catalog& catalog);
template Choice<Writer> choose_component(const Value& recipe, const Catalog& catalog);

std::vector<std::string> ranking_keys() {
  std::vector<std::string> keys;
  for (const auto& table : recipe_layout()) {
    if (table.affects == Affects::ranking) keys.push_back(table.key);
  }
  return keys;
}

bool speaks_of_ranking_alone(const Value& recipe) {
  const auto* table = recipe.as<Table>();
  if (table == nullptr || table->empty()) return false;
  const auto keys = ranking_keys();
  return std::all_of(table->entries().begin(), table->entries().end(), [&](const Entry& entry) {
    return entry.key == "machine" || std::find(keys.begin(), keys.end(), entry.key) != keys.end();
  });
}

RankingPlan choose_ranking(const Value& recipe, const Catalog& catalog) {
  refuse_study(recipe);
  if (recipe_kind(recipe) == RecipeKind::pipeline) {
    throw RecipeError(recipe.location(),
                      kind_text(RecipeKind::pipeline, recipe) +
                          "; for features on disk, write the tables of its stage of type rank "
                          "into a recipe of their own");
  }
  return Planner(recipe, catalog).make_ranking();
}

Plan make_plan(const Value& recipe, const Catalog& catalog) {
  require_model_recipe(recipe);
  return Planner(recipe, catalog).make();
}

}  // namespace kindred::recipe
