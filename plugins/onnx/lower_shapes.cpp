// Sizes, places and lists.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "lowering.h"

namespace kindred::onnx {
namespace {

using torch::jit::Node;
using torch::jit::Value;

std::string tensor_of(Lowering& to, const Node& node) {
  return to.tensor(node.input(0));
}

void give(Lowering& to, const Node& node, std::string name) {
  to.set(node.output(), std::move(name), to.type_of(node.input(0)));
}

/// One number that is computed follows from the others, which fixes a shape that would be computed else.
Term with_free_size(Term sizes) {
  if (!sizes.is_list) return sizes;
  std::vector<std::int64_t> fixed;
  std::int64_t free = 0;
  for (const auto& item : sizes.items) {
    const auto size = item.is_known() ? item.known.toInt() : -1;
    if (size < 0) ++free;
    fixed.push_back(size);
  }
  return free == 1 ? Term{c10::IValue(fixed)} : sizes;
}

void reshape_to(Lowering& to, const Node& node, const Term& sizes) {
  give(to, node, to.out().node("Reshape", {tensor_of(to, node), to.list(with_free_size(sizes))}));
}

/// As the result has them, but for the first, which is free: for operations that keep or merge images.
std::vector<std::int64_t> sizes_with_free_first(Lowering& to, const Node& node) {
  auto sizes = to.fact(node.output()).sizes;
  if (sizes.empty()) throw CannotLower("its result is a number");
  sizes[0] = -1;
  return sizes;
}

void view(Lowering& to, const Node& node) {
  const char* name = Lowering::has_argument(node, "size") ? "size" : "shape";
  reshape_to(to, node, to.term(Lowering::argument(node, name)));
}

void flatten(Lowering& to, const Node& node) {
  const auto rank = to.rank(node.input(0));
  const auto first = to.axis(node, "start_dim", rank);
  const auto last = to.axis(node, "end_dim", rank);
  const auto& sizes = to.fact(node.input(0)).sizes;
  // 0: as it was.
  std::vector<std::int64_t> wanted(static_cast<std::size_t>(first), 0);
  wanted.push_back(-1);
  for (auto axis = last + 1; axis < rank; ++axis) wanted.push_back(sizes[static_cast<std::size_t>(axis)]);
  reshape_to(to, node, Term{c10::IValue(wanted)});
}

void permute_by(Lowering& to, const Node& node, const std::vector<std::int64_t>& order) {
  give(to, node, to.out().node("Transpose", {tensor_of(to, node)}, {{"perm", order}}));
}

std::vector<std::int64_t> order_of(std::int64_t rank) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

void transpose(Lowering& to, const Node& node) {
  const auto rank = to.rank(node.input(0));
  auto order = order_of(rank);
  std::swap(order.at(static_cast<std::size_t>(to.axis(node, "dim0", rank))),
            order.at(static_cast<std::size_t>(to.axis(node, "dim1", rank))));
  permute_by(to, node, order);
}

void turn(Lowering& to, const Node& node) {
  auto order = order_of(to.rank(node.input(0)));
  std::reverse(order.begin(), order.end());
  permute_by(to, node, order);
}

void unsqueeze(Lowering& to, const Node& node) {
  const auto axis = to.axis(node, "dim", to.rank(node.input(0)) + 1);
  give(to, node, to.out().node("Unsqueeze", {tensor_of(to, node), to.out().numbers({axis})}));
}

void squeeze(Lowering& to, const Node& node) {
  const auto& sizes = to.fact(node.input(0)).sizes;
  std::vector<std::int64_t> axes;
  if (Lowering::has_argument(node, "dim")) {
    axes = to.axes(node, "dim", to.rank(node.input(0)));
  } else {
    axes = order_of(to.rank(node.input(0)));
  }
  std::erase_if(axes, [&](std::int64_t axis) { return sizes[static_cast<std::size_t>(axis)] != 1; });
  if (axes.empty()) return to.set(node.output(), to.term(node.input(0)));
  give(to, node, to.out().node("Squeeze", {tensor_of(to, node), to.out().numbers(axes)}));
}

/// Sizes of -1 stay as they are.
void expand(Lowering& to, const Node& node) {
  auto sizes = to.term(Lowering::argument(node, "size"));
  if (sizes.is_known()) {
    auto fixed = sizes.known.toIntVector();
    for (auto& size : fixed) size = size < 0 ? 1 : size;
    sizes = Term{c10::IValue(fixed)};
  } else {
    for (auto& item : sizes.items) {
      if (item.is_known() && item.known.toInt() < 0) item = Term{c10::IValue(1)};
    }
  }
  give(to, node, to.out().node("Expand", {tensor_of(to, node), to.list(sizes)}));
}

void expand_as(Lowering& to, const Node& node) {
  const auto shape = to.out().node("Shape", {to.tensor(node.input(1))});
  give(to, node, to.out().node("Expand", {tensor_of(to, node), shape}));
}

void repeat(Lowering& to, const Node& node) {
  const auto& times = to.term(Lowering::argument(node, "repeats"));
  const auto rank = to.rank(node.input(0));
  const auto wanted = to.rank(node.output());
  auto given = tensor_of(to, node);
  if (wanted > rank) {
    std::vector<std::int64_t> ahead(static_cast<std::size_t>(wanted - rank));
    std::iota(ahead.begin(), ahead.end(), 0);
    given = to.out().node("Unsqueeze", {given, to.out().numbers(ahead)});
  }
  give(to, node, to.out().node("Tile", {given, to.list(times)}));
}

/// Of a list of tensors: those of one type.
std::vector<std::string> tensors_of(Lowering& to, const Value* list, ElementType& type) {
  const auto* node = list->node();
  if (node->kind() != torch::jit::prim::ListConstruct) throw CannotLower("its list of tensors is not fixed");
  type = to.type_of(node->input(0));
  for (std::size_t i = 1; i < node->inputs().size(); ++i)
    type = to.common_type(node->input(i - 1), node->input(i));
  for (const auto* input : node->inputs()) {
    const auto own = to.type_of(input);
    if (!to.term(input).is_known() && own == ::onnx::TensorProto::FLOAT) type = own;
  }
  std::vector<std::string> names;
  for (const auto* input : node->inputs()) names.push_back(to.tensor(input, type));
  return names;
}

void concatenate(Lowering& to, const Node& node) {
  ElementType type = 0;
  const auto names = tensors_of(to, node.input(0), type);
  const auto axis = to.axis(node, "dim", to.rank(node.output()));
  to.set(node.output(), to.out().node("Concat", names, {{"axis", axis}}), type);
}

void stack(Lowering& to, const Node& node) {
  ElementType type = 0;
  auto names = tensors_of(to, node.input(0), type);
  const auto axis = to.axis(node, "dim", to.rank(node.output()));
  for (auto& name : names) name = to.out().node("Unsqueeze", {name, to.out().numbers({axis})});
  to.set(node.output(), to.out().node("Concat", names, {{"axis", axis}}), type);
}

std::string sliced(Lowering& to, const std::string& given, std::int64_t axis, const std::string& first,
                   const std::string& end, std::int64_t step = 1) {
  auto& out = to.out();
  return out.node("Slice", {given, first, end, out.numbers({axis}), out.numbers({step})});
}

std::string sliced(Lowering& to, const std::string& given, std::int64_t axis, std::int64_t first,
                   std::int64_t end) {
  return sliced(to, given, axis, to.out().numbers({first}), to.out().numbers({end}));
}

void slice(Lowering& to, const Node& node) {
  const auto axis = to.axis(node, "dim", to.rank(node.input(0)));
  const auto bound = [&](const char* name, std::int64_t otherwise) {
    return to.is_none(node, name) ? to.out().numbers({otherwise})
                                  : to.list(to.term(Lowering::argument(node, name)));
  };
  give(to, node,
       sliced(to, tensor_of(to, node), axis, bound("start", 0),
              bound("end", std::numeric_limits<std::int64_t>::max()), to.integer(node, "step")));
}

void narrow(Lowering& to, const Node& node) {
  const auto axis = to.axis(node, "dim", to.rank(node.input(0)));
  const auto& start = to.term(Lowering::argument(node, "start"));
  const auto& length = to.term(Lowering::argument(node, "length"));
  const bool from_the_end = start.is_known() && start.known.toInt() < 0;
  const auto first = to.list(start);
  std::string end;
  if (start.is_known() && length.is_known()) {
    const auto behind = start.known.toInt() + length.known.toInt();
    // 0 would be the beginning.
    const bool up_to_the_end = from_the_end && behind == 0;
    end = to.out().numbers({up_to_the_end ? std::numeric_limits<std::int64_t>::max() : behind});
  } else {
    if (from_the_end) throw CannotLower("its start is counted from the end");
    end = to.out().node("Add", {first, to.list(length)});
  }
  give(to, node, sliced(to, tensor_of(to, node), axis, first, end));
}

void select(Lowering& to, const Node& node) {
  const auto axis = to.axis(node, "dim", to.rank(node.input(0)));
  const auto index = to.tensor(Lowering::argument(node, "index"), int64);
  give(to, node, to.out().node("Gather", {tensor_of(to, node), index}, {{"axis", axis}}));
}

/// The parts of a tensor, of one length each, whatever that is, or of the given ones.
Term parts(Lowering& to, const Node& node, std::int64_t axis, std::size_t count,
           const std::string& lengths = "") {
  Term list;
  list.is_list = true;
  std::vector<std::string> inputs = {tensor_of(to, node)};
  if (!lengths.empty()) inputs.push_back(lengths);
  for (const auto& name : to.out().nodes("Split", inputs, count, {{"axis", axis}})) {
    list.items.push_back(Term{{}, name, to.type_of(node.input(0))});
  }
  return list;
}

Term parts(Lowering& to, const Node& node, std::int64_t axis, const std::vector<std::int64_t>& lengths) {
  return parts(to, node, axis, lengths.size(), to.out().numbers(lengths));
}

std::int64_t size_along(Lowering& to, const Node& node, std::int64_t axis) {
  return to.fact(node.input(0)).sizes[static_cast<std::size_t>(axis)];
}

void require_no_images(std::int64_t axis) {
  if (axis == 0) throw CannotLower("it parts a batch of images");
}

std::vector<std::int64_t> lengths_of(std::int64_t whole, std::int64_t part) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t at = 0; at < whole; at += part) lengths.push_back(std::min(part, whole - at));
  return lengths;
}

void chunk(Lowering& to, const Node& node) {
  const auto axis = to.axis(node, "dim", to.rank(node.input(0)));
  const auto chunks = to.integer(node, "chunks");
  const auto whole = size_along(to, node, axis);
  const auto lengths = lengths_of(whole, (whole + chunks - 1) / chunks);
  const bool of_images = axis == 0 && to.rank(node.input(0)) > 1;
  if (!of_images) return to.set(node.output(), parts(to, node, axis, lengths));
  // What was put together of several batches; how long each is follows the number of images.
  if (static_cast<std::int64_t>(lengths.size()) != chunks || lengths.front() != lengths.back()) {
    throw CannotLower("it parts a batch of images unevenly");
  }
  to.set(node.output(), parts(to, node, axis, lengths.size()));
}

void split(Lowering& to, const Node& node) {
  const auto axis = to.axis(node, "dim", to.rank(node.input(0)));
  require_no_images(axis);
  const auto whole = size_along(to, node, axis);
  const auto given =
      to.known(node, Lowering::has_argument(node, "split_sizes") ? "split_sizes" : "split_size");
  to.set(node.output(),
         parts(to, node, axis, given.isInt() ? lengths_of(whole, given.toInt()) : given.toIntVector()));
}

void unbind(Lowering& to, const Node& node) {
  const auto axis = to.axis(node, "dim", to.rank(node.input(0)));
  Term list;
  list.is_list = true;
  const auto given = tensor_of(to, node);
  require_no_images(axis);
  const auto count = static_cast<std::size_t>(size_along(to, node, axis));
  for (std::size_t i = 0; i < count; ++i) {
    const auto index = to.out().number(static_cast<double>(i), int64);
    list.items.push_back(
        Term{{}, to.out().node("Gather", {given, index}, {{"axis", axis}}), to.type_of(node.input(0))});
  }
  to.set(node.output(), list);
}

void unpack(Lowering& to, const Node& node) {
  const auto& list = to.term(node.input(0));
  for (std::size_t i = 0; i < node.outputs().size(); ++i) {
    if (list.is_known()) {
      to.set(node.outputs()[i], Term{list.known.toListRef()[i]});
    } else {
      to.set(node.outputs()[i], list.items.at(i));
    }
  }
}

void take_item(Lowering& to, const Node& node) {
  const auto& list = to.term(node.input(0));
  auto index = to.integer(node, "idx");
  const auto& items = list.items;
  if (!list.is_list) throw CannotLower("its list is not fixed");
  if (index < 0) index += static_cast<std::int64_t>(items.size());
  to.set(node.output(), items.at(static_cast<std::size_t>(index)));
}

void construct(Lowering& to, const Node& node) {
  Term list;
  list.is_list = true;
  bool all_known = true;
  for (const auto* input : node.inputs()) {
    list.items.push_back(to.term(input));
    all_known = all_known && list.items.back().is_known();
  }
  const auto& kind = node.output()->type()->expectRef<c10::ListType>().getElementType()->kind();
  if (all_known && kind == c10::TypeKind::IntType) {
    std::vector<std::int64_t> numbers;
    for (const auto& item : list.items) numbers.push_back(item.known.toInt());
    list = Term{c10::IValue(numbers)};
  }
  to.set(node.output(), list);
}

/// Of places from 0. Negative ones, such as a camera that a model does not know, are refused by LibTorch and
/// counted from the end by ONNX: they become too large ones, which a runtime refuses.
std::string places(Lowering& to, const Value* index) {
  const auto name = to.tensor(index, int64);
  if (to.term(index).is_known()) return name;
  auto& out = to.out();
  const auto too_large = out.number(std::numeric_limits<std::int32_t>::max(), int64);
  return out.node("Where", {out.node("Less", {name, out.number(0, int64)}), too_large, name});
}

void take_rows(Lowering& to, const Node& node) {
  const auto axis = to.axis(node, "dim", to.rank(node.input(0)));
  give(to, node,
       to.out().node("Gather", {tensor_of(to, node), places(to, Lowering::argument(node, "index"))},
                     {{"axis", axis}}));
}

/// x[..., index, ...] with one tensor of indices.
void take(Lowering& to, const Node& node) {
  auto indices = to.term(node.input(1));
  if (indices.is_known()) {
    for (const auto& index : indices.known.toListRef()) indices.items.push_back(Term{index});
  }
  std::int64_t axis = -1;
  for (std::size_t i = 0; i < indices.items.size(); ++i) {
    if (indices.items[i].is_known() && indices.items[i].known.isNone()) continue;
    if (axis >= 0) throw CannotLower("it takes several tensors of indices");
    axis = static_cast<std::int64_t>(i);
  }
  if (axis < 0) throw CannotLower("it takes no indices");
  const auto& index = indices.items[static_cast<std::size_t>(axis)];
  const bool is_mask =
      index.is_known() ? index.known.toTensor().scalar_type() == torch::kBool : index.type == boolean;
  if (is_mask) throw CannotLower("how much it takes depends on values");
  give(to, node, to.out().node("Gather", {tensor_of(to, node), to.tensor(index, int64)}, {{"axis", axis}}));
}

void embedding(Lowering& to, const Node& node) {
  const auto type = to.type_of(node.input(0));
  to.set(node.output(),
         to.out().node("Gather", {to.tensor(node.input(0), type), places(to, node.input(1))},
                       {{"axis", std::int64_t{0}}}),
         type);
}

void gather(Lowering& to, const Node& node) {
  const auto axis = to.axis(node, "dim", to.rank(node.input(0)));
  give(to, node,
       to.out().node("GatherElements", {tensor_of(to, node), places(to, Lowering::argument(node, "index"))},
                     {{"axis", axis}}));
}

void roll(Lowering& to, const Node& node) {
  const auto rank = to.rank(node.input(0));
  const auto shifts = to.integers(node, "shifts");
  const auto axes = to.axes(node, "dims", rank);
  if (shifts.size() != axes.size()) throw CannotLower("it shifts what is not told apart by dimensions");
  auto made = tensor_of(to, node);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto size = size_along(to, node, axes[i]);
    const auto shift = ((shifts[i] % size) + size) % size;
    if (shift == 0) continue;
    if (rank > 1) require_no_images(axes[i]);
    made = to.out().node("Concat",
                         {sliced(to, made, axes[i], size - shift, std::numeric_limits<std::int64_t>::max()),
                          sliced(to, made, axes[i], 0, size - shift)},
                         {{"axis", axes[i]}});
  }
  give(to, node, made);
}

void flip(Lowering& to, const Node& node) {
  auto made = tensor_of(to, node);
  for (const auto axis : to.axes(node, "dims", to.rank(node.input(0)))) {
    made = sliced(to, made, axis, to.out().numbers({-1}),
                  to.out().numbers({std::numeric_limits<std::int64_t>::min()}), -1);
  }
  give(to, node, made);
}

void size(Lowering& to, const Node& node) {
  if (!Lowering::has_argument(node, "dim")) throw CannotLower("it gives all sizes at once");
  const auto shape = to.out().node("Shape", {to.tensor(node.input(0))});
  const auto index =
      to.out().number(static_cast<double>(to.axis(node, "dim", to.rank(node.input(0)))), int64);
  to.set(node.output(), to.out().node("Gather", {shape, index}, {{"axis", std::int64_t{0}}}), int64);
}

/// From `start` up to `end`, in steps, all of whole numbers.
void count_up(Lowering& to, const Node& node) {
  const auto number = [&](const char* name, double otherwise) {
    if (!Lowering::has_argument(node, name)) return to.out().number(otherwise, int64);
    const auto* given = Lowering::argument(node, name);
    if (is_float(to.type_of(given))) {
      const double value = to.real(node, name);
      if (value != std::trunc(value)) throw CannotLower("it counts in fractions");
    }
    return to.tensor(given, int64);
  };
  const auto type = element_type(to.fact(node.output()).type);
  const auto made = to.out().node("Range", {number("start", 0), number("end", 0), number("step", 1)});
  to.set(node.output(), to.cast(made, int64, type), type);
}

/// A tensor of one value.
void filled(Lowering& to, const Node& node, const Term& sizes, const Value* value, double otherwise) {
  const auto type = element_type(to.fact(node.output()).type);
  const auto own = is_float(type) ? to.compute_type() : type;
  const auto single = value == nullptr ? to.out().number(otherwise, own) : to.tensor(value, own);
  const auto shape = sizes.is_known() && sizes.known.toIntVector().empty() ? std::string() : to.list(sizes);
  to.set(node.output(), shape.empty() ? single : to.out().node("Expand", {single, shape}), own);
}

LowerOperation filled_with(double value) {
  return
      [value](Lowering& to, const Node& node) { filled(to, node, to.term(node.input(0)), nullptr, value); };
}

LowerOperation like(double value, bool given) {
  return [value, given](Lowering& to, const Node& node) {
    const auto type = element_type(to.fact(node.output()).type);
    const auto of_input = to.type_of(node.input(0));
    const auto own = !is_float(type) ? type : is_float(of_input) ? of_input : to.compute_type();
    const auto single = given ? to.tensor(node.input(1), own) : to.out().number(value, own);
    const auto shape = to.out().node("Shape", {to.tensor(node.input(0))});
    to.set(node.output(), to.out().node("Expand", {single, shape}), own);
  };
}

void pad(Lowering& to, const Node& node) {
  const auto rank = to.rank(node.input(0));
  const auto given = to.integers(node, "pad");
  if (Lowering::has_argument(node, "mode") && to.known(node, "mode").toStringRef() != "constant") {
    throw CannotLower("it pads in the mode '" + to.known(node, "mode").toStringRef() + "'");
  }
  std::vector<std::int64_t> amounts(static_cast<std::size_t>(2 * rank), 0);
  for (std::size_t i = 0; i < given.size() / 2; ++i) {
    const auto axis = static_cast<std::size_t>(rank) - 1 - i;
    amounts[axis] = given[2 * i];
    amounts[axis + static_cast<std::size_t>(rank)] = given[2 * i + 1];
  }
  const auto type = to.type_of(node.input(0));
  const auto value = to.is_none(node, "value") ? to.out().number(0, type)
                                               : to.tensor(Lowering::argument(node, "value"), type);
  give(to, node, to.out().node("Pad", {tensor_of(to, node), to.out().numbers(amounts), value}));
}

/// One dimension becomes several.
void unflatten(Lowering& to, const Node& node) {
  reshape_to(to, node, Term{c10::IValue(sizes_with_free_first(to, node))});
}

}  // namespace

void add_shapes(LoweringTable& table) {
  for (const auto* name : {"aten::view", "aten::reshape", "aten::_unsafe_view"}) table[name] = view;
  table["aten::flatten"] = flatten;
  table["aten::unflatten"] = unflatten;
  table["aten::permute"] = [](Lowering& to, const Node& node) {
    permute_by(to, node, to.axes(node, "dims", to.rank(node.input(0))));
  };
  table["aten::transpose"] = transpose;
  for (const auto* name : {"aten::t", "aten::numpy_T"}) table[name] = turn;
  table["aten::unsqueeze"] = unsqueeze;
  table["aten::squeeze"] = squeeze;
  for (const auto* name : {"aten::expand", "aten::broadcast_to"}) table[name] = expand;
  table["aten::expand_as"] = expand_as;
  table["aten::repeat"] = repeat;
  for (const auto* name : {"aten::cat", "aten::concat"}) table[name] = concatenate;
  table["aten::stack"] = stack;
  table["aten::slice"] = slice;
  table["aten::narrow"] = narrow;
  table["aten::select"] = select;
  for (const auto* name : {"aten::chunk"}) table[name] = chunk;
  for (const auto* name : {"aten::split", "aten::split_with_sizes"}) table[name] = split;
  table["aten::unbind"] = unbind;
  for (const auto* name : {"prim::ListUnpack", "prim::TupleUnpack"}) table[name] = unpack;
  for (const auto* name : {"prim::TupleConstruct"}) {
    table[name] = [](Lowering& to, const Node& node) {
      Term list;
      list.is_list = true;
      for (const auto* input : node.inputs()) list.items.push_back(to.term(input));
      to.set(node.output(), list);
    };
  }
  table["prim::ListConstruct"] = construct;
  table["aten::__getitem__"] = take_item;
  table["aten::index_select"] = take_rows;
  table["aten::index"] = take;
  table["aten::embedding"] = embedding;
  table["aten::gather"] = gather;
  table["aten::roll"] = roll;
  table["aten::flip"] = flip;
  table["aten::size"] = size;
  // Where a tensor lies is the runtime's business.
  table["prim::device"] = [](Lowering& to, const Node& node) { to.set(node.output(), Term{}); };
  table["aten::arange"] = count_up;
  table["aten::zeros"] = filled_with(0);
  table["aten::ones"] = filled_with(1);
  table["aten::full"] = [](Lowering& to, const Node& node) {
    filled(to, node, to.term(node.input(0)), node.input(1), 0);
  };
  for (const auto* name : {"aten::new_zeros"}) {
    table[name] = [](Lowering& to, const Node& node) {
      filled(to, node, to.term(node.input(1)), nullptr, 0);
    };
  }
  table["aten::zeros_like"] = like(0, false);
  table["aten::ones_like"] = like(1, false);
  table["aten::full_like"] = like(0, true);
  for (const auto* name : {"aten::constant_pad_nd", "aten::pad"}) table[name] = pad;
}

}  // namespace kindred::onnx
