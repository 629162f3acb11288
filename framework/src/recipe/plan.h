// A recipe resolved against a catalog: every component found, every parameter typed and checked.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/core/error.h"
#include "kindred/core/value.h"
#include "kindred/role/augmentation.h"
#include "kindred/role/backbone.h"
#include "kindred/role/dataset.h"
#include "kindred/role/head.h"
#include "kindred/role/loss.h"
#include "kindred/role/optimizer.h"
#include "kindred/role/post_processor.h"
#include "kindred/role/sampler.h"
#include "kindred/role/schedule.h"
#include "recipe/component_choice.h"
#include "recipe/settings.h"

namespace kindred::recipe {

struct LossChoice : Choice<Loss> {
  std::vector<std::string> on;  ///< names of outputs of the head; '*' stands for any characters
  SourceLocation on_location;
  double weight = 1.0;
  Reduction reduction = Reduction::sum;  ///< over the outputs it is on
};

struct PostProcessorChoice : Choice<PostProcessor> {
  std::vector<std::string> domains;  ///< empty: all
};

/// What a recipe says of searching a gallery, which descriptors on disk need as well.
struct RankingPlan {
  std::vector<PostProcessorChoice> post_processors;
  RankingSettings ranking;
  EvaluateSettings evaluate;
  MachineSettings machine;

  /// Whether distances are anything else than the cosine's.
  [[nodiscard]] bool post_processed() const { return !post_processors.empty() || ranking.by_domain; }
  /// The names of the post-processors and their domains, or "none": for summaries.
  [[nodiscard]] std::string post_processors_text() const;
  /// The tables post_processor, ranking and evaluate with every default explicit.
  [[nodiscard]] Value resolved_ranking() const;
};

/// Images that join the training, of the recipe's data set or of another.
struct PseudoLabelsChoice : PseudoLabelsSettings {
  SourceLocation location;  ///< of the table
  std::optional<Choice<Dataset>> dataset;
};

/// Choice::resolved() without where the files lie (`root`), which says nothing of what the data is.
[[nodiscard]] Value resolved_without_root(const Choice<Dataset>& dataset);

struct GroupChoice : GroupSettings {
  SourceLocation location;                        ///< of the table
  std::vector<SourceLocation> pattern_locations;  ///< of each of `parameters`
};

/// The recipe's keys: `name` and `seed`; the tables dataset, sampler, backbone, head, optimizer and schedule,
/// each with `type` and the parameters of that component, backbone also with `weights` and `weights_sha256`;
/// the lists of tables augmentation, loss and post_processor, whose entries have `type`, `name` and `enabled`
/// besides, those of loss also `on`, `weight` and `reduction`, those of post_processor `domains`; the list of
/// tables group inside optimizer; the list of tables pseudo_labels, each with a table `dataset` or without;
/// the kernel's own tables folds, weights, loader, train, embed, ranking, evaluate and machine (settings.h).
///
/// The six tables and one loss are required: nothing that decides a result is left unsaid. A recipe without
/// augmentations, without the kernel's own tables, name or seed is whole. An entry with `enabled = false` is
/// left out, and its type need not exist.
struct Plan : RankingPlan {
  std::string name;  ///< "" when the recipe has none
  std::uint64_t seed = 1;
  const Catalog* catalog = nullptr;  ///< what it was made from
  Choice<Dataset> dataset;
  FoldsSettings folds;
  SourceLocation folds_location;
  std::vector<PseudoLabelsChoice> pseudo_labels;
  std::vector<Choice<Augmentation>> augmentations;
  Choice<Sampler> sampler;
  Choice<Backbone> backbone;
  BackboneSettings backbone_start;
  Choice<Head> head;
  std::vector<LossChoice> losses;
  Choice<Optimizer> optimizer;
  std::vector<GroupChoice> groups;  ///< [[optimizer.group]]
  Choice<Schedule> schedule;
  WeightsSettings weights;
  SourceLocation weights_location;
  LoaderSettings loader;
  TrainSettings train;
  EmbedSettings embed;

  /// The whole plan as a recipe with every default explicit. make_plan() of it gives the same plan.
  [[nodiscard]] Value resolved() const;
  /// What decides the result of a training, and nothing else: resolved() without `name`, [machine], [embed],
  /// [[post_processor]], [ranking], [evaluate], what of [folds] changes no training image, what [loader]
  /// says, how often [train] evaluates and keeps checkpoints, and where files lie: the data (`dataset.root`,
  /// pseudo labels), which the samples themselves tell apart, and weights to start from, which their SHA-256
  /// tells apart (with_hashes_of_weights()).
  [[nodiscard]] Value identity() const;
};

/// Throws RecipeError with every error found; when a component is missing, MissingComponentError, which holds
/// the other errors too. The catalog must outlive the plan.
[[nodiscard]] Plan make_plan(const Value& recipe, const Catalog& catalog);

/// The data set of a recipe alone, whatever else the recipe lacks. Throws as make_plan().
[[nodiscard]] Choice<Dataset> choose_dataset(const Value& recipe, const Catalog& catalog);

/// The same for the table of another role: [partitioner], [labeler], [layout] or [writer].
template <class Role>
[[nodiscard]] Choice<Role> choose_component(const Value& recipe, const Catalog& catalog);

/// Whether a recipe holds nothing but what choose_ranking() reads: it is for descriptors on disk.
[[nodiscard]] bool speaks_of_ranking_alone(const Value& recipe);

/// The same for what it says of searching a gallery.
[[nodiscard]] RankingPlan choose_ranking(const Value& recipe, const Catalog& catalog);

}  // namespace kindred::recipe
