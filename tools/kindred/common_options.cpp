#include "common_options.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include "kindred/core/value.h"
#include "local_ranks.h"
#include "recipe/recipe.h"
#include "recipe/recipe_override.h"

namespace kindred::launcher {
namespace {

constexpr const char* common_group = "Common options";

/// What options were typed as, by the place that their overrides have.
std::map<std::string, std::string>& typed_options() {
  static std::map<std::string, std::string> options;
  return options;
}

}  // namespace

std::string option_override(const std::string& typed, const std::string& text) {
  typed_options()["--set " + text] = typed;
  return text;
}

RecipeError at_options(const RecipeError& error) {
  auto diagnostics = error.diagnostics();
  for (auto& found : diagnostics) {
    const auto typed = typed_options().find(found.location.origin);
    if (typed != typed_options().end()) found.location.origin = typed->second;
  }
  return RecipeError(std::move(diagnostics));
}

CLI::Validator real_range(double low, double high) {
  const auto wrong = [low, high](const std::string& text) -> std::string {
    double number = 0;
    if (CLI::detail::lexical_cast(text, number) && number >= low && number <= high) return "";
    std::ostringstream message;
    message << "Value " << text << " not in range " << low << " to " << high;
    return message.str();
  };
  return CLI::Validator(wrong, "");
}

void add_set(CLI::App& app, std::vector<std::string>& set, const std::string& help) {
  add_repeatable(app, "--set", set, help)->type_name("KEY=VALUE")->group(common_group);
}

void OutputOptions::add_to(CLI::App& app) {
  app.add_flag("--quiet,-q", quiet, "Print only results and errors, no progress and no notes")
      ->group(common_group);
}

void PluginOptions::add_to(CLI::App& app) {
  add_repeatable(app, "--plugin-dir", folders, "Search this folder for plugins first")
      ->type_name("DIR")
      ->group(common_group);
}

void RecipeOptions::add_to(CLI::App& app, Computing computing, const std::string& example) {
  add_set(app, set, "Override a key of the recipe, such as " + example);
  if (computing == Computing::on_any_device) {
    app.add_option("--device", device, "Device to compute on: auto, cpu, cuda or cuda:N")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->type_name("NAME")
        ->group(common_group);
  }
  if (computing != Computing::nothing) {
    app.add_option("--threads", threads, "Threads to compute with, at most 4096; 0: all usable processors")
        ->check(CLI::Range(0, 4096).description(""))
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->type_name("N")
        ->group(common_group);
  }
  plugins.add_to(app);
}

void RecipeOptions::add_data_root_to(CLI::App& app) {
  add_data_root(app, data);
}

void RecipeOptions::add_ranks_to(CLI::App& app) {
  app.add_option("--ranks", ranks,
                 "Processes on this machine that share the work, each with a GPU or a share of the threads; "
                 "sets machine.ranks [1]")
      ->check(CLI::Range(1, 1024).description(""))
      ->type_name("N")
      ->group(common_group);
}

std::vector<std::string> RecipeOptions::overrides() const {
  std::vector<std::string> all = set;
  for (const auto& root : data) all.push_back(option_override("--data " + root, recipe::data_override(root)));
  if (device) {
    all.push_back(option_override("--device " + *device, "machine.device=" + Value(*device).to_toml()));
  }
  const auto add_number = [&](const char* name, const std::optional<std::int64_t>& number) {
    if (!number) return;
    const auto text = std::to_string(*number);
    all.push_back(
        option_override("--" + std::string(name) + " " + text, "machine." + std::string(name) + "=" + text));
  };
  add_number("threads", threads);
  add_number("ranks", ranks);
  return all;
}

void RecipeOptions::require_useful_set(const std::vector<std::string>& used) const {
  Diagnostics diagnostics;
  for (const auto& text : set) {
    const auto recipe = recipe::parse_override(text, diagnostics);
    for (const auto& entry : recipe.entries()) {
      if (std::find(used.begin(), used.end(), entry.key) != used.end()) continue;
      diagnostics.error({"--set " + text, 0, 0},
                        "has no effect here: this command uses only " + quoted_list(used) + " of a recipe");
    }
  }
  diagnostics.throw_if_any();
}

std::int64_t RecipeOptions::asked_ranks() const {
  auto of_machine = overrides();
  std::erase_if(of_machine, [](const std::string& text) { return !text.starts_with("machine."); });
  return launcher::asked_ranks(recipe::parse_recipe("", "the command line", of_machine));
}

void ComponentOptions::add_to(CLI::App& app, const std::string& role, const std::string& help) {
  add_component_name(app, role, name, help);
  add_set(app, set, "Override a key of the " + role + " or of the data's recipe");
  plugins.add_to(app);
}

void add_data_root(CLI::App& app, std::vector<std::string>& data) {
  add_repeatable(app, "--data", data,
                 "Folder of the images; sets dataset.root. Of a recipe with several data sets: NAME=PATH, "
                 "which sets dataset.NAME.root")
      ->type_name("PATH");
}

void add_recipe_file(CLI::App& app, std::filesystem::path& recipe) {
  app.add_option("RECIPE", recipe, "The recipe (see configs/)")->required()->type_name("FILE");
}

void add_component_name(CLI::App& app, const std::string& role, std::string& name, const std::string& help) {
  app.add_option("--" + role, name,
                 help + " (see kindred list); --set " + role + ".KEY=VALUE changes its parameters")
      ->required()
      ->type_name("NAME");
}

void RunOptions::add_to(CLI::App& app, const std::string& default_folder, const std::string& dry_run_help) {
  recipe.add_data_root_to(app);
  app.add_option("--run-dir", folder,
                 "Folder for everything that is made; give the same folder again to continue [" +
                     default_folder + "]")
      ->type_name("DIR");
  app.add_flag("--dry-run", dry_run, dry_run_help);
  app.add_flag("--ignore-code", ignore_code,
               "Accept results from another build of Kindred or its plugins as up to date");
  recipe.add_to(app);
}

void add_weights_key(CLI::App& app, std::string& key) {
  app.add_option(
         "--key", key,
         "Key of the weights in a file with several networks, such as teacher [looked for under the usual "
         "keys]")
      ->type_name("KEY");
}

std::filesystem::path run_directory(const std::filesystem::path& given, const std::string& name,
                                    const std::filesystem::path& recipe) {
  if (!given.empty()) return given;
  return std::filesystem::path("runs") / (name.empty() ? recipe.stem().string() : name);
}

}  // namespace kindred::launcher
