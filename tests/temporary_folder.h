// A folder of a test's own, and files as bytes.
#pragma once

#include <stdlib.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>

namespace kindred::test {

/// In the place of a file of that name. That one is removed first: ext4 waits for the disk when a file is cut
/// to nothing and written again, which takes milliseconds, and tests do it thousands of times.
inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::error_code ignored;
  if (!std::filesystem::is_symlink(file, ignored)) std::filesystem::remove(file, ignored);
  std::ofstream(file, std::ios::binary) << bytes;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "kindred-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all, error);
    std::filesystem::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  /// `text` with this folder's name cut out of the paths in it.
  [[nodiscard]] std::string without(std::string text) const {
    const auto prefix = path_.string() + "/";
    for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
      text.erase(at, prefix.size());
    }
    return text;
  }

  /// A file in it; folders are made as needed.
  std::filesystem::path write(const std::string& name, const std::string& content) const {
    const auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    write_bytes(file, content);
    return file;
  }

 private:
  std::filesystem::path path_;
};

/// A folder below another one, whose path has about so many bytes.
inline std::filesystem::path long_folder(std::filesystem::path folder, std::size_t bytes) {
  constexpr std::size_t longest_name = 200;
  while (folder.string().size() + 2 < bytes) {
    folder /= std::string(std::min(longest_name, bytes - folder.string().size() - 1), 'd');
  }
  std::filesystem::create_directories(folder);
  return folder;
}

inline std::string read_bytes(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline std::size_t files_in(const std::filesystem::path& folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

/// What the exception of type E that an action throws says; "" when it throws none.
template <class E, class Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

}  // namespace kindred::test
