// Whether products of matrices stay in 32 bits where a GPU may round their factors to TF32.
#pragma once

#include <ATen/Context.h>
#include <ATen/record_function.h>

#include <cstring>
#include <memory>

namespace kindred::test {

/// Counts the products of this thread as long as it lives; one at a time.
class ProductWatch {
 public:
  ProductWatch()
      : handle_(at::addThreadLocalCallback(
            at::RecordFunctionCallback(started).scopes({at::RecordScope::FUNCTION}))) {
    products_ = 0;
    in_tf32_ = 0;
  }
  ~ProductWatch() { at::removeCallback(handle_); }
  ProductWatch(const ProductWatch&) = delete;
  ProductWatch& operator=(const ProductWatch&) = delete;

  [[nodiscard]] int products() const { return products_; }
  /// Those that no at::NoTF32Guard keeps in 32 bits.
  [[nodiscard]] int in_tf32() const { return in_tf32_; }

 private:
  static std::unique_ptr<at::ObserverContext> started(const at::RecordFunction& function) {
    if (std::strcmp(function.name(), "aten::mm") != 0) return nullptr;
    ++products_;
    in_tf32_ += at::NoTF32Guard::should_disable_tf32() ? 0 : 1;
    return nullptr;
  }

  static inline thread_local int products_ = 0;
  static inline thread_local int in_tf32_ = 0;
  at::CallbackHandle handle_;
};

}  // namespace kindred::test
