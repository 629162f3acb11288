// Element by element, and numbers.
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "lowering.h"

namespace kindred::onnx {
namespace {

using torch::jit::Node;

bool is_tensor(const torch::jit::Value* value) {
  return value->type()->kind() == c10::TypeKind::TensorType;
}

/// Of one operand, of its type.
LowerOperation unary(const std::string& op) {
  return [op](Lowering& to, const Node& node) {
    const auto type = to.type_of(node.input(0));
    to.set(node.output(), to.out().node(op, {to.tensor(node.input(0), type)}), type);
  };
}

/// The same in full precision: exponents and roots of 16 bits leave their range early.
LowerOperation precise(const std::string& op) {
  return [op](Lowering& to, const Node& node) {
    const auto type = to.type_of(node.input(0));
    const auto made = to.out().node(op, {to.tensor(node.input(0), float32)});
    to.set(node.output(), to.cast(made, float32, is_float(type) ? type : float32),
           is_float(type) ? type : float32);
  };
}

LowerOperation binary(const std::string& op) {
  return [op](Lowering& to, const Node& node) {
    const auto type = to.common_type(node.input(0), node.input(1));
    to.set(node.output(), to.out().node(op, {to.tensor(node.input(0), type), to.tensor(node.input(1), type)}),
           type);
  };
}

LowerOperation comparison(const std::string& op, bool negated = false) {
  return [op, negated](Lowering& to, const Node& node) {
    const auto type = to.common_type(node.input(0), node.input(1));
    auto made = to.out().node(op, {to.tensor(node.input(0), type), to.tensor(node.input(1), type)});
    if (negated) made = to.out().node("Not", {made});
    to.set(node.output(), made, boolean);
  };
}

LowerOperation logical(const std::string& op) {
  return [op](Lowering& to, const Node& node) {
    for (const auto* input : node.inputs()) {
      if (to.type_of(input) != boolean) throw CannotLower("it is on numbers, bit by bit");
    }
    to.set(node.output(),
           to.out().node(op, {to.tensor(node.input(0), boolean), to.tensor(node.input(1), boolean)}),
           boolean);
  };
}

/// a + alpha b, or with the operands swapped.
LowerOperation sum(const std::string& op, bool swapped = false) {
  return [op, swapped](Lowering& to, const Node& node) {
    const auto* a = node.input(swapped ? 1 : 0);
    const auto* b = node.input(swapped ? 0 : 1);
    const auto type = to.common_type(a, b);
    const auto left = to.tensor(a, type);
    auto right = to.tensor(b, type);
    if (Lowering::has_argument(node, "alpha") && to.real(node, "alpha") != 1) {
      right = to.out().node("Mul", {right, to.out().number(to.real(node, "alpha"), type)});
    }
    to.set(node.output(), to.out().node(op, {left, right}), type);
  };
}

void divide(Lowering& to, const Node& node) {
  const bool rounds = Lowering::has_argument(node, "rounding_mode") && !to.is_none(node, "rounding_mode");
  auto type = to.common_type(node.input(0), node.input(1));
  if (!rounds && !is_float(type)) type = is_tensor(node.input(0)) ? to.compute_type() : float32;
  auto made = to.out().node("Div", {to.tensor(node.input(0), type), to.tensor(node.input(1), type)});
  if (rounds) {
    if (!is_float(type)) throw CannotLower("it rounds quotients of whole numbers");
    const auto mode = to.known(node, "rounding_mode").toStringRef();
    if (mode != "floor") throw CannotLower("it rounds in the mode '" + mode + "'");
    made = to.out().node("Floor", {made});
  }
  to.set(node.output(), made, type);
}

void floor_divide(Lowering& to, const Node& node) {
  const auto type = to.common_type(node.input(0), node.input(1));
  auto& out = to.out();
  auto dividend = to.tensor(node.input(0), type);
  const auto divisor = to.tensor(node.input(1), type);
  // Div of whole numbers rounds towards 0; sizes have no sign.
  const bool may_be_negative = is_tensor(node.input(0)) || is_tensor(node.input(1));
  if (!is_float(type) && may_be_negative) {
    dividend = out.node("Sub", {dividend, out.node("Mod", {dividend, divisor})});
  }
  auto made = out.node("Div", {dividend, divisor});
  if (is_float(type)) made = out.node("Floor", {made});
  to.set(node.output(), made, type);
}

void power(Lowering& to, const Node& node) {
  const auto type = to.common_type(node.input(0), node.input(1));
  const auto wide = is_float(type) ? float32 : type;
  const auto made = to.out().node("Pow", {to.tensor(node.input(0), wide), to.tensor(node.input(1), wide)});
  to.set(node.output(), to.cast(made, wide, type), type);
}

/// Bounds are numbers, known or not, or none.
void clamp_between(Lowering& to, const Node& node, const torch::jit::Value* low,
                   const torch::jit::Value* high) {
  auto type = to.type_of(node.input(0));
  // Of whole numbers between fractions.
  const bool made_float = is_float(element_type(to.fact(node.output()).type));
  if (made_float && !is_float(type)) type = to.compute_type();
  auto made = to.tensor(node.input(0), type);
  const auto bound = [&](const char* op, const torch::jit::Value* limit) {
    if (limit == nullptr || (to.term(limit).is_known() && to.term(limit).known.isNone())) return;
    made = to.out().node(op, {made, to.tensor(limit, type)});
  };
  bound("Max", low);
  bound("Min", high);
  to.set(node.output(), made, type);
}

void gelu(Lowering& to, const Node& node) {
  const auto type = to.type_of(node.input(0));
  auto& out = to.out();
  const auto x = to.tensor(node.input(0), float32);
  const auto number = [&](double value) { return out.number(value, float32); };
  std::string part;
  if (Lowering::has_argument(node, "approximate") && to.known(node, "approximate").toStringRef() == "tanh") {
    const auto cube = out.node("Mul", {out.node("Mul", {x, x}), x});
    const auto inner = out.node("Add", {x, out.node("Mul", {cube, number(0.044715)})});
    part = out.node("Tanh", {out.node("Mul", {inner, number(std::sqrt(2 * std::numbers::inv_pi))})});
  } else {
    part = out.node("Erf", {out.node("Mul", {x, number(1 / std::numbers::sqrt2)})});
  }
  const auto weight = out.node("Mul", {out.node("Add", {part, number(1)}), number(0.5)});
  to.set(node.output(), to.cast(out.node("Mul", {x, weight}), float32, type), type);
}

void silu(Lowering& to, const Node& node) {
  const auto type = to.type_of(node.input(0));
  const auto x = to.tensor(node.input(0), type);
  to.set(node.output(), to.out().node("Mul", {x, to.out().node("Sigmoid", {x})}), type);
}

/// log(1 + exp(beta x)) / beta. LibTorch takes x itself from a threshold of beta x on.
void softplus(Lowering& to, const Node& node) {
  constexpr double equal_from = 16;  // in 32 bits
  if (to.real(node, "threshold") < equal_from) {
    throw CannotLower("it is x itself from " + std::to_string(to.real(node, "threshold")) + " on");
  }
  const auto type = to.type_of(node.input(0));
  const double beta = to.real(node, "beta");
  auto& out = to.out();
  auto made = to.tensor(node.input(0), float32);
  if (beta != 1) made = out.node("Mul", {made, out.number(beta, float32)});
  made = out.node("Softplus", {made});
  if (beta != 1) made = out.node("Mul", {made, out.number(1 / beta, float32)});
  to.set(node.output(), to.cast(made, float32, type), type);
}

void round(Lowering& to, const Node& node) {
  if (Lowering::has_argument(node, "decimals")) throw CannotLower("it rounds to decimals");
  unary("Round")(to, node);
}

void reciprocal_root(Lowering& to, const Node& node) {
  const auto type = to.type_of(node.input(0));
  const auto root = to.out().node("Sqrt", {to.tensor(node.input(0), float32)});
  to.set(node.output(), to.cast(to.out().node("Reciprocal", {root}), float32, type), type);
}

void leaky_relu(Lowering& to, const Node& node) {
  const auto type = to.type_of(node.input(0));
  to.set(node.output(),
         to.out().node("LeakyRelu", {to.tensor(node.input(0), type)},
                       {{"alpha", static_cast<float>(to.real(node, "negative_slope"))}}),
         type);
}

void choose(Lowering& to, const Node& node) {
  const auto type = to.common_type(node.input(1), node.input(2));
  to.set(node.output(),
         to.out().node("Where", {to.tensor(node.input(0), boolean), to.tensor(node.input(1), type),
                                 to.tensor(node.input(2), type)}),
         type);
}

void masked_fill(Lowering& to, const Node& node) {
  const auto type = to.type_of(node.input(0));
  to.set(node.output(),
         to.out().node("Where", {to.tensor(node.input(1), boolean), to.tensor(node.input(2), type),
                                 to.tensor(node.input(0), type)}),
         type);
}

/// A number, or a tensor in another type.
LowerOperation number_in(ElementType type) {
  return
      [type](Lowering& to, const Node& node) { to.set(node.output(), to.tensor(node.input(0), type), type); };
}

/// Where only the type is another, if at all.
void convert(Lowering& to, const Node& node) {
  const auto type = element_type(to.fact(node.output()).type);
  const auto& given = to.term(node.input(0));
  if (given.is_known())
    return to.set(node.output(), Term{given.known.toTensor().to(to.fact(node.output()).type)});
  to.set(node.output(), to.tensor(node.input(0), type), type);
}

void pass_on(Lowering& to, const Node& node) {
  to.set(node.output(), to.term(node.input(0)));
}

}  // namespace

void add_arithmetic(LoweringTable& table) {
  for (const auto& [name, op] :
       {std::pair("relu", "Relu"), std::pair("sigmoid", "Sigmoid"), std::pair("tanh", "Tanh"),
        std::pair("abs", "Abs"), std::pair("neg", "Neg"), std::pair("floor", "Floor"),
        std::pair("ceil", "Ceil"), std::pair("sign", "Sign"), std::pair("erf", "Erf"),
        std::pair("hardswish", "HardSwish"), std::pair("reciprocal", "Reciprocal")}) {
    table[std::string("aten::") + name] = unary(op);
  }
  for (const auto& [name, op] : {std::pair("exp", "Exp"), std::pair("log", "Log"), std::pair("sqrt", "Sqrt"),
                                 std::pair("sin", "Sin"), std::pair("cos", "Cos")}) {
    table[std::string("aten::") + name] = precise(op);
  }
  table["aten::round"] = round;
  table["aten::softplus"] = softplus;
  table["aten::mul"] = binary("Mul");
  for (const auto* name : {"aten::minimum", "prim::min"}) table[name] = binary("Min");
  for (const auto* name : {"aten::maximum", "prim::max"}) table[name] = binary("Max");
  table["aten::add"] = sum("Add");
  table["aten::sub"] = sum("Sub");
  table["aten::rsub"] = sum("Sub", /*swapped=*/true);
  table["aten::div"] = divide;
  table["aten::floordiv"] = floor_divide;
  table["aten::floor_divide"] = floor_divide;
  table["aten::pow"] = power;
  table["aten::eq"] = comparison("Equal");
  table["aten::ne"] = comparison("Equal", /*negated=*/true);
  table["aten::lt"] = comparison("Less");
  table["aten::le"] = comparison("LessOrEqual");
  table["aten::gt"] = comparison("Greater");
  table["aten::ge"] = comparison("GreaterOrEqual");
  for (const auto* name : {"aten::logical_and", "aten::__and__", "aten::bitwise_and"})
    table[name] = logical("And");
  for (const auto* name : {"aten::logical_or", "aten::__or__", "aten::bitwise_or"})
    table[name] = logical("Or");
  table["aten::logical_not"] = [](Lowering& to, const Node& node) {
    to.set(node.output(), to.out().node("Not", {to.tensor(node.input(0), boolean)}), boolean);
  };
  table["aten::clamp"] = [](Lowering& to, const Node& node) {
    clamp_between(to, node, node.input(1), node.input(2));
  };
  table["aten::hardtanh"] = table["aten::clamp"];
  table["aten::clamp_min"] = [](Lowering& to, const Node& node) {
    clamp_between(to, node, node.input(1), nullptr);
  };
  table["aten::clamp_max"] = [](Lowering& to, const Node& node) {
    clamp_between(to, node, nullptr, node.input(1));
  };
  table["aten::gelu"] = gelu;
  table["aten::silu"] = silu;
  table["aten::rsqrt"] = reciprocal_root;
  table["aten::leaky_relu"] = leaky_relu;
  table["aten::where"] = choose;
  table["aten::masked_fill"] = masked_fill;
  table["aten::square"] = [](Lowering& to, const Node& node) {
    const auto type = to.type_of(node.input(0));
    const auto wide = is_float(type) ? float32 : type;
    const auto x = to.tensor(node.input(0), wide);
    to.set(node.output(), to.cast(to.out().node("Mul", {x, x}), wide, type), type);
  };
  table["aten::Int"] = number_in(int64);
  table["aten::Float"] = number_in(float32);
  table["aten::Bool"] = number_in(boolean);
  for (const auto* name : {"aten::to", "aten::type_as", "aten::_to_copy"}) table[name] = convert;
  for (const auto* name :
       {"aten::contiguous", "aten::clone", "aten::detach", "aten::dropout", "aten::feature_dropout",
        "aten::alias", "prim::NumToTensor", "aten::ScalarImplicit", "aten::IntImplicit",
        "aten::FloatImplicit", "aten::lift_fresh"}) {
    table[name] = pass_on;
  }
}

}  // namespace kindred::onnx
