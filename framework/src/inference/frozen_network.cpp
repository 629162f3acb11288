#include "inference/frozen_network.h"

#include <c10/core/DispatchKey.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include <algorithm>
#include <exception>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "inference/fused_graph.h"
#include "model/traced_model.h"
#include "system/out_of_memory.h"

namespace kindred::inference {
namespace {

/// A larger batch is computed in runs of this size: fewer take longer an image, since each operation ends in
/// a barrier of all threads, and more need memory for nothing.
constexpr std::int64_t images_of_a_run = 32;

/// The model computes these as well, which takes longer than the graph.
constexpr std::int64_t images_compared = 8;

torch::Tensor part_of(const torch::Tensor& tensor, std::int64_t first, std::int64_t count) {
  return tensor.defined() ? tensor.narrow(0, first, count) : tensor;
}

Activations part_of(const Activations& images, std::int64_t first, std::int64_t count) {
  auto part = images.with(part_of(images.values, first, count));
  part.cameras = part_of(images.cameras, first, count);
  part.views = part_of(images.views, first, count);
  return part;
}

/// Its last images, and the last one again until they are `count`.
Activations filled(const Activations& images, std::int64_t first, std::int64_t count) {
  const auto places = torch::arange(first, first + count, images.values.options().dtype(torch::kLong))
                          .clamp_max(images.values.size(0) - 1);
  const auto take = [&](const torch::Tensor& tensor) {
    return tensor.defined() ? tensor.index_select(0, places) : tensor;
  };
  auto part = images.with(take(images.values).contiguous(torch::MemoryFormat::ChannelsLast));
  part.cameras = take(images.cameras);
  part.views = take(images.views);
  return part;
}

Activations run_of(const Activations& images, std::int64_t first, std::int64_t count) {
  return first + count <= images.values.size(0) ? part_of(images, first, count)
                                                : filled(images, first, count);
}

/// The largest distance of two descriptors of one image, 1 - cosine, that rounding explains.
double largest_distance(system::Precision precision) {
  return precision == system::Precision::fp32 ? 1e-6 : 1e-2;
}

/// One line. TorchScript's interpreter puts the reason at the end, after where it was.
std::string reason_of(const std::exception& error) {
  const std::string text = error.what();
  std::string first;
  std::string last;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (first.empty()) first = line;
    if (!line.empty()) last = line;
  }
  if (first.empty()) return "unknown";
  return first.find("TorchScript interpreter") == std::string::npos ? first : last;
}

}  // namespace

struct FrozenNetwork::Graph {
  torch::jit::Code code;
  std::vector<c10::IValue> weights;
};

FrozenNetwork::FrozenNetwork(model::Model& model, const Activations& example,
                             const system::Computing& computing, std::int64_t batch)
    : model_(model),
      images_(std::min(images_of_a_run, batch > 0 ? batch : example.values.size(0))),
      height_(example.values.size(2)),
      width_(example.values.size(3)) {
  if (!computing.device.is_cpu()) return;
  try {
    const auto first = run_of(example, 0, images_);
    const auto mirrored = first.with(first.values.flip({3}).contiguous(torch::MemoryFormat::ChannelsLast));
    const bool bf16 = computing.precision == system::Precision::bf16;
    auto fused = [&] {
      const c10::impl::ExcludeDispatchKeyGuard in_full(c10::DispatchKey::AutocastCPU);
      return fuse(model::trace_model(model, mirrored), model::traced_arguments(model, mirrored),
                  bf16 ? torch::kBFloat16 : torch::kFloat);
    }();
    graph_ =
        std::make_unique<Graph>(Graph{torch::jit::Code(fused.graph, "describe"), std::move(fused.packed)});
    const auto expected = model.describe(part_of(first, 0, std::min(images_compared, images_)));
    const auto rows = run(first).narrow(0, 0, expected.size(0));
    const auto distance =
        rows.sizes() == expected.sizes() ? (1 - (rows * expected).sum(1)).max().item<double>() : 2.0;
    // Where the model's own are not finite, nothing can be said against the graph's.
    const bool comparable = expected.isfinite().all().item<bool>();
    if (comparable && !(distance <= largest_distance(computing.precision))) {
      why_not_ = "its graph gives other descriptors than the model (1 - cosine up to " +
                 std::to_string(distance) + ")";
    }
  } catch (const std::exception& error) {
    if (system::is_out_of_memory(error)) throw;
    why_not_ = reason_of(error);
  }
  if (!why_not_.empty()) graph_.reset();
}

FrozenNetwork::~FrozenNetwork() = default;

torch::Tensor FrozenNetwork::run(const Activations& images) const {
  const torch::NoGradGuard no_gradients;
  auto stack = model::traced_arguments(model_, images);
  stack.insert(stack.end(), graph_->weights.begin(), graph_->weights.end());
  torch::jit::InterpreterState(graph_->code).run(stack);
  return stack.at(0).toTensor().to(torch::kFloat);
}

torch::Tensor FrozenNetwork::describe(const Activations& images) {
  const bool fits = images.values.size(2) == height_ && images.values.size(3) == width_;
  if (graph_ == nullptr || !fits) return model_.describe(images);
  const auto count = images.values.size(0);
  std::vector<torch::Tensor> rows;
  for (std::int64_t first = 0; first < count; first += images_) {
    rows.push_back(run(run_of(images, first, images_)));
  }
  return torch::cat(rows).narrow(0, 0, count);
}

}  // namespace kindred::inference
