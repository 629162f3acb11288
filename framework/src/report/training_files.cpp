#include "report/training_files.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <regex>
#include <sstream>
#include <string_view>
#include <system_error>

#include "file/read_text.h"
#include "results/metrics_file.h"

namespace kindred::report {
namespace {

constexpr std::string_view warning_word = "warning: ";
/// Of a test set, where there are several: "evaluate NAME".
constexpr std::string_view evaluation_stage = "evaluate";

/// Seconds since 1970 of "2026-11-24T14:22:42.039Z".
std::optional<double> seconds_of(const std::string& time) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  double second = 0;
  if (std::sscanf(time.c_str(), "%d-%u-%uT%d:%d:%lf", &year, &month, &day, &hour, &minute, &second) != 6) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return 86400.0 * static_cast<double>(days) + 3600.0 * hour + 60.0 * minute + second;
}

void add_figures(const progress::Progress& finished, std::int64_t epoch,
                 std::map<std::string, EpochSeries>& series) {
  for (const auto& [name, value] : finished.figures) series[name][epoch] = value;
}

void add_event(const results::MetricsEvent& event, TrainingMetrics& metrics,
               std::map<std::int64_t, double>& ends) {
  using Kind = results::MetricsEvent::Kind;
  metrics.last_time = event.time;
  if (event.kind == Kind::note) {
    if (event.text.starts_with(warning_word)) {
      metrics.warnings.push_back(event.text.substr(warning_word.size()));
    }
    return;
  }
  const auto& progress = event.progress;
  long long epoch = 0;
  long long epochs = 0;
  if (event.kind != Kind::finished ||
      std::sscanf(progress.detail.c_str(), "epoch %lld/%lld", &epoch, &epochs) != 2) {
    return;
  }
  metrics.epochs = epochs;
  if (progress.stage == evaluation_stage) add_figures(progress, epoch, metrics.evaluations[""]);
  if (progress.stage.starts_with(std::string(evaluation_stage) + " ")) {
    add_figures(progress, epoch, metrics.evaluations[progress.stage.substr(evaluation_stage.size() + 1)]);
  }
  if (progress.stage != "train") return;
  add_figures(progress, epoch, metrics.figures);
  if (std::isfinite(progress.images_per_second)) metrics.images_per_second = progress.images_per_second;
  if (const auto end = seconds_of(event.time)) ends[epoch] = *end;
}

std::optional<double> training_seconds(const std::map<std::int64_t, double>& ends) {
  std::vector<double> gaps;
  for (auto epoch = ends.begin(); epoch != ends.end(); ++epoch) {
    const auto next = std::next(epoch);
    if (next != ends.end() && next->first == epoch->first + 1) gaps.push_back(next->second - epoch->second);
  }
  if (gaps.empty()) return std::nullopt;
  const auto middle = gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2);
  std::nth_element(gaps.begin(), middle, gaps.end());
  return *middle * static_cast<double>(ends.size());
}

TrainingMetrics read_metrics(const std::filesystem::path& file) {
  const auto all = results::Metrics::read(file);
  TrainingMetrics metrics;
  metrics.unreadable_lines = all.unreadable_lines;
  std::map<std::int64_t, double> ends;
  for (const auto& event : all.events) add_event(event, metrics, ends);
  metrics.seconds = training_seconds(ends);
  return metrics;
}

}  // namespace

std::int64_t TrainingMetrics::last_epoch() const {
  std::int64_t last = 0;
  for (const auto& [name, series] : figures) {
    if (!series.empty()) last = std::max(last, series.rbegin()->first);
  }
  return last;
}

TrainingFiles read_training_files(const std::filesystem::path& folder) {
  TrainingFiles files;
  files.recipe = read_piece(folder / "recipe.toml", file::read_text);
  files.environment = read_piece(folder / results::EnvironmentFile::name, results::EnvironmentFile::read);
  files.metrics = read_piece(folder / results::MetricsFile::name, read_metrics);
  std::error_code failure;
  files.model = std::filesystem::exists(folder / "model.safetensors", failure);
  return files;
}

std::vector<std::string> read_log_warnings(const std::filesystem::path& file) {
  std::istringstream stream(file::read_text(file));
  static const std::regex entry("^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+ ([a-z]+): ");
  std::vector<std::string> warnings;
  bool within = false;  // the last entry was a warning
  for (std::string line; std::getline(stream, line);) {
    std::smatch match;
    // The expression is matched against the beginning alone: std::regex recurses for each character.
    const auto begin = line.substr(0, 64);
    if (!std::regex_search(begin, match, entry)) {
      if (within) warnings.back() += "\n" + line;
      continue;
    }
    const auto level = match[1].str();
    auto text = line.substr(static_cast<std::size_t>(match.length()));
    const bool says_so = text.starts_with(warning_word);
    within = says_so || level == "warning" || level == "error" || level == "critical";
    if (says_so) text.erase(0, warning_word.size());
    if (within) warnings.push_back(text);
  }
  return warnings;
}

}  // namespace kindred::report
