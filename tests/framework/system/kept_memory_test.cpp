#include "system/kept_memory.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <torch/torch.h>

#include <cstdint>
#include <vector>

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

/// Pages that the system had to give for some steps, each of which fills blocks of 96 MiB together and then
/// frees them.
std::int64_t new_pages(int steps) {
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  for (int i = 0; i < steps; ++i) {
    std::vector<torch::Tensor> blocks;
    for (const std::int64_t mebibytes : {40, 30, 20, 6}) blocks.push_back(torch::ones({mebibytes << 18}));
  }
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  return after.ru_minflt - before.ru_minflt;
}

}  // namespace

TEST_CASE("memory that a training has used is used again, and given back at the end" *
          doctest::skip(KINDRED_TEST_OTHER_ALLOCATOR)) {
  constexpr std::int64_t pages = 96 << 8;  // of 4 KiB, in a step
  {
    const system::KeptMemory kept;
    (void)new_pages(12);  // until holes of all sizes are there
    const system::KeptMemory second;
    CHECK(new_pages(4) < pages / 10);
  }
  CHECK(new_pages(4) > pages);
}
