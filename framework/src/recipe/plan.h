// A recipe resolved against a catalog: every component found, every parameter typed and checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/core/error.h"
#include "kindred/core/value.h"
#include "kindred/role/augmentation.h"
#include "kindred/role/backbone.h"
#include "kindred/role/dataset.h"
#include "kindred/role/head.h"
#include "kindred/role/loss.h"
#include "kindred/role/metric.h"
#include "kindred/role/optimizer.h"
#include "kindred/role/post_processor.h"
#include "kindred/role/sampler.h"
#include "kindred/role/schedule.h"
#include "recipe/component_choice.h"
#include "recipe/dataset_choice.h"
#include "recipe/settings.h"

namespace kindred::recipe {

struct LossChoice : Choice<Loss> {
  std::vector<std::string> on;  ///< names of outputs of the head; '*' stands for any characters
  SourceLocation on_location;
  double weight = 1.0;
  Reduction reduction = Reduction::sum;  ///< over the outputs it is on
  std::optional<std::string> weights_file;
  std::optional<std::string> weights_sha256;
  std::optional<std::string> weights_key;

  /// Whether it has tensors that come from a file: its component knows layouts of some.
  [[nodiscard]] bool needs_weights() const { return !factory->info().weights_layouts.empty(); }
};

struct PostProcessorChoice : Choice<PostProcessor> {
  std::vector<std::string> domains;  ///< empty: all
};

/// What a recipe says of judging rankings.
struct EvaluationPlan {
  EvaluateSettings evaluate;
  std::vector<Choice<Metric>> metrics;  ///< empty only when no plugin offers a default one

  /// Their names, or "none": for summaries.
  [[nodiscard]] std::string metrics_text() const;
};

/// What a recipe says of searching a gallery, which descriptors on disk need as well.
struct RankingPlan : EvaluationPlan {
  std::vector<PostProcessorChoice> post_processors;
  RankingSettings ranking;
  MachineSettings machine;

  /// Whether distances are anything else than the cosine's.
  [[nodiscard]] bool post_processed() const { return !post_processors.empty() || ranking.by_domain; }
  /// The names of the post-processors and their domains, or "none": for summaries.
  [[nodiscard]] std::string post_processors_text() const;
  /// The tables post_processor, ranking, evaluate and metric with every default explicit.
  [[nodiscard]] Value resolved_ranking() const;
};

/// Images that join the training, of the recipe's data set or of another.
struct PseudoLabelsChoice : PseudoLabelsSettings {
  SourceLocation location;  ///< of the table
  std::optional<DatasetChoice> dataset;
};

/// What a recipe says of its data.
struct DataPlan {
  const Catalog* catalog = nullptr;      ///< what it was made from
  std::vector<DatasetChoice> datasets;   ///< one at least
  std::vector<std::string> evaluate_on;  ///< names of those whose query and gallery are evaluated
  FoldsSettings folds;
  SourceLocation folds_location;
  std::vector<PseudoLabelsChoice> pseudo_labels;

  /// The only data set, or the first one.
  [[nodiscard]] const DatasetChoice& dataset() const { return datasets.front(); }
};

/// What a recipe says of extracting features.
struct ExtractionPlan {
  std::uint64_t seed = 1;
  std::vector<Choice<Augmentation>> augmentations;
  LoaderSettings loader;
  EmbedSettings embed;
};

/// What a recipe says of making descriptors: all that a trained model needs of it.
struct InferencePlan : ExtractionPlan {
  Choice<Backbone> backbone;
  Choice<Head> head;
  TrainSettings train;  ///< for inference only the precision counts
};

/// The same with the machine to do it on.
struct ModelPlan : InferencePlan {
  MachineSettings machine;
};

struct GroupChoice : GroupSettings {
  SourceLocation location;                        ///< of the table
  std::vector<SourceLocation> pattern_locations;  ///< of each of `parameters`
};

struct TeacherChoice : TeacherSettings {
  SourceLocation location;  ///< of the table

  /// As losses name it: "NAME.descriptor".
  [[nodiscard]] std::string output() const { return name + ".descriptor"; }
};

/// The recipe's keys: `name`, `seed` and `evaluate_on`; the tables dataset (or a list of them,
/// dataset_choice.h), sampler, backbone, head, optimizer and schedule,
/// each with `type` and the parameters of that component, backbone also with `weights`, `weights_sha256`,
/// `weights_key` and `weights_allow_unused`;
/// the lists of tables augmentation, loss, post_processor and metric, whose entries have `type`, `name` and
/// `enabled` besides, those of loss also `on`, `weight`, `reduction`, `weights_file`, `weights_sha256` and
/// `weights_key`, those of post_processor `domains`; the list of tables group inside optimizer; the list of
/// tables teacher; the list of tables pseudo_labels, each with a table `dataset` or without; the engine's own
/// tables folds, weights, loader, train, embed, ranking, evaluate and machine (settings.h).
///
/// Without the list metric the metrics are the catalog's default ones (ComponentInfo::default_order); a table
/// of that name changes entries of this list, as it would those of a list that is written out.
///
/// The six tables and one loss are required: nothing that decides a result is left unsaid. A recipe without
/// augmentations, without the engine's own tables, name or seed is whole. An entry with `enabled = false` is
/// left out, and its type need not exist.
struct Plan : RankingPlan, DataPlan, InferencePlan {
  std::string name;  ///< "" when the recipe has none
  Choice<Sampler> sampler;
  BackboneSettings backbone_start;
  std::vector<LossChoice> losses;
  std::vector<TeacherChoice> teachers;
  Choice<Optimizer> optimizer;
  std::vector<GroupChoice> groups;  ///< [[optimizer.group]]
  Choice<Schedule> schedule;
  WeightsSettings weights;
  SourceLocation weights_location;
  SourceLocation cache_location;       ///< of loader.cache_mib, or of the recipe
  SourceLocation epochs_location;      ///< of train.epochs, or of the recipe
  SourceLocation accumulate_location;  ///< likewise
  SourceLocation best_by_location;     ///< of train.best_by, or of the recipe

  /// The whole plan as a recipe with every default explicit. make_plan() of it gives the same plan.
  [[nodiscard]] Value resolved() const;
  /// What decides the result of a training, and nothing else: part_affecting() it. Where files lie does not
  /// count: the data, which the samples themselves tell apart, and weights to start from, which their SHA-256
  /// tells apart (weights::settled()).
  [[nodiscard]] Value identity() const;
};

/// Throws RecipeError with every error found; when a component is missing, MissingComponentError, which holds
/// the other errors too. The catalog must outlive the plan.
[[nodiscard]] Plan make_plan(const Value& recipe, const Catalog& catalog);

/// What a recipe says of making descriptors, and nothing else: components of other tables need not be in the
/// catalog. Throws as make_plan().
[[nodiscard]] ModelPlan choose_model(const Value& recipe, const Catalog& catalog);

/// The data of a recipe without pseudo labels: the tables dataset and folds. Throws as make_plan().
[[nodiscard]] DataPlan choose_data(const Value& recipe, const Catalog& catalog);

/// The data sets of a recipe alone, whatever else the recipe lacks. Throws as make_plan().
[[nodiscard]] std::vector<DatasetChoice> choose_datasets(const Value& recipe, const Catalog& catalog);

/// The same for the table of another role: [partitioner], [labeler], [layout], [index] or [writer].
template <class Role>
[[nodiscard]] Choice<Role> choose_component(const Value& recipe, const Catalog& catalog);

/// The tables of a recipe that choose_ranking() reads, but for [machine].
[[nodiscard]] std::vector<std::string> ranking_keys();

/// Whether a recipe holds nothing but what choose_ranking() reads: it is for descriptors on disk.
[[nodiscard]] bool speaks_of_ranking_alone(const Value& recipe);

/// The same for what it says of searching a gallery.
[[nodiscard]] RankingPlan choose_ranking(const Value& recipe, const Catalog& catalog);

}  // namespace kindred::recipe
