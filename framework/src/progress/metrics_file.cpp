#include "progress/metrics_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "kindred/core/error.h"

namespace kindred::progress {
namespace {

std::string reason() {
  return std::generic_category().message(errno);
}

std::string utc_time() {
  const auto now = std::chrono::system_clock::now();
  const auto seconds = std::chrono::system_clock::to_time_t(now);
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char date[32];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  char text[48];
  std::snprintf(text, sizeof text, "%s.%03dZ", date, static_cast<int>(milliseconds));
  return text;
}

nlohmann::ordered_json event(const char* name) {
  nlohmann::ordered_json object;
  object["time"] = utc_time();
  object["event"] = name;
  return object;
}

nlohmann::ordered_json number(double value) {
  if (std::isfinite(value)) return value;
  return nullptr;
}

std::string line(nlohmann::ordered_json object, const Progress& progress) {
  object["stage"] = progress.stage;
  object["detail"] = progress.detail;
  object["done"] = progress.done;
  object["total"] = progress.total;
  object["unit"] = progress.unit;
  object["images_per_second"] = number(progress.images_per_second);
  auto figures = nlohmann::ordered_json::object();
  for (const auto& [name, value] : progress.figures) figures[name] = number(value);
  object["figures"] = std::move(figures);
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

MetricsFile::MetricsFile(std::filesystem::path file, std::int64_t updates_between)
    : file_(std::move(file)), updates_between_(updates_between) {
  descriptor_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw DataError(file_, "cannot be written: " + reason());
}

MetricsFile::~MetricsFile() {
  ::close(descriptor_);
}

void MetricsFile::update(const Progress& progress) {
  if (++updates_ % updates_between_ == 0) append(line(event("progress"), progress));
}

void MetricsFile::finish(const Progress& progress) {
  updates_ = 0;
  append(line(event("finished"), progress));
}

void MetricsFile::note(const std::string& text) {
  auto object = event("note");
  object["text"] = text;
  append(object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void MetricsFile::append(const std::string& line) {
  const std::string text = line + "\n";
  // One write: a reader that follows the file never sees half a line, unless the disk is full.
  ssize_t written = 0;
  do {
    written = ::write(descriptor_, text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) throw DataError(file_, "cannot be written: " + reason());
  if (written != static_cast<ssize_t>(text.size()))
    throw DataError(file_, "cannot be written: the disk is full");
}

std::int64_t MetricsFile::position() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) throw DataError(file_, "cannot be read: " + reason());
  return status.st_size;
}

void MetricsFile::go_back_to(std::int64_t position) {
  if (position < 0 || position >= this->position()) return;
  if (::ftruncate(descriptor_, position) != 0) throw DataError(file_, "cannot be truncated: " + reason());
}

}  // namespace kindred::progress
