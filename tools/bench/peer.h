// Another program that does the same work, in turns with this one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "speed/turns.h"

namespace kindred::bench {

/// A process that speaks as tools/bench/peer.py does: a JSON object a line, each answered by one. It lives as
/// long as this, does nothing between its turns, and sees the end of its input at the end.
class Peer final : public speed::Contestant {
 public:
  /// Starts it, tells it its work and waits until it is ready.
  /// @param command the program, looked for on PATH, and its arguments
  /// Throws Error with its own words when it refuses, and when it cannot be started, ends, or answers with
  /// something else.
  Peer(std::string name, const std::vector<std::string>& command, const nlohmann::json& work);
  ~Peer() override;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] double run(std::int64_t steps) override;
  /// What it said of itself when it was ready.
  [[nodiscard]] const nlohmann::json& about() const { return about_; }

 private:
  [[nodiscard]] nlohmann::json ask(const nlohmann::json& question);
  void stop();

  std::string name_;
  pid_t process_ = -1;
  int channel_ = -1;
  std::string unread_;
  nlohmann::json about_;
};

/// Runs a program, looked for on PATH, to its end; what it prints goes where messages do.
/// @return whether it ended with exit code 0. Throws Error when it cannot be started.
[[nodiscard]] bool run_program(const std::vector<std::string>& command);

/// The command of peer.py. Throws Error unless that program is a Python that has PyTorch.
[[nodiscard]] std::vector<std::string> pytorch_command(const std::string& python);

}  // namespace kindred::bench
