// Work of the engine on behalf of Python: without the GIL, with its notes as warnings, and stopped by Ctrl-C.
#pragma once

#include <c10/core/impl/LocalDispatchKeySet.h>
#include <pybind11/pybind11.h>

#include <mutex>
#include <string>
#include <vector>

#include "progress/progress.h"

namespace kindred::python {

/// Collects notes. With each update it asks Python whether the user has interrupted it, and throws then: the
/// engine may turn that into another error on its way, so the work's end asks interrupted().
class PythonProgress final : public progress::ProgressSink {
 public:
  void update(const progress::Progress& progress) override;
  void finish(const progress::Progress& progress) override { update(progress); }
  void note(const std::string& text) override;

  [[nodiscard]] bool interrupted() const { return interrupted_; }
  /// Raises what Python has said when it was interrupted. With the GIL.
  [[noreturn]] void raise_interrupt();
  /// Issues a KindredWarning for each note; throws when warnings are errors. With the GIL.
  void issue_warnings() const;

 private:
  std::vector<std::string> notes_;
  std::mutex mutex_;  // of notes_
  bool interrupted_ = false;
  pybind11::object type_, value_, trace_;  // of the interrupt
};

/// A caller's torch.autocast() is none of the engine's business.
struct WithoutAutocast {
  c10::impl::ExcludeDispatchKeyGuard guard{c10::autocast_dispatch_keyset};
};

/// Throws Error when the caller has given LibTorch another default type than 32-bit floats.
void require_usual_type();

/// Calls work(progress) without the GIL, and returns what it returns.
template <class Work>
auto carry_out(Work&& work) {
  require_usual_type();
  const WithoutAutocast without_autocast;
  PythonProgress progress;
  try {
    auto result = [&] {
      const pybind11::gil_scoped_release released;
      return work(static_cast<progress::ProgressSink&>(progress));
    }();
    progress.issue_warnings();
    return result;
  } catch (...) {
    if (progress.interrupted()) progress.raise_interrupt();
    throw;
  }
}

/// While it lives, the work that sets LibTorch's threads for a while, which is not possible for two at a
/// time. Never to be waited for with the GIL. Throws Error in a thread that has one.
class Alone {
 public:
  Alone();
  ~Alone();
  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace kindred::python
