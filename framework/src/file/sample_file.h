// Samples as CSV: a row for each, under the header path,identity,camera,domain,split.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/sample.h"

namespace kindred {

/// Reads them: path and identity are needed, camera, domain and split optional, in any order; other columns
/// are an error. An empty cell is an identity that nobody has said, or a camera that is not known. Throws
/// DataError naming file and line.
/// @param what the file says, for the message when it is missing: "which image each row describes"
[[nodiscard]] std::vector<Sample> read_samples(const std::filesystem::path& file, const std::string& what);

/// Writes them, in order, atomically.
void write_samples(const std::filesystem::path& file, const std::vector<Sample>& samples);

}  // namespace kindred
