#include "results/metrics_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <ctime>
#include <iterator>
#include <limits>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

#include "file/read_text.h"
#include "file/shallow_json.h"
#include "results/json_object.h"
#include "text/number_text.h"

namespace kindred::results {
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
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S.", &parts);
  return date + text::padded_digits(milliseconds, 3) + "Z";
}

std::string line_now(MetricsEvent::Kind kind, const progress::Progress& progress, const std::string& text) {
  return MetricsEvent{utc_time(), kind, progress, text}.line() + "\n";
}

constexpr std::pair<MetricsEvent::Kind, const char*> event_kinds[] = {
    {MetricsEvent::Kind::progress, "progress"},
    {MetricsEvent::Kind::finished, "finished"},
    {MetricsEvent::Kind::note, "note"}};

Json number_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

double number_or_nan(const std::optional<double>& value) {
  return value.value_or(std::numeric_limits<double>::quiet_NaN());
}

/// Of batches or images. Whoever adds up those of a file stays among the numbers.
std::int64_t count_of(const JsonObject& object, const std::string& key) {
  constexpr std::int64_t most = std::int64_t{1} << 40;
  const auto count = object.get<std::int64_t>(key);
  if (count < 0 || count > most) {
    throw object.error(key,
                       "is " + std::to_string(count) + ", and must be from 0 to " + std::to_string(most));
  }
  return count;
}

progress::Progress progress_of(const JsonObject& object) {
  progress::Progress progress;
  progress.stage = object.get<std::string>("stage");
  progress.detail = object.get<std::string>("detail");
  progress.done = count_of(object, "done");
  progress.total = count_of(object, "total");
  progress.unit = object.get<std::string>("unit");
  progress.images_per_second = number_or_nan(object.find<double>("images_per_second"));
  const auto figures = object.object("figures");
  for (const auto& [name, value] : figures.json().items()) {
    progress.figures[name] = number_or_nan(figures.find<double>(name));
  }
  return progress;
}

}  // namespace

std::string MetricsEvent::line() const {
  Json object;
  object["time"] = time;
  for (const auto& [known, name] : event_kinds) {
    if (known == kind) object["event"] = name;
  }
  if (kind == Kind::note) {
    object["text"] = text;
  } else {
    object["stage"] = progress.stage;
    object["detail"] = progress.detail;
    object["done"] = progress.done;
    object["total"] = progress.total;
    object["unit"] = progress.unit;
    object["images_per_second"] = number_or_null(progress.images_per_second);
    auto figures = Json::object();
    for (const auto& [name, value] : progress.figures) figures[name] = number_or_null(value);
    object["figures"] = std::move(figures);
  }
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

MetricsEvent MetricsEvent::parse(std::string_view line, const std::filesystem::path& origin, int number) {
  auto json = Json::parse(line, file::ShallowJson(origin), /*allow_exceptions=*/false);
  if (json.is_discarded()) throw DataError(origin, number, "this is not JSON: the line was cut off");
  const JsonObject object(origin, std::move(json), "line " + std::to_string(number));
  const auto name = object.get<std::string>("event");
  const auto* known = std::find_if(std::begin(event_kinds), std::end(event_kinds),
                                   [&](const auto& kind) { return kind.second == name; });
  if (known == std::end(event_kinds)) throw object.error("event", "is '" + name + "', which is none");
  MetricsEvent event;
  event.time = object.get<std::string>("time");
  event.kind = known->first;
  if (event.kind == Kind::note) {
    event.text = object.get<std::string>("text");
  } else {
    event.progress = progress_of(object);
  }
  return event;
}

Metrics Metrics::read(const std::filesystem::path& file) {
  std::istringstream stream(file::read_text(file));
  Metrics metrics;
  int number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.empty()) continue;
    try {
      metrics.events.push_back(MetricsEvent::parse(line, file, number));
    } catch (const DataError&) {
      ++metrics.unreadable_lines;
    }
  }
  return metrics;
}

MetricsFile::MetricsFile(std::filesystem::path file, std::int64_t updates_between)
    : file_(std::move(file)), updates_between_(updates_between) {
  descriptor_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw DataError(file_, "cannot be written: " + reason());
  begin_ = position();
}

MetricsFile::~MetricsFile() {
  ::close(descriptor_);
}

void MetricsFile::update(const progress::Progress& progress) {
  if (++updates_ % updates_between_ == 0) append(line_now(MetricsEvent::Kind::progress, progress, ""));
}

void MetricsFile::finish(const progress::Progress& progress) {
  updates_ = 0;
  append(line_now(MetricsEvent::Kind::finished, progress, ""));
}

void MetricsFile::note(const std::string& text) {
  append(line_now(MetricsEvent::Kind::note, {}, text));
}

void MetricsFile::append(const std::string& lines) {
  // One write: a reader that follows the file never sees half a line, unless the disk is full.
  ssize_t written = 0;
  do {
    written = ::write(descriptor_, lines.data(), lines.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) throw DataError(file_, "cannot be written: " + reason());
  if (written != static_cast<ssize_t>(lines.size()))
    throw DataError(file_, "cannot be written: the disk is full");
}

std::int64_t MetricsFile::position() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) throw DataError(file_, "cannot be read: " + reason());
  return status.st_size;
}

void MetricsFile::go_back_to(std::int64_t position) {
  if (position < 0 || position >= begin_) return;
  const auto all = file::read_text(file_);
  const auto own = all.substr(std::min(static_cast<std::size_t>(begin_), all.size()));
  if (::ftruncate(descriptor_, position) != 0) throw DataError(file_, "cannot be truncated: " + reason());
  begin_ = position;
  if (!own.empty()) append(own);
}

}  // namespace kindred::results
