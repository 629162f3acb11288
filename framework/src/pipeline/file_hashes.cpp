#include "pipeline/file_hashes.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <map>
#include <ostream>
#include <sstream>
#include <system_error>
#include <utility>

#include "file/atomic_file.h"
#include "file/sha256.h"
#include "kindred/core/error.h"

namespace kindred::pipeline {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileHashes::FileHashes(std::filesystem::path memory) : memory_(std::move(memory)) {
  std::ifstream stream(memory_);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream fields(line);
    Known known;
    std::string path;
    if (!(fields >> known.hash >> known.inode >> known.size >> known.modified >> known.changed) ||
        fields.get() != ' ' || !std::getline(fields, path) || known.hash.size() != 64) {
      known_.clear();
      return;
    }
    known_[path] = known;
  }
}

std::string FileHashes::of(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    throw DataError(file, "cannot be read: " + std::generic_category().message(errno));
  }
  const auto name = std::filesystem::absolute(file).lexically_normal().string();
  Known now{status.st_ino, static_cast<std::uintmax_t>(status.st_size), nanoseconds(status.st_mtim),
            nanoseconds(status.st_ctim), ""};
  const auto known = known_.find(name);
  if (known != known_.end() && known->second.is_unchanged(now)) return known->second.hash;
  // First of all: nothing is remembered of a file that cannot be read.
  now.hash = file::sha256_of_file(file);
  is_new_ = true;
  return (known_[name] = std::move(now)).hash;
}

void FileHashes::save() {
  if (!is_new_) return;
  const std::map<std::string, Known> ordered(known_.begin(), known_.end());
  file::write_atomically(memory_, [&](std::ostream& out) {
    for (const auto& [path, known] : ordered) {
      // A name with a line break cannot be remembered.
      if (path.find('\n') != std::string::npos) continue;
      out << known.hash << ' ' << known.inode << ' ' << known.size << ' ' << known.modified << ' '
          << known.changed << ' ' << path << '\n';
    }
  });
  is_new_ = false;
}

}  // namespace kindred::pipeline
