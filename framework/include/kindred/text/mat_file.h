// Variables in files of MATLAB.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace kindred::cuhk03 {

/// What a protocol of CUHK03 is stored as: arrays of whole numbers, and cell arrays of texts. Both are read
/// in MATLAB's order, column by column.
struct MatVariables {
  std::map<std::string, std::vector<std::int64_t>> numbers;
  std::map<std::string, std::vector<std::string>> texts;
};

/// Reads a MAT-file of version 5, as MATLAB's -v6 and -v7 write it (MathWorks, MAT-File Format, version 5),
/// compressed or not. Variables of other kinds are skipped. Throws DataError when the file is missing, of
/// another format (such as version 7.3, which is HDF5), of another byte order, damaged or larger than 64 MB.
[[nodiscard]] MatVariables read_mat_file(const std::filesystem::path& file);

}  // namespace kindred::cuhk03
