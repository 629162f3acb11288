// Whether a file is still the one that was read.
#pragma once

#include <cstdint>
#include <filesystem>

namespace kindred::file {

/// Which file lies at a path, and in which state. What belongs together lies in several files, which are
/// opened one after the other: whoever puts others in their place meanwhile must not be half read.
class FileVersion {
 public:
  /// Of what lies there now, be it nothing. To be taken before the file is opened.
  explicit FileVersion(std::filesystem::path file);

  /// Throws DataError when something else lies there now, or it was written to. To be called when all is open
  /// that belongs to it.
  void require_unchanged() const;

 private:
  struct State {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t written = 0;  ///< nanoseconds

    [[nodiscard]] static State of(const std::filesystem::path& file);
    friend bool operator==(const State&, const State&) = default;
  };

  std::filesystem::path file_;
  State state_;
};

}  // namespace kindred::file
