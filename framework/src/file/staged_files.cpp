#include "file/staged_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

#include "file/abandoned.h"
#include "file/atomic_file.h"
#include "file/folder_entries.h"
#include "file/new_folders.h"
#include "kindred/core/error.h"

namespace kindred::file {
namespace {

namespace fs = std::filesystem;

/// Renames files, and takes that back unless all of it is kept.
class Moves {
 public:
  Moves() = default;
  ~Moves() {
    for (auto done = done_.rbegin(); done != done_.rend(); ++done) {
      std::error_code ignored;
      fs::rename(done->second, done->first, ignored);
    }
  }
  Moves(const Moves&) = delete;
  Moves& operator=(const Moves&) = delete;

  void move(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::rename(from, to, error);
    if (error) throw DataError(to, "cannot be replaced: " + error.message());
    done_.emplace_back(from, to);
  }
  void keep() { done_.clear(); }

 private:
  std::vector<std::pair<fs::path, fs::path>> done_;
};

/// Of the hidden folders.
constexpr const char* name_start = ".staged.";

/// Hidden folders whose process was killed.
void remove_abandoned(const fs::path& folder, const fs::path& own) {
  std::error_code ignored;
  for (const auto& path : folder_entries(folder, ignored)) {
    const bool staged = is_unfinished_file(path) && path.filename().string().starts_with(name_start);
    if (staged && path.filename() != own.filename()) remove_if_abandoned(path);
  }
}

}  // namespace

StagedFiles::StagedFiles(fs::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  make_folders(folder_, error);
  while (!error && descriptor_ < 0) {
    // A name of unfinished files (file/atomic_file.h).
    static std::atomic<unsigned> counter{0};
    path_ = folder_ / (name_start + std::to_string(::getpid()) + "-" + std::to_string(counter++) + ".tmp");
    if (!fs::create_directory(path_, error)) continue;
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor_ < 0) {
      error.assign(errno, std::generic_category());
      std::error_code ignored;
      fs::remove(path_, ignored);
    } else if (!claim(descriptor_, path_)) {
      ::close(std::exchange(descriptor_, -1));
    }
  }
  if (error) throw DataError(folder_, "cannot be written: " + error.message());
}

StagedFiles::~StagedFiles() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  ::close(descriptor_);
}

void StagedFiles::take_place(const std::vector<std::string>& replaced) {
  const auto files = folder_entries(path_);
  const auto aside = path_ / ".replaced";
  std::error_code error;
  fs::create_directory(aside, error);
  if (error) throw DataError(folder_, "cannot be written: " + error.message());
  Moves moves;
  for (const auto& name : replaced) {
    const auto file = folder_ / name;
    const auto there = fs::symlink_status(file, error);
    if (!fs::status_known(there)) throw DataError(file, "cannot be replaced: " + error.message());
    if (fs::exists(there)) moves.move(file, aside / name);
  }
  for (const auto& file : files) moves.move(file, folder_ / file.filename());
  sync_folder(folder_);
  moves.keep();
  remove_abandoned(folder_, path_);
}

}  // namespace kindred::file
