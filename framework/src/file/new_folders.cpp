#include "file/new_folders.h"

#include <vector>

#include "file/atomic_file.h"
#include "kindred/core/error.h"

namespace kindred::file {

namespace fs = std::filesystem;

void make_folders(const fs::path& folder) {
  std::error_code error;
  make_folders(folder, error);
  if (error) throw DataError(folder, "cannot be created: " + error.message());
}

void make_folders(const fs::path& folder, std::error_code& error) {
  std::vector<fs::path> parents;  // of those that are missing, the lowest first
  std::error_code ignored;
  for (auto path = fs::absolute(folder, ignored); path.has_relative_path() && !fs::exists(path, ignored);) {
    path = path.parent_path();
    parents.push_back(path);
  }
  fs::create_directories(folder, error);
  if (error) return;
  for (auto parent = parents.rbegin(); parent != parents.rend(); ++parent) sync_folder(*parent);
}

}  // namespace kindred::file
