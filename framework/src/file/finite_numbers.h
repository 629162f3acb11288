// Whether what a file holds are numbers.
#pragma once

#include <cstdint>

namespace kindred::file {

/// Whether none is NaN or infinite. Some times as fast as torch::isfinite(), which makes arrays of truth
/// values.
[[nodiscard]] bool all_finite(const float* numbers, std::int64_t count);

}  // namespace kindred::file
