// A run's own log.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "progress/progress.h"

namespace kindred::progress {

/// What all lines of an entry begin with but the first: none of them looks like an entry, whatever it says.
inline constexpr std::string_view log_indent = "    ";

/// As a sink of progress it writes finished steps and notes, each with the time, and nothing of what lies
/// between. Control characters are escaped. A log that is there is continued. What cannot be written later on
/// may be missing in it, and a warning on stderr says so once: no work ends for that.
class RunLog final : public ProgressSink {
 public:
  /// Makes the folder where needed. Throws DataError when the file cannot be opened.
  explicit RunLog(const std::filesystem::path& file);
  ~RunLog() override;
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  void update(const Progress& progress) override;
  void finish(const Progress& progress) override;
  void note(const std::string& text) override;

 private:
  struct Logger;
  std::unique_ptr<Logger> logger_;
};

}  // namespace kindred::progress
