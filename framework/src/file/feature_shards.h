// Descriptors on disk as several arrays, for more than one file, disk or memory holds.
#pragma once

#include <torch/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "file/file_version.h"
#include "file/npy.h"

namespace kindred::file {

/// An array that holds some of the rows.
struct FeatureShard {
  std::filesystem::path file;  ///< absolute, or relative to the folder of the list
  std::int64_t rows = 0;
};

/// STEM.shards.csv: with the header file,rows,dim a row for each array, in the order of the rows.
struct ShardList {
  std::vector<FeatureShard> shards;
  std::int64_t dim = 0;

  /// Throws DataError naming file and line.
  [[nodiscard]] static ShardList read(const std::filesystem::path& file);
  /// Atomically.
  void write(const std::filesystem::path& file) const;
};

[[nodiscard]] std::filesystem::path shard_list_of(const std::filesystem::path& stem);
/// STEM.0007.npy
[[nodiscard]] std::filesystem::path shard_file(const std::filesystem::path& stem, std::int64_t number);

/// The rows of all arrays of a list, one after the other. An array is opened when rows of it are asked for,
/// and one is open at a time, so that those nobody asks for need not be there. The list must stay: with
/// another one, arrays of the same names are others.
class ShardedArray {
 public:
  /// Throws as ShardList::read() does.
  explicit ShardedArray(std::filesystem::path list);

  [[nodiscard]] const std::filesystem::path& list() const { return list_; }
  [[nodiscard]] std::int64_t size() const { return ends_.back(); }
  [[nodiscard]] std::int64_t dim() const { return dim_; }
  /// Rows up to the end of each array.
  [[nodiscard]] const std::vector<std::int64_t>& ends() const { return ends_; }

  /// Throws as each() does for these rows. What a list says of the size of an array is not to be believed
  /// before, where memory is made for it.
  void require(std::int64_t first, std::int64_t last) const {
    each(first, last, [](const NpyReader&, std::int64_t, std::int64_t) {});
  }

  /// Calls use(array, from, to) for the rows [first, last), from one array after the other. From any thread.
  /// Throws DataError as NpyReader does, when an array is not what the list says, and when the list was
  /// replaced since it was read.
  template <class Use>
  void each(std::int64_t first, std::int64_t last, const Use& use) const {
    for (std::size_t i = 0; i < ends_.size() && first < last; ++i) {
      if (first >= ends_[i]) continue;
      const auto begin = i == 0 ? 0 : ends_[i - 1];
      const auto end = std::min(last, ends_[i]);
      use(*opened(i), first - begin, end - begin);
      first = end;
    }
  }

 private:
  [[nodiscard]] std::shared_ptr<const NpyReader> opened(std::size_t shard) const;

  std::filesystem::path list_;
  FileVersion version_;  ///< of the list
  std::vector<std::filesystem::path> files_;
  std::vector<std::int64_t> ends_;
  std::int64_t dim_ = 0;
  mutable std::mutex mutex_;
  mutable std::pair<std::size_t, std::shared_ptr<const NpyReader>> open_;
};

}  // namespace kindred::file
