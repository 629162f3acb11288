#include "kindred/core/kernel.h"

#include <ATen/TensorIterator.h>
#include <torch/types.h>

namespace kindred {

// Through an iterator over numbers nobody reads, as that is compiled into LibTorch: at::parallel_for is
// compiled into its caller, and does nothing in parallel unless that is compiled with LibTorch's OpenMP.
void parallel_kernel(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& work) {
  if (count <= 0) return;
  const auto places = torch::empty({count}, torch::kUInt8);
  const auto* first = static_cast<const char*>(places.data_ptr());
  auto iterator = at::TensorIterator::borrowing_nullary_op(places);
  iterator.for_each(
      [&](char** data, const std::int64_t* strides, std::int64_t size, std::int64_t rows) {
        for (std::int64_t row = 0; row < rows; ++row) {
          const auto begin = data[0] + row * strides[1] - first;
          work(begin, begin + size);
        }
      },
      /*grain_size=*/1);
}

}  // namespace kindred
