// What the commands evaluate and match share: which features are compared, and how.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "common_options.h"
#include "file/command_inputs.h"
#include "recipe/plan.h"
#include "session.h"

namespace kindred::launcher {

/// The .npy files of queries and gallery.
struct FeatureFiles {
  std::filesystem::path query;
  std::filesystem::path gallery;
};

struct SearchOptions {
  std::filesystem::path folder;
  FeatureFiles given;  ///< --query, --gallery
  std::filesystem::path recipe_file;
  std::vector<std::string> post_processors;
  std::vector<std::string> metrics;  ///< of evaluate; empty: the recipe's, or the default ones
  RecipeOptions recipe;

  /// FOLDER, --query, --gallery, --recipe, --post and RecipeOptions.
  void add_to(CLI::App& app);
  /// Of a run's folder, those of its only stage with features. Throws RecipeError unless either a folder or
  /// both files were given, and DataError for a run with several such stages.
  [[nodiscard]] FeatureFiles files() const;
  /// What is read, which results must not replace: also what post-processors and metrics read. Throws as
  /// files().
  /// @param plan of plan()
  [[nodiscard]] file::CommandInputs inputs(const recipe::RankingPlan& plan, const Catalog& catalog) const;
  /// How the gallery is searched and rankings are evaluated. Loads the plugins.
  /// @param own the command's own options as overrides of the recipe
  [[nodiscard]] recipe::RankingPlan plan(const std::vector<std::string>& own, Session& session) const;
};

}  // namespace kindred::launcher
