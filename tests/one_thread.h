// One thread of LibTorch for a test.
#pragma once

#include <ATen/Parallel.h>

namespace kindred::test {

/// Threads that wait busily for each other take many times as long beside other tests.
class OneThread {
 public:
  OneThread() { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_ = at::get_num_threads();
};

}  // namespace kindred::test
