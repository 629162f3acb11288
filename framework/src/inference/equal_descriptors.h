// What is said of descriptors that do not tell images apart.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <string>

#include "progress/progress.h"

namespace kindred::inference {

/// Rows [first, last) as [N, D], 32-bit floats on the CPU, of any length; some may be left out.
using DescriptorRows = std::function<torch::Tensor(std::int64_t first, std::int64_t last)>;

/// The warning that descriptors are nearly equal, which those of equal images are, and all of a model that
/// has learned nothing; "" for others and for less than two. Where they differ, few rows are asked for.
/// @param count the end of the last rows that may be asked for
/// @param what says of which images: "query"
[[nodiscard]] std::string warning_of_equal_descriptors(std::int64_t count, const DescriptorRows& rows,
                                                       const std::string& what);

/// Notes it, if there is one.
void warn_of_equal_descriptors(std::int64_t count, const DescriptorRows& rows, const std::string& what,
                               progress::ProgressSink& progress);
/// @param rows [N, D]
void warn_of_equal_descriptors(const torch::Tensor& rows, const std::string& what,
                               progress::ProgressSink& progress);

}  // namespace kindred::inference
