// Splits work over threads. A single operation of LibTorch uses LibTorch's own threads.
#pragma once

#include <cstdint>
#include <functional>

#include "kindred/core/export.h"

namespace kindred {

/// Calls work(first, last) for consecutive ranges that together are [0, count), at most one for each of
/// LibTorch's threads, and returns when all are done. If calls throw, rethrows the exception of the lowest
/// range, so that the error does not depend on the number of threads (provided each call stops at its first
/// error).
KINDRED_API void parallel_ranges(std::int64_t count,
                                 const std::function<void(std::int64_t, std::int64_t)>& work);

/// Like parallel_ranges(), for work that calls LibTorch operations: each operation then uses one thread.
/// Nothing else may use LibTorch at the same time.
KINDRED_API void parallel_operations(std::int64_t count,
                                     const std::function<void(std::int64_t, std::int64_t)>& work);

}  // namespace kindred
