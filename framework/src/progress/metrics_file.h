// metrics.jsonl: what a run measured, one JSON object a line, for programs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "progress/progress.h"

namespace kindred::progress {

/// Appends. An object has "event" ("progress", "finished" or "note"), "time" (UTC, ISO 8601) and, but for
/// notes with their "text", what the Progress holds: "stage", "detail", "done", "total", "unit",
/// "images_per_second" and each figure under its own name within "figures"; a figure that is not finite is
/// null.
class MetricsFile final : public ProgressSink {
 public:
  /// @param updates_between of the updates of each finished step every so manieth is written
  /// Throws DataError when the file cannot be opened or, later, written.
  explicit MetricsFile(std::filesystem::path file, std::int64_t updates_between = 50);
  ~MetricsFile() override;
  MetricsFile(const MetricsFile&) = delete;
  MetricsFile& operator=(const MetricsFile&) = delete;

  void update(const Progress& progress) override;
  void finish(const Progress& progress) override;
  void note(const std::string& text) override;

  /// Bytes written: a checkpoint remembers it.
  [[nodiscard]] std::int64_t position() const;
  /// Forgets what was written behind a position, because an interrupted training will measure it again. A
  /// file that is shorter already is left as it is.
  void go_back_to(std::int64_t position);

 private:
  void append(const std::string& line);

  std::filesystem::path file_;
  int descriptor_ = -1;
  std::int64_t updates_between_;
  std::int64_t updates_ = 0;
};

}  // namespace kindred::progress
