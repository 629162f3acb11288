// A limit for the memory of tensors, where a file that strangers wrote says how large they are.
#pragma once

#include <cstdint>

#include "kindred/core/error.h"

namespace kindred::system {

/// While it lives, the tensors that this thread makes on the CPU may have so many bytes together, those that
/// are gone again included. One that is too many is refused before any memory is asked for: what makes it
/// throws `refusal`. One limit inside another takes its place.
class TensorMemoryLimit {
 public:
  TensorMemoryLimit(std::uint64_t bytes, DataError refusal);
  ~TensorMemoryLimit();
  TensorMemoryLimit(const TensorMemoryLimit&) = delete;
  TensorMemoryLimit& operator=(const TensorMemoryLimit&) = delete;

  /// To be called before memory is asked for. Throws the refusal.
  void take(std::uint64_t bytes);

 private:
  std::uint64_t left_;
  DataError refusal_;
  TensorMemoryLimit* outer_;
};

}  // namespace kindred::system
