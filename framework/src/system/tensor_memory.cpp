#include "system/tensor_memory.h"

#include <c10/core/CPUAllocator.h>

#include <cstddef>
#include <utility>

#include "api/nn/torch_version.h"

namespace kindred::system {
namespace {

thread_local TensorMemoryLimit* limit_of_thread = nullptr;

/// LibTorch's own, which asks the thread's limit before.
class LimitedAllocator final : public AnyAllocator {
 public:
  explicit LimitedAllocator(c10::Allocator& inner) : inner_(inner) {}
  [[nodiscard]] c10::DeleterFnPtr raw_deleter() const override { return inner_.raw_deleter(); }

 private:
  [[nodiscard]] c10::DataPtr allocated(std::size_t bytes) const override {
    if (limit_of_thread != nullptr) limit_of_thread->take(bytes);
    return inner_.allocate(bytes);
  }

  c10::Allocator& inner_;
};

/// All tensors of the CPU come from one allocator. It is replaced once, for as long as the process lives.
void limit_allocator() {
  static const auto* const limited = [] {
    auto* made = new LimitedAllocator(*c10::GetCPUAllocator());
    c10::SetCPUAllocator(made);
    return made;
  }();
  static_cast<void>(limited);
}

}  // namespace

TensorMemoryLimit::TensorMemoryLimit(std::uint64_t bytes, DataError refusal)
    : left_(bytes), refusal_(std::move(refusal)), outer_(limit_of_thread) {
  limit_allocator();
  limit_of_thread = this;
}

TensorMemoryLimit::~TensorMemoryLimit() {
  limit_of_thread = outer_;
}

void TensorMemoryLimit::take(std::uint64_t bytes) {
  if (bytes > left_) throw DataError(refusal_);
  left_ -= bytes;
}

}  // namespace kindred::system
