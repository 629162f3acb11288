// The images that a gallery was made of, for looking at.
#pragma once

#include <cstddef>
#include <filesystem>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace kindred::service {

/// Thumbnails of images in one folder. Nothing outside of it is ever read, whatever a gallery or a link says.
/// May be used by several threads at once.
class GalleryImages {
 public:
  static constexpr int width = 256;
  static constexpr int height = 256;

  /// @param kept thumbnails that are held in memory, the latest ones
  /// Throws DataError when the folder cannot be used.
  explicit GalleryImages(const std::filesystem::path& folder, std::size_t kept = 2000);

  /// The regular file that a path of a gallery stands for, below the folder with all links followed; nothing
  /// where there is none. An absolute path is taken as it is.
  [[nodiscard]] std::optional<std::filesystem::path> find(const std::string& path) const;

  /// A JPEG of at most width x height pixels, made anew: what else is in the file is not handed on. Nothing
  /// where find() finds nothing. Throws DataError for a file that is not an image or cannot be read.
  [[nodiscard]] std::optional<std::string> thumbnail(const std::string& path);

 private:
  using Entry = std::pair<std::string, std::string>;  // path, JPEG

  std::filesystem::path folder_;  // canonical
  std::size_t kept_;
  std::mutex decoding_;  // one image at a time, as it may be large
  std::mutex mutex_;
  std::list<Entry> latest_;  // the one that was asked for last comes first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_path_;
};

}  // namespace kindred::service
