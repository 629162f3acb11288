// Finds plugin libraries and loads them into a catalog. The only user of Boost.DLL.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"

namespace kindred::plugin {

struct LoadedPlugin {
  std::string name;
  std::string version;
  std::string summary;
  std::filesystem::path file;
};

/// A file that looked like a plugin and was refused.
struct RefusedPlugin {
  std::filesystem::path file;
  std::string reason;  ///< what was found, what was wanted, what to do
};

struct LoadedPlugins {
  Catalog catalog;
  std::vector<LoadedPlugin> loaded;
  std::vector<RefusedPlugin> refused;
};

/// Where plugins are looked for, in order: the folders of `--plugin-dir`, those of the list
/// KINDRED_PLUGIN_PATH (handed in, separated by ':'), then ../lib/kindred/plugins beside the executable.
/// Never the working directory.
[[nodiscard]] std::vector<std::filesystem::path> plugin_folders(
    const std::vector<std::filesystem::path>& given, const std::string& path_list,
    const std::filesystem::path& executable);

/// What a library says of itself, compared with this Kindred; no code of it has run by then. Throws
/// PluginError for a file that is damaged, no plugin, or built for another Kindred.
[[nodiscard]] LoadedPlugin read_plugin_info(const std::filesystem::path& file);

/// Loads every *.so of the folders, by name. A file that cannot be used is refused, with a reason, and stops
/// nobody else. The same file name in a later folder is passed over, so that a user's build shadows a shipped
/// one; two files that offer the same role/name under different names are both named in the refusal of the
/// second. A folder that was given and does not exist throws PluginError. Libraries stay loaded for ever.
[[nodiscard]] LoadedPlugins load_plugins(const std::vector<std::filesystem::path>& folders);

}  // namespace kindred::plugin
