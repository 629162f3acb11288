// domains.csv: of which domain each image is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/sample.h"

namespace kindred::results {

/// path,split,domain with a line for each image. A query that is in the gallery, too, has two, of one domain.
struct DomainsFile {
  static constexpr const char* name = "domains.csv";

  struct Image {
    std::string path;
    std::optional<Split> split;  ///< nothing in a table without that column
    std::string domain;
  };
  std::vector<Image> images;

  struct Domain {
    std::string name;
    std::int64_t images = 0;
  };
  /// Those that have images, by name.
  [[nodiscard]] std::vector<Domain> domains() const;

  /// Gives each sample its domain. Throws DataError naming the first sample that is not in the list, and
  /// changes nothing then.
  /// @param file where the list was read, for messages
  void give_to(std::vector<Sample>& samples, const std::filesystem::path& file) const;

  /// Reads any table with the columns path and domain, and maybe split. Throws DataError naming file and line
  /// for a path that is there twice in a split or with two domains, an empty cell, an unknown split, or
  /// another column.
  [[nodiscard]] static DomainsFile read(const std::filesystem::path& file);
  /// Atomic. Without the column `split` where an image has none.
  void write(const std::filesystem::path& file) const;
};

}  // namespace kindred::results
