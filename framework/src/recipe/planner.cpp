#include "recipe/planner.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "recipe/recipe_merge.h"
#include "recipe/reserved_keys.h"

namespace kindred::recipe {
namespace {

using Names = std::vector<std::string>;

const Names optimizer_keys = {"type", "group"};
const Names post_processor_keys = {"type", "name", "enabled", "domains"};
const Names loss_keys = {"type",      "name",         "enabled",        "on",         "weight",
                         "reduction", "weights_file", "weights_sha256", "weights_key"};

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Plan Planner::make() {
  Plan plan;
  tables_.check_keys();
  const auto run = RunSettings::schema().parse(only(tables_.recipe(), {"name", "seed", "evaluate_on"}),
                                               "the recipe", diagnostics_);
  plan.name = run.name;
  plan.seed = static_cast<std::uint64_t>(run.seed);
  plan.catalog = &chooser_.catalog();
  plan.datasets = choose_all_datasets();
  check_shares(plan.datasets);
  plan.evaluate_on = test_sets(plan.datasets, run.evaluate_on);
  tables_.settings("folds", plan.folds);
  if (const auto* table = tables_.find("folds")) plan.folds_location = table->location();
  choose_pseudo_labels(plan.datasets, plan.pseudo_labels);
  choose_augmentations(plan.augmentations);
  tables_.choose(plan.sampler);
  tables_.choose(plan.backbone, backbone_keys);
  if (const auto* table = tables_.find("backbone"); table != nullptr && table->as<Table>() != nullptr) {
    plan.backbone_start = BackboneSettings::schema().parse(
        only(*table, {"weights", "weights_sha256", "weights_key", "weights_allow_unused"}), "[backbone]",
        diagnostics_);
    if (plan.backbone_start.weights && plan.backbone_start.weights->empty()) plan.backbone_start = {};
  }
  tables_.choose(plan.head);
  choose_losses(plan.losses);
  choose_teachers(plan.teachers);
  tables_.choose(plan.optimizer, optimizer_keys);
  choose_groups(plan.groups);
  tables_.choose(plan.schedule);
  tables_.settings("weights", plan.weights);
  check_weights(plan);
  tables_.settings("loader", plan.loader);
  tables_.settings("train", plan.train);
  check_averages(plan);
  plan.cache_location = tables_.location_of("loader", "cache_mib");
  plan.epochs_location = tables_.location_of("train", "epochs");
  plan.accumulate_location = tables_.location_of("train", "accumulate");
  plan.best_by_location = tables_.location_of("train", "best_by");
  tables_.settings("embed", plan.embed);
  choose_search(plan);
  chooser_.throw_if_any();
  return plan;
}

ModelPlan Planner::make_model() {
  ModelPlan plan;
  tables_.check_keys();
  plan.seed = static_cast<std::uint64_t>(
      RunSettings::schema().parse(only(tables_.recipe(), {"name", "seed"}), "the recipe", diagnostics_).seed);
  choose_augmentations(plan.augmentations);
  tables_.choose(plan.backbone, backbone_keys);
  tables_.choose(plan.head);
  tables_.settings("loader", plan.loader);
  tables_.settings("train", plan.train);
  tables_.settings("embed", plan.embed);
  tables_.settings("machine", plan.machine);
  chooser_.throw_if_any();
  return plan;
}

DataPlan Planner::make_data() {
  DataPlan plan;
  plan.catalog = &chooser_.catalog();
  plan.datasets = choose_all_datasets();
  plan.evaluate_on = names_of(plan.datasets);
  tables_.settings("folds", plan.folds);
  if (const auto* table = tables_.find("folds")) plan.folds_location = table->location();
  chooser_.throw_if_any();
  return plan;
}

RankingPlan Planner::make_ranking() {
  RankingPlan plan;
  tables_.check_keys();
  choose_search(plan);
  chooser_.throw_if_any();
  return plan;
}

std::vector<DatasetChoice> Planner::make_datasets() {
  auto datasets = choose_all_datasets();
  chooser_.throw_if_any();
  return datasets;
}

void Planner::check_weights(Plan& plan) {
  const auto* table = tables_.find("weights");
  if (table == nullptr) return;
  plan.weights_location = table->location();
  if (plan.weights.file && plan.backbone_start.weights) {
    diagnostics_.error(
        table->location(),
        "both [weights] and [backbone] name a file for the tensors of the backbone; remove one of them");
  }
}

std::vector<DatasetChoice> Planner::choose_all_datasets() {
  const auto* value = tables_.find("dataset");
  if (value != nullptr) return choose_datasets(*value, "[dataset]", chooser_);
  diagnostics_.error(
      tables_.recipe().location(),
      "the recipe has no table [dataset]; it needs one with a 'type': " + chooser_.what_there_is("dataset"));
  return {};
}

void Planner::check_shares(const std::vector<DatasetChoice>& datasets) {
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

Names Planner::test_sets(const std::vector<DatasetChoice>& datasets, const Names& wanted) {
  const auto names = names_of(datasets);
  if (wanted.empty()) return names;
  const auto location = tables_.find("evaluate_on")->location();
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

void Planner::choose_augmentations(std::vector<Choice<Augmentation>>& out) {
  for (const auto& [table, entry] : tables_.entries_of("augmentation")) {
    auto& choice = out.emplace_back();
    chooser_.choose(*table, "[[augmentation]]", entry_keys, choice);
    if (entry.name) choice.name = *entry.name;
  }
}

void Planner::choose_pseudo_labels(const std::vector<DatasetChoice>& datasets,
                                   std::vector<PseudoLabelsChoice>& out) {
  for (const auto& [table, entry] : tables_.entries_of("pseudo_labels")) {
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

void Planner::read_evaluate(EvaluateSettings& out) {
  const auto* value = tables_.find("evaluate");
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

Value Planner::default_metrics() const {
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
    list.emplace_back(std::move(entry), tables_.recipe().location());
  }
  return {std::move(list), tables_.recipe().location()};
}

void Planner::choose_metrics(std::vector<Choice<Metric>>& out) {
  const std::string key = "metric";
  const auto* written = tables_.find(key);
  const auto errors = diagnostics_.all().size();
  Table list;
  list.set(key, default_metrics());
  if (written != nullptr) {
    Table changes;
    changes.set(key, *written, written->location());
    merge_recipe(list, changes, diagnostics_);
  }
  for (const auto& [table, entry] : tables_.entries_of(key, list.find(key))) {
    auto& choice = out.emplace_back();
    chooser_.choose(*table, "[[metric]]", entry_keys, choice);
    if (entry.name) choice.name = *entry.name;
  }
  if (out.empty() && written != nullptr && diagnostics_.all().size() == errors) {
    diagnostics_.error(written->location(),
                       "the recipe has no metric left, so nothing would be said of its rankings; " +
                           chooser_.what_there_is(key) + ", or take '" + key + "' out for the default ones");
  }
}

void Planner::choose_search(RankingPlan& plan) {
  tables_.settings("ranking", plan.ranking);
  read_evaluate(plan.evaluate);
  choose_metrics(plan.metrics);
  tables_.settings("machine", plan.machine);
  for (const auto& [table, entry] : tables_.entries_of("post_processor")) {
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

void Planner::choose_groups(std::vector<GroupChoice>& out) {
  const auto* optimizer = tables_.find("optimizer");
  const auto* table = optimizer == nullptr ? nullptr : optimizer->as<Table>();
  if (table == nullptr) return;
  for (const auto& [entry, common] : tables_.entries_of("optimizer.group", table->find("group"))) {
    const auto title = common.name ? "group '" + *common.name + "'" : std::string("[[optimizer.group]]");
    auto& group = out.emplace_back();
    // What tables_.entries_of() has read is not checked again.
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

void Planner::choose_teachers(std::vector<TeacherChoice>& out) {
  for (const auto& [entry, common] : tables_.entries_of("teacher")) {
    const auto title = common.name ? "teacher '" + *common.name + "'" : std::string("[[teacher]]");
    auto& teacher = out.emplace_back();
    static_cast<TeacherSettings&>(teacher) =
        TeacherSettings::schema().parse(*entry, title, diagnostics_, {"enabled"});
    teacher.location = entry->location();
  }
}

void Planner::check_averages(const Plan& plan) {
  for (const auto& teacher : plan.teachers) {
    if (!teacher.average || plan.train.ema_decay > 0) continue;
    diagnostics_.error(teacher.location, "teacher '" + teacher.name +
                                             "': average = true needs the moving average of the weights; "
                                             "set train.ema_decay, for instance to 0.999");
  }
}

void Planner::choose_losses(std::vector<LossChoice>& out) {
  const auto entries = tables_.entries_of("loss");
  const auto* written = tables_.find("loss");
  if (entries.empty() && (written == nullptr || written->as<Array>() != nullptr)) {
    diagnostics_.error(written == nullptr ? tables_.recipe().location() : written->location(),
                       "the recipe has no loss; it needs a table [[loss]] with a 'type' and 'on': " +
                           chooser_.what_there_is("loss"));
  }
  for (const auto& [table, entry] : entries) {
    auto& choice = out.emplace_back();
    chooser_.choose(*table, "[[loss]]", loss_keys, choice);
    const auto subject = choice.name.empty() ? std::string("[[loss]]") : "loss '" + choice.name + "'";
    const auto common = LossSettings::schema().parse(
        only(*table, {"on", "weight", "reduction", "weights_file", "weights_sha256", "weights_key"}), subject,
        diagnostics_);
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

void Planner::check_weights(const LossChoice& choice) {
  if (choice.factory == nullptr || choice.needs_weights() == choice.weights_file.has_value()) return;
  diagnostics_.error(
      choice.location,
      choice.subject() +
          (choice.needs_weights()
               ? ": has tensors that come from a file; set weights_file or, in a stage of a pipeline, "
                 "losses_from"
               : ": has no tensors that a file could give; leave weights_file out"));
}

}  // namespace kindred::recipe
