#include "study/study_runs.h"

#include <algorithm>
#include <set>
#include <utility>

#include "recipe/recipe.h"
#include "recipe/recipe_merge.h"
#include "recipe/recipe_override.h"

namespace kindred::study {
namespace {

/// Errors of many recipes that have most in common.
class CollectedErrors {
 public:
  void add(const RecipeError& error) {
    for (const auto& found : error.diagnostics()) {
      if (told_.insert(found.str()).second) diagnostics_.error(found.location, found.message);
    }
    if (const auto* missing = dynamic_cast<const recipe::MissingComponentError*>(&error)) {
      missing_.insert(missing_.end(), missing->missing().begin(), missing->missing().end());
    }
  }
  void throw_if_any() const {
    if (!missing_.empty()) throw recipe::MissingComponentError(diagnostics_.all(), missing_);
    diagnostics_.throw_if_any();
  }

 private:
  Diagnostics diagnostics_;
  std::set<std::string> told_;
  std::vector<std::pair<std::string, std::string>> missing_;
};

/// `seeds` or `folds`, or one absent number when the study names none.
std::vector<std::optional<Value>> numbers_or_none(const std::vector<Value>& numbers) {
  if (numbers.empty()) return {std::nullopt};
  return {numbers.begin(), numbers.end()};
}

std::optional<std::int64_t> number(const std::optional<Value>& value) {
  return value ? std::optional(*value->as<std::int64_t>()) : std::nullopt;
}

/// "prob=0.1/seed1_fold2"
std::filesystem::path folder_of(const StudyVariant& variant, const StudyRun& run) {
  std::string name;
  if (run.seed) name = "seed" + std::to_string(*run.seed);
  if (run.fold) name += (name.empty() ? "fold" : "_fold") + std::to_string(*run.fold);
  auto folder = std::filesystem::path(variant.name);
  if (!name.empty()) folder /= name;
  return folder;
}

class RunPlanner {
 public:
  RunPlanner(const Study& study, const std::vector<std::string>& overrides, const Catalog& catalog)
      : study_(study),
        catalog_(catalog),
        recipe_(recipe::load_recipe(study.recipe, {})),
        overrides_(overrides) {
    Diagnostics diagnostics;
    refuse_own_keys(study.changes, diagnostics);
    for (const auto& variant : study.variants) refuse_own_keys(variant.changes, diagnostics);
    for (const auto& text : overrides)
      refuse_own_keys(recipe::parse_override(text, diagnostics), diagnostics);
    diagnostics.throw_if_any();
  }

  std::vector<StudyRun> plan() {
    std::vector<StudyRun> runs;
    for (const auto& seed : numbers_or_none(study_.seeds)) {
      for (const auto& fold : numbers_or_none(study_.folds)) {
        for (std::size_t variant = 0; variant < study_.variants.size(); ++variant) {
          StudyRun run;
          run.variant = variant;
          run.seed = number(seed);
          run.fold = number(fold);
          run.folder = folder_of(study_.variants[variant], run);
          try {
            const auto recipe = recipe_of(study_.variants[variant], seed, fold);
            run.plan = recipe::make_plan(recipe, catalog_);
            run.pipeline =
                std::make_shared<pipeline::Pipeline>(pipeline::make_any_pipeline(recipe, catalog_));
          } catch (const RecipeError& error) {
            errors_.add(error);
          }
          runs.push_back(std::move(run));
        }
      }
    }
    errors_.throw_if_any();
    require_different_variants(runs);
    return runs;
  }

 private:
  /// What the study says itself nobody else may say.
  void refuse_own_keys(const Table& changes, Diagnostics& diagnostics) const {
    const auto refuse = [&](const Table& table, const char* key, const char* list) {
      const auto* value = table.find(key);
      if (value == nullptr) return;
      diagnostics.error(value->location(),
                        study_.called + " already sets the " + list + "; remove one of the two");
    };
    if (!study_.seeds.empty()) refuse(changes, "seed", "seeds");
    const auto* folds = changes.find("folds");
    const auto* table = folds == nullptr ? nullptr : folds->as<Table>();
    if (table != nullptr && !study_.folds.empty()) refuse(*table, "fold", "folds");
  }

  [[nodiscard]] Value recipe_of(const StudyVariant& variant, const std::optional<Value>& seed,
                                const std::optional<Value>& fold) const {
    auto recipe = recipe_;
    Diagnostics diagnostics;
    recipe::merge_recipe(*recipe.as<Table>(), study_.changes, diagnostics);
    recipe::merge_recipe(*recipe.as<Table>(), variant.changes, diagnostics);
    diagnostics.throw_if_any();
    recipe = recipe::with_overrides(std::move(recipe), overrides_);
    auto& table = *recipe.as<Table>();
    if (seed) table.set("seed", *seed, seed->location());
    if (fold) {
      recipe::merge_recipe(table, recipe::recipe_setting("folds.fold", *fold, fold->location(), diagnostics),
                           diagnostics);
    }
    diagnostics.throw_if_any();
    return recipe;
  }

  /// An axis or a change without effect would be measured in vain.
  void require_different_variants(const std::vector<StudyRun>& runs) const {
    Diagnostics diagnostics;
    std::vector<Value> recipes;  // of the variants
    for (std::size_t variant = 0; variant < study_.variants.size(); ++variant) {
      recipes.push_back(runs[variant].plan.resolved());
      const auto same = static_cast<std::size_t>(
          std::find(recipes.begin(), recipes.end() - 1, recipes.back()) - recipes.begin());
      if (same == variant) continue;
      diagnostics.error(study_.variants[variant].location,
                        "variant '" + study_.variants[variant].name + "' is the same recipe as variant '" +
                            study_.variants[same].name + "'; what it changes has no effect" +
                            (overrides_.empty() ? "" : ", or --set changes it once more"));
    }
    diagnostics.throw_if_any();
  }

  const Study& study_;
  const Catalog& catalog_;
  Value recipe_;
  std::vector<std::string> overrides_;
  CollectedErrors errors_;
};

}  // namespace

std::vector<StudyRun> plan_runs(const Study& study, const std::vector<std::string>& overrides,
                                const Catalog& catalog) {
  return RunPlanner(study, overrides, catalog).plan();
}

}  // namespace kindred::study
