#include "progress/run_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <system_error>
#include <utility>

#include "kindred/core/error.h"

namespace kindred::progress {
namespace {

/// "2026-11-24 14:22:42.039", of this machine's clock.
std::string time_text() {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  const auto seconds = static_cast<std::time_t>(since.count() / 1000);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  std::array<char, 32> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%d %H:%M:%S", &parts);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03d", static_cast<int>(since.count() % 1000));
  return std::string(date.data()) + fraction.data();
}

bool write_all(int descriptor, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const auto written = ::write(descriptor, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    done += static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

RunLog::RunLog(std::filesystem::path file) : file_(std::move(file)) {
  const auto refuse = [&](const std::error_code& error) {
    throw DataError(file_, "cannot be written: " + error.message());
  };
  std::error_code error;
  if (file_.has_parent_path()) std::filesystem::create_directories(file_.parent_path(), error);
  if (error) refuse(error);
  descriptor_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) refuse({errno, std::generic_category()});
}

RunLog::~RunLog() {
  ::close(descriptor_);
}

void RunLog::update(const Progress&) {}

void RunLog::finish(const Progress& progress) {
  note(progress_text(progress));
}

void RunLog::note(const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (write_all(descriptor_, time_text() + " info: " + text + "\n") || is_incomplete_) return;
  const int error = errno;
  is_incomplete_ = true;
  std::cerr << "warning: " << file_.string()
            << ": cannot be written: " << std::generic_category().message(error)
            << "; lines are missing there from now on\n";
}

}  // namespace kindred::progress
