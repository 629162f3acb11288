#include "plugin/plugin_loader.h"

#include <cxxabi.h>
#include <dlfcn.h>

#include <algorithm>
#include <cfenv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>

#include "kindred/core/error.h"
#include "kindred/core/plugin.h"
#include "plugin/elf_check.h"
#include "system/exception_text.h"

namespace kindred::plugin {
namespace {

namespace fs = std::filesystem;

constexpr const char* section_name = ".kindred_plugin";
constexpr const char* entry_name = "kindred_plugin_declare";
constexpr const char* guide = "(docs/first-plugin.md)";

/// A field of the info that is no text with an end shows damage, or another program's section.
template <std::size_t N>
std::optional<std::string> text(const char (&field)[N]) {
  const auto* end = static_cast<const char*>(std::memchr(field, '\0', N));
  if (end == nullptr) return std::nullopt;
  return std::string(field, end);
}

std::vector<std::string> split(std::string_view list, std::string_view separator) {
  std::vector<std::string> parts;
  while (true) {
    const auto at = list.find(separator);
    parts.emplace_back(list.substr(0, at));
    if (at == std::string_view::npos) return parts;
    list.remove_prefix(at + separator.size());
  }
}

/// "LibTorch 2.0.1 where this Kindred has LibTorch 1.13.1": only the parts that differ, as far as they pair
/// up.
std::string difference(const std::string& found, const std::string& wanted) {
  const auto theirs = split(found, ", ");
  const auto ours = split(wanted, ", ");
  if (theirs.size() != ours.size()) return found + ", but this Kindred with " + wanted;
  std::string left;
  std::string right;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (theirs[i] == ours[i]) continue;
    left += (left.empty() ? "" : ", ") + theirs[i];
    right += (right.empty() ? "" : ", ") + ours[i];
  }
  return left + ", but this Kindred with " + right;
}

/// Puts readable C++ in place of a mangled name at the end of the dynamic linker's message.
std::string with_readable_symbol(const std::string& message) {
  constexpr std::string_view lead = "undefined symbol: ";
  const auto at = message.find(lead);
  if (at == std::string::npos) return message;
  const auto start = at + lead.size();
  const auto symbol = message.substr(start, message.find_first_of(" ,(", start) - start);
  int status = 0;
  char* readable = abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status);
  std::string result = message;
  if (status == 0) result.replace(start, symbol.size(), readable);
  std::free(readable);
  return result;
}

/// What the dynamic linker said, freed from what Boost.DLL wraps around it.
std::string linker_message(std::string message, const fs::path& file) {
  constexpr std::string_view lead = "dlerror system message: ";
  if (const auto at = message.find(lead); at != std::string::npos) {
    message.erase(0, at + lead.size());
    if (const auto end = message.rfind("): "); end != std::string::npos) message.erase(end);
  }
  const auto prefix = file.string() + ": ";
  if (message.starts_with(prefix)) message.erase(0, prefix.size());
  return with_readable_symbol(message);
}

/// What this thread does with numbers that are too small or inexact, and so each thread that it starts. A
/// library that is linked with -ffast-math, or needs one that is, has them taken for 0 once it is loaded.
class KeptArithmetic {
 public:
  KeptArithmetic() { std::fegetenv(&before_); }
  ~KeptArithmetic() { std::fesetenv(&before_); }
  KeptArithmetic(const KeptArithmetic&) = delete;
  KeptArithmetic& operator=(const KeptArithmetic&) = delete;

 private:
  std::fenv_t before_{};
};

boost::dll::shared_library open(const fs::path& file) {
  namespace mode = boost::dll::load_mode;
  // Never unloaded, though the handle goes: code, type information and exceptions of the plugin may be in use
  // until the program ends.
  constexpr auto flags = static_cast<mode::type>(int{mode::rtld_now} | int{mode::rtld_local} | RTLD_NODELETE);
  const KeptArithmetic kept;
  try {
    return boost::dll::shared_library(file, flags);
  } catch (const std::system_error& error) {
    throw PluginError(file, "cannot be loaded: " + linker_message(error.what(), file) +
                                "; install the libraries that it needs, and build it with "
                                "kindred_add_plugin(), which reports missing symbols at link time");
  }
}

/// What else an exception of several lines says is left out: a warning has one.
std::string first_line(const std::string& message) {
  return message.substr(0, message.find('\n'));
}

Catalog declare(const boost::dll::shared_library& library, const fs::path& file) {
  if (!library.has(entry_name)) {
    throw PluginError(
        file, std::string("is not a complete Kindred plugin: it does not export ") + entry_name +
                  "; use KINDRED_PLUGIN in its source and build it with kindred_add_plugin() " + guide);
  }
  Catalog catalog;
  const auto failed = [&](const std::string& what) {
    return PluginError(file, "failed to declare its components: " + what + "; fix the plugin");
  };
  try {
    library.get<void(Catalog&)>(entry_name)(catalog);
  } catch (const std::exception& error) {
    throw failed(first_line(system::exception_text(error)));
  } catch (...) {
    throw failed(system::thrown_value_text());
  }
  if (catalog.components().empty()) {
    throw PluginError(file, std::string("offers no components; call catalog.add in KINDRED_PLUGIN ") + guide);
  }
  return catalog;
}

/// The message without the place, which RefusedPlugin holds by itself.
std::string reason_of(const PluginError& error) {
  const std::string message = error.what();
  const auto prefix = error.file().string() + ": error: ";
  return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

void load_plugin(const fs::path& file, LoadedPlugins& result) {
  try {
    auto info = read_plugin_info(file);
    const auto library = open(file);
    result.catalog.merge(declare(library, file), info.name, file, info.version);
    result.loaded.push_back(std::move(info));
  } catch (const PluginError& error) {
    result.refused.push_back({file, reason_of(error)});
  }
}

/// The *.so of a folder by name.
std::vector<fs::path> libraries(const fs::path& folder, std::vector<RefusedPlugin>& refused) {
  if (std::error_code error; !fs::is_directory(folder, error)) {
    throw PluginError(
        folder, "is not a readable folder; plugin folders are set by --plugin-dir and KINDRED_PLUGIN_PATH");
  }
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".so") files.push_back(at->path());
  }
  if (error) refused.push_back({folder, "cannot be listed (" + error.message() + "); check its permissions"});
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

LoadedPlugin read_plugin_info(const fs::path& file) {
  const auto section = read_library_section(file, section_name);
  if (!section) {
    throw PluginError(file, std::string("is not a Kindred plugin: it has no section ") + section_name +
                                "; remove it from the plugin folder, or use KINDRED_PLUGIN in its source " +
                                guide);
  }
  const auto damaged = [&](const std::string& what) {
    return PluginError(file, std::string("is damaged: in its section ") + section_name + " " + what +
                                 "; build or copy it again");
  };
  // Read as far as both know it: the info is only ever appended to.
  KindredPluginInfo info{};
  std::memcpy(&info, section->data(), std::min(section->size(), sizeof(info)));
  if (section->size() < offsetof(KindredPluginInfo, toolchain) ||
      std::memcmp(info.magic, "KINDRED", sizeof(info.magic)) != 0) {
    throw damaged("the mark 'KINDRED' is missing");
  }
  if (info.abi != KINDRED_ABI) {
    throw PluginError(file, "was built for plugin ABI " + std::to_string(info.abi) +
                                ", but this Kindred has ABI " + std::to_string(KINDRED_ABI) +
                                "; build the plugin again against this Kindred");
  }
  if (info.size < sizeof(info) || info.size > section->size()) throw damaged("the size is wrong");
  const auto toolchain = text(info.toolchain);
  const auto name = text(info.name);
  const auto version = text(info.version);
  const auto summary = text(info.summary);
  if (!toolchain || !name || !version || !summary) throw damaged("a string is not terminated");
  if (*toolchain != KINDRED_TOOLCHAIN) {
    throw PluginError(file, "was built with " + difference(*toolchain, KINDRED_TOOLCHAIN) +
                                "; build the plugin with the same versions");
  }
  if (name->empty()) {
    throw PluginError(file,
                      std::string("has no name; set the name in KINDRED_PLUGIN and build it again ") + guide);
  }
  return {*name, *version, *summary, file};
}

std::vector<fs::path> plugin_folders(const std::vector<fs::path>& given, const std::string& path_list,
                                     const fs::path& executable) {
  auto folders = given;
  for (auto& folder : split(path_list, ":")) {
    if (!folder.empty()) folders.emplace_back(std::move(folder));
  }
  auto shipped = (executable.parent_path() / "../lib/kindred/plugins").lexically_normal();
  if (std::error_code error; fs::is_directory(shipped, error)) folders.push_back(std::move(shipped));
  return folders;
}

LoadedPlugins load_plugins(const std::vector<fs::path>& folders) {
  LoadedPlugins result;
  std::set<std::string> seen;
  for (const auto& folder : folders) {
    // Absolute, so that neither the dynamic linker nor a message depends on the working directory.
    for (const auto& file : libraries(fs::absolute(folder).lexically_normal(), result.refused)) {
      if (seen.insert(file.filename().string()).second) load_plugin(file, result);
    }
  }
  return result;
}

}  // namespace kindred::plugin
