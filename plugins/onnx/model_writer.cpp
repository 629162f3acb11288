#include "model_writer.h"

#include <cstddef>
#include <stdexcept>
#include <type_traits>

namespace kindred::onnx {
namespace {

torch::ScalarType scalar_type(ElementType type) {
  switch (type) {
    case ::onnx::TensorProto::FLOAT:
      return torch::kFloat;
    case ::onnx::TensorProto::FLOAT16:
      return torch::kHalf;
    case ::onnx::TensorProto::DOUBLE:
      return torch::kDouble;
    case ::onnx::TensorProto::INT64:
      return torch::kLong;
    case ::onnx::TensorProto::INT32:
      return torch::kInt;
    case ::onnx::TensorProto::UINT8:
      return torch::kByte;
    case ::onnx::TensorProto::BOOL:
      return torch::kBool;
    default:
      throw std::logic_error("no type of LibTorch for type " + std::to_string(type) + " of ONNX");
  }
}

}  // namespace

ElementType element_type(torch::ScalarType type) {
  switch (type) {
    case torch::kFloat:
      return ::onnx::TensorProto::FLOAT;
    case torch::kHalf:
      return ::onnx::TensorProto::FLOAT16;
    case torch::kDouble:
      return ::onnx::TensorProto::DOUBLE;
    case torch::kLong:
      return ::onnx::TensorProto::INT64;
    case torch::kInt:
      return ::onnx::TensorProto::INT32;
    case torch::kByte:
      return ::onnx::TensorProto::UINT8;
    case torch::kBool:
      return ::onnx::TensorProto::BOOL;
    default:
      throw std::logic_error(std::string("no type of ONNX for ") + torch::toString(type));
  }
}

bool is_float(ElementType type) {
  return type == ::onnx::TensorProto::FLOAT || type == ::onnx::TensorProto::FLOAT16 ||
         type == ::onnx::TensorProto::DOUBLE;
}

std::string ModelWriter::unique(const std::string& kind) {
  const auto base = scope_.empty() ? kind : scope_ + "/" + kind;
  const auto count = counts_[base]++;
  return count == 0 ? base : base + "_" + std::to_string(count);
}

std::vector<std::string> ModelWriter::nodes(const std::string& op, const std::vector<std::string>& inputs,
                                            std::size_t outputs, const Attributes& attributes) {
  auto& node = *graph_.add_node();
  node.set_op_type(op);
  node.set_name(unique(op));
  for (const auto& input : inputs) node.add_input(input);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < outputs; ++i) {
    names.push_back(node.name() + (outputs == 1 ? ":out" : ":out" + std::to_string(i)));
    node.add_output(names.back());
  }
  for (const auto& [name, value] : attributes) {
    auto& attribute = *node.add_attribute();
    attribute.set_name(name);
    std::visit(
        [&attribute](const auto& given) {
          using T = std::decay_t<decltype(given)>;
          if constexpr (std::is_same_v<T, std::int64_t>) {
            attribute.set_type(::onnx::AttributeProto::INT);
            attribute.set_i(given);
          } else if constexpr (std::is_same_v<T, float>) {
            attribute.set_type(::onnx::AttributeProto::FLOAT);
            attribute.set_f(given);
          } else if constexpr (std::is_same_v<T, std::string>) {
            attribute.set_type(::onnx::AttributeProto::STRING);
            attribute.set_s(given);
          } else {
            attribute.set_type(::onnx::AttributeProto::INTS);
            for (const auto item : given) attribute.add_ints(item);
          }
        },
        value);
  }
  return names;
}

std::string ModelWriter::node(const std::string& op, const std::vector<std::string>& inputs,
                              const Attributes& attributes) {
  return nodes(op, inputs, 1, attributes)[0];
}

std::string ModelWriter::add_tensor(const torch::Tensor& tensor, ElementType type, const std::string& kind) {
  const auto values = tensor.detach().to(torch::kCPU, scalar_type(type)).contiguous();
  auto& initializer = *graph_.add_initializer();
  initializer.set_name(unique(kind));
  initializer.set_data_type(type);
  for (const auto size : values.sizes()) initializer.add_dims(size);
  initializer.set_raw_data(values.data_ptr(), values.nbytes());
  return initializer.name();
}

std::string ModelWriter::constant(const torch::Tensor& tensor, ElementType type) {
  auto& name = constants_[{tensor.unsafeGetTensorImpl(), type}];
  if (name.empty()) {
    name = add_tensor(tensor, type, "constant");
    kept_.push_back(tensor);
  }
  return name;
}

std::string ModelWriter::number(double value, ElementType type) {
  auto& name = single_[{value, type}];
  if (name.empty()) name = add_tensor(torch::scalar_tensor(value, torch::kDouble), type, "number");
  return name;
}

std::string ModelWriter::numbers(const std::vector<std::int64_t>& values) {
  auto& name = lists_[values];
  if (name.empty())
    name = add_tensor(torch::tensor(values, torch::kLong), ::onnx::TensorProto::INT64, "numbers");
  return name;
}

}  // namespace kindred::onnx
