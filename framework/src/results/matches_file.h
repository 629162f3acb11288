// matches.csv and matches.json: the gallery images that were found for each query.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/text/csv.h"

namespace kindred::results {

/// One query and what was found for it, the most similar first.
struct QueryMatches {
  struct Found {
    std::string path;
    float similarity = 0;
    std::optional<std::int64_t> identity;  ///< nothing where unlabeled
  };
  std::string query;
  std::optional<std::int64_t> identity;
  std::vector<Found> found;
};

/// The matches of many queries, which may be more than memory holds.
struct MatchesFiles {
  static constexpr const char* csv_name = "matches.csv";
  static constexpr const char* json_name = "matches.json";

  std::int64_t queries = 0;
  bool labeled = false;  ///< matches.csv is to have the columns of identities
  std::function<QueryMatches(std::int64_t query)> matches_of;

  /// Writes into a folder, each file atomically:
  ///   - matches.csv, read by MatchesReader: query_path,rank,gallery_path,similarity and, when anybody is
  ///     labeled, query_identity,gallery_identity, with a line for each pair, ranks from 1;
  ///   - matches.json, for other programs: an object, query path -> list of gallery paths.
  /// Throws DataError for a path that is not UTF-8, which JSON cannot hold.
  void write(const std::filesystem::path& folder) const;
};

/// Reads matches.csv query by query. Throws DataError naming file and line when it is damaged: the lines of a
/// query must follow each other with the ranks 1, 2, 3 and so on.
class MatchesReader {
 public:
  explicit MatchesReader(const std::filesystem::path& file);

  /// The next query with all that was found for it; false at the end of the file. When this throws,
  /// `matches` holds what stands before the damage.
  [[nodiscard]] bool next(QueryMatches& matches);
  /// What to throw when an image that was found for the query just read is wrong.
  /// @param found its place in QueryMatches::found
  [[nodiscard]] DataError error(std::size_t found, const std::string& message) const;

 private:
  CsvReader reader_;
  CsvRow row_;              ///< the next to be looked at
  bool there_ = false;      ///< whether there is one
  std::vector<int> lines_;  ///< of the query just read
  std::size_t query_ = 0;
  std::size_t rank_ = 0;
  std::size_t path_ = 0;
  std::size_t similarity_ = 0;
  std::optional<std::size_t> query_identity_;
  std::optional<std::size_t> identity_;
};

}  // namespace kindred::results
