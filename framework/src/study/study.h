// A study: one recipe in several variants, over seeds and folds.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/core/value.h"

namespace kindred::study {

/// A variant of the recipe.
struct StudyVariant {
  std::string name;  ///< "": the recipe as it is, when there is nothing else
  Table changes;
  SourceLocation location;
};

struct Study {
  std::string called = "the study";  ///< in errors
  std::filesystem::path recipe;
  Table changes;                       ///< of all variants
  std::vector<StudyVariant> variants;  ///< one at least; differences are to the first
  std::vector<Value> seeds;            ///< whole numbers; none: the recipe's own seed
  std::vector<Value> folds;            ///< whole numbers from 1; none: what the recipe says
};

/// Reads a study file (TOML):
///
///   recipe = "../market1501/small.toml"          # relative to this file; required
///   seeds = [1, 2, 3]                            # without: the recipe's own
///   folds = [1, 2, 3, 4]                         # without: what the recipe says, mostly no fold
///   set.train.epochs = 30                        # changes for all variants, as a recipe that
///                                                # extends another would make them
///
///   [[variant]]                                  # a variant by name
///   name = "off"
///   set.augmentation.random_patch.enabled = false
///
///   [[axis]]                                     # a variant for each value; of several axes, for each
///   key = "augmentation.random_patch.prob"       # combination of their values
///   values = [0.1, 0.3, 0.5]
///
/// Variants are those of [[variant]], in order, and then the combinations of all [[axis]], the last axis
/// changing fastest, called "prob=0.1": by the last part of the key, or by the whole key where two axes end
/// alike. A variant's name is the name of a folder. Without both there is one variant, the recipe itself.
///
/// Throws RecipeError with every error found.
[[nodiscard]] Study read_study(const std::filesystem::path& file);

}  // namespace kindred::study
