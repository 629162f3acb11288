#include "pipeline/stage_folders.h"

#include <algorithm>
#include <system_error>

#include "file/atomic_file.h"
#include "file/folder_entries.h"
#include "file/new_folders.h"
#include "kindred/core/error.h"
#include "results/stage_record.h"

namespace kindred::pipeline {

namespace fs = std::filesystem;

namespace {

/// Whether a folder is empty but for files that somebody was killed over.
bool holds_nothing(const fs::path& folder) {
  if (!fs::is_directory(folder)) return false;
  const auto entries = file::folder_entries(folder);
  return std::all_of(entries.begin(), entries.end(), file::is_unfinished_file);
}

bool has_ended(const fs::path& folder) {
  const auto record = results::read_stage_record(folder);
  return record && record->finished;
}

}  // namespace

fs::path StageFolders::replaced(const std::string& stage) const {
  return run_ / ".replaced" / stage;
}

void StageFolders::require_own(const std::string& stage) const {
  const auto here = of(stage);
  if (results::has_stage_record(here) || !fs::exists(here) || holds_nothing(here)) return;
  throw DataError(here, "does not belong to this pipeline, but is where stage '" + stage +
                            "' writes its result; move it away, or use another run directory");
}

void StageFolders::begin_anew(const std::string& stage) const {
  const auto here = of(stage);
  const auto there = replaced(stage);
  const auto begun = results::read_stage_record(here);
  if (begun && !begun->finished && has_ended(there)) {
    fs::remove_all(here);
  } else if (results::has_stage_record(here)) {
    fs::remove_all(there);
    file::make_folders(there.parent_path());
    fs::rename(here, there);
  } else if (fs::exists(here)) {
    // Killed before its record was written: that must not take the place of what is kept.
    require_own(stage);
    fs::remove_all(here);
  }
  file::make_folders(here);
}

void StageFolders::exchange(const std::string& stage) const {
  const auto here = of(stage);
  const auto there = replaced(stage);
  const auto aside = replaced(stage + ".aside");
  fs::remove_all(aside);
  if (fs::exists(here)) fs::rename(here, aside);
  fs::rename(there, here);
  if (fs::exists(aside)) fs::rename(aside, there);
}

void StageFolders::forget_replaced(const std::string& stage) const {
  std::error_code ignored;
  fs::remove_all(replaced(stage), ignored);
}

void StageFolders::remove_leftovers(const fs::path& folder) {
  file::remove_unfinished_files(folder);
  std::error_code ignored;
  fs::remove(folder / results::StageRecord::started_file, ignored);
}

}  // namespace kindred::pipeline
