// What commands share while they run: plugins, progress, notes, signals.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "command/open_data.h"
#include "kindred/core/catalog.h"
#include "plugin/plugin_loader.h"
#include "progress/progress.h"

namespace kindred::launcher {

/// One call of the launcher. Owns the plugins' catalog, and so outlives everything that components make. As
/// long as it is there, a call of exit() by a plugin or a library ends the program with 1 and a message.
class Session {
 public:
  /// @param arguments as they were typed, the program's name first
  /// @param quiet neither progress nor notes
  Session(std::vector<std::string> arguments, bool quiet);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Loads the plugins and warns about those that were refused. To be called once.
  /// @param folders of --plugin-dir, searched first
  const Catalog& load_plugins(const std::vector<std::filesystem::path>& folders);
  /// Of what load_plugins() has found; empty before it.
  [[nodiscard]] const Catalog& catalog() const { return plugins_.catalog; }
  /// What load_plugins() has refused; empty before it.
  [[nodiscard]] const std::vector<plugin::RefusedPlugin>& refused_plugins() const { return plugins_.refused; }

  /// Opens a data set (command::open_data()) with the loaded plugins, and prints how a folder was read.
  [[nodiscard]] command::OpenedData open_data(const std::filesystem::path& path,
                                              const std::vector<std::string>& overrides) const;

  /// Program and arguments of a process that does the same.
  [[nodiscard]] std::vector<std::string> same_command() const;
  /// Shows progress on stderr.
  [[nodiscard]] std::unique_ptr<progress::ProgressSink> make_progress() const;
  /// Prints "note: TEXT" to stderr.
  void note(const std::string& text) const;
  /// Prints to stdout what holds names of files or of their contents.
  static void print(const std::string& text);
  static constexpr int interrupted_exit = 130;
  /// Tells the user how to continue a run that a signal has stopped.
  /// @return the exit code
  [[nodiscard]] static int interrupted(const std::filesystem::path& folder);

 private:
  std::vector<std::string> arguments_;
  bool quiet_;
  plugin::LoadedPlugins plugins_;
};

/// Set by the first SIGINT or SIGTERM, so that a stage can stop cleanly. The second one ends the program.
[[nodiscard]] const std::atomic<bool>& stop_requested();

}  // namespace kindred::launcher
