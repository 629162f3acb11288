// The program's log. The only user of spdlog's configuration; everybody else says spdlog::info() and the
// like.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "progress/progress.h"

namespace kindred::progress {

/// Sends the log to stderr. To be called once, by main.
/// @param level "debug", "info", "warn", "error" or "off"; throws Error when it is none of these
void start_log(const std::string& level);

void log_debug(const std::string& text);
void log_info(const std::string& text);
void log_warning(const std::string& text);
void log_error(const std::string& text);

/// A run's own log, log.txt: while it lives, the program's log goes there too, from level "info" on whatever
/// the terminal shows. As a sink of progress it writes finished steps and notes there, and nowhere else.
/// Appends.
class RunLog final : public ProgressSink {
 public:
  /// Throws DataError when the file cannot be written.
  explicit RunLog(const std::filesystem::path& file);
  ~RunLog() override;
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  void update(const Progress& progress) override;
  void finish(const Progress& progress) override;
  void note(const std::string& text) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kindred::progress
