#include "training/optimizer_state.h"

#include <torch/optim/adagrad.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/rmsprop.h>
#include <torch/optim/sgd.h>
#include <torch/serialize/archive.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "system/exception_text.h"
#include "system/out_of_memory.h"
#include "text/printable.h"
#include "training/checkpoint.h"

namespace kindred::training {
namespace {

using torch::serialize::InputArchive;
using torch::serialize::OutputArchive;

// What torch::optim::serialize() writes. The first two come from the optimizer itself when a state is
// restored.
constexpr const char* version_key = "pytorch_version";
constexpr const char* groups_key = "param_groups";
constexpr const char* states_key = "state";

constexpr std::string_view int_kind = "int";
constexpr std::string_view double_kind = "double";
constexpr std::string_view bool_kind = "bool";

/// The place of what belongs to no parameter.
constexpr std::int64_t no_parameter = -1;
/// Of a parameter. LibTorch looks for each among all.
constexpr std::size_t most_values_of_one = 100;

using StateValues = std::map<std::string, c10::IValue>;  // by key

/// What was written, as an archive to read. Between the two LibTorch knows no way but bytes in which there is
/// code, which it compiles and runs: they must be written here, and never come from a file.
InputArchive reopened(OutputArchive& written, torch::Device device) {
  std::string bytes;
  written.save_to([&](const void* data, std::size_t size) {
    bytes.append(static_cast<const char*>(data), size);
    return size;
  });
  InputArchive archive;
  archive.load_from(bytes.data(), bytes.size(), device);
  return archive;
}

InputArchive archive_of(const torch::optim::Optimizer& optimizer) {
  OutputArchive written;
  optimizer.save(written);
  return reopened(written, torch::kCPU);
}

void copy_entry(InputArchive& from, const std::string& key, OutputArchive& to) {
  InputArchive inner;
  if (from.try_read(key, inner)) {
    OutputArchive copied(to.compilation_unit());
    for (const auto& name : inner.keys()) copy_entry(inner, name, copied);
    to.write(key, copied);
  } else {
    c10::IValue value;
    from.read(key, value);
    to.write(key, value);
  }
}

std::vector<torch::Tensor> parameters_of(const torch::optim::Optimizer& optimizer) {
  std::vector<torch::Tensor> parameters;
  for (const auto& group : optimizer.param_groups()) {
    parameters.insert(parameters.end(), group.params().begin(), group.params().end());
  }
  return parameters;
}

/// Under which LibTorch saves what it keeps of each parameter: addresses, which differ from run to run.
/// Nothing when the optimizer does not save as LibTorch's own do.
std::vector<std::string> parameter_keys(const torch::optim::Optimizer& optimizer, InputArchive& archive) {
  std::vector<std::string> keys;
  InputArchive groups;
  if (!archive.try_read(groups_key, groups)) return keys;
  for (std::size_t i = 0; i < optimizer.param_groups().size(); ++i) {
    InputArchive group;
    groups.read("param_groups/" + std::to_string(i), group);
    for (std::size_t j = 0; j < optimizer.param_groups()[i].params().size(); ++j) {
      c10::IValue key;
      group.read("params/" + std::to_string(j), key);
      keys.push_back(key.toStringRef());
    }
  }
  return keys;
}

/// LibTorch writes keys into code as they are: no other character may get there.
bool is_state_key(std::string_view text) {
  constexpr std::size_t longest = 60;
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && text.size() <= longest && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '/'; });
}

std::pair<std::string, torch::Tensor> state_entry(const std::string& name, const std::string& key,
                                                  const c10::IValue& value) {
  if (!is_state_key(key)) {
    throw Error("its state has a value '" + key +
                "'; names in it must be letters, digits, '_' and '/', begin with a letter and be no longer "
                "than 60");
  }
  const auto full = name + "." + key;
  const auto with = [&](std::string_view kind) { return full + "." + std::string(kind); };
  if (value.isTensor()) {
    const auto& tensor = value.toTensor();
    return {full, tensor.defined() && tensor.is_sparse() ? tensor.to_dense() : tensor};
  }
  if (value.isInt()) return {with(int_kind), torch::tensor(value.toInt(), torch::kInt64)};
  if (value.isDouble()) return {with(double_kind), torch::tensor(value.toDouble(), torch::kFloat64)};
  if (value.isBool()) return {with(bool_kind), torch::tensor(value.toBool(), torch::kBool)};
  throw Error("its state has '" + key + "', which is of the type " + value.type()->annotation_str() +
              "; a checkpoint can hold tensors, integers, floating-point numbers and truth values");
}

/// "optimizer.0": the number of values, then of the parameters of each group.
torch::Tensor counts_of(const torch::optim::Optimizer& optimizer, std::size_t values) {
  std::vector<std::int64_t> counts{static_cast<std::int64_t>(values)};
  for (const auto& group : optimizer.param_groups()) {
    counts.push_back(static_cast<std::int64_t>(group.params().size()));
  }
  return torch::tensor(counts, torch::kInt64);
}

std::optional<c10::IValue> state_value(const torch::Tensor& tensor, std::string_view kind) {
  // Steps are counted on from there.
  constexpr auto largest = std::int64_t{1} << 53;
  const auto is = [&](std::string_view name, torch::ScalarType type) {
    return kind == name && tensor.dim() == 0 && tensor.scalar_type() == type;
  };
  if (kind.empty()) return c10::IValue(tensor);
  if (is(double_kind, torch::kFloat64)) return c10::IValue(tensor.item<double>());
  if (is(bool_kind, torch::kBool)) return c10::IValue(tensor.item<bool>());
  if (!is(int_kind, torch::kInt64)) return std::nullopt;
  const auto number = tensor.item<std::int64_t>();
  return number < -largest || number > largest ? std::nullopt : std::optional(c10::IValue(number));
}

/// LibTorch's own optimizers rely on it that what they keep has the shape and the type of its parameter. What
/// others keep only they know.
bool must_be_alike(const torch::optim::Optimizer& optimizer, const std::string& key) {
  constexpr std::array<std::string_view, 7> keys = {
      "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer", "square_avg", "grad_avg", "sum"};
  return std::find(keys.begin(), keys.end(), key) != keys.end() &&
         (dynamic_cast<const torch::optim::SGD*>(&optimizer) != nullptr ||
          dynamic_cast<const torch::optim::Adam*>(&optimizer) != nullptr ||
          dynamic_cast<const torch::optim::AdamW*>(&optimizer) != nullptr ||
          dynamic_cast<const torch::optim::RMSprop*>(&optimizer) != nullptr ||
          dynamic_cast<const torch::optim::Adagrad*>(&optimizer) != nullptr);
}

/// In the parameter's order in memory, which files do not keep: in another one, sums are rounded otherwise.
torch::Tensor in_order_of(const torch::Tensor& parameter, const torch::Tensor& tensor) {
  if (tensor.sizes() != parameter.sizes() || tensor.strides() == parameter.strides()) return tensor;
  const auto options = torch::TensorOptions(tensor.scalar_type()).device(torch::kCPU);
  return torch::empty_like(parameter.detach(), options).copy_(tensor);
}

std::string type_and_shape(const torch::Tensor& tensor) {
  return std::string(c10::toString(tensor.scalar_type())) + " " + c10::str(tensor.sizes());
}

/// The values of a state, checked as far as anyone but the optimizer can.
class StateReader {
 public:
  StateReader(const torch::optim::Optimizer& optimizer, std::string name, const std::filesystem::path& file)
      : optimizer_(optimizer), parameters_(parameters_of(optimizer)), name_(std::move(name)), file_(file) {}

  /// By the places of the parameters.
  [[nodiscard]] std::map<std::int64_t, StateValues> read(const file::TensorFile& state) const {
    const auto& counts = state_tensor(state, name_, file_);
    std::map<std::int64_t, StateValues> all;
    std::size_t count = 0;
    for (const auto& [name, tensor] : state.tensors) {
      if (!name.starts_with(name_ + ".")) continue;
      take(name, tensor, all);
      ++count;
    }
    const auto expected = counts_of(optimizer_, count);
    if (counts.scalar_type() != expected.scalar_type() || counts.dim() != 1 || counts.numel() == 0) {
      refuse("its '" + name_ + "' does not count the values of an optimizer");
    }
    if (!torch::equal(counts.slice(0, 1), expected.slice(0, 1))) {
      refuse("its '" + name_ + "' is of an optimizer of other parameters");
    }
    if (!torch::equal(counts, expected)) {
      refuse("it has " + std::to_string(count) + " values of '" + name_ + "' instead of " +
             std::to_string(counts[0].item<std::int64_t>()));
    }
    return all;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw DataError(file_, "is not a checkpoint of this training: " + what);
  }

  void take(const std::string& name, const torch::Tensor& tensor,
            std::map<std::int64_t, StateValues>& all) const {
    const auto shown = "its '" + text::printable(name) + "' ";
    auto rest = std::string_view(name).substr(name_.size() + 1);
    const auto place = take_place(rest);
    const auto dot = std::min(rest.find('.'), rest.size());
    const std::string key(rest.substr(0, dot));
    auto value = state_value(tensor, rest.substr(std::min(dot + 1, rest.size())));
    if (!place || !is_state_key(key) || !value) refuse(shown + "is no value of an optimizer");
    if (*place != no_parameter && value->isTensor()) {
      const auto& parameter = parameters_[static_cast<std::size_t>(*place)];
      if (must_be_alike(optimizer_, key) &&
          (tensor.sizes() != parameter.sizes() || tensor.scalar_type() != parameter.scalar_type())) {
        refuse(shown + "is " + type_and_shape(tensor) + ", its parameter " + type_and_shape(parameter));
      }
      value = in_order_of(parameter, tensor);
    }
    auto& values = all[*place];
    if (values.size() == most_values_of_one) refuse(shown + "is one of too many");
    if (!values.emplace(key, std::move(*value)).second) refuse(shown + "comes twice");
  }

  /// Takes the place off, where there is one; nothing when there is no such parameter.
  [[nodiscard]] std::optional<std::int64_t> take_place(std::string_view& text) const {
    if (text.empty() || text.front() < '0' || text.front() > '9') return no_parameter;
    std::int64_t place = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), place);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (error != std::errc() || !text.starts_with('.')) return std::nullopt;
    text.remove_prefix(1);
    return place < static_cast<std::int64_t>(parameters_.size()) ? std::optional(place) : std::nullopt;
  }

  const torch::optim::Optimizer& optimizer_;
  std::vector<torch::Tensor> parameters_;
  std::string name_;
  const std::filesystem::path& file_;
};

void write_values(OutputArchive& archive, const StateValues& values) {
  for (const auto& [key, value] : values) archive.write(key, value);
}

/// What the optimizer would have saved with these values.
InputArchive archive_with(const std::map<std::int64_t, StateValues>& all,
                          const torch::optim::Optimizer& optimizer, torch::Device device) {
  auto own = archive_of(optimizer);
  const auto parameters = parameter_keys(optimizer, own);
  OutputArchive written;
  for (const auto& key : own.keys()) {
    if (key == version_key || key == groups_key) copy_entry(own, key, written);
  }
  OutputArchive states(written.compilation_unit());
  for (const auto& [place, values] : all) {
    if (place == no_parameter) {
      write_values(written, values);
    } else {
      OutputArchive of_one(written.compilation_unit());
      write_values(of_one, values);
      states.write(parameters.at(static_cast<std::size_t>(place)), of_one);
    }
  }
  if (!parameters.empty()) written.write(states_key, states);
  return reopened(written, device);
}

}  // namespace

void add_optimizer_state(file::TensorFile& state, const std::string& name,
                         const torch::optim::Optimizer& optimizer) {
  auto archive = archive_of(optimizer);
  const auto parameters = parameter_keys(optimizer, archive);
  std::vector<std::pair<std::string, torch::Tensor>> entries;
  const auto add = [&](const std::string& owner, InputArchive& from, const std::string& key) {
    c10::IValue value;
    from.read(key, value);
    entries.push_back(state_entry(owner, key, value));
  };
  for (const auto& key : archive.keys()) {
    if (key == version_key || key == groups_key) continue;
    InputArchive states;
    if (!archive.try_read(key, states)) {
      add(name, archive, key);
      continue;
    }
    if (key != states_key || parameters.empty()) {
      throw Error("its state has '" + key +
                  "', which holds values of its own; only what torch::optim::serialize() writes may");
    }
    for (std::size_t place = 0; place < parameters.size(); ++place) {
      InputArchive values;
      if (!states.try_read(parameters[place], values)) continue;
      for (const auto& inner : values.keys()) add(name + "." + std::to_string(place), values, inner);
    }
  }
  state.tensors.emplace_back(name, counts_of(optimizer, entries.size()));
  for (auto& entry : entries) state.tensors.push_back(std::move(entry));
}

void restore_optimizer_state(torch::optim::Optimizer& optimizer, const file::TensorFile& state,
                             const std::string& name, const std::filesystem::path& file,
                             torch::Device device) {
  const auto values = StateReader(optimizer, name, file).read(state);
  try {
    auto archive = archive_with(values, optimizer, device);
    optimizer.load(archive);
  } catch (const std::exception& error) {
    if (system::is_out_of_memory(error)) throw;
    throw DataError(file, "is not a checkpoint of this training: its '" + name +
                              "' does not fit the optimizer: " + system::exception_text(error));
  }
}

}  // namespace kindred::training
