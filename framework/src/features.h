// Descriptors on disk: NAME.npy [N, D] beside NAME.csv with a row for each of its rows.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <vector>

#include "kindred/sample.h"

namespace kindred {

struct Features {
  torch::Tensor descriptors;    ///< [N, D], 32-bit floats, on the CPU
  std::vector<Sample> samples;  ///< N
};

/// Writes STEM.npy and STEM.csv (header: path,identity,camera,domain,split), each atomically.
void write_features(const std::filesystem::path& stem, const Features& features);

/// Reads STEM.npy (any float type, C or Fortran order) and STEM.csv (path and identity needed, camera, domain
/// optional). `file` may be given with either ending or with none. Throws DataError naming file and line or
/// row when they are damaged, foreign or do not fit each other, or a number is not finite.
[[nodiscard]] Features read_features(const std::filesystem::path& file);

}  // namespace kindred
