// Makes plans of a recipe (plan.h).
#pragma once

#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/core/error.h"
#include "kindred/core/value.h"
#include "recipe/component_choice.h"
#include "recipe/dataset_choice.h"
#include "recipe/plan.h"
#include "recipe/recipe_tables.h"

namespace kindred::recipe {

/// Reads the tables of one recipe into one plan: of the functions that make one, one is called, once. Each
/// throws RecipeError with every error found; when a component is missing, MissingComponentError, which holds
/// the other errors too.
class Planner {
 public:
  /// Both must outlive the plan.
  Planner(const Value& recipe, const Catalog& catalog) : tables_(recipe, catalog) {}

  [[nodiscard]] Plan make();
  [[nodiscard]] ModelPlan make_model();
  [[nodiscard]] DataPlan make_data();
  [[nodiscard]] RankingPlan make_ranking();
  [[nodiscard]] std::vector<DatasetChoice> make_datasets();
  template <class Role>
  [[nodiscard]] Choice<Role> make_component() {
    Choice<Role> choice;
    tables_.choose(choice);
    tables_.chooser().throw_if_any();
    return choice;
  }

 private:
  void check_weights(Plan& plan);
  std::vector<DatasetChoice> choose_all_datasets();
  /// Either no data set has a share, or each has one; and one is trained on.
  void check_shares(const std::vector<DatasetChoice>& datasets);
  /// The names that evaluate_on says, or all.
  std::vector<std::string> test_sets(const std::vector<DatasetChoice>& datasets,
                                     const std::vector<std::string>& wanted);
  void choose_augmentations(std::vector<Choice<Augmentation>>& out);
  void choose_pseudo_labels(const std::vector<DatasetChoice>& datasets, std::vector<PseudoLabelsChoice>& out);
  /// What is looked for here and is a parameter of a metric is said to be one.
  void read_evaluate(EvaluateSettings& out);
  /// The catalog's default metrics as a list of the recipe.
  Value default_metrics() const;
  void choose_metrics(std::vector<Choice<Metric>>& out);
  void choose_search(RankingPlan& plan);
  void choose_groups(std::vector<GroupChoice>& out);
  void choose_teachers(std::vector<TeacherChoice>& out);
  /// A mean teacher is what train.ema_decay makes.
  void check_averages(const Plan& plan);
  void choose_losses(std::vector<LossChoice>& out);
  /// A file where the loss needs one, and nowhere else.
  void check_weights(const LossChoice& choice);

  RecipeTables tables_;
  ComponentChooser& chooser_ = tables_.chooser();
  Diagnostics& diagnostics_ = tables_.diagnostics();
};

}  // namespace kindred::recipe
