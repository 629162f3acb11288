#include "application/plugins.h"

#include <dlfcn.h>

#include <cstdlib>
#include <system_error>
#include <utility>

namespace kindred::application {
namespace {

namespace fs = std::filesystem;

/// The file of the library or program that this function is in; "" where the system does not say.
fs::path own_file() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&own_file), &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code error;
  auto file = fs::canonical(info.dli_fname, error);
  // Of a program that was started by its name alone.
  if (error) file = fs::read_symlink("/proc/self/exe", error);
  return file;
}

}  // namespace

plugin::LoadedPlugins load_plugins(const std::vector<fs::path>& folders) {
  const char* list = std::getenv("KINDRED_PLUGIN_PATH");
  const auto own = own_file();
  auto all = plugin::plugin_folders(folders, list == nullptr ? "" : list, own);
  // A system's library folder may lie deeper than lib (Debian: lib/x86_64-linux-gnu).
  for (const auto* place : {"kindred/plugins", "../kindred/plugins"}) {
    auto folder = (own.parent_path() / place).lexically_normal();
    if (std::error_code error; fs::is_directory(folder, error)) all.push_back(std::move(folder));
  }
  return plugin::load_plugins(all);
}

std::vector<std::string> refusals(const plugin::LoadedPlugins& plugins) {
  std::vector<std::string> texts;
  for (const auto& refused : plugins.refused) {
    texts.push_back("warning: " + refused.file.string() + ": " + refused.reason);
  }
  return texts;
}

}  // namespace kindred::application
