// Progress as text for people: a line that rewrites itself, or plain lines.
#pragma once

#include <functional>
#include <ostream>
#include <string>

#include "progress/progress.h"

namespace kindred::progress {

/// Seconds of a clock that never goes back; tests hand in their own.
using Clock = std::function<double()>;
[[nodiscard]] double monotonic_seconds();

/// The width of the terminal behind stderr, 80 when it is not known.
[[nodiscard]] int stderr_columns();

/// One line, rewritten in place at most ten times a second; finished steps and notes stay above it.
class TerminalProgress final : public ProgressSink {
 public:
  /// @param columns asked before each line is written, so that a resized window is respected
  TerminalProgress(std::ostream& stream, std::function<int()> columns, Clock clock = monotonic_seconds);
  ~TerminalProgress() override;  ///< leaves the cursor on a line of its own
  TerminalProgress(const TerminalProgress&) = delete;
  TerminalProgress& operator=(const TerminalProgress&) = delete;

  void update(const Progress& progress) override;
  void finish(const Progress& progress) override;
  void note(const std::string& text) override;

 private:
  void clear_line();
  [[nodiscard]] std::string line(const Progress& progress) const;

  std::ostream& stream_;
  std::function<int()> columns_;
  Clock clock_;
  double last_ = -1;
  bool line_is_open_ = false;
};

/// A plain line for each finished step and note, and for updates before its end one every `interval` seconds:
/// for log files and pipes.
class LineProgress final : public ProgressSink {
 public:
  explicit LineProgress(std::ostream& stream, double interval = 10, Clock clock = monotonic_seconds);
  void update(const Progress& progress) override;
  void finish(const Progress& progress) override;
  void note(const std::string& text) override;

 private:
  std::ostream& stream_;
  double interval_;
  Clock clock_;
  double last_;
};

}  // namespace kindred::progress
