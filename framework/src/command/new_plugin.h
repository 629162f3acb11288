// Command "new plugin": a folder with a plugin that can be built, to begin with.
#pragma once

#include <filesystem>
#include <string>

#include "kindred/core/catalog.h"

namespace kindred::command {

struct NewPluginRequest {
  std::string role;
  std::string name;              ///< of the plugin and of its component
  std::filesystem::path folder;  ///< to be made
  std::filesystem::path
      prefix;  ///< where Kindred is installed; empty: nowhere, the instructions then say "KINDRED"
};

/// Where the examples lie: ../share/kindred/examples beside the executable. A folder for each role with an
/// example of it, and `plugin` with what all plugins have.
[[nodiscard]] std::filesystem::path examples_folder(const std::filesystem::path& executable);

/// The folder that Kindred is installed in, by its executable; empty where the headers for plugins are
/// missing, as in a build tree.
[[nodiscard]] std::filesystem::path installed_prefix(const std::filesystem::path& executable);

/// Copies the example of the role, with what all plugins have, under the name asked for. Either all files are
/// written or there is no folder. Throws RecipeError for a role that does not exist, a name that cannot be
/// one, and one that a component or a plugin of the catalog has; DataError if the folder exists or cannot be
/// written, or the examples are missing.
/// @return the name of the example that was copied
std::string write_new_plugin(const NewPluginRequest& request, const std::filesystem::path& examples,
                             const Catalog& catalog);

}  // namespace kindred::command
