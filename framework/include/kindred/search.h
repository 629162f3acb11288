// For applications: a gallery of descriptors that is searched for people.
//
//   auto gallery = kindred::Gallery::create("people.gallery", extractor.dim(), extractor.model_id());
//   gallery.add(ids, extractor.extract(crops), infos);
//   for (const auto& match : gallery.search(extractor.extract(queries), {.top = 5})[0]) ...
//
// Link to Kindred::kindred. Similarities are cosines, from -1 to 1; larger is more similar.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/core/export.h"
#include "kindred/version.h"

namespace kindred {

namespace application {
class GalleryParts;
}  // namespace application

/// What is known of an image in a gallery; none of it is needed.
struct EntryInfo {
  std::int64_t camera = -1;  ///< from 0 to 1e9; -1: unknown
  std::optional<std::int64_t>
      time{};           ///< when it was taken: milliseconds since 1970-01-01 UTC, years 0 to 9999
  std::string label{};  ///< whom it shows
  std::string image{};  ///< where it lies

  bool operator==(const EntryInfo&) const = default;
};

struct Match {
  std::string id;
  float similarity = 0;  ///< the cosine of the two descriptors
  EntryInfo info;
};

struct SearchOptions {
  std::int64_t top = 10;                ///< matches for each query, at least 1
  float threshold = -2;                 ///< matches of a lower similarity are left out
  std::vector<std::int64_t> cameras{};  ///< only images of these; empty: of all
  std::optional<std::int64_t> from{};   ///< only images taken at this time or later
  std::optional<std::int64_t> until{};  ///< only images taken before this time
};

struct GalleryOptions {
  /// Searches only: others may add meanwhile, and what they add later is not seen.
  bool read_only = false;
  /// false: descriptors stay on disk and are read for each search, so that there may be more than memory
  /// holds.
  bool in_memory = true;
  /// Leaves out what is damaged, with a note, instead of refusing the gallery.
  bool skip_damaged = false;
  /// The Extractor::model_id() whose descriptors it has to hold; "": any.
  std::string model{};
};

struct IndexOptions {
  std::string type{};                     ///< a component of the role index: "hnsw"
  std::vector<std::string> parameters{};  ///< "KEY=VALUE"; `kindred describe index/hnsw` lists them
  std::vector<std::filesystem::path> plugin_folders{};  ///< as those of ExtractorOptions
};

/// How an index does, measured with images of the gallery as queries, each without itself.
struct IndexReport {
  double seconds = 0;        ///< that building it took
  std::int64_t queries = 0;  ///< that were tried
  double recall_at_1 = 0;    ///< the share of them for which it finds the most similar image
  double recall_at_10 = 0;   ///< the mean share of the ten most similar images that it finds
  double exact_ms = 0;       ///< milliseconds for a query, by exact search
  double indexed_ms = 0;     ///< and by the index
};

/// Descriptors by id. All members may be called by several threads at once: searches run beside each other,
/// changes by themselves.
///
/// One on disk is a folder with an append-only log of records, each with a checksum. What a call of add() or
/// remove() has written when it returns survives the end of the process, however that comes, and after
/// flush() that of the machine too. A record that was cut off is dropped when the gallery is opened, with a
/// note. One process at a time may open it for changes.
class KINDRED_API Gallery {
 public:
  /// In memory alone.
  /// @param dim length of a descriptor, at least 1
  /// @param model Extractor::model_id(), "": unknown
  explicit Gallery(int dim, std::string model = "");
  Gallery(Gallery&& other) noexcept;
  Gallery& operator=(Gallery&& other) noexcept;
  ~Gallery();

  /// A new, empty one on disk. Throws DataError when the folder holds anything already.
  /// @param model of which its descriptors are, UTF-8; "": nothing is known, and nothing checked
  [[nodiscard]] static Gallery create(const std::filesystem::path& folder, int dim,
                                      const std::string& model = "");
  /// One that create() or save() has made; or, to be searched and not changed, features of `kindred embed`:
  /// a folder with gallery.npy, or NAME.npy itself, each with its CSV file. Their ids are the images' paths.
  /// Throws DataError when there is none, it is damaged, of another model, or open elsewhere for changes.
  [[nodiscard]] static Gallery open(const std::filesystem::path& folder, const GalleryOptions& options = {});
  /// Whether a folder holds a gallery that create() or save() has made.
  [[nodiscard]] static bool exists(const std::filesystem::path& folder);

  /// All or nothing. Descriptors may have any length but 0 and are scaled to length 1.
  /// @param ids UTF-8, none empty, none twice, none in the gallery
  /// @param descriptors N x dim() of CV_32F
  /// @param infos one for each, or none
  /// Throws DataError that names the id; the gallery is as it was then.
  void add(std::span<const std::string> ids, const cv::Mat& descriptors,
           std::span<const EntryInfo> infos = {});
  void add(const std::string& id, const cv::Mat& descriptor, const EntryInfo& info = {});
  /// @return whether it was there
  bool remove(const std::string& id);

  /// The most similar entries for each query, the most similar first; of equal ones the one that was added
  /// first. Exact, unless build_index() was called and neither cameras nor times are asked for.
  /// @param queries Q x dim() of CV_32F, of any length but 0
  [[nodiscard]] std::vector<std::vector<Match>> search(const cv::Mat& queries,
                                                       const SearchOptions& options = {}) const;

  [[nodiscard]] std::int64_t size() const;
  [[nodiscard]] int dim() const;
  [[nodiscard]] const std::string& model() const;
  [[nodiscard]] bool contains(const std::string& id) const;
  /// Of the entries in the order in which they were added, some.
  [[nodiscard]] std::vector<std::string> ids(std::int64_t first = 0, std::int64_t count = -1) const;
  /// Throws DataError when there is no such id.
  [[nodiscard]] EntryInfo info(const std::string& id) const;
  /// 1 x dim() of CV_32F, of length 1. Throws DataError when there is no such id.
  [[nodiscard]] cv::Mat descriptor(const std::string& id) const;
  /// The cameras that entries have, ascending, without -1.
  [[nodiscard]] std::vector<std::int64_t> cameras() const;
  /// What a user should know of how it was opened: a record that was dropped.
  [[nodiscard]] std::vector<std::string> notes() const;

  /// Until this returns, a loss of power may lose what was changed. Does nothing for one in memory alone.
  void flush();
  /// Writes the log again without what was removed, atomically; done by itself when one is opened for changes
  /// and more than half of it is of no use any more.
  void compact();
  /// A copy of everything as a new gallery on disk; this one stays what it is. Throws DataError when the
  /// folder holds anything already.
  void save(const std::filesystem::path& folder) const;

  /// From now on searches ask an approximate index of what is in the gallery, which also gets what is added
  /// later. It is held in memory, and lost with this object. Throws RecipeError when no plugin offers the
  /// type, and for a parameter; PluginError for a folder of plugins that does not exist.
  IndexReport build_index(const IndexOptions& options);
  /// Searches are exact again.
  void drop_index();

 private:
  explicit Gallery(std::unique_ptr<application::GalleryParts> parts);

  std::unique_ptr<application::GalleryParts> parts_;
};

}  // namespace kindred
