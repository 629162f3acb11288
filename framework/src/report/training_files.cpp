#include "report/training_files.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <regex>
#include <sstream>
#include <string_view>
#include <system_error>

#include "file/read_text.h"
#include "progress/run_log.h"
#include "results/metrics_file.h"

namespace kindred::report {
namespace {

constexpr std::string_view warning_word = "warning: ";
/// Of a test set, where there are several: "evaluate NAME".
constexpr std::string_view evaluation_stage = "evaluate";

void add_figures(const progress::Progress& finished, std::int64_t epoch,
                 std::map<std::string, EpochSeries>& series) {
  for (const auto& [name, value] : finished.figures) series[name][epoch] = value;
}

void add_event(const results::MetricsEvent& event, TrainingMetrics& metrics) {
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
}

TrainingMetrics read_metrics(const std::filesystem::path& file) {
  const auto all = results::Metrics::read(file);
  TrainingMetrics metrics;
  metrics.unreadable_lines = all.unreadable_lines;
  for (const auto& event : all.events) add_event(event, metrics);
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
  files.model = std::filesystem::exists(folder / "model.safetensors", failure) || failure;  // not absent
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
      if (line.starts_with(progress::log_indent)) line.erase(0, progress::log_indent.size());
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
