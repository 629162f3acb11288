// Descriptors on disk: NAME.npy [N, D] beside NAME.csv with a row for each of its rows. In the place of
// NAME.npy there may be NAME.shards.csv, a list of arrays that hold the rows (feature_shards.h).
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "file/feature_shards.h"
#include "file/file_version.h"
#include "file/npy.h"
#include "file/storage.h"
#include "kindred/core/sample.h"

namespace kindred::file {

struct Features {
  torch::Tensor descriptors;    ///< [N, D], 32-bit floats, on the CPU
  std::vector<Sample> samples;  ///< N
};

/// How much descriptors x have changed to x' by being written in fewer bits: |x' - x| / |x|.
struct StorageLoss {
  double largest = 0;
  double mean = 0;
  /// No cosine between two such descriptors has changed by more: at most largest = sin(a) turns a vector by
  /// the angle a, and an angle between two that changes by 2 a changes its cosine by 2 sin(a) at most.
  [[nodiscard]] double cosine_bound() const { return 2 * largest; }
};

/// Writes STEM.npy ('<f4', '<f2' or '<V2', see npy.h) and STEM.csv (kindred/text/sample_table.h), each
/// atomically. Throws DataError, before anything is written, for a descriptor with a number too large for 16
/// bits.
StorageLoss write_features(const std::filesystem::path& stem, const Features& features,
                           Storage storage = Storage::float32);

/// Writes the descriptors alone, as one array of a list. Throws as write_features() does.
StorageLoss write_feature_shard(const std::filesystem::path& file, const Features& features,
                                Storage storage = Storage::float32);

/// Whether there are descriptors: STEM.npy or STEM.shards.csv. `file` as for read_features(). Throws
/// ReadError when that cannot be seen; so does has_sharded_features().
[[nodiscard]] bool has_features(const std::filesystem::path& file);
/// Whether they are in several arrays: there is STEM.shards.csv and no STEM.npy.
[[nodiscard]] bool has_sharded_features(const std::filesystem::path& file);
/// Of STEM.npy, or of STEM.shards.csv in its place: for features that must fit others, which are opened after
/// them, as a gallery fits its queries. `file` as for read_features().
[[nodiscard]] FileVersion version_of_features(const std::filesystem::path& file);
/// The names of the files that features of this stem have, or may have: STEM.csv, STEM.npy, STEM.shards.csv,
/// and of arrays those that are there.
[[nodiscard]] std::vector<std::string> names_of_features(const std::filesystem::path& stem);
/// These files with their folder, and the arrays that STEM.shards.csv lists, wherever they lie. `file` as for
/// read_features(). Throws as ShardList::read() does.
[[nodiscard]] std::vector<std::filesystem::path> files_of_features(const std::filesystem::path& file);

/// Reads STEM.npy, or the arrays of STEM.shards.csv (any float type of npy.h, C or Fortran order), and
/// STEM.csv (sample_list.h). `file` may be given with either ending or with none. Throws DataError naming
/// file and line or row when they are damaged, foreign or do not fit each other, a number is not finite, or
/// the files were replaced meanwhile.
[[nodiscard]] Features read_features(const std::filesystem::path& file);

/// The same, for descriptors that are read piece by piece because all may be more than memory holds. The
/// samples are read at once.
class FeatureReader {
 public:
  /// Throws as read_features() does, but for numbers that are not finite.
  explicit FeatureReader(const std::filesystem::path& file);

  [[nodiscard]] const std::vector<Sample>& samples() const { return samples_; }
  [[nodiscard]] std::int64_t size() const { return shards_ ? shards_->size() : array_->shape()[0]; }
  [[nodiscard]] std::int64_t dim() const { return shards_ ? shards_->dim() : array_->shape()[1]; }
  /// Where the rows of each array end; of one array its size.
  [[nodiscard]] std::vector<std::int64_t> array_ends() const {
    return shards_ ? shards_->ends() : std::vector{size()};
  }
  /// STEM.npy or STEM.shards.csv: for messages.
  [[nodiscard]] const std::filesystem::path& file() const {
    return shards_ ? shards_->list() : array_->file();
  }

  /// Throws as rows() does where an array is not there, or is not as large as the list of arrays says: to be
  /// called before memory is made for all rows.
  void require_arrays() const {
    if (shards_) shards_->require(0, size());
  }
  /// Rows [first, last): [last - first, D], 32-bit floats. Throws DataError naming row and path of the first
  /// that is not finite.
  [[nodiscard]] torch::Tensor rows(std::int64_t first, std::int64_t last) const;

 private:
  std::optional<NpyReader> array_;
  std::unique_ptr<ShardedArray> shards_;  ///< in its place
  std::vector<Sample> samples_;
};

}  // namespace kindred::file
