#include "kindred/parallel.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <exception>
#include <thread>
#include <vector>

namespace kindred {

void parallel_ranges(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& work) {
  const auto ranges = std::clamp<std::int64_t>(at::get_num_threads(), 1, std::max<std::int64_t>(count, 1));
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(ranges));
  const auto run = [&](std::int64_t range) {
    try {
      work(count * range / ranges, count * (range + 1) / ranges);
    } catch (...) {
      errors[static_cast<std::size_t>(range)] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::int64_t range = 1; range < ranges; ++range) threads.emplace_back(run, range);
    run(0);
  }
  for (const auto& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace kindred
