#include "speed/network_work.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty_strided.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <utility>

#include "progress/text_progress.h"
#include "speed/spread.h"
#include "speed/work_recorder.h"
#include "system/device.h"

namespace kindred::speed {
namespace {

constexpr double not_counted = -1;

double product(const std::vector<std::int64_t>& sizes) {
  double value = 1;
  for (const auto size : sizes) value *= static_cast<double>(size);
  return value;
}

bool has_tensors(const OperatorCall& call, std::initializer_list<std::size_t> places) {
  return std::all_of(places.begin(), places.end(), [&](std::size_t place) {
    return place < call.tensors.size() && call.tensors[place].has_value();
  });
}

const std::vector<std::int64_t>& sizes(const OperatorCall& call, std::size_t place) {
  return call.tensors[place]->sizes;
}

/// Of [.., n, k] times [.., k, m].
double product_flops(const OperatorCall& call, std::size_t left, std::size_t right) {
  return 2 * product(sizes(call, left)) * static_cast<double>(sizes(call, right).back());
}

/// A value for each spatial dimension, of an argument that may have one for all.
std::int64_t at_dimension(const c10::IValue& argument, std::size_t dimension) {
  const auto values = argument.toIntVector();
  return values.size() == 1 ? values.front() : values.at(dimension);
}

/// convolution(input, weight, bias, stride, padding, dilation, transposed, ...)
double convolution_flops(const OperatorCall& call) {
  const auto& input = sizes(call, 0);
  const auto& weight = sizes(call, 1);
  if (call.arguments[6].toBool()) {
    // Each value of the input is multiplied by all weights of its channel.
    return 2 * product(input) * product(weight) / static_cast<double>(weight[0]);
  }
  auto output = static_cast<double>(input[0]);
  for (std::size_t i = 2; i < input.size(); ++i) {
    const auto reach = at_dimension(call.arguments[5], i - 2) * (weight[i] - 1) + 1;
    const auto places = input[i] + 2 * at_dimension(call.arguments[4], i - 2) - reach;
    output *= static_cast<double>(places / at_dimension(call.arguments[3], i - 2) + 1);
  }
  return 2 * output * product(weight);
}

/// convolution_backward(grad_output, input, weight, bias_sizes, ..., output_mask): for the gradient of the
/// input and for that of the weight as much as forwards.
double convolution_backward_flops(const OperatorCall& call) {
  const auto& gradient = sizes(call, 0);
  const auto& weight = sizes(call, 2);
  const bool transposed = call.arguments[7].toBool();
  const double once = transposed
                          ? 2 * product(sizes(call, 1)) * product(weight) / static_cast<double>(weight[0])
                          : 2 * product(gradient) * product(weight) / static_cast<double>(weight[0]);
  const auto wanted = call.arguments.back().toBoolList();
  return once * (static_cast<double>(wanted.get(0)) + static_cast<double>(wanted.get(1)));
}

/// softmax(q k') v of q [.., T, d], k [.., S, d], v [.., S, e]
double attention_flops(const OperatorCall& call, std::size_t first) {
  const auto& query = sizes(call, first);
  const auto& value = sizes(call, first + 2);
  const auto keys = static_cast<double>(value[value.size() - 2]);
  return 2 * product(query) * keys +
         2 * product(query) / static_cast<double>(query.back()) * keys * static_cast<double>(value.back());
}

double flops_of(const OperatorCall& call) {
  const auto& op = call.op;
  if (op == "aten::convolution") return has_tensors(call, {0, 1}) ? convolution_flops(call) : not_counted;
  if (op == "aten::convolution_backward")
    return has_tensors(call, {0, 1, 2}) ? convolution_backward_flops(call) : not_counted;
  // With an output to write to (mm.out) it is called by another operator, which is counted.
  if (call.overload == "out") return not_counted;
  if (op == "aten::mm" || op == "aten::bmm")
    return has_tensors(call, {0, 1}) ? product_flops(call, 0, 1) : not_counted;
  if (op == "aten::addmm" || op == "aten::baddbmm")
    return has_tensors(call, {1, 2}) ? product_flops(call, 1, 2) : not_counted;
  if (op == "aten::scaled_dot_product_attention")
    return has_tensors(call, {0, 1, 2}) ? attention_flops(call, 0) : not_counted;
  // Its five products where the forward pass has two.
  if (op.rfind("aten::_scaled_dot_product_", 0) == 0 && op.size() > 9 &&
      op.compare(op.size() - 9, 9, "_backward") == 0)
    return has_tensors(call, {1, 2, 3}) ? 2.5 * attention_flops(call, 1) : not_counted;
  return not_counted;
}

bool same_argument(const c10::IValue& a, const c10::IValue& b) {
  if (a.tagKind() != b.tagKind()) return false;
  if (a.isTensor() || a.isNone()) return true;
  if (a.isBool()) return a.toBool() == b.toBool();
  if (a.isInt()) return a.toInt() == b.toInt();
  if (a.isDouble()) return a.toDouble() == b.toDouble();
  if (a.isIntList()) return a.toIntVector() == b.toIntVector();
  if (a.isBoolList()) return a.toBoolList().vec() == b.toBoolList().vec();
  return false;
}

bool alike(const OperatorCall& a, const OperatorCall& b) {
  if (a.op != b.op || a.overload != b.overload || a.tensors != b.tensors ||
      a.arguments.size() != b.arguments.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.arguments.size(); ++i) {
    if (!same_argument(a.arguments[i], b.arguments[i])) return false;
  }
  return true;
}

torch::Device device_of(const OperatorCall& call) {
  for (const auto& tensor : call.tensors) {
    if (tensor) return tensor->device;
  }
  return torch::kCPU;
}

/// Random values. Rows that are one row in memory, as a gradient of a sum has them, stay one.
torch::Tensor tensor_of(const TensorForm& form, bool channels_last) {
  auto own = form.sizes;
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (form.strides[i] == 0) own[i] = std::min<std::int64_t>(own[i], 1);
  }
  auto tensor = at::empty_strided(own, form.strides, torch::TensorOptions(form.type).device(form.device));
  if (torch::isFloatingType(form.type)) {
    tensor.uniform_(-1, 1);
  } else {
    tensor.zero_();
  }
  tensor = tensor.expand(form.sizes);
  const bool map = channels_last && tensor.dim() == 4 && tensor.is_floating_point();
  return map ? tensor.contiguous(torch::MemoryFormat::ChannelsLast) : tensor;
}

/// Arguments of a call with tensors in their places.
std::vector<c10::IValue> filled(const OperatorCall& call) {
  const bool convolves = call.op.rfind("aten::convolution", 0) == 0;
  auto arguments = call.arguments;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (call.tensors[i]) arguments[i] = tensor_of(*call.tensors[i], convolves);
  }
  return arguments;
}

/// The fastest of a call's times: whatever disturbs it is no limit.
double fastest_seconds(const std::function<void()>& once, torch::Device device, double seconds) {
  once();
  system::wait_for(device);
  std::vector<double> times;
  const double start = progress::monotonic_seconds();
  while (times.size() < 3 || (progress::monotonic_seconds() - start < seconds && times.size() < 10000)) {
    // Several at once on a GPU: waiting costs as much as a small call.
    const int calls = device.is_cuda() ? 10 : 1;
    const double before = progress::monotonic_seconds();
    for (int i = 0; i < calls; ++i) once();
    system::wait_for(device);
    times.push_back((progress::monotonic_seconds() - before) / calls);
  }
  return spread_of(times).low;
}

double seconds_of(const OperatorCall& call, double seconds) {
  const auto op = c10::Dispatcher::singleton().findSchemaOrThrow(call.op.c_str(), call.overload.c_str());
  const auto arguments = filled(call);
  return fastest_seconds(
      [&] {
        auto stack = arguments;
        op.callBoxed(stack);
      },
      device_of(call), seconds);
}

/// A convolution whose weights oneDNN has brought into the order that it likes best; nothing where LibTorch
/// has no such operator or it refuses.
std::optional<double> prepacked_seconds(const OperatorCall& call, double seconds) {
  if (call.op != "aten::convolution" || !device_of(call).is_cpu() || call.arguments[6].toBool()) return {};
  auto& dispatcher = c10::Dispatcher::singleton();
  const auto prepack = dispatcher.findSchema({"mkldnn_prepacked::conv2d_prepack", ""});
  const auto run = dispatcher.findSchema({"mkldnn_prepacked::conv2d_run", ""});
  if (!prepack || !run || sizes(call, 0).size() != 4) return {};
  try {
    const auto given = filled(call);
    const auto bias = call.tensors[2] ? given[2] : c10::IValue();
    std::vector<c10::IValue> packed{given[1], bias,     given[3],       given[4],
                                    given[5], given[8], sizes(call, 0), std::string("none")};
    prepack->callBoxed(packed);
    return fastest_seconds(
        [&] {
          std::vector<c10::IValue> stack{given[0], packed.front()};
          run->callBoxed(stack);
        },
        device_of(call), seconds);
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace

double NetworkWork::flops() const {
  double sum = 0;
  for (const auto& call : calls) sum += call.flops * static_cast<double>(call.times);
  return sum;
}

NetworkWork recorded_work(const std::function<void()>& run) {
  NetworkWork work;
  for (auto& call : recorded_calls(run, flops_of)) {
    const auto known = std::find_if(work.calls.begin(), work.calls.end(),
                                    [&](const OperatorCall& other) { return alike(call, other); });
    if (known != work.calls.end()) {
      ++known->times;
    } else {
      work.calls.push_back(std::move(call));
    }
  }
  return work;
}

TimeAlone time_alone(const NetworkWork& work, double seconds_each) {
  const torch::NoGradGuard no_gradients;
  TimeAlone time;
  for (const auto& call : work.calls) {
    const auto times = static_cast<double>(call.times);
    try {
      double seconds = seconds_of(call, seconds_each);
      if (const auto packed = prepacked_seconds(call, seconds_each)) seconds = std::min(seconds, *packed);
      time.seconds += seconds * times;
      time.flops += call.flops * times;
    } catch (const std::exception&) {
      ++time.left_out;
    }
  }
  return time;
}

}  // namespace kindred::speed
