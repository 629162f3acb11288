#include "kindred/core/parallel.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "kindred/core/error.h"

using namespace kindred;

TEST_CASE("ranges cover everything once, and the lowest error wins") {
  const auto before = at::get_num_threads();
  for (const int threads : {1, 2, 3, 8}) {
    at::set_num_threads(threads);
    for (const std::int64_t count : {0, 1, 2, 7, 100}) {
      std::vector<int> seen(static_cast<std::size_t>(count), 0);
      parallel_ranges(count, [&](std::int64_t first, std::int64_t last) {
        for (auto i = first; i < last; ++i) ++seen[static_cast<std::size_t>(i)];
      });
      CHECK(std::all_of(seen.begin(), seen.end(), [](int times) { return times == 1; }));
    }
    CHECK_THROWS_WITH_AS(parallel_ranges(100,
                                         [](std::int64_t first, std::int64_t last) {
                                           for (auto i = first; i < last; ++i) {
                                             if (i >= 30) throw Error("error at " + std::to_string(i));
                                           }
                                         }),
                         "error at 30", Error);
  }
  at::set_num_threads(before);
}

TEST_CASE("operations within parallel work take one thread each, and all of them again afterwards") {
  const auto before = at::get_num_threads();
  at::set_num_threads(3);
  std::atomic<int> calls = 0;
  std::atomic<int> of_one_thread = 0;
  parallel_operations(100, [&](std::int64_t, std::int64_t) {
    ++calls;
    if (at::get_num_threads() == 1) ++of_one_thread;
  });
  CHECK(calls == 3);
  CHECK(of_one_thread == 3);
  CHECK(at::get_num_threads() == 3);
  CHECK_THROWS_AS(parallel_operations(100, [](std::int64_t, std::int64_t) { throw Error("stop"); }), Error);
  CHECK(at::get_num_threads() == 3);
  at::set_num_threads(before);
}
