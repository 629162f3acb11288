#include "plugins.h"

#include <cstdlib>

#include "plugin/plugin_loader.h"
#include "text/printable.h"

namespace kindred::python {
namespace {

std::filesystem::path& package_folder() {
  static std::filesystem::path folder;
  return folder;
}

struct Loaded {
  plugin::LoadedPlugins plugins;
  std::vector<std::string> refused;

  Loaded() {
    const char* path_list = std::getenv("KINDRED_PLUGIN_PATH");
    // The package is laid out as what is installed, where the launcher lies in bin.
    plugins = plugin::load_plugins(
        plugin::plugin_folders({}, path_list == nullptr ? "" : path_list, package_folder() / "bin/kindred"));
    for (const auto& one : plugins.refused) {
      refused.push_back(text::escaped_lines(one.file.string() + ": " + one.reason));
    }
  }
};

/// Never destroyed: what components have made may live until the very end of the process.
const Loaded& loaded() {
  static const auto* const all = new Loaded;
  return *all;
}

}  // namespace

void set_package_folder(const std::filesystem::path& folder) {
  package_folder() = folder;
}

const Catalog& catalog() {
  return loaded().plugins.catalog;
}

const std::vector<std::string>& refused_plugins() {
  return loaded().refused;
}

}  // namespace kindred::python
