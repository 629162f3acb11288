#include "results/tensorboard_file.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "file/folder_entries.h"
#include "file/read_text.h"
#include "kindred/core/error.h"
#include "kindred/image/decode.h"
#include "results/rank_sheet.h"
#include "text/number_text.h"

namespace kindred::results {
namespace {

constexpr std::string_view events_prefix = "events.out.tfevents.";
constexpr std::string_view events_suffix = ".kindred";

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Of MetricsEvent::time.
std::optional<double> seconds_of(const std::string& time) {
  std::tm parts{};
  int milliseconds = 0;
  if (std::sscanf(time.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                  &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &milliseconds) != 7) {
    return std::nullopt;
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return static_cast<double>(::timegm(&parts)) + milliseconds / 1000.0;
}

/// Those that this class made, not what other programs have put there.
std::vector<std::filesystem::path> event_files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : file::folder_entries(folder)) {
    const auto name = entry.filename().string();
    if (name.starts_with(events_prefix) && name.ends_with(events_suffix)) files.push_back(entry);
  }
  return files;
}

/// Readers take the files of a folder in the order of their names.
std::filesystem::path name_of_next(const std::filesystem::path& folder,
                                   const std::vector<std::filesystem::path>& former, double now) {
  for (auto seconds = static_cast<std::int64_t>(now);; ++seconds) {
    auto file =
        folder / (std::string(events_prefix) + text::padded_digits(seconds, 10) + std::string(events_suffix));
    const bool last =
        std::all_of(former.begin(), former.end(), [&](const auto& other) { return other < file; });
    if (last) return file;
  }
}

}  // namespace

TensorBoardFile::TensorBoardFile(std::filesystem::path folder, std::int64_t updates_between)
    : folder_(std::move(folder)), updates_between_(updates_between) {}

void TensorBoardFile::begin(const Metrics& before) {
  const auto now = seconds_since_1970();
  const auto former = event_files_in(folder_);
  file_ = std::make_unique<file::EventFile>(name_of_next(folder_, former, now), now);
  // For a reader that has the former file in its memory.
  file_->start_session(0, now);
  for (const auto& event : before.events) {
    if (event.kind != MetricsEvent::Kind::note) {
      add(event.progress, event.kind, seconds_of(event.time).value_or(now));
    }
  }
  for (const auto& file : former) {
    std::error_code error;  // one that is left has the same steps, which readers then take from the new one
    std::filesystem::remove(file, error);
  }
}

void TensorBoardFile::update(const progress::Progress& progress) {
  if (++updates_ % updates_between_ == 0) add(progress, MetricsEvent::Kind::progress, seconds_since_1970());
}

void TensorBoardFile::finish(const progress::Progress& progress) {
  updates_ = 0;
  add(progress, MetricsEvent::Kind::finished, seconds_since_1970());
}

void TensorBoardFile::note(const std::string&) {}

void TensorBoardFile::add(const progress::Progress& progress, MetricsEvent::Kind kind, double wall_time) {
  long long epoch = 0;
  if (file_ == nullptr || std::sscanf(progress.detail.c_str(), "epoch %lld/", &epoch) != 1) return;
  const bool finished = kind == MetricsEvent::Kind::finished;
  if (progress.stage == "train" && !finished) {
    add_figures("train", progress, batches_ + progress.done, wall_time);
  } else if (progress.stage == "train") {
    batches_ += progress.total;
    add_figures("epoch", progress, epoch, wall_time);
  } else if (finished && (progress.stage == "evaluate" || progress.stage.starts_with("evaluate "))) {
    add_figures(progress.stage, progress, epoch, wall_time);
    add_rank_sheet(progress.stage, epoch, wall_time);
  }
}

void TensorBoardFile::add_figures(std::string_view group, const progress::Progress& progress,
                                  std::int64_t step, double wall_time) {
  std::vector<file::EventFile::Scalar> scalars;
  const auto tag = [&](std::string_view name) { return std::string(group) + "/" + std::string(name); };
  for (const auto& [name, value] : progress.figures) scalars.emplace_back(tag(name), value);
  if (progress.images_per_second > 0)
    scalars.emplace_back(tag("images_per_second"), progress.images_per_second);
  file_->add(step, wall_time, scalars);
}

void TensorBoardFile::add_rank_sheet(const std::string& stage, std::int64_t epoch, double wall_time) {
  const auto file = folder_ / rank_sheet_name(stage, epoch);
  std::string bytes;
  cv::Mat sheet;
  try {
    std::error_code failure;  // as of a name that no file can have
    if (!std::filesystem::exists(file, failure)) return;
    bytes = file::read_text(file);
    sheet = decode_image({bytes.begin(), bytes.end()}, file);
  } catch (const DataError&) {
    // No training ends for a picture that was damaged since it was drawn.
    return;
  }
  file_->add(epoch, wall_time, {stage + "/rank_sheet", sheet.rows, sheet.cols, bytes});
}

}  // namespace kindred::results
