#include "session.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "text/printable.h"

namespace kindred::launcher {
namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may not wait");

extern "C" void request_stop(int) {
  stop.store(true);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

std::atomic<bool> is_under_way{false};

/// exit() would end a command in its midst, and by 0 as if its work were done.
void refuse_exit() {
  if (!is_under_way) return;
  std::cout.flush();
  std::fputs(
      "error: exit() was called before the command had ended, by a plugin or a library, so its work is not "
      "done; a plugin throws an exception instead\n",
      stderr);
  std::_Exit(1);
}

}  // namespace

Session::Session(std::vector<std::string> arguments, bool quiet)
    : arguments_(std::move(arguments)), quiet_(quiet) {
  is_under_way = true;
  std::atexit(refuse_exit);
}

Session::~Session() {
  is_under_way = false;
}

const Catalog& Session::load_plugins(const std::vector<std::filesystem::path>& folders) {
  const char* path_list = std::getenv("KINDRED_PLUGIN_PATH");
  plugins_ = plugin::load_plugins(plugin::plugin_folders(folders, path_list == nullptr ? "" : path_list,
                                                         std::filesystem::read_symlink("/proc/self/exe")));
  std::atexit(refuse_exit);  // again: ahead of the libraries' destructors, while threads use what these end
  for (const auto& refused : plugins_.refused) {
    std::cerr << text::escaped_lines("warning: " + refused.file.string() + ": " + refused.reason) << '\n';
  }
  return plugins_.catalog;
}

command::OpenedData Session::open_data(const std::filesystem::path& path,
                                       const std::vector<std::string>& overrides) const {
  auto opened = command::open_data(path, overrides, plugins_.catalog);
  if (!opened.layout.empty()) std::cout << path.string() << ": read as " << opened.layout << '\n';
  if (!opened.contents.empty()) print(opened.contents + '\n');
  if (!opened.remark.empty()) note(opened.remark);
  return opened;
}

std::vector<std::string> Session::same_command() const {
  auto command = arguments_;
  command.front() = "/proc/self/exe";
  return command;
}

std::unique_ptr<progress::ProgressSink> Session::make_progress() const {
  return progress::make_stderr_progress(quiet_);
}

void Session::note(const std::string& text) const {
  if (!quiet_) std::cerr << text::escaped_lines("note: " + text) << '\n';
}

void Session::print(const std::string& text) {
  std::cout << text::escaped_lines(text);
}

int Session::interrupted(const std::filesystem::path& folder) {
  // Quiet or not: without it nobody can tell whether work is lost.
  std::cerr << "stopped; finished work is in " << folder.string()
            << "; run the same command again to continue\n";
  return interrupted_exit;
}

const std::atomic<bool>& stop_requested() {
  static const bool installed = [] {
    std::signal(SIGINT, request_stop);
    std::signal(SIGTERM, request_stop);
    return true;
  }();
  static_cast<void>(installed);
  return stop;
}

}  // namespace kindred::launcher
