// What the command line says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace kindred::launcher {

struct Options {
  // Every command.
  std::vector<std::filesystem::path> plugin_folders;
  std::vector<std::string> overrides;
  std::optional<std::int64_t> threads;
  std::optional<std::string> device;
  std::string log_level = "info";
  bool quiet = false;
  std::filesystem::path program;  ///< this executable, for finding what lies beside it

  // Some commands.
  std::filesystem::path recipe;
  std::filesystem::path study;
  std::filesystem::path run_directory;
  std::filesystem::path data;
  std::filesystem::path weights;
  std::filesystem::path out;  ///< empty: the command's own default
  std::filesystem::path folder;
  std::filesystem::path query;
  std::filesystem::path gallery;
  std::filesystem::path json;
  std::filesystem::path distances;
  std::vector<std::string> post_processors;
  std::vector<std::string> metrics;  ///< empty: the recipe's, or the default ones
  std::vector<std::string> domains;
  std::filesystem::path domain_list;
  std::vector<std::filesystem::path> rankings;
  std::filesystem::path per_query;
  std::string component;  ///< role/name, or the name alone where the command says the role
  std::string format = "text";
  std::string image_format;
  std::optional<std::string> cameras;
  std::optional<std::int64_t> top;
  std::vector<double> false_positive_rates;  ///< empty: the metric's own defaults
  std::optional<std::int64_t> map_depth;
  bool multi_query = false;
  std::string storage;  ///< empty: what the recipe says
  std::vector<std::string> allow_missing;
  std::optional<std::int64_t> identities;
  std::string from;  ///< of a pipeline: a stage
  std::string only;
  bool dry_run = false;
  bool ignore_code = false;
  bool skip_decoding = false;
  bool train_split = false;
  std::size_t worst_queries = 12;
  std::size_t middle_queries = 6;
  std::size_t best_queries = 6;

  /// --set, --data, --device and --threads as overrides of a recipe.
  [[nodiscard]] std::vector<std::string> recipe_overrides() const;
};

}  // namespace kindred::launcher
