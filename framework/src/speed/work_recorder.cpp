// Compiled with NDEBUG in every build, like LibTorch itself: RecordFunction::inputs() without it asks for a
// mark that such a library never sets.
#include "speed/work_recorder.h"

#include <ATen/record_function.h>

#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace kindred::speed {
namespace {

struct Recording {
  std::mutex mutex;
  const std::function<double(const OperatorCall&)>* counts = nullptr;
  std::vector<OperatorCall> calls;
};

// Of recorded_calls() under way. LibTorch's callbacks are given nothing of their own, and gradients of a GPU
// are computed in other threads.
Recording* recording = nullptr;
std::mutex one_at_a_time;

/// A counted call that has not returned.
struct OpenCall final : at::ObserverContext {
  explicit OpenCall(OperatorCall own) : call(std::move(own)), outer(innermost) { innermost = this; }
  ~OpenCall() override { innermost = outer; }
  OpenCall(const OpenCall&) = delete;
  OpenCall& operator=(const OpenCall&) = delete;

  OperatorCall call;
  OpenCall* outer;
  bool has_inner = false;
  static thread_local OpenCall* innermost;
};
thread_local OpenCall* OpenCall::innermost = nullptr;

std::optional<TensorForm> form_of(const c10::IValue& value) {
  if (!value.isTensor()) return std::nullopt;
  const auto& tensor = value.toTensor();
  if (!tensor.defined() || tensor.layout() != torch::kStrided) return std::nullopt;
  return TensorForm{tensor.sizes().vec(), tensor.strides().vec(), tensor.scalar_type(), tensor.device()};
}

std::unique_ptr<at::ObserverContext> started(const at::RecordFunction& function) {
  const auto name = function.operator_name();
  if (!name) return nullptr;
  OperatorCall call{name->name, name->overload_name, {}, {}};
  for (const auto& value : function.inputs()) {
    call.tensors.push_back(form_of(value));
    call.arguments.push_back(value.isTensor() ? c10::IValue(torch::Tensor()) : value);
  }
  call.flops = (*recording->counts)(call);
  if (call.flops < 0) return nullptr;
  return std::make_unique<OpenCall>(std::move(call));
}

void ended(const at::RecordFunction&, at::ObserverContext* context) {
  auto* open = static_cast<OpenCall*>(context);
  if (open == nullptr) return;
  if (open->outer != nullptr) open->outer->has_inner = true;
  if (open->has_inner) return;
  const std::lock_guard lock(recording->mutex);
  recording->calls.push_back(std::move(open->call));
}

/// Removes the callback whatever `run` throws.
class Watch {
 public:
  explicit Watch(Recording& own) {
    recording = &own;
    handle_ = at::addThreadLocalCallback(
        at::RecordFunctionCallback(started, ended).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
  }
  ~Watch() {
    at::removeCallback(handle_);
    recording = nullptr;
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  at::CallbackHandle handle_;
};

}  // namespace

std::vector<OperatorCall> recorded_calls(const std::function<void()>& run,
                                         const std::function<double(const OperatorCall&)>& counts) {
  const std::lock_guard lock(one_at_a_time);
  Recording own;
  own.counts = &counts;
  {
    const Watch watch(own);
    run();
  }
  return std::move(own.calls);
}

}  // namespace kindred::speed
