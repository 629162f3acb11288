#include "lowering.h"

#include <torch/csrc/jit/ir/constants.h>

#include <optional>
#include <utility>

#include "kindred/core/error.h"

namespace kindred::onnx {
namespace {

using torch::jit::Node;
using torch::jit::Value;

const LoweringTable& all_operations() {
  static const LoweringTable table = [] {
    LoweringTable all;
    add_arithmetic(all);
    add_shapes(all);
    add_reductions(all);
    add_layers(all);
    return all;
  }();
  return table;
}

void write_type(::onnx::ValueInfoProto& info, const ExportedTensor& tensor) {
  info.set_name(tensor.name);
  auto& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(element_type(tensor.type));
  for (const auto& size : tensor.sizes) {
    auto& dimension = *type.mutable_shape()->add_dim();
    if (size.size < 0) {
      dimension.set_dim_param(size.name);
    } else {
      dimension.set_dim_value(size.size);
    }
  }
}

std::string where(const Node& node) {
  const auto scope = node.scopeName();
  return std::string("the operation ") + node.kind().toQualString() +
         (scope.empty() ? "" : " in the module '" + scope + "'");
}

/// The type that numbers of TorchScript have as tensors.
std::optional<ElementType> number_type(const c10::TypePtr& type) {
  switch (type->kind()) {
    case c10::TypeKind::IntType:
      return ::onnx::TensorProto::INT64;
    case c10::TypeKind::FloatType:
      return ::onnx::TensorProto::FLOAT;
    case c10::TypeKind::BoolType:
      return ::onnx::TensorProto::BOOL;
    default:
      return std::nullopt;
  }
}

}  // namespace

Lowering::Lowering(const ExportedModel& model, ::onnx::ModelProto& proto)
    : model_(model),
      proto_(proto),
      facts_(model.graph, model.example),
      writer_(proto),
      compute_type_(model.half ? ::onnx::TensorProto::FLOAT16 : ::onnx::TensorProto::FLOAT) {}

const Term& Lowering::term(const Value* value) const {
  const auto found = terms_.find(value);
  if (found == terms_.end()) throw std::logic_error("%" + value->debugName() + " was not lowered");
  return found->second;
}

const Value* Lowering::argument(const Node& node, const char* name) {
  return node.namedInput(name);
}

bool Lowering::has_argument(const Node& node, const char* name) {
  return node.schema().argumentIndexWithName(name).has_value();
}

const c10::IValue& Lowering::known(const Node& node, const char* name) const {
  const auto& found = term(argument(node, name));
  if (!found.is_known()) throw CannotLower(std::string("its argument '") + name + "' is not fixed");
  return found.known;
}

bool Lowering::is_none(const Node& node, const char* name) const {
  if (!has_argument(node, name)) return true;
  const auto& found = term(argument(node, name));
  return found.is_known() && found.known.isNone();
}

std::int64_t Lowering::integer(const Node& node, const char* name) const {
  const auto& value = known(node, name);
  return value.isTensor() ? value.toTensor().item<std::int64_t>() : value.toInt();
}

double Lowering::real(const Node& node, const char* name) const {
  return known(node, name).toScalar().toDouble();
}

bool Lowering::flag(const Node& node, const char* name) const {
  return known(node, name).toBool();
}

std::vector<std::int64_t> Lowering::integers(const Node& node, const char* name) const {
  const auto& value = known(node, name);
  return value.isInt() ? std::vector<std::int64_t>{value.toInt()} : value.toIntVector();
}

std::int64_t Lowering::axis(const Node& node, const char* name, std::int64_t rank) const {
  const auto given = integer(node, name);
  return given < 0 ? given + rank : given;
}

std::vector<std::int64_t> Lowering::axes(const Node& node, const char* name, std::int64_t rank) const {
  auto all = integers(node, name);
  for (auto& axis : all) axis = axis < 0 ? axis + rank : axis;
  return all;
}

ElementType Lowering::type_of(const Value* value) const {
  const auto& found = term(value);
  if (!found.name.empty()) return found.type;
  if (const auto number = number_type(value->type())) return *number;
  if (found.known.isTensor()) {
    const auto type = element_type(found.known.toTensor().scalar_type());
    return is_float(type) ? compute_type_ : type;
  }
  if (found.known.isInt()) return ::onnx::TensorProto::INT64;
  if (found.known.isBool()) return ::onnx::TensorProto::BOOL;
  return ::onnx::TensorProto::FLOAT;
}

ElementType Lowering::common_type(const Value* a, const Value* b) const {
  std::optional<ElementType> computed_float;
  bool any_float = false;
  ElementType whole = ::onnx::TensorProto::BOOL;
  for (const auto* value : {a, b}) {
    const auto type = type_of(value);
    const bool is_tensor = value->type()->kind() == c10::TypeKind::TensorType;
    if (is_float(type)) {
      any_float = true;
      if (is_tensor && !term(value).is_known() && computed_float != ::onnx::TensorProto::FLOAT) {
        computed_float = type;
      }
    } else if (whole == ::onnx::TensorProto::BOOL || type == ::onnx::TensorProto::INT64) {
      whole = type;
    }
  }
  if (computed_float) return *computed_float;
  if (!any_float) return whole;
  // Numbers alone are of full precision.
  const bool tensors =
      a->type()->kind() == c10::TypeKind::TensorType || b->type()->kind() == c10::TypeKind::TensorType;
  return tensors ? compute_type_ : ElementType(::onnx::TensorProto::FLOAT);
}

std::string Lowering::cast(const std::string& name, ElementType from, ElementType to) {
  return from == to ? name : writer_.node("Cast", {name}, {{"to", std::int64_t{to}}});
}

std::string Lowering::tensor(const Term& value, ElementType type) {
  if (value.is_list) throw CannotLower("a list stands where a tensor is expected");
  if (!value.name.empty()) return cast(value.name, value.type, type);
  if (value.known.isTensor()) return writer_.constant(value.known.toTensor(), type);
  if (value.known.isScalar()) return writer_.number(value.known.toScalar().toDouble(), type);
  throw CannotLower("one of its arguments is a " + value.known.tagKind());
}

std::string Lowering::tensor(const Value* value, ElementType type) {
  return tensor(term(value), type);
}

std::string Lowering::list(const Term& numbers) {
  if (numbers.is_known()) {
    return writer_.numbers(numbers.known.isInt() ? std::vector<std::int64_t>{numbers.known.toInt()}
                                                 : numbers.known.toIntVector());
  }
  const auto first = writer_.numbers({0});
  if (!numbers.is_list)
    return writer_.node("Unsqueeze", {tensor(numbers, ::onnx::TensorProto::INT64), first});
  std::vector<std::string> parts;
  std::vector<std::int64_t> fixed;
  const auto flush = [&] {
    if (!fixed.empty()) parts.push_back(writer_.numbers(fixed));
    fixed.clear();
  };
  for (const auto& item : numbers.items) {
    if (item.is_known()) {
      fixed.push_back(item.known.isTensor() ? item.known.toTensor().item<std::int64_t>()
                                            : item.known.toInt());
      continue;
    }
    flush();
    parts.push_back(writer_.node("Unsqueeze", {tensor(item, ::onnx::TensorProto::INT64), first}));
  }
  flush();
  return parts.size() == 1 ? parts[0] : writer_.node("Concat", parts, {{"axis", std::int64_t{0}}});
}

void Lowering::set(const Value* value, std::string name, ElementType type) {
  terms_[value] = Term{{}, std::move(name), type};
}

void Lowering::write_inputs() {
  for (std::size_t i = 0; i < model_.inputs.size(); ++i) {
    write_type(*proto_.mutable_graph()->add_input(), model_.inputs[i]);
    set(model_.graph->inputs()[i], model_.inputs[i].name, element_type(model_.inputs[i].type));
  }
}

void Lowering::write_output() {
  const auto type = element_type(model_.output.type);
  const auto name = tensor(model_.graph->outputs()[0], type);
  // The name that was promised; what computes it has another.
  auto& node = *proto_.mutable_graph()->add_node();
  node.set_op_type("Identity");
  node.set_name("output");
  node.add_input(name);
  node.add_output(model_.output.name);
  write_type(*proto_.mutable_graph()->add_output(), model_.output);
}

void Lowering::lower(const Node& node) {
  if (node.kind() == torch::jit::prim::Constant) {
    set(node.output(), Term{torch::jit::toIValue(node.output()).value_or(c10::IValue())});
    return;
  }
  const auto found = all_operations().find(node.kind().toQualString());
  if (found == all_operations().end()) throw CannotLower("ONNX export does not know it");
  found->second(*this, node);
}

void Lowering::run() {
  write_inputs();
  for (const auto* node : model_.graph->nodes()) {
    writer_.enter(node->scopeName());
    try {
      lower(*node);
    } catch (const CannotLower& error) {
      throw ComponentError("exporter/onnx",
                           where(*node) + " cannot be written as ONNX: " + error.what() +
                               ". Write it with other operations of LibTorch in its plugin, or export to "
                               "TorchScript: --to torchscript");
    }
  }
  writer_.enter("");
  write_output();
}

}  // namespace kindred::onnx
