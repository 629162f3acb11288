// The plugins of an application, which has no launcher beside them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "plugin/plugin_loader.h"

namespace kindred::application {

/// Loads what is in the given folders, in those of the environment's KINDRED_PLUGIN_PATH, and in
/// kindred/plugins, ../lib/kindred/plugins or ../kindred/plugins beside the library or program that this code
/// is part of. Throws PluginError for a folder that does not exist.
[[nodiscard]] plugin::LoadedPlugins load_plugins(const std::vector<std::filesystem::path>& folders);

/// What to tell of plugins that were refused: "warning: FILE: REASON".
[[nodiscard]] std::vector<std::string> refusals(const plugin::LoadedPlugins& plugins);

}  // namespace kindred::application
