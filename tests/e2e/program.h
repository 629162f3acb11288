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
  [[nodiscard]] Outcome wait();

 private:
  pid_t pid_ = -1;
  std::filesystem::path out_;
  std::filesystem::path err_;
};

/// Runs the launcher to its end.
[[nodiscard]] Outcome kindred(std::vector<std::string> arguments, const std::filesystem::path& scratch);

/// A folder of the test's own, removed at the end.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

[[nodiscard]] std::string content(const std::filesystem::path& file);
void write(const std::filesystem::path& file, const std::string& text);

}  // namespace kindred::test
