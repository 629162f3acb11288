#include "progress/text_progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "text/display_width.h"
#include "text/printable.h"

namespace kindred::progress {
namespace {

constexpr double seconds_between_rewrites = 0.1;

std::string bar(double share, int width) {
  const int filled = static_cast<int>(std::clamp(share, 0.0, 1.0) * width);
  return "[" + std::string(static_cast<std::size_t>(filled), '=') +
         std::string(static_cast<std::size_t>(width - filled), ' ') + "]";
}

}  // namespace

double monotonic_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int stderr_columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

TerminalProgress::TerminalProgress(std::ostream& stream, std::function<int()> columns, Clock clock)
    : stream_(stream), columns_(std::move(columns)), clock_(std::move(clock)) {}

TerminalProgress::~TerminalProgress() {
  if (line_is_open_) stream_ << '\n' << std::flush;
}

void TerminalProgress::clear_line() {
  if (line_is_open_) stream_ << "\r\033[K";
  line_is_open_ = false;
}

std::string TerminalProgress::line(const Progress& progress) const {
  // The last column stays free: writing it would begin a new line on some terminals.
  const int columns = std::max(columns_() - 1, 10);
  std::string text = progress_text(progress);
  if (progress.total > 0 && columns >= 60) {
    const double share = static_cast<double>(progress.done) / static_cast<double>(progress.total);
    text = bar(share, columns >= 100 ? 20 : 10) + " " + text;
  }
  return std::string(text::fitting(text, static_cast<std::size_t>(columns)));
}

void TerminalProgress::update(const Progress& progress) {
  const double now = clock_();
  if (last_ >= 0 && now - last_ < seconds_between_rewrites) return;
  last_ = now;
  stream_ << "\r\033[K" << line(progress) << std::flush;
  line_is_open_ = true;
}

void TerminalProgress::finish(const Progress& progress) {
  clear_line();
  stream_ << progress_text(progress) << '\n' << std::flush;
  last_ = -1;
}

void TerminalProgress::note(const std::string& text) {
  clear_line();
  stream_ << text::escaped_lines(text) << '\n' << std::flush;
  last_ = -1;
}

LineProgress::LineProgress(std::ostream& stream, double interval, Clock clock)
    : stream_(stream), interval_(interval), clock_(std::move(clock)), last_(clock_()) {}

void LineProgress::update(const Progress& progress) {
  const double now = clock_();
  const bool is_over = progress.total > 0 && progress.done >= progress.total;  // finish() says so
  if (is_over || now - last_ < interval_) return;
  last_ = now;
  stream_ << progress_text(progress) << '\n' << std::flush;
}

void LineProgress::finish(const Progress& progress) {
  last_ = clock_();
  stream_ << progress_text(progress) << '\n' << std::flush;
}

void LineProgress::note(const std::string& text) {
  stream_ << text::escaped_lines(text) << '\n' << std::flush;
}

}  // namespace kindred::progress
