// Programs that this one starts and that run beside it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kindred::system {

/// How a program has ended.
struct Ending {
  int exit_code = 0;
  int signal = 0;  ///< that ended it, if it did not end itself

  [[nodiscard]] bool is_success() const { return exit_code == 0 && signal == 0; }
  /// "ended with exit code 1", or "was ended by signal 9 (Killed)".
  [[nodiscard]] std::string text() const;
};

/// Where what a program prints goes.
enum class Output {
  shared,   ///< where this program's goes
  kept,     ///< nowhere, but for who reads it here
  dropped,  ///< nowhere
};

struct ChildCommand {
  std::vector<std::string> arguments;                            ///< the first is the program's file
  std::vector<std::pair<std::string, std::string>> environment;  ///< beside and before this program's own
  Output out = Output::shared;
  Output err = Output::shared;
};

/// A running program. It is the only one of its process group, so that Ctrl-C reaches this program alone, and
/// it is killed (SIGKILL) when this one ends in whatever way, or when the object does.
class ChildProcess {
 public:
  /// To be called in the main thread. Throws Error when the program cannot be started.
  explicit ChildProcess(const ChildCommand& command);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t id() const { return id_; }
  /// What it has printed since the last call; does not wait. Outputs that are not kept give "".
  [[nodiscard]] std::string read_out() { return out_.read(); }
  [[nodiscard]] std::string read_err() { return err_.read(); }
  /// Nothing while it runs. What it printed before can still be read.
  [[nodiscard]] const std::optional<Ending>& ending();
  /// Does nothing once it has ended.
  void send(int signal);

  /// Returns when one of them has printed something that is kept, or after the time.
  static void await_output(const std::vector<ChildProcess*>& children, std::chrono::milliseconds longest);

 private:
  class Pipe {
   public:
    Pipe() = default;
    ~Pipe();
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    [[nodiscard]] bool open();
    [[nodiscard]] int read_end() const { return read_; }
    [[nodiscard]] int write_end() const { return write_; }
    void close_write_end();
    [[nodiscard]] std::string read();

   private:
    int read_ = -1;
    int write_ = -1;
  };

  pid_t id_ = -1;
  std::optional<Ending> ending_;
  Pipe out_;
  Pipe err_;
};

}  // namespace kindred::system
