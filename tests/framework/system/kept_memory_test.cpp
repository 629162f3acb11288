#include "system/kept_memory.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <torch/torch.h>

#include <cstdint>

// A sanitizer has an allocator of its own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KINDRED_TEST_OTHER_ALLOCATOR true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KINDRED_TEST_OTHER_ALLOCATOR true
#endif
#endif
#ifndef KINDRED_TEST_OTHER_ALLOCATOR
#define KINDRED_TEST_OTHER_ALLOCATOR false
#endif

using namespace kindred;

namespace {

constexpr std::int64_t mebibytes = 96;

/// Pages that the system had to give while 96 MiB were filled and freed some times.
std::int64_t new_pages(int times) {
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  for (int i = 0; i < times; ++i) (void)torch::ones({mebibytes << 18});
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  return after.ru_minflt - before.ru_minflt;
}

}  // namespace

TEST_CASE("memory that a training has used is used again, and given back at the end" *
          doctest::skip(KINDRED_TEST_OTHER_ALLOCATOR)) {
  constexpr std::int64_t pages = mebibytes << 8;  // of 4 KiB
  {
    const system::KeptMemory kept;
    (void)new_pages(1);
    const system::KeptMemory second;
    CHECK(new_pages(4) < pages / 10);
  }
  CHECK(new_pages(4) > 3 * pages);
}
