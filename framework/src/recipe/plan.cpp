#include "recipe/plan.h"

#include <algorithm>
#include <utility>

#include "kindred/role/index.h"
#include "kindred/role/labeler.h"
#include "kindred/role/layout.h"
#include "kindred/role/partitioner.h"
#include "kindred/role/writer.h"
#include "recipe/affects.h"
#include "recipe/recipe_kind.h"
#include "recipe/recipe_layout.h"
#include "recipe/recipe_merge.h"
#include "recipe/reserved_keys.h"

namespace kindred::recipe {
namespace {

using Names = std::vector<std::string>;

Names top_level_keys() {
  Names keys = {"name", "seed", "evaluate_on"};
  for (const auto& table : recipe_layout()) keys.push_back(table.key);
  return keys;
}

const Names optimizer_keys = {"type", "group"};
const Names post_processor_keys = {"type", "name", "enabled", "domains"};
const Names loss_keys = {"type",      "name",         "enabled",        "on",         "weight",
                         "reduction", "weights_file", "weights_sha256", "weights_key"};

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The key of a recipe that somebody means by another program's name for it, or by a similar one; "" when
/// that cannot be told.
std::string meant_key(const std::string& name, const Names& keys) {
  for (const auto& table : recipe_layout()) {
    if (contains(table.also_called, name)) return table.key;
  }
  return nearest_name(name, keys);
}

/// The keys of a table that are in `names`.
Value only(const Value& value, const Names& names) {
  Table result;
  for (const auto& entry : value.as<Table>()->entries()) {
    if (contains(names, entry.key)) result.set(entry.key, entry.value, entry.key_location);
  }
  return {std::move(result), value.location()};
}

class Planner {
 public:
  Planner(const Value& recipe, const Catalog& catalog) : recipe_(recipe), chooser_(catalog) {}

  Plan make() {
    Plan plan;
    root_ = recipe_.as<Table>();
    if (root_ == nullptr)
      throw RecipeError(recipe_.location(), "a recipe must be a table, not " + recipe_.type_name());
    check_keys();
    const auto run = RunSettings::schema().parse(only(recipe_, {"name", "seed", "evaluate_on"}), "the recipe",
                                                 diagnostics_);
    plan.name = run.name;
    plan.seed = static_cast<std::uint64_t>(run.seed);
    plan.catalog = &chooser_.catalog();
    plan.datasets = choose_all_datasets();
    check_shares(plan.datasets);
    plan.evaluate_on = test_sets(plan.datasets, run.evaluate_on);
    settings("folds", plan.folds);
    if (const auto* table = root_->find("folds")) plan.folds_location = table->location();
    choose_pseudo_labels(plan.datasets, plan.pseudo_labels);
    choose_augmentations(plan.augmentations);
    choose(plan.sampler);
    choose(plan.backbone, backbone_keys);
    if (const auto* table = root_->find("backbone"); table != nullptr && table->as<Table>() != nullptr) {
      plan.backbone_start = BackboneSettings::schema().parse(
          only(*table, {"weights", "weights_sha256", "weights_key", "weights_allow_unused"}), "[backbone]",
          diagnostics_);
      if (plan.backbone_start.weights && plan.backbone_start.weights->empty()) plan.backbone_start = {};
    }
    choose(plan.head);
    choose_losses(plan.losses);
    choose_teachers(plan.teachers);
    choose(plan.optimizer, optimizer_keys);
    choose_groups(plan.groups);
    choose(plan.schedule);
    settings("weights", plan.weights);
    check_weights(plan);
    settings("loader", plan.loader);
    settings("train", plan.train);
    check_averages(plan);
    plan.cache_location = location_of("loader", "cache_mib");
    plan.epochs_location = location_of("train", "epochs");
    plan.accumulate_location = location_of("train", "accumulate");
    plan.best_by_location = location_of("train", "best_by");
    settings("embed", plan.embed);
    choose_search(plan);
    chooser_.throw_if_any();
    return plan;
  }

  ModelPlan make_model() {
    ModelPlan plan;
    root_ = recipe_.as<Table>();
    check_keys();
    plan.seed = static_cast<std::uint64_t>(
        RunSettings::schema().parse(only(recipe_, {"name", "seed"}), "the recipe", diagnostics_).seed);
    choose_augmentations(plan.augmentations);
    choose(plan.backbone, backbone_keys);
    choose(plan.head);
    settings("loader", plan.loader);
    settings("train", plan.train);
    settings("embed", plan.embed);
    settings("machine", plan.machine);
    chooser_.throw_if_any();
    return plan;
  }

  DataPlan make_data() {
    DataPlan plan;
    root_ = recipe_.as<Table>();
    plan.catalog = &chooser_.catalog();
    plan.datasets = choose_all_datasets();
    plan.evaluate_on = names_of(plan.datasets);
    settings("folds", plan.folds);
    if (const auto* table = root_->find("folds")) plan.folds_location = table->location();
    chooser_.throw_if_any();
    return plan;
  }

  RankingPlan make_ranking() {
    RankingPlan plan;
    root_ = recipe_.as<Table>();
    check_keys();
    choose_search(plan);
    chooser_.throw_if_any();
    return plan;
  }

  std::vector<DatasetChoice> make_datasets() {
    root_ = recipe_.as<Table>();
    auto datasets = choose_all_datasets();
    chooser_.throw_if_any();
    return datasets;
  }

  template <class Role>
  Choice<Role> make_component() {
    root_ = recipe_.as<Table>();
    Choice<Role> choice;
    choose(choice);
    chooser_.throw_if_any();
    return choice;
  }

 private:
  void check_keys() {
    const auto keys = top_level_keys();
    for (const auto& entry : root_->entries()) {
      if (contains(keys, entry.key)) continue;
      const auto near = meant_key(entry.key, keys);
      diagnostics_.error(entry.key_location,
                         "a recipe has no key '" + entry.key + "'; " +
                             (near.empty() ? "it has " + quoted_list(keys) : "did you mean '" + near + "'?"));
    }
  }

  template <class Settings>
  void settings(const std::string& key, Settings& out) {
    const auto* value = root_->find(key);
    if (value != nullptr) out = Settings::schema().parse(*value, "[" + key + "]", diagnostics_);
  }

  /// Of a key's value, or else of the recipe.
  SourceLocation location_of(const std::string& table, const std::string& key) const {
    const auto* value = root_->find(table);
    const auto* keys = value == nullptr ? nullptr : value->as<Table>();
    const auto* found = keys == nullptr ? nullptr : keys->find(key);
    return found == nullptr ? recipe_.location() : found->location();
  }

  void check_weights(Plan& plan) {
    const auto* table = root_->find("weights");
    if (table == nullptr) return;
    plan.weights_location = table->location();
    if (plan.weights.file && plan.backbone_start.weights) {
      diagnostics_.error(
          table->location(),
          "both [weights] and [backbone] name a file for the tensors of the backbone; remove one of them");
    }
  }

  std::vector<DatasetChoice> choose_all_datasets() {
    const auto* value = root_->find("dataset");
    if (value != nullptr) return choose_datasets(*value, "[dataset]", chooser_);
    diagnostics_.error(recipe_.location(), "the recipe has no table [dataset]; it needs one with a 'type': " +
                                               chooser_.what_there_is("dataset"));
    return {};
  }

  /// Either no data set has a share, or each has one; and one is trained on.
  void check_shares(const std::vector<DatasetChoice>& datasets) {
    const auto trained = std::count_if(datasets.begin(), datasets.end(),
                                       [](const DatasetChoice& choice) { return choice.trained_on(); });
    if (trained == 0 && !datasets.empty()) {
      diagnostics_.error(datasets.front().location,
                         "no data set is trained on: each has share = 0; give one a larger share");
    }
    const auto without = std::find_if(datasets.begin(), datasets.end(),
                                      [](const DatasetChoice& choice) { return !choice.share; });
    const auto shared = std::find_if(datasets.begin(), datasets.end(), [](const DatasetChoice& choice) {
      return choice.share && *choice.share > 0;
    });
    if (without == datasets.end() || shared == datasets.end()) return;
    diagnostics_.error(without->location, "data set '" + without->name + "' has no share, but '" +
                                              shared->name +
                                              "' has one; give a share to each that is trained on, or to "
                                              "none");
  }

  /// The names that evaluate_on says, or all.
  Names test_sets(const std::vector<DatasetChoice>& datasets, const Names& wanted) {
    const auto names = names_of(datasets);
    if (wanted.empty()) return names;
    const auto location = root_->find("evaluate_on")->location();
    for (auto name = wanted.begin(); name != wanted.end(); ++name) {
      if (std::find(wanted.begin(), name, *name) != name) {
        diagnostics_.error(location, "evaluate_on names '" + *name + "' twice");
      }
      if (contains(names, *name) || names.empty()) continue;
      const auto near = nearest_name(*name, names);
      diagnostics_.error(
          location, "evaluate_on: there is no data set '" + *name + "'; " +
                        (near.empty() ? "there are " + quoted_list(names) : "did you mean '" + near + "'?"));
    }
    return wanted;
  }

  template <class Role>
  void choose(Choice<Role>& choice, const Names& reserved = table_keys) {
    const std::string role(Role::role_name);
    const auto* value = root_->find(role);
    if (value == nullptr) {
      diagnostics_.error(recipe_.location(),
                         "the recipe has no table [" + role +
                             "]; it needs one with a 'type': " + chooser_.what_there_is(role));
    } else if (value->as<Table>() == nullptr) {
      diagnostics_.error(value->location(),
                         "'" + role + "' must be one table, [" + role + "], not " + value->type_name());
    } else {
      chooser_.choose(*value, "[" + role + "]", reserved, choice);
    }
  }

  /// The enabled entries of a list of tables, with their names; errors are reported.
  std::vector<std::pair<const Value*, EntrySettings>> entries_of(const std::string& key) {
    return entries_of(key, root_->find(key));
  }

  /// @param value what is written at the key `key`, or nullptr
  std::vector<std::pair<const Value*, EntrySettings>> entries_of(const std::string& key, const Value* value) {
    std::vector<std::pair<const Value*, EntrySettings>> result;
    if (value == nullptr) return result;
    const auto* list = value->as<Array>();
    if (list == nullptr) {
      diagnostics_.error(value->location(), "'" + key + "' must be a list of tables, [[" + key + "]], not " +
                                                value->type_name());
      return result;
    }
    Names given;
    for (const auto& element : *list) {
      if (element.as<Table>() == nullptr) {
        diagnostics_.error(element.location(), "an entry of '" + key + "' must be a table, [[" + key +
                                                   "]], not " + element.type_name());
        continue;
      }
      auto entry =
          EntrySettings::schema().parse(only(element, {"name", "enabled"}), "[[" + key + "]]", diagnostics_);
      if (!entry.enabled) continue;
      if (entry.name) {
        if (contains(given, *entry.name)) {
          diagnostics_.error(element.as<Table>()->find("name")->location(),
                             "two entries of '" + key + "' have the name '" + *entry.name +
                                 "'; give each entry its own name");
        }
        given.push_back(*entry.name);
      }
      result.emplace_back(&element, std::move(entry));
    }
    return result;
  }

  void choose_augmentations(std::vector<Choice<Augmentation>>& out) {
    for (const auto& [table, entry] : entries_of("augmentation")) {
      auto& choice = out.emplace_back();
      chooser_.choose(*table, "[[augmentation]]", entry_keys, choice);
      if (entry.name) choice.name = *entry.name;
    }
  }

  void choose_pseudo_labels(const std::vector<DatasetChoice>& datasets,
                            std::vector<PseudoLabelsChoice>& out) {
    for (const auto& [table, entry] : entries_of("pseudo_labels")) {
      auto& choice = out.emplace_back();
      static_cast<PseudoLabelsSettings&>(choice) = PseudoLabelsSettings::schema().parse(
          *table, "[[pseudo_labels]]", diagnostics_, {"name", "enabled", "dataset"});
      choice.location = table->location();
      if (const auto* dataset = table->as<Table>()->find("dataset")) {
        chooser_.choose(*dataset, "dataset of [[pseudo_labels]]", table_keys, choice.dataset.emplace());
        if (have_shares(datasets)) diagnostics_.error(dataset->location(), shareless_labels);
      }
    }
  }

  /// What is looked for here and is a parameter of a metric is said to be one.
  void read_evaluate(EvaluateSettings& out) {
    const auto* value = root_->find("evaluate");
    if (value == nullptr) return;
    const Names moved = {"map_depth", "false_positive_rates", "ranks"};
    out = EvaluateSettings::schema().parse(*value, "[evaluate]", diagnostics_, moved);
    const auto* table = value->as<Table>();
    for (const auto& key : moved) {
      const auto* old = table == nullptr ? nullptr : table->find(key);
      if (old == nullptr) continue;
      diagnostics_.error(old->location(),
                         "[evaluate] has no '" + key + "'; it is the parameter '" +
                             (key == "map_depth" ? "depth" : key) +
                             "' of a metric, in a table [metric.NAME]: `kindred list` shows the metrics");
    }
  }

  /// The catalog's default metrics as a list of the recipe.
  Value default_metrics() const {
    std::vector<const ComponentInfo*> defaults;
    for (const auto* factory : chooser_.catalog().components(Metric::role_name)) {
      if (factory->info().default_order) defaults.push_back(&factory->info());
    }
    std::stable_sort(defaults.begin(), defaults.end(),
                     [](const auto* a, const auto* b) { return *a->default_order < *b->default_order; });
    Array list;
    for (const auto* info : defaults) {
      Table entry;
      entry.set("type", Value(info->name));
      list.emplace_back(std::move(entry), recipe_.location());
    }
    return {std::move(list), recipe_.location()};
  }

  void choose_metrics(std::vector<Choice<Metric>>& out) {
    const std::string key = "metric";
    const auto* written = root_->find(key);
    const auto errors = diagnostics_.all().size();
    Table list;
    list.set(key, default_metrics());
    if (written != nullptr) {
      Table changes;
      changes.set(key, *written, written->location());
      merge_recipe(list, changes, diagnostics_);
    }
    for (const auto& [table, entry] : entries_of(key, list.find(key))) {
      auto& choice = out.emplace_back();
      chooser_.choose(*table, "[[metric]]", entry_keys, choice);
      if (entry.name) choice.name = *entry.name;
    }
    if (out.empty() && written != nullptr && diagnostics_.all().size() == errors) {
      diagnostics_.error(written->location(),
                         "the recipe has no metric left, so nothing would be said of its rankings; " +
                             chooser_.what_there_is(key) + ", or take '" + key +
                             "' out for the default ones");
    }
  }

  void choose_search(RankingPlan& plan) {
    settings("ranking", plan.ranking);
    read_evaluate(plan.evaluate);
    choose_metrics(plan.metrics);
    settings("machine", plan.machine);
    for (const auto& [table, entry] : entries_of("post_processor")) {
      auto& choice = plan.post_processors.emplace_back();
      chooser_.choose(*table, "[[post_processor]]", post_processor_keys, choice);
      choice.domains =
          PostProcessorSettings::schema().parse(only(*table, {"domains"}), choice.name, diagnostics_).domains;
      if (!choice.domains.empty() && !plan.ranking.by_domain) {
        diagnostics_.error(
            table->as<Table>()->find("domains")->location(),
            "post_processor '" + choice.name + "': domains works only with [ranking] by_domain = true");
      }
      if (entry.name) choice.name = *entry.name;
    }
  }

  void choose_groups(std::vector<GroupChoice>& out) {
    const auto* optimizer = root_->find("optimizer");
    const auto* table = optimizer == nullptr ? nullptr : optimizer->as<Table>();
    if (table == nullptr) return;
    for (const auto& [entry, common] : entries_of("optimizer.group", table->find("group"))) {
      const auto title = common.name ? "group '" + *common.name + "'" : std::string("[[optimizer.group]]");
      auto& group = out.emplace_back();
      // What entries_of() has read is not checked again.
      static_cast<GroupSettings&>(group) =
          GroupSettings::schema().parse(*entry, title, diagnostics_, {"name", "enabled"});
      group.name = common.name.value_or("");
      group.location = entry->location();
      const auto* written = entry->as<Table>()->find("parameters");
      const auto* patterns = written == nullptr ? nullptr : written->as<Array>();
      if (patterns == nullptr) continue;
      for (const auto& pattern : *patterns) group.pattern_locations.push_back(pattern.location());
    }
  }

  void choose_teachers(std::vector<TeacherChoice>& out) {
    for (const auto& [entry, common] : entries_of("teacher")) {
      const auto title = common.name ? "teacher '" + *common.name + "'" : std::string("[[teacher]]");
      auto& teacher = out.emplace_back();
      static_cast<TeacherSettings&>(teacher) =
          TeacherSettings::schema().parse(*entry, title, diagnostics_, {"enabled"});
      teacher.location = entry->location();
    }
  }

  /// A mean teacher is what train.ema_decay makes.
  void check_averages(const Plan& plan) {
    for (const auto& teacher : plan.teachers) {
      if (!teacher.average || plan.train.ema_decay > 0) continue;
      diagnostics_.error(teacher.location, "teacher '" + teacher.name +
                                               "': average = true needs the moving average of the weights; "
                                               "set train.ema_decay, for instance to 0.999");
    }
  }

  void choose_losses(std::vector<LossChoice>& out) {
    const auto entries = entries_of("loss");
    const auto* written = root_->find("loss");
    if (entries.empty() && (written == nullptr || written->as<Array>() != nullptr)) {
      diagnostics_.error(written == nullptr ? recipe_.location() : written->location(),
                         "the recipe has no loss; it needs a table [[loss]] with a 'type' and 'on': " +
                             chooser_.what_there_is("loss"));
    }
    for (const auto& [table, entry] : entries) {
      auto& choice = out.emplace_back();
      chooser_.choose(*table, "[[loss]]", loss_keys, choice);
      const auto subject = choice.name.empty() ? std::string("[[loss]]") : "loss '" + choice.name + "'";
      const auto common = LossSettings::schema().parse(
          only(*table, {"on", "weight", "reduction", "weights_file", "weights_sha256", "weights_key"}),
          subject, diagnostics_);
      const auto* on = table->as<Table>()->find("on");
      choice.on = common.on;
      choice.on_location = on == nullptr ? table->location() : on->location();
      choice.weight = common.weight;
      choice.reduction = common.reduction;
      choice.weights_file = common.weights_file;
      choice.weights_sha256 = common.weights_sha256;
      choice.weights_key = common.weights_key;
      if (entry.name) choice.name = *entry.name;
      check_weights(choice);
    }
  }

  /// A file where the loss needs one, and nowhere else.
  void check_weights(const LossChoice& choice) {
    if (choice.factory == nullptr || choice.needs_weights() == choice.weights_file.has_value()) return;
    diagnostics_.error(
        choice.location,
        choice.subject() +
            (choice.needs_weights()
                 ? ": has tensors that come from a file; set weights_file or, in a stage of a pipeline, "
                   "losses_from"
                 : ": has no tensors that a file could give; leave weights_file out"));
  }

  const Value& recipe_;
  ComponentChooser chooser_;
  Diagnostics& diagnostics_ = chooser_.diagnostics;
  const Table* root_ = nullptr;
};

void append(Table& table, const Value& more) {
  for (const auto& entry : more.as<Table>()->entries()) table.set(entry.key, entry.value);
}

template <class Role>
Table frozen_type(const Choice<Role>& choice) {
  Table table;
  table.set("type", Value(choice.factory->info().name));
  return table;
}

template <class Role>
Table frozen_entry(const Choice<Role>& choice) {
  auto table = frozen_type(choice);
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
    auto table = frozen_entry(choice);
    append(table, PostProcessorSettings::schema().write({choice.domains}));
    append(table, choice.factory->write(choice.params.get()));
    entries.emplace_back(std::move(table));
  }
  recipe.set("post_processor", Value(std::move(entries)));
  recipe.set("ranking", RankingSettings::schema().write(ranking));
  recipe.set("evaluate", EvaluateSettings::schema().write(evaluate));
  entries = {};
  for (const auto& choice : metrics) {
    auto table = frozen_entry(choice);
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
    auto table = frozen_entry(choice);
    append(table, choice.factory->write(choice.params.get()));
    entries.emplace_back(std::move(table));
  }
  recipe.set("augmentation", Value(std::move(entries)));
  recipe.set("sampler", sampler.resolved());
  auto backbone_table = frozen_type(backbone);
  append(backbone_table, BackboneSettings::schema().write(backbone_start));
  append(backbone_table, backbone.factory->write(backbone.params.get()));
  recipe.set("backbone", Value(std::move(backbone_table)));
  recipe.set("head", head.resolved());
  entries = {};
  for (const auto& choice : losses) {
    auto table = frozen_entry(choice);
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
template Choice<Layout> choose_component(const Value& recipe, const Catalog& catalog);
template Choice<Writer> choose_component(const Value& recipe, const Catalog& catalog);

std::vector<std::string> ranking_keys() {
  Names keys;
  for (const auto& table : recipe_layout()) {
    if (table.affects == Affects::ranking) keys.push_back(table.key);
  }
  return keys;
}

bool speaks_of_ranking_alone(const Value& recipe) {
  const auto* table = recipe.as<Table>();
  if (table == nullptr || table->empty()) return false;
  const auto keys = ranking_keys();
  return std::all_of(table->entries().begin(), table->entries().end(),
                     [&](const Entry& entry) { return entry.key == "machine" || contains(keys, entry.key); });
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
