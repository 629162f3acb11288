// What a Gallery is made of.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "application/approximate_index.h"
#include "application/fair_shared_mutex.h"
#include "application/gallery_log.h"
#include "application/gallery_rows.h"
#include "file/folder_lock.h"
#include "inference/equal_descriptors.h"
#include "kindred/core/catalog.h"
#include "kindred/search.h"

namespace kindred::application {

/// Members do what those of Gallery with the same names do.
class GalleryParts {
 public:
  GalleryParts(std::int64_t dim, std::string model);
  [[nodiscard]] static std::unique_ptr<GalleryParts> create(const std::filesystem::path& folder,
                                                            std::int64_t dim, const std::string& model);
  [[nodiscard]] static std::unique_ptr<GalleryParts> open(const std::filesystem::path& path,
                                                          const GalleryOptions& options);

  /// @param rows [N, dim], 32-bit floats on the CPU
  void add(std::span<const std::string> ids, const torch::Tensor& rows, std::span<const EntryInfo> infos);
  bool remove(const std::string& id);
  /// @param queries [Q, dim]
  [[nodiscard]] std::vector<std::vector<Match>> search(const torch::Tensor& queries,
                                                       const SearchOptions& options) const;
  [[nodiscard]] std::int64_t size() const;
  [[nodiscard]] std::int64_t dim() const { return dim_; }
  [[nodiscard]] const std::string& model() const { return model_; }
  [[nodiscard]] bool contains(const std::string& id) const;
  [[nodiscard]] std::vector<std::string> ids(std::int64_t first, std::int64_t count) const;
  [[nodiscard]] EntryInfo info(const std::string& id) const;
  [[nodiscard]] torch::Tensor descriptor(const std::string& id) const;
  [[nodiscard]] std::vector<std::int64_t> cameras() const;
  [[nodiscard]] std::vector<std::string> notes() const;
  void flush();
  void compact();
  void save(const std::filesystem::path& folder) const;
  /// @param catalog kept as long as the index
  IndexReport build_index(const IndexOptions& options, std::shared_ptr<const Catalog> catalog);
  void drop_index();

 private:
  struct Entry {
    std::string id;
    EntryInfo info;
  };

  void open_log(const std::filesystem::path& folder, const GalleryOptions& options);
  /// For changes of the log that was read, up to `end`.
  void open_writer(const std::filesystem::path& file, std::uint64_t end);
  void open_features(const std::filesystem::path& file, const GalleryOptions& options);
  void require_changeable() const;
  /// Takes a new entry. Position and row are those of GalleryRows::append().
  void take(std::string id, EntryInfo info, std::uint64_t position, const float* row);
  /// Makes undone what take() has done, wholly or in part, from `size` entries on.
  void cut(std::int64_t size);
  void forget(std::int64_t row);
  [[nodiscard]] std::int64_t row_of(const std::string& id) const;
  [[nodiscard]] std::int64_t live() const { return rows_.size() - removed_count_; }
  /// What is called with entries that were not removed, in order, and their descriptors.
  void for_each_live(const std::function<void(const Entry&, const float* row)>& call) const;
  /// Writes a log with what was not removed. @return where its descriptors begin
  std::vector<std::uint64_t> write_log(const std::filesystem::path& folder) const;
  void compact_locked();
  void drop_removed_entries();

  [[nodiscard]] std::vector<std::uint8_t> excluded_by(const SearchOptions& options) const;
  /// Notes it when what is in the gallery is nearly equal.
  /// @param rows of all entries, with any length
  void note_equal_descriptors(const inference::DescriptorRows& rows);
  /// Drops an index that cannot be changed, with a note. Does nothing without one.
  void change_index(const std::function<void()>& change);

  std::int64_t dim_;
  std::string model_;
  std::filesystem::path folder_;  ///< "": in memory alone
  bool read_only_ = false;

  mutable FairSharedMutex mutex_;  ///< guards what follows
  std::deque<Entry> entries_;
  GalleryRows rows_;                   ///< of each entry
  std::vector<std::uint8_t> removed_;  ///< of each entry
  std::int64_t removed_count_ = 0;
  std::uint64_t removed_bytes_ = 0;  ///< of the log, as far as they are known
  std::unordered_map<std::string_view, std::int64_t> by_id_;
  std::vector<std::string> notes_;

  std::unique_ptr<file::FolderLock> lock_;
  std::unique_ptr<LogWriter> writer_;  ///< of a gallery on disk that may be changed
  std::unique_ptr<ApproximateIndex> index_;
};

}  // namespace kindred::application
