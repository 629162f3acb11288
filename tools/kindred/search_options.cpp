#include "search_options.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "command/features_folder.h"
#include "command/search_recipe.h"
#include "kindred/core/error.h"
#include "recipe/affects.h"

namespace kindred::launcher {

void SearchOptions::add_to(CLI::App& app) {
  app.add_option(
         "FOLDER", folder,
         "A folder with query.npy/.csv and gallery.npy/.csv, as embed writes it, or the folder of a run")
      ->type_name("DIR");
  app.add_option("--query", given.query, "Features of the queries: NAME.npy, with NAME.csv next to it")
      ->type_name("FILE");
  app.add_option("--gallery", given.gallery, "Features of the gallery: NAME.npy, with NAME.csv next to it")
      ->type_name("FILE");
  app.add_option("--recipe", recipe_file,
                 "Use [[post_processor]], [ranking], [evaluate] and [[metric]] of this recipe")
      ->type_name("FILE");
  add_repeatable(
      app, "--post", post_processors,
      "Apply a post-processor, such as k_reciprocal or query_expansion; several run in this order; "
      "--set post_processor.k_reciprocal.k1=20 changes its parameters")
      ->type_name("NAME");
  recipe.add_to(app, Computing::on_any_device, "ranking.by_domain=true");
}

FeatureFiles SearchOptions::files() const {
  for (const auto& [option, file] :
       {std::pair("--query ", given.query), std::pair("--gallery ", given.gallery)}) {
    std::error_code failure;
    if (!std::filesystem::is_directory(file, failure)) continue;
    throw RecipeError(
        {option + file.string(), 0, 0},
        "is a folder; give a file of features in it, or the folder alone, in the place of --query and "
        "--gallery");
  }
  const bool both = !given.query.empty() && !given.gallery.empty();
  const bool neither = given.query.empty() && given.gallery.empty();
  if (!folder.empty() && neither) {
    const auto features = command::search_features_folder(folder);
    return {features / "query.npy", features / "gallery.npy"};
  }
  if (folder.empty() && both) return given;
  throw RecipeError({"the command line", 0, 0},
                    "give either a folder with query.npy and gallery.npy, or both --query and --gallery");
}

file::CommandInputs SearchOptions::inputs(const recipe::RankingPlan& plan, const Catalog& catalog) const {
  const auto features = files();
  file::CommandInputs inputs;
  inputs.add_features(features.query);
  inputs.add_features(features.gallery);
  inputs.add(recipe_file);
  for (const auto& named : recipe::files_affecting(Affects::ranking, plan.resolved_ranking(), catalog)) {
    inputs.add_all(named.path);
  }
  return inputs;
}

recipe::RankingPlan SearchOptions::plan(const std::vector<std::string>& own, Session& session) const {
  auto overrides = recipe.overrides();
  overrides.insert(overrides.end(), own.begin(), own.end());
  auto plan =
      recipe::choose_ranking(command::search_recipe(recipe_file, {post_processors, metrics}, overrides),
                             session.load_plugins(recipe.plugins.folders));
  auto used = recipe::ranking_keys();
  used.emplace_back("machine");
  recipe.require_useful_set(used);
  return plan;
}

}  // namespace kindred::launcher
