// Convolutions, products, norms, pooling, attention.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lowering.h"

namespace kindred::onnx {
namespace {

using torch::jit::Node;
using torch::jit::Value;

/// One number for all dimensions is written out.
std::vector<std::int64_t> of_dimensions(std::vector<std::int64_t> values, std::size_t dimensions) {
  if (values.size() == 1) values.resize(dimensions, values[0]);
  return values;
}

/// The same amount at the beginning and the end.
std::vector<std::int64_t> both_ends(std::vector<std::int64_t> padding) {
  const auto count = padding.size();
  for (std::size_t i = 0; i < count; ++i) padding.push_back(padding[i]);
  return padding;
}

void convolution(Lowering& to, const Node& node) {
  const auto type = to.compute_type();
  const auto& weight = to.fact(Lowering::argument(node, "weight")).sizes;
  const auto dimensions = weight.size() - 2;
  if (Lowering::has_argument(node, "padding") && to.known(node, "padding").isString()) {
    throw CannotLower("its padding is '" + to.known(node, "padding").toStringRef() + "'");
  }
  const bool transposed = Lowering::has_argument(node, "transposed") && to.flag(node, "transposed");
  Attributes attributes = {{"kernel_shape", std::vector<std::int64_t>(weight.begin() + 2, weight.end())},
                           {"strides", of_dimensions(to.integers(node, "stride"), dimensions)},
                           {"pads", both_ends(of_dimensions(to.integers(node, "padding"), dimensions))},
                           {"dilations", of_dimensions(to.integers(node, "dilation"), dimensions)},
                           {"group", to.integer(node, "groups")}};
  if (transposed) {
    attributes.emplace_back("output_padding", of_dimensions(to.integers(node, "output_padding"), dimensions));
  }
  std::vector<std::string> inputs = {to.tensor(node.input(0), type),
                                     to.tensor(Lowering::argument(node, "weight"), type)};
  if (!to.is_none(node, "bias")) inputs.push_back(to.tensor(Lowering::argument(node, "bias"), type));
  to.set(node.output(), to.out().node(transposed ? "ConvTranspose" : "Conv", inputs, attributes), type);
}

/// x W^T + b
void linear(Lowering& to, const Node& node) {
  const auto type = to.compute_type();
  auto& out = to.out();
  const auto x = to.tensor(node.input(0), type);
  const auto& weight = to.term(Lowering::argument(node, "weight"));
  const bool biased = !to.is_none(node, "bias");
  if (to.rank(node.input(0)) == 2) {
    std::vector<std::string> inputs = {x, to.tensor(weight, type)};
    if (biased) inputs.push_back(to.tensor(Lowering::argument(node, "bias"), type));
    return to.set(node.output(), out.node("Gemm", inputs, {{"transB", std::int64_t{1}}}), type);
  }
  const auto turned = weight.is_known() ? out.constant(weight.known.toTensor().t().contiguous(), type)
                                        : out.node("Transpose", {to.tensor(weight, type)},
                                                   {{"perm", std::vector<std::int64_t>{1, 0}}});
  auto made = out.node("MatMul", {x, turned});
  if (biased) made = out.node("Add", {made, to.tensor(Lowering::argument(node, "bias"), type)});
  to.set(node.output(), made, type);
}

/// The preparation of images stays in full precision: what is computed is not made narrower.
void product(Lowering& to, const Node& node) {
  const auto type = to.common_type(node.input(0), node.input(1));
  to.set(node.output(),
         to.out().node("MatMul", {to.tensor(node.input(0), type), to.tensor(node.input(1), type)}), type);
}

/// beta input + alpha a b
void add_product(Lowering& to, const Node& node, const char* a, const char* b) {
  const auto* left = Lowering::argument(node, a);
  const auto* right = Lowering::argument(node, b);
  auto& out = to.out();
  const auto type = to.compute_type();
  auto made = out.node("MatMul", {to.tensor(left, type), to.tensor(right, type)});
  if (to.real(node, "alpha") != 1) made = out.node("Mul", {made, out.number(to.real(node, "alpha"), type)});
  auto added = to.tensor(node.input(0), type);
  if (to.real(node, "beta") != 1) added = out.node("Mul", {added, out.number(to.real(node, "beta"), type)});
  to.set(node.output(), out.node("Add", {added, made}), type);
}

void einsum(Lowering& to, const Node& node) {
  const auto* list = Lowering::argument(node, "tensors")->node();
  if (list->kind() != torch::jit::prim::ListConstruct) throw CannotLower("its list of tensors is not fixed");
  const auto type = to.compute_type();
  std::vector<std::string> inputs;
  for (const auto* input : list->inputs()) inputs.push_back(to.tensor(input, type));
  auto equation = to.known(node, "equation").toStringRef();
  std::erase(equation, ' ');
  to.set(node.output(), to.out().node("Einsum", inputs, {{"equation", equation}}), type);
}

/// Where it was not folded into a convolution: x * factor + offset, both worked out here.
void batch_norm(Lowering& to, const Node& node) {
  if (to.flag(node, "training")) throw CannotLower("it is in training mode");
  const auto given = [&](const char* name) -> torch::Tensor {
    return to.is_none(node, name) ? torch::Tensor() : to.known(node, name).toTensor().to(torch::kDouble);
  };
  const auto mean = given("running_mean");
  const auto variance = given("running_var");
  if (!mean.defined() || !variance.defined()) throw CannotLower("it has no running statistics");
  auto factor = (variance + to.real(node, "eps")).rsqrt();
  if (const auto weight = given("weight"); weight.defined()) factor = factor * weight;
  auto offset = -mean * factor;
  if (const auto bias = given("bias"); bias.defined()) offset = offset + bias;
  const auto type = to.type_of(node.input(0));
  std::vector<std::int64_t> sizes(
      static_cast<std::size_t>(std::max<std::int64_t>(1, to.rank(node.input(0)) - 1)), 1);
  sizes[0] = factor.size(0);
  auto& out = to.out();
  // In full precision: a folded deviation may be beyond what 16 bits tell apart.
  auto made = out.node("Mul", {to.tensor(node.input(0), float32), out.constant(factor.view(sizes), float32)});
  made = out.node("Add", {made, out.constant(offset.view(sizes), float32)});
  to.set(node.output(), to.cast(made, float32, type), type);
}

std::string ones_or(Lowering& to, const Node& node, const char* name, const std::vector<std::int64_t>& sizes,
                    double otherwise) {
  if (!to.is_none(node, name)) return to.tensor(Lowering::argument(node, name), float32);
  return to.out().constant(torch::full(sizes, otherwise), float32);
}

void instance_norm(Lowering& to, const Node& node) {
  if (!to.flag(node, "use_input_stats")) throw CannotLower("it uses running statistics");
  const auto type = to.type_of(node.input(0));
  const std::vector<std::int64_t> channels = {to.fact(node.input(0)).sizes.at(1)};
  const auto made =
      to.out().node("InstanceNormalization",
                    {to.tensor(node.input(0), float32), ones_or(to, node, "weight", channels, 1),
                     ones_or(to, node, "bias", channels, 0)},
                    {{"epsilon", static_cast<float>(to.real(node, "eps"))}});
  to.set(node.output(), to.cast(made, float32, type), type);
}

void layer_norm(Lowering& to, const Node& node) {
  const auto type = to.type_of(node.input(0));
  const auto shape = to.integers(node, "normalized_shape");
  const auto made = to.out().node("LayerNormalization",
                                  {to.tensor(node.input(0), float32), ones_or(to, node, "weight", shape, 1),
                                   ones_or(to, node, "bias", shape, 0)},
                                  {{"axis", -static_cast<std::int64_t>(shape.size())},
                                   {"epsilon", static_cast<float>(to.real(node, "eps"))}});
  to.set(node.output(), to.cast(made, float32, type), type);
}

/// Each group as one channel of an instance norm; weights are of single channels.
void group_norm(Lowering& to, const Node& node) {
  const auto type = to.type_of(node.input(0));
  auto& out = to.out();
  const auto groups = to.integer(node, "num_groups");
  const auto& sizes = to.fact(node.input(0)).sizes;
  auto made = out.node("Reshape", {to.tensor(node.input(0), float32), out.numbers({0, groups, -1})});
  made = out.node(
      "InstanceNormalization",
      {made, out.constant(torch::ones({groups}), float32), out.constant(torch::zeros({groups}), float32)},
      {{"epsilon", static_cast<float>(to.real(node, "eps"))}});
  auto back = sizes;
  back[0] = -1;
  made = out.node("Reshape", {made, out.numbers(back)});
  std::vector<std::int64_t> wide(sizes.size() - 1, 1);
  wide[0] = sizes.at(1);
  const auto per_channel = [&](const char* name) {
    return out.constant(to.known(node, name).toTensor().view(wide), float32);
  };
  if (!to.is_none(node, "weight")) made = out.node("Mul", {made, per_channel("weight")});
  if (!to.is_none(node, "bias")) made = out.node("Add", {made, per_channel("bias")});
  to.set(node.output(), to.cast(made, float32, type), type);
}

/// softmax(q k^T scale + mask) v; without a scale 1 / sqrt(d).
void attention(Lowering& to, const Node& node) {
  if (to.real(node, "dropout_p") != 0) throw CannotLower("it drops out");
  if (to.flag(node, "is_causal")) throw CannotLower("it is causal");
  if (Lowering::has_argument(node, "enable_gqa") && to.flag(node, "enable_gqa")) {
    throw CannotLower("its heads share keys");
  }
  const auto type = to.compute_type();
  auto& out = to.out();
  const auto* query = node.input(0);
  const auto rank = to.rank(query);
  const double scale = to.is_none(node, "scale")
                           ? 1 / std::sqrt(static_cast<double>(to.fact(query).sizes.back()))
                           : to.real(node, "scale");
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < rank; ++i) order.push_back(i);
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  const auto keys = out.node("Transpose", {to.tensor(node.input(1), type)}, {{"perm", order}});
  const auto scaled = out.node("Mul", {to.tensor(query, type), out.number(scale, type)});
  auto weights = to.cast(out.node("MatMul", {scaled, keys}), type, float32);
  if (!to.is_none(node, "attn_mask")) {
    const auto* mask = Lowering::argument(node, "attn_mask");
    weights = to.type_of(mask) == ::onnx::TensorProto::BOOL
                  ? out.node("Where", {to.tensor(mask), weights, out.number(-1e30, float32)})
                  : out.node("Add", {weights, to.tensor(mask, float32)});
  }
  weights = to.cast(out.node("Softmax", {weights}, {{"axis", std::int64_t{-1}}}), float32, type);
  to.set(node.output(), out.node("MatMul", {weights, to.tensor(node.input(2), type)}), type);
}

std::size_t spatial(Lowering& to, const Node& node) {
  return static_cast<std::size_t>(to.rank(node.input(0)) - 2);
}

Attributes windows(Lowering& to, const Node& node) {
  const auto dimensions = spatial(to, node);
  const auto kernel = of_dimensions(to.integers(node, "kernel_size"), dimensions);
  auto stride = of_dimensions(to.integers(node, "stride"), dimensions);
  if (stride.empty()) stride = kernel;
  return {{"kernel_shape", kernel},
          {"strides", stride},
          {"pads", both_ends(of_dimensions(to.integers(node, "padding"), dimensions))},
          {"ceil_mode", std::int64_t{to.flag(node, "ceil_mode")}}};
}

void max_pool(Lowering& to, const Node& node) {
  const auto type = to.type_of(node.input(0));
  auto attributes = windows(to, node);
  attributes.emplace_back("dilations", of_dimensions(to.integers(node, "dilation"), spatial(to, node)));
  to.set(node.output(), to.out().node("MaxPool", {to.tensor(node.input(0), type)}, attributes), type);
}

void average_pool(Lowering& to, const Node& node) {
  if (!to.is_none(node, "divisor_override")) throw CannotLower("it divides by a number of its own");
  const auto type = to.type_of(node.input(0));
  auto attributes = windows(to, node);
  attributes.emplace_back("count_include_pad", std::int64_t{to.flag(node, "count_include_pad")});
  const auto made = to.out().node("AveragePool", {to.tensor(node.input(0), float32)}, attributes);
  to.set(node.output(), to.cast(made, float32, type), type);
}

/// The first pixel of each window, and the one behind its last, as torch lays them.
std::vector<std::pair<std::int64_t, std::int64_t>> windows_of(std::int64_t in, std::int64_t out) {
  std::vector<std::pair<std::int64_t, std::int64_t>> windows;
  for (std::int64_t i = 0; i < out; ++i) windows.emplace_back(i * in / out, ((i + 1) * in + out - 1) / out);
  return windows;
}

/// [out, in]: the mean over the pixels of each window.
torch::Tensor window_means(std::int64_t in, std::int64_t out) {
  auto means = torch::zeros({out, in});
  std::int64_t row = 0;
  for (const auto& [first, end] : windows_of(in, out)) {
    means[row++].slice(0, first, end).fill_(1.0 / static_cast<double>(end - first));
  }
  return means;
}

/// The maximum of each window along one dimension.
std::string window_maxima(Lowering& to, const std::string& x, std::int64_t axis, std::int64_t in,
                          std::int64_t out) {
  auto& writer = to.out();
  std::vector<std::string> maxima;
  for (const auto& [first, end] : windows_of(in, out)) {
    const auto window =
        writer.node("Slice", {x, writer.numbers({first}), writer.numbers({end}), writer.numbers({axis})});
    maxima.push_back(writer.node("ReduceMax", {window}, {{"axes", std::vector<std::int64_t>{axis}}}));
  }
  return writer.node("Concat", maxima, {{"axis", axis}});
}

/// To a fixed size, whatever the size of the map.
void adaptive_pool(Lowering& to, const Node& node, bool maximum) {
  const auto type = to.type_of(node.input(0));
  const auto wide = maximum ? type : float32;
  auto& out = to.out();
  const auto& in = to.fact(node.input(0)).sizes;
  const auto result = node.outputs()[0];
  if (node.outputs().size() > 1 && !node.outputs()[1]->uses().empty()) {
    throw CannotLower("the places of its results are used");
  }
  const auto& made_sizes = to.fact(result).sizes;
  const auto x = to.tensor(node.input(0), wide);
  std::vector<std::int64_t> windows;
  bool single = true;
  bool even = true;
  for (std::size_t i = 2; i < in.size(); ++i) {
    single = single && made_sizes[i] == 1;
    even = even && in[i] % made_sizes[i] == 0;
    windows.push_back(in[i] / made_sizes[i]);
  }
  std::string made;
  if (single) {
    made = out.node(maximum ? "GlobalMaxPool" : "GlobalAveragePool", {x});
  } else if (even) {
    made =
        out.node(maximum ? "MaxPool" : "AveragePool", {x}, {{"kernel_shape", windows}, {"strides", windows}});
  } else if (maximum) {
    made = x;
    for (std::size_t i = 2; i < in.size(); ++i) {
      made = window_maxima(to, made, static_cast<std::int64_t>(i), in[i], made_sizes[i]);
    }
  } else {
    made = out.node("MatMul", {x, out.constant(window_means(in.back(), made_sizes.back()).t(), wide)});
    if (in.size() == 4) {
      made = out.node("MatMul", {out.constant(window_means(in[2], made_sizes[2]), wide), made});
    }
  }
  to.set(result, to.cast(made, wide, type), type);
}

/// LibTorch finds the places of a map that a factor scales by that factor, and ONNX by the sizes alone: from
/// 7 to 10 rows that is 10/7 and not 1.5.
void require_factors_of_sizes(Lowering& to, const Node& node) {
  const auto& given = to.fact(node.input(0)).sizes;
  const auto& made = to.fact(node.output()).sizes;
  const auto require = [&](double factor, std::size_t axis) {
    const auto size = static_cast<double>(made.at(axis));
    if (std::abs(factor * static_cast<double>(given.at(axis)) - size) <= 1e-6 * size) return;
    throw CannotLower("it scales " + std::to_string(given[axis]) + " by " + std::to_string(factor) + " to " +
                      std::to_string(made[axis]) + ", where ONNX scales by the quotient; give it the size");
  };
  if (!to.is_none(node, "scales_h")) require(to.real(node, "scales_h"), 2);
  if (!to.is_none(node, "scales_w")) require(to.real(node, "scales_w"), 3);
  if (to.is_none(node, "scale_factors")) return;
  const auto factors = to.known(node, "scale_factors").toDoubleVector();
  for (std::size_t i = 0; i < factors.size(); ++i) require(factors[i], 2 + i);
}

void resize(Lowering& to, const Node& node, const std::string& mode) {
  if (Lowering::has_argument(node, "align_corners") && to.flag(node, "align_corners") && mode != "nearest") {
    throw CannotLower("it aligns corners");
  }
  require_factors_of_sizes(to, node);
  const auto type = to.type_of(node.input(0));
  const auto& made = to.fact(node.output()).sizes;
  auto& out = to.out();
  Attributes attributes = {
      {"mode", mode},
      {"coordinate_transformation_mode", std::string(mode == "nearest" ? "asymmetric" : "half_pixel")}};
  if (mode == "nearest") attributes.emplace_back("nearest_mode", std::string("floor"));
  if (mode == "cubic") attributes.emplace_back("cubic_coeff_a", -0.75F);
  // Sizes, not scales: a scale in 32 bits that was rounded down would make a map that is one row too small.
  const auto x = to.tensor(node.input(0), float32);
  const auto kept = out.node("Slice", {out.node("Shape", {x}), out.numbers({0}), out.numbers({2})});
  const auto sizes =
      out.node("Concat", {kept, out.numbers({made.begin() + 2, made.end()})}, {{"axis", std::int64_t{0}}});
  const auto result = out.node("Resize", {x, "", "", sizes}, attributes);
  to.set(node.output(), to.cast(result, float32, type), type);
}

}  // namespace

void add_layers(LoweringTable& table) {
  for (const auto* name : {"aten::_convolution", "aten::conv2d", "aten::conv1d", "aten::convolution"}) {
    table[name] = convolution;
  }
  table["aten::linear"] = linear;
  for (const auto* name : {"aten::matmul", "aten::mm", "aten::bmm"}) table[name] = product;
  table["aten::addmm"] = [](Lowering& to, const Node& node) { add_product(to, node, "mat1", "mat2"); };
  table["aten::baddbmm"] = [](Lowering& to, const Node& node) { add_product(to, node, "batch1", "batch2"); };
  table["aten::einsum"] = einsum;
  table["aten::batch_norm"] = batch_norm;
  table["aten::instance_norm"] = instance_norm;
  table["aten::layer_norm"] = layer_norm;
  table["aten::group_norm"] = group_norm;
  table["aten::scaled_dot_product_attention"] = attention;
  table["aten::max_pool2d"] = max_pool;
  table["aten::avg_pool2d"] = average_pool;
  for (const auto* name : {"aten::adaptive_avg_pool2d", "aten::adaptive_avg_pool1d"}) {
    table[name] = [](Lowering& to, const Node& node) { adaptive_pool(to, node, false); };
  }
  for (const auto* name : {"aten::adaptive_max_pool2d", "aten::adaptive_max_pool1d"}) {
    table[name] = [](Lowering& to, const Node& node) { adaptive_pool(to, node, true); };
  }
  table["aten::upsample_nearest2d"] = [](Lowering& to, const Node& node) { resize(to, node, "nearest"); };
  table["aten::upsample_bilinear2d"] = [](Lowering& to, const Node& node) { resize(to, node, "linear"); };
  table["aten::upsample_bicubic2d"] = [](Lowering& to, const Node& node) { resize(to, node, "cubic"); };
}

}  // namespace kindred::onnx
