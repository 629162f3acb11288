// Groups of options that several commands share.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/error.h"

namespace kindred::launcher {

/// An override of the recipe that an option stands for. Errors of it are at the option (at_options()).
/// @param typed the option as it was typed: "--device cuda:1"
/// @param text "machine.device=..."
/// @return `text`
std::string option_override(const std::string& typed, const std::string& text);

/// The same errors, those of overrides that options stand for at the options instead of "--set KEY=VALUE".
[[nodiscard]] RecipeError at_options(const RecipeError& error);

/// --quiet: of every command.
struct OutputOptions {
  bool quiet = false;

  void add_to(CLI::App& app);
};

/// --plugin-dir
struct PluginOptions {
  std::vector<std::filesystem::path> folders;

  void add_to(CLI::App& app);
};

/// What a command computes, and so what it can be told of that.
enum class Computing { nothing, on_processors, on_any_device };

/// --set, --device, --threads, --plugin-dir: of commands that follow a recipe, from a file or from a model
/// file.
struct RecipeOptions {
  std::vector<std::string> set;
  std::vector<std::string> data;  ///< of --data: FOLDER or NAME=FOLDER
  std::optional<std::string> device;
  std::optional<std::int64_t> threads;
  std::optional<std::int64_t> ranks;
  PluginOptions plugins;

  /// @param computing without a device there is no --device, and without threads no --threads
  /// @param example of what --set may change here
  void add_to(CLI::App& app, Computing computing = Computing::on_any_device,
              const std::string& example = "train.epochs=3");
  /// --data, for commands where it sets the key dataset.root.
  void add_data_root_to(CLI::App& app);
  /// --ranks, for commands whose work processes can share (run_local_ranks()).
  void add_ranks_to(CLI::App& app);
  /// Everything that was given as overrides of the recipe.
  [[nodiscard]] std::vector<std::string> overrides() const;
  /// Throws RecipeError for a --set of another table or key than `used`, where it would do nothing.
  void require_useful_set(const std::vector<std::string>& used) const;
  /// What --ranks, or --set machine.ranks, asks for; 1 without them. Throws RecipeError.
  [[nodiscard]] std::int64_t asked_ranks() const;
};

/// --ROLE, --set, --plugin-dir: of commands that use one component and maybe the recipe of a data set.
struct ComponentOptions {
  std::string name;
  std::vector<std::string> set;
  PluginOptions plugins;

  /// @param help what the component does
  void add_to(CLI::App& app, const std::string& role, const std::string& help);
};

/// An option that may be repeated, with one value each time.
template <class T>
CLI::Option* add_repeatable(CLI::App& app, const std::string& name, std::vector<T>& values,
                            const std::string& help) {
  return app.add_option(name, values, help + " (repeatable)")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
}

/// As CLI::Range of real numbers, which takes "nan" for one within any bounds.
[[nodiscard]] CLI::Validator real_range(double low, double high);

/// --set
void add_set(CLI::App& app, std::vector<std::string>& set, const std::string& help);

/// --data, where it sets the key dataset.root (recipe::data_override()).
void add_data_root(CLI::App& app, std::vector<std::string>& data);

/// The positional argument RECIPE.
void add_recipe_file(CLI::App& app, std::filesystem::path& recipe);

/// --ROLE, required: the name of a component.
void add_component_name(CLI::App& app, const std::string& role, std::string& name, const std::string& help);

/// --data, --run-dir, --dry-run, --ignore-code and RecipeOptions: of commands that leave a run's folder, or
/// several.
struct RunOptions {
  std::filesystem::path folder;  ///< --run-dir; empty: the command's default
  bool dry_run = false;
  bool ignore_code = false;
  RecipeOptions recipe;

  /// @param default_folder "runs/NAME"
  /// @param dry_run_help what --dry-run does
  void add_to(CLI::App& app, const std::string& default_folder, const std::string& dry_run_help);
};

/// --key, of commands that read a weight file
void add_weights_key(CLI::App& app, std::string& key);

/// What the help calls a path that Session::open_data() opens.
inline constexpr const char* data_source_help = "A recipe, or an image, a folder or a manifest of images";

/// The folder of a run: --run-dir, or runs/ and the recipe's `name`, or runs/ and the name of its file.
[[nodiscard]] std::filesystem::path run_directory(const std::filesystem::path& given, const std::string& name,
                                                  const std::filesystem::path& recipe);

}  // namespace kindred::launcher
