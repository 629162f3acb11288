#include "kindred/core/parallel.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <exception>
#include <thread>
#include <vector>

namespace kindred {
namespace {

using Work = std::function<void(std::int64_t, std::int64_t)>;

void run_ranges(std::int64_t count, std::int64_t most, const Work& work) {
  const auto ranges = std::clamp<std::int64_t>(most, 1, std::max<std::int64_t>(count, 1));
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

/// LibTorch's threads while it lives: for this thread, and for new ones that call at::init_num_threads().
class ThreadsOfOperations {
 public:
  explicit ThreadsOfOperations(int threads) : before_(at::get_num_threads()) { at::set_num_threads(threads); }
  ~ThreadsOfOperations() { at::set_num_threads(before_); }
  ThreadsOfOperations(const ThreadsOfOperations&) = delete;
  ThreadsOfOperations& operator=(const ThreadsOfOperations&) = delete;

 private:
  int before_;
};

}  // namespace

void parallel_ranges(std::int64_t count, const Work& work) {
  run_ranges(count, at::get_num_threads(), work);
}

// Not at::parallel_for: it is compiled into its caller, and does nothing in parallel unless that is compiled
// with the OpenMP that LibTorch was.
void parallel_operations(std::int64_t count, const Work& work) {
  const auto threads = at::get_num_threads();
  const ThreadsOfOperations one(1);
  run_ranges(count, threads, [&](std::int64_t first, std::int64_t last) {
    at::init_num_threads();
    work(first, last);
  });
}

}  // namespace kindred
