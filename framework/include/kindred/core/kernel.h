// For loops of one's own beside LibTorch's operations: on LibTorch's threads, and for the processor at hand.
#pragma once

#include <cstdint>
#include <functional>

#include "kindred/core/export.h"

// The function that decides runs before the sanitizers do, and ends a program that is built with one.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define KINDRED_SANITIZED
#endif
#endif

/// Before a function of loops over numbers: it is compiled for several processors, and the one that runs it
/// decides when it is loaded. What it calls is compiled for them too only if it is inlined. It needs a name
/// outside of its file, and no declaration before the definition: of a function that is declared, clang 14
/// compiles what is for the first processor alone, which ends the program on the others (SIGILL).
#if defined(__x86_64__) && defined(__clang__) && !defined(KINDRED_SANITIZED)
#define KINDRED_FOR_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define KINDRED_FOR_EACH_PROCESSOR
#endif

namespace kindred {

/// Calls work(first, last) for consecutive ranges that together are [0, count), and returns when all are
/// done, as an operation of LibTorch does, and on the threads that those use: others would have to share the
/// processors with LibTorch's, which wait busily for the next operation. Work must not call operations.
KINDRED_API void parallel_kernel(std::int64_t count,
                                 const std::function<void(std::int64_t, std::int64_t)>& work);

}  // namespace kindred
