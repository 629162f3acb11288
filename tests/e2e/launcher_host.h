// The launcher, loaded once for all the commands of a test: most of what a short command takes is LibTorch's
// start (hosted_launcher.cpp).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace kindred::test {

/// A process of the launcher that waits before its main, and runs it in a new process for each command.
class LauncherHost {
 public:
  LauncherHost();
  ~LauncherHost();
  LauncherHost(const LauncherHost&) = delete;
  LauncherHost& operator=(const LauncherHost&) = delete;

  /// Whether the environment is still the one that it was started with, which its processes have.
  [[nodiscard]] bool has_this_environment() const;
  /// Runs the launcher in this working directory, with this standard input.
  /// @param out,err descriptors for what it prints
  /// @return a child of this process
  [[nodiscard]] pid_t start(const std::vector<std::string>& command, int out, int err) const;

 private:
  std::vector<std::string> environment_;
  int socket_ = -1;
  pid_t pid_ = -1;
};

}  // namespace kindred::test
