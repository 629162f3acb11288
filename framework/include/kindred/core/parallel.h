// Work split over threads. For a single operation of LibTorch its own threads serve.
#pragma once

#include <cstdint>
#include <functional>

#include "kindred/core/export.h"

namespace kindred {

/// Calls work(first, last) for consecutive ranges that together are [0, count), at most one for each of
/// LibTorch's threads, and returns when all are done. When calls throw, what the lowest range threw is thrown
/// here, so that the error does not depend on the number of threads if each call stops at its first.
KINDRED_API void parallel_ranges(std::int64_t count,
                                 const std::function<void(std::int64_t, std::int64_t)>& work);

/// As parallel_ranges(), for work that calls LibTorch's operations: within it each of them takes one thread.
/// Nothing else may use LibTorch meanwhile.
KINDRED_API void parallel_operations(std::int64_t count,
                                     const std::function<void(std::int64_t, std::int64_t)>& work);

}  // namespace kindred
