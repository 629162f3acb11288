// metrics.jsonl: what a run measured, one JSON object a line, for programs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "progress/progress.h"

namespace kindred::results {

/// A line of the file: an object with time, event ("progress", "finished" or "note") and, but for notes with
/// their text, what the Progress holds: stage, detail, done, total, unit, images_per_second and figures, an
/// object with each under its own name. A number that is not finite is null. The time that is left is not
/// written.
struct MetricsEvent {
  enum class Kind { progress, finished, note };

  std::string time;  ///< UTC, ISO 8601: "2026-11-24T14:22:42.039Z"
  Kind kind = Kind::progress;
  progress::Progress progress;  ///< not of a note
  std::string text;             ///< of a note

  /// Without a line break. Bytes that are not UTF-8 become U+FFFD.
  [[nodiscard]] std::string line() const;
  /// @param origin, number what errors call the file, and the number of the line
  /// Throws DataError for a line that is not whole.
  [[nodiscard]] static MetricsEvent parse(std::string_view line, const std::filesystem::path& origin,
                                          int number);
};

/// What can be read of a file. A line that is damaged, such as the last one of a run whose machine was
/// switched off, is passed over and counted.
struct Metrics {
  std::vector<MetricsEvent> events;
  std::int64_t unreadable_lines = 0;

  /// Throws DataError when the file cannot be read at all.
  [[nodiscard]] static Metrics read(const std::filesystem::path& file);
};

/// Appends.
class MetricsFile final : public progress::ProgressSink {
 public:
  static constexpr const char* name = "metrics.jsonl";

  /// @param updates_between of the updates of each finished step every so manieth is written
  /// Throws DataError when the file cannot be opened or, later, written.
  explicit MetricsFile(std::filesystem::path file, std::int64_t updates_between = 50);
  ~MetricsFile() override;
  MetricsFile(const MetricsFile&) = delete;
  MetricsFile& operator=(const MetricsFile&) = delete;

  void update(const progress::Progress& progress) override;
  void finish(const progress::Progress& progress) override;
  void note(const std::string& text) override;

  /// Bytes written: a checkpoint remembers it.
  [[nodiscard]] std::int64_t position() const;
  /// Forgets what earlier attempts have written after a position, because it will be measured again. What
  /// this one has written stays, such as its first warnings. Nothing is forgotten where they have not written
  /// as much.
  void go_back_to(std::int64_t position);

 private:
  void append(const std::string& lines);

  std::filesystem::path file_;
  int descriptor_ = -1;
  std::int64_t begin_ = 0;  ///< of what this one has written
  std::int64_t updates_between_;
  std::int64_t updates_ = 0;
};

}  // namespace kindred::results
