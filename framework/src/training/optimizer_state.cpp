#include "training/optimizer_state.h"

#include <torch/serialize.h>

#include <cstdint>
#include <cstring>
#include <sstream>
#include <string>

namespace kindred::training {

torch::Tensor optimizer_state(const torch::optim::Optimizer& optimizer) {
  std::ostringstream stream;
  torch::save(optimizer, stream);
  const std::string bytes = stream.str();
  auto state = torch::empty({static_cast<std::int64_t>(bytes.size())}, torch::kUInt8);
  std::memcpy(state.data_ptr(), bytes.data(), bytes.size());
  return state;
}

void set_optimizer_state(torch::optim::Optimizer& optimizer, const torch::Tensor& state,
                         torch::Device device) {
  TORCH_CHECK(state.scalar_type() == torch::kUInt8 && state.dim() == 1, "not the state of an optimizer");
  const auto plain = state.contiguous();
  std::istringstream stream(
      std::string(static_cast<const char*>(plain.data_ptr()), static_cast<std::size_t>(plain.numel())));
  torch::load(optimizer, stream, device);
}

}  // namespace kindred::training
