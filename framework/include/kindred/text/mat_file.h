// Variables in files of MATLAB: some data sets say in them which images belong together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

/// Whole numbers in rows and columns. An array of more dimensions has all but the first as columns.
struct KINDRED_API MatNumbers {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<std::int64_t> values;  ///< in MATLAB's order, column by column

  [[nodiscard]] std::int64_t at(std::size_t row, std::size_t column) const {
    return values.at(column * rows + row);
  }
};

/// What a data set stores: arrays of whole numbers, and cell arrays of texts in MATLAB's order.
struct KINDRED_API MatVariables {
  std::map<std::string, MatNumbers> numbers;
  std::map<std::string, std::vector<std::string>> texts;
};

/// Reads a MAT-file of version 5, as MATLAB's -v6 and -v7 write it (MathWorks, MAT-File Format, version 5),
/// compressed or not. Variables of other kinds are skipped. Throws DataError when the file is missing, of
/// another format (such as version 7.3, which is HDF5), of another byte order, damaged or larger than 64 MB.
[[nodiscard]] KINDRED_API MatVariables read_mat_file(const std::filesystem::path& file);

}  // namespace kindred
