// Lists of images: a CSV file with the columns path,identity,camera,domain,split and, where known, clothes,
// view and tracklet.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/core/sample.h"
#include "kindred/text/csv.h"
#include "kindred/text/name_numbers.h"

namespace kindred::file {

/// The split that a cell names: train, query or gallery. Throws DataError naming file and line otherwise.
[[nodiscard]] Split split_in(const CsvTable& table, const CsvRow& row, std::size_t column);

/// write_sample_table(), atomically.
void write_sample_list(const std::filesystem::path& file, const std::vector<Sample>& samples);

/// Reads such a list: path and identity needed, the others optional, in any order; another column is an
/// error. Identities, cameras, clothes and views are whole numbers or names (NameNumbers). Throws DataError
/// naming file and line.
class SampleListReader {
 public:
  explicit SampleListReader(const std::filesystem::path& file);

  /// The next sample; false at the end of the file.
  [[nodiscard]] bool next(Sample& sample);
  /// What to throw when the sample that was just read is wrong.
  [[nodiscard]] DataError error(const std::string& message) const {
    return reader_.table().error(row_, message);
  }

 private:
  CsvReader reader_;
  CsvRow row_;
  std::size_t path_ = 0;
  std::size_t identity_ = 0;
  std::optional<std::size_t> camera_;
  std::optional<std::size_t> domain_;
  std::optional<std::size_t> split_;
  std::optional<std::size_t> clothes_;
  std::optional<std::size_t> view_;
  std::optional<std::size_t> tracklet_;
  NameNumbers identities_;
  NameNumbers cameras_;
  NameNumbers clothes_names_;
  NameNumbers views_;
};

/// Reads such a list whole.
[[nodiscard]] std::vector<Sample> read_sample_list(const std::filesystem::path& file);

/// For results that speak of images by name. Throws DataError naming two rows whose paths are equal.
/// @param file what the error calls the list
void require_unique_names(const std::vector<Sample>& samples, const std::filesystem::path& file);

}  // namespace kindred::file
