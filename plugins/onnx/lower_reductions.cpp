// Over dimensions. In full precision: sums of 16 bits lose what is small.
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "lowering.h"

namespace kindred::onnx {
namespace {

using torch::jit::Node;

std::vector<std::int64_t> reduced_axes(Lowering& to, const Node& node) {
  const auto rank = to.rank(node.input(0));
  std::vector<std::int64_t> axes;
  if (!to.is_none(node, "dim")) axes = to.axes(node, "dim", rank);
  if (axes.empty()) {
    axes.resize(static_cast<std::size_t>(rank));
    std::iota(axes.begin(), axes.end(), 0);
  }
  return axes;
}

std::int64_t kept(Lowering& to, const Node& node) {
  return Lowering::has_argument(node, "keepdim") && to.flag(node, "keepdim") ? 1 : 0;
}

/// Until opset 18 the axes of all but the sum are an attribute.
std::string reduced(Lowering& to, const std::string& op, const std::string& x,
                    const std::vector<std::int64_t>& axes, std::int64_t keep) {
  if (op == "ReduceSum") return to.out().node(op, {x, to.out().numbers(axes)}, {{"keepdims", keep}});
  return to.out().node(op, {x}, {{"axes", axes}, {"keepdims", keep}});
}

LowerOperation reduction(const std::string& op) {
  return [op](Lowering& to, const Node& node) {
    const auto given = to.type_of(node.input(0));
    const auto wanted = element_type(to.fact(node.output()).type);
    const auto type = is_float(given) ? given : wanted;
    const auto wide = is_float(type) ? float32 : type;
    const auto made = reduced(to, op, to.tensor(node.input(0), wide), reduced_axes(to, node), kept(to, node));
    to.set(node.output(), to.cast(made, wide, type), type);
  };
}

/// The length of vectors, which stays in full precision: what is divided by it does then too.
void norm(Lowering& to, const Node& node) {
  const char* name = Lowering::has_argument(node, "ord") ? "ord" : "p";
  const double order = to.is_none(node, name) ? 2 : to.real(node, name);
  if (!(order > 0)) throw CannotLower("its order is " + std::to_string(order));
  const auto x = to.tensor(node.input(0), float32);
  const auto axes = reduced_axes(to, node);
  const auto keep = kept(to, node);
  auto& out = to.out();
  std::string made;
  if (order == 2) {
    made = reduced(to, "ReduceL2", x, axes, keep);
  } else if (order == 1) {
    made = reduced(to, "ReduceL1", x, axes, keep);
  } else if (order == std::numeric_limits<double>::infinity()) {
    made = reduced(to, "ReduceMax", out.node("Abs", {x}), axes, keep);
  } else {
    const auto powers = out.node("Pow", {out.node("Abs", {x}), out.number(order, float32)});
    made = out.node("Pow", {reduced(to, "ReduceSum", powers, axes, keep), out.number(1 / order, float32)});
  }
  to.set(node.output(), made, float32);
}

/// The variance or its root, corrected for the mean of as many values.
void variance_of(Lowering& to, const Node& node, bool root) {
  const auto type = to.type_of(node.input(0));
  auto& out = to.out();
  const auto x = to.tensor(node.input(0), float32);
  const auto axes = reduced_axes(to, node);
  double correction = 1;
  if (Lowering::has_argument(node, "unbiased")) correction = to.flag(node, "unbiased") ? 1 : 0;
  if (Lowering::has_argument(node, "correction") && !to.is_none(node, "correction")) {
    correction = to.real(node, "correction");
  }
  const auto centered = out.node("Sub", {x, reduced(to, "ReduceMean", x, axes, 1)});
  auto made = reduced(to, "ReduceMean", out.node("Mul", {centered, centered}), axes, kept(to, node));
  if (correction != 0) {
    double count = 1;
    for (const auto axis : axes) {
      if (axis == 0) throw CannotLower("it is over a batch of images");
      count *= static_cast<double>(to.fact(node.input(0)).sizes[static_cast<std::size_t>(axis)]);
    }
    made = out.node("Mul", {made, out.number(count / (count - correction), float32)});
  }
  if (root) made = out.node("Sqrt", {made});
  to.set(node.output(), to.cast(made, float32, type), type);
}

/// max(dim): of its two results the values, when nobody needs the places.
LowerOperation extreme_along(const std::string& op, const std::string& of_two) {
  return [op, of_two](Lowering& to, const Node& node) {
    const auto type = to.type_of(node.input(0));
    if (node.outputs().size() == 2) {
      if (!node.outputs()[1]->uses().empty()) throw CannotLower("the places of its results are used");
      const auto axes = to.axes(node, "dim", to.rank(node.input(0)));
      to.set(node.outputs()[0], reduced(to, op, to.tensor(node.input(0), type), axes, kept(to, node)), type);
      return;
    }
    if (Lowering::has_argument(node, "other")) {
      const auto common = to.common_type(node.input(0), node.input(1));
      to.set(node.output(),
             to.out().node(of_two, {to.tensor(node.input(0), common), to.tensor(node.input(1), common)}),
             common);
      return;
    }
    to.set(node.output(), reduced(to, op, to.tensor(node.input(0), type), reduced_axes(to, node), 0), type);
  };
}

LowerOperation softmax(const std::string& op) {
  return [op](Lowering& to, const Node& node) {
    const auto type = to.type_of(node.input(0));
    const auto axis = to.axis(node, "dim", to.rank(node.input(0)));
    const auto made = to.out().node(op, {to.tensor(node.input(0), float32)}, {{"axis", axis}});
    to.set(node.output(), to.cast(made, float32, type), type);
  };
}

}  // namespace

void add_reductions(LoweringTable& table) {
  table["aten::mean"] = reduction("ReduceMean");
  table["aten::sum"] = reduction("ReduceSum");
  table["aten::amax"] = reduction("ReduceMax");
  table["aten::amin"] = reduction("ReduceMin");
  table["aten::prod"] = reduction("ReduceProd");
  table["aten::logsumexp"] = reduction("ReduceLogSumExp");
  for (const auto* name : {"aten::norm", "aten::linalg_vector_norm"}) table[name] = norm;
  table["aten::var"] = [](Lowering& to, const Node& node) { variance_of(to, node, false); };
  table["aten::std"] = [](Lowering& to, const Node& node) { variance_of(to, node, true); };
  table["aten::max"] = extreme_along("ReduceMax", "Max");
  table["aten::min"] = extreme_along("ReduceMin", "Min");
  table["aten::softmax"] = softmax("Softmax");
  table["aten::log_softmax"] = softmax("LogSoftmax");
}

}  // namespace kindred::onnx
