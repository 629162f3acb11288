// Starts programs as a user does and catches what they print.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace kindred::test {

struct Outcome {
  int exit_code = -1;  ///< or minus the signal that ended it
  std::string out;
  std::string err;
};

/// A program that runs beside the test.
class Program {
 public:
  Program(std::vector<std::string> command, const std::filesystem::path& scratch);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void send(int signal) const;
  [[nodiscard]] bool running() const;
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// What it has printed to standard output by now.
  [[nodiscard]] std::string printed() const;
  [[nodiscard]] Outcome wait();

 private:
  pid_t pid_ = -1;
  std::filesystem::path out_;
  std::filesystem::path err_;
};

/// Runs the launcher to its end.
[[nodiscard]] Outcome kindred(std::vector<std::string> arguments, const std::filesystem::path& scratch);

}  // namespace kindred::test
