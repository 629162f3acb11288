#include "kindred/core/kernel.h"

#include <ATen/TensorIterator.h>
#include <torch/types.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#include <sanitizer/tsan_interface.h>
#define KINDRED_TSAN
#endif
#endif

namespace kindred {
namespace {

// For ThreadSanitizer, which cannot see how OpenMP's threads wait for each other: what any thread did before
// happened(place) is done for one that has passed known(place). The places are global, so that a thread reads
// nothing of a kernel before.
char begin_of_work = 0;
char end_of_work = 0;

void happened([[maybe_unused]] char& place) {
#ifdef KINDRED_TSAN
  __tsan_release(&place);
#endif
}

void known([[maybe_unused]] char& place) {
#ifdef KINDRED_TSAN
  __tsan_acquire(&place);
#endif
}

}  // namespace

// Through an iterator over numbers nobody reads, as that is compiled into LibTorch: at::parallel_for is
// compiled into its caller, and does nothing in parallel unless that is compiled with LibTorch's OpenMP.
void parallel_kernel(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& work) {
  if (count <= 0) return;
  const auto places = torch::empty({count}, torch::kUInt8);
  const auto* first = static_cast<const char*>(places.data_ptr());
  auto iterator = at::TensorIterator::borrowing_nullary_op(places);
  happened(begin_of_work);
  iterator.for_each(
      [&](char** data, const std::int64_t* strides, std::int64_t size, std::int64_t rows) {
        known(begin_of_work);
        for (std::int64_t row = 0; row < rows; ++row) {
          const auto begin = data[0] + row * strides[1] - first;
          work(begin, begin + size);
        }
        happened(end_of_work);
      },
      /*grain_size=*/1);
  known(end_of_work);
}

}  // namespace kindred
