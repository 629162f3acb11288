#include "progress/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "kindred/core/utf8.h"
#include "progress/text_progress.h"
#include "text/number_text.h"

namespace kindred::progress {
namespace {

template <class Entries>
auto entry_of(Entries& entries, std::string_view name) {
  return std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.first == name; });
}

/// Emacs's shell, for one, is a terminal that cannot clear a line.
bool is_dumb_terminal() {
  const char* name = std::getenv("TERM");
  return name != nullptr && std::string_view(name) == "dumb";
}

}  // namespace

double& Figures::operator[](std::string_view name) {
  const auto entry = entry_of(entries_, name);
  if (entry != entries_.end()) return entry->second;
  return entries_.emplace_back(name, 0).second;
}

double Figures::at(std::string_view name) const {
  const auto entry = entry_of(entries_, name);
  if (entry == entries_.end()) throw std::out_of_range("there is no figure '" + std::string(name) + "'");
  return entry->second;
}

std::size_t Figures::count(std::string_view name) const {
  return entry_of(entries_, name) == entries_.end() ? 0 : 1;
}

ProgressSink::~ProgressSink() = default;

TeeProgress::TeeProgress(std::vector<ProgressSink*> sinks) : sinks_(std::move(sinks)) {}

void TeeProgress::update(const Progress& progress) {
  for (auto* sink : sinks_) sink->update(progress);
}

void TeeProgress::finish(const Progress& progress) {
  for (auto* sink : sinks_) sink->finish(progress);
}

void TeeProgress::note(const std::string& text) {
  for (auto* sink : sinks_) sink->note(text);
}

std::unique_ptr<ProgressSink> make_stderr_progress(bool quiet) {
  if (quiet) return std::make_unique<SilentProgress>();
  if (::isatty(STDERR_FILENO) == 1 && !is_dumb_terminal()) {
    return std::make_unique<TerminalProgress>(std::cerr, stderr_columns);
  }
  return std::make_unique<LineProgress>(std::cerr);
}

std::string duration_text(double seconds) {
  if (!(seconds >= 0)) return "?";
  // Beyond a year nobody waits, and the number must fit.
  const auto whole = static_cast<long long>(std::llround(std::min(seconds, 3.2e8)));
  const auto two = [](long long number) { return text::padded_digits(number, 2); };
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return std::to_string(whole / 60) + ":" + two(whole % 60);
  if (whole < 86400) {
    return std::to_string(whole / 3600) + ":" + two(whole / 60 % 60) + ":" + two(whole % 60);
  }
  return std::to_string(whole / 86400) + " d " + std::to_string(whole / 3600 % 24) + " h";
}

std::string progress_text(const Progress& progress) {
  std::string text = progress.stage;
  if (!progress.detail.empty()) text += (text.empty() ? "" : ", ") + progress.detail;
  std::vector<std::string> parts;
  if (progress.total > 0) {
    parts.push_back(std::to_string(progress.done) + "/" + std::to_string(progress.total) + " " +
                    progress.unit);
  } else if (progress.done > 0) {
    parts.push_back(std::to_string(progress.done) + " " + progress.unit);
  }
  if (progress.images_per_second > 0) {
    const int digits = progress.images_per_second < 100 ? 1 : 0;
    parts.push_back(text::fixed_text(progress.images_per_second, digits) + " images/s");
  }
  if (progress.remaining_seconds >= 0) parts.push_back(duration_text(progress.remaining_seconds) + " left");
  for (const auto& [name, value] : progress.figures) {
    if (name.find('/') == std::string::npos) parts.push_back(name + " " + text::significant_text(value, 4));
  }
  for (std::size_t i = 0; i < parts.size(); ++i) text += (i == 0 ? ": " : ", ") + parts[i];
  return escaped(text);
}

}  // namespace kindred::progress
