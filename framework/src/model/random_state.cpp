#include "model/random_state.h"

#include <ATen/Context.h>

#include <mutex>

namespace kindred::model {
namespace {

torch::Tensor state_of(at::Generator generator) {
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return generator.get_state().clone();
}

void set_state(at::Generator generator, const torch::Tensor& state) {
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(state.contiguous());
}

}  // namespace

RandomState random_state(torch::Device device) {
  RandomState state;
  state.cpu = state_of(at::globalContext().defaultGenerator(torch::Device(torch::kCPU)));
  if (device.is_cuda()) state.cuda = state_of(at::globalContext().defaultGenerator(device));
  return state;
}

void set_random_state(const RandomState& state, torch::Device device) {
  set_state(at::globalContext().defaultGenerator(torch::Device(torch::kCPU)), state.cpu);
  if (device.is_cuda() && state.cuda.defined()) {
    set_state(at::globalContext().defaultGenerator(device), state.cuda);
  }
}

}  // namespace kindred::model
