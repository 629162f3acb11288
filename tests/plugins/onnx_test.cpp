// Operations of LibTorch, each alone in a graph, as ONNX: accepted by ONNX's own checker, and computed alike
// by ONNX Runtime where a Python has it.
#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <onnx/onnx_pb.h>
#include <torch/csrc/api/include/torch/jit.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/passes/lower_tuples.h>
#include <torch/csrc/jit/runtime/interpreter.h>
#include <torch/torch.h>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/role/exporter.h"
#include "onnx_exporter.h"
#include "onnx_runtime.h"
#include "temporary_folder.h"

namespace kindred::test {
namespace {

struct Snippet {
  std::string name;
  std::string code;  ///< of x [N, 4, 6, 5] and the weights w [6, 4, 3, 3], v [4], m [5, 7] and k [7, 5]
};

const std::vector<Snippet>& snippets() {
  static const std::vector<Snippet> all = {
      // Element by element.
      {"signs", "torch.relu(x) + torch.abs(x) - torch.neg(x) * torch.sign(x)"},
      {"roundings", "torch.floor(x * 3) + torch.ceil(x) * 2 + torch.round(x * 5)"},
      {"curves", "torch.sigmoid(x) + torch.tanh(x) * torch.exp(x) + torch.erf(x)"},
      {"roots", "torch.sqrt(torch.abs(x) + 1) + torch.rsqrt(torch.abs(x) + 1) + torch.log(torch.abs(x) + 2)"},
      {"activations",
       "torch.gelu(x) + torch.gelu(x, approximate='tanh') + torch.silu(x) + "
       "torch.leaky_relu(x, 0.1) + torch.hardswish(x)"},
      {"soft bounds", "torch.softplus(x) + torch.softplus(x * 5, 0.5) + torch.softplus(x, 2.0, 30.0)"},
      {"sums with a factor",
       "torch.add(x, x * x, alpha=0.5) - torch.sub(x, 2.0, alpha=3) + torch.rsub(x, 1.0)"},
      {"quotients", "x / 3 + torch.reciprocal(x * x + 1) + torch.div(x, 0.3, rounding_mode='floor')"},
      {"powers", "torch.pow(x, 2) + torch.pow(torch.abs(x) + 0.1, 1.5) + torch.square(x)"},
      {"bounds", "torch.clamp(x, -0.5, 0.7) + torch.clamp_min(x, 0.1) + torch.clamp_max(x, 0.2)"},
      {"whole numbers",
       "torch.clamp((x * 10).to(4), 0.5).to(6) + torch.clamp((x * 10).to(4), -2, 3).to(6) + "
       "torch.floor_divide((x * 10).to(4), 3).to(6) + torch.floor_divide((x * 10).to(4), -4).to(6)"},
      {"pairs", "torch.minimum(x, x * x) + torch.maximum(x, -x)"},
      {"comparisons",
       "torch.where(x > 0.2, x, x * 2) + (x < 0).to(6) + (x >= 0.5).to(6) + "
       "(x <= -0.5).to(6) + (x == 0).to(6) + (x != 0).to(6)"},
      {"logic",
       "torch.logical_and(x > 0, x < 1).to(6) + torch.logical_or(x > 1, torch.logical_not(x < "
       "0)).to(6)"},
      {"masks", "torch.masked_fill(x, x > 0.5, -2.0)"},
      // Sizes and places.
      {"views", "x.view(x.size(0), 4, 30).reshape(-1, 2, 60)"},
      {"flatten", "torch.flatten(x, 2)"},
      {"orders", "x.permute(0, 2, 3, 1).transpose(1, 3)"},
      {"ones", "torch.squeeze(x.unsqueeze(1).unsqueeze(-1), 1)"},
      {"expansions", "v.view(1, 4, 1, 1).expand(x.size(0), -1, 6, 5) * x + v.view(4, 1, 1).expand_as(x)"},
      {"repeats", "x.repeat(1, 2, 1, 3)"},
      {"lists", "torch.cat([x, x * 2], 1) * torch.stack([x, x + 1], 1).flatten(1, 2)"},
      {"parts", "x[:, 1:3] + x[:, ::2] + x.narrow(1, 1, 2) + x.select(1, 2).unsqueeze(1)"},
      {"parts at the end", "x.narrow(1, -2, 2) + x.narrow(1, -3, 2)"},
      {"chunks", "torch.chunk(x, 2, 1)[1] + torch.split(x, 2, 1)[0] + torch.split(x, [1, 3], 1)[0]"},
      {"chunks of batches", "torch.chunk(torch.cat([x, x * 2, x * 3], 0), 3, 0)[1]"},
      {"unbind", "torch.unbind(x, 2)[3] - torch.unbind(x, 2)[0]"},
      {"rows", "torch.index_select(x, 1, torch.tensor([3, 0, 2])) + x[:, torch.tensor([1, 1, 0])]"},
      {"rolls", "torch.roll(x, [2, -1], [2, 3]) + torch.flip(x, [3, 2])"},
      {"counts", "x * torch.arange(x.size(3), device=x.device).to(6)"},
      {"counts in steps",
       "x * torch.arange(1, 2 * x.size(3), 2).to(6) + torch.arange(x.size(3), 0, -1).to(6)"},
      {"filled",
       "x + torch.zeros([x.size(0), 1, 6, 5]) + torch.ones_like(x) + torch.full([1, 5], 2.5) + "
       "torch.full_like(x, 0.5) + torch.full_like((x * 10).to(4), 0.5, dtype=6)"},
      {"pads", "torch.constant_pad_nd(x, [1, 2, 0, 3], 0.25)"},
      {"gathers", "torch.gather(x, 3, (x > 0).to(4) * 2)"},
      // Over dimensions.
      {"sums", "x.sum([2, 3]) + x.mean([2, 3]) + torch.amax(x, [2, 3]) + torch.amin(x, [2, 3])"},
      {"extremes", "torch.max(x, 1)[0] - torch.min(x, 1)[0]"},
      {"lengths",
       "torch.norm(x, 2, [1], True) + torch.linalg_vector_norm(x, 1.0, [1], True) + torch.norm(x, 3, [1], "
       "True)"},
      {"deviations",
       "torch.std(x, [2, 3], True, True) + torch.var(x, [1], False, True) + torch.logsumexp(x, [3], True)"},
      {"softmax", "torch.softmax(x, 1) + torch.log_softmax(x, -1)"},
      // Layers.
      {"convolution", "torch.conv2d(x, w, None, [2, 1], [1, 1], [1, 1], 1)"},
      {"dilated convolution", "torch.conv2d(x, w, m[0:1].flatten()[0:6], [1, 1], [2, 2], [2, 2], 1)"},
      {"grouped convolution", "torch.conv2d(x, w[0:4, 0:1], None, [1, 1], [0, 1], [1, 1], 4)"},
      {"products", "torch.matmul(x, m) + torch.linear(x, k, k[:, 0])"},
      {"product of a matrix",
       "torch.linear(x.mean([1, 2]), k, k[:, 1]) + torch.addmm(k[:, 0], x.mean([1, 2]), m, "
       "beta=0.5, alpha=2)"},
      {"batched products",
       "torch.bmm(x[:, 0], x[:, 1].transpose(1, 2)) + torch.einsum('nij, nkj -> nik', [x[:, 2], x[:, 3]])"},
      {"batch norm", "torch.batch_norm(x, v, v * 2, v * 0.1, v * v + 0.5, False, 0.1, 1e-5, False)"},
      {"instance norm", "torch.instance_norm(x, v, v, None, None, True, 0.1, 1e-5, False)"},
      {"layer norm",
       "torch.layer_norm(x, [5], m[:, 0], m[:, 1], 1e-6) + torch.layer_norm(x, [6, 5], None, None)"},
      {"group norm", "torch.group_norm(x, 2, v, v, 1e-5)"},
      {"pooling",
       "torch.cat([torch.max_pool2d(x, [3, 3], [2, 2], [1, 1], [1, 1], True).flatten(1), torch.avg_pool2d(x, "
       "[2, 2], "
       "[2, 2], [0, 0], True).flatten(1)], 1)"},
      {"pooling with a rim",
       "torch.avg_pool2d(x, [3, 3], [2, 2], [1, 1], False, False) + torch.avg_pool2d(x, [3, 3], [2, 2], [1, "
       "1], False, True)"},
      {"adaptive pooling",
       "torch.adaptive_avg_pool2d(x, [1, 1]) + torch.adaptive_avg_pool2d(x, [3, "
       "5]).sum() * 0 + "
       "torch.adaptive_avg_pool2d(x, [4, 2])"},
      {"adaptive maximum", "torch.adaptive_max_pool2d(x, [2, 1])[0]"},
      {"adaptive maximum of uneven windows",
       "torch.adaptive_max_pool2d(x, [4, 1])[0] + torch.adaptive_max_pool2d(x, [4, 2])[0]"},
      {"adaptive pooling of sequences",
       "torch.adaptive_avg_pool1d(x[:, 0], [3]) - torch.adaptive_max_pool1d(x[:, 1], [3])[0]"},
      {"larger maps",
       "torch.upsample_nearest2d(x, [12, 10]) + torch.upsample_bilinear2d(x, [12, 10], False) + "
       "torch.upsample_bicubic2d(x, [12, 10], False)"},
      {"maps that factors enlarge", "torch.upsample_bilinear2d(x, [9, 10], False, 1.5, 2.0)"},
      // 31/14 and 26/11, rounded to 32 bits, are too small.
      {"maps of odd sizes",
       "torch.upsample_bilinear2d(torch.constant_pad_nd(x, [3, 3, 4, 4]), [31, 26], False)"},
  };
  return all;
}

struct Weights {
  torch::Tensor w = torch::randn({6, 4, 3, 3}) * 0.3;
  torch::Tensor v = torch::rand({4}) + 0.5;
  torch::Tensor m = torch::randn({5, 7});
  torch::Tensor k = torch::randn({7, 5});
};

/// forward(x) of a source with a function main(x, w, v, m, k).
std::shared_ptr<torch::jit::Graph> compiled(const std::string& source, const Weights& weights) {
  const auto unit = torch::jit::compile(source);
  auto graph = torch::jit::toGraphFunction(unit->get_function("main")).graph()->copy();
  torch::jit::Inline(*graph);
  torch::jit::LowerSimpleTuples(graph);
  const torch::jit::WithInsertPoint here(*graph->nodes().begin());
  const std::vector<torch::Tensor> known = {weights.w, weights.v, weights.m, weights.k};
  for (std::size_t i = 0; i < known.size(); ++i) {
    graph->inputs()[i + 1]->replaceAllUsesWith(graph->insertConstant(known[i]));
  }
  for (std::size_t i = known.size(); i > 0; --i) graph->eraseInput(i);
  torch::jit::ConstantPropagation(graph);
  torch::jit::EliminateDeadCode(graph);
  return graph;
}

std::string main_of(const std::string& code) {
  return "def main(x, w, v, m, k):\n    y = " + code + "\n    return y.flatten(1)\n";
}

torch::Tensor computed(const std::shared_ptr<torch::jit::Graph>& graph, const torch::Tensor& x) {
  torch::jit::Stack stack{x};
  torch::jit::InterpreterState(torch::jit::Code(graph, "main")).run(stack);
  return stack.at(0).toTensor();
}

ExportedModel model_of(const std::shared_ptr<torch::jit::Graph>& graph, bool half = false) {
  ExportedModel model;
  model.graph = graph;
  model.example = {torch::randn({3, 4, 6, 5})};
  model.inputs = {{"images", torch::kFloat, {{-1, "batch"}, {4, ""}, {6, ""}, {5, ""}}}};
  model.output = {"output", torch::kFloat, {{-1, "batch"}, {computed(graph, model.example[0]).size(1), ""}}};
  model.half = half;
  return model;
}

std::string python() {
  const char* given = std::getenv("KINDRED_PYTHON");
  return given == nullptr ? "python3" : given;
}

ExportRun run_in(const std::shared_ptr<torch::jit::Graph>& graph, const std::vector<torch::Tensor>& inputs,
                 bool half = false) {
  const TemporaryFolder folder;
  const onnx::OnnxExporter exporter({}, {python()});
  exporter.write(model_of(graph, half), folder / "model.onnx");
  std::vector<std::vector<torch::Tensor>> batches;
  for (const auto& input : inputs) batches.push_back({input});
  return exporter.run(folder / "model.onnx", batches);
}

}  // namespace

TEST_CASE("ONNX's checker accepts each operation") {
  torch::manual_seed(1);
  const Weights weights;
  for (const auto& snippet : snippets()) {
    CAPTURE(snippet.name);
    try {
      const auto proto = onnx::to_onnx(model_of(compiled(main_of(snippet.code), weights)));
      CHECK(proto.graph().node_size() > 0);
    } catch (const std::exception& error) {
      FAIL_CHECK(std::string(error.what()));
    }
  }
}

TEST_CASE("ONNX Runtime computes what LibTorch does, for batches of any size") {
  at::set_num_threads(1);
  torch::manual_seed(2);
  const Weights weights;
  std::string source = "def main(x, w, v, m, k):\n";
  std::string all;
  for (std::size_t i = 0; i < snippets().size(); ++i) {
    const auto name = "y" + std::to_string(i);
    source += "    " + name + " = " + snippets()[i].code + "\n";
    all += (i == 0 ? "" : ", ") + name + ".reshape(x.size(0), -1)";
  }
  source += "    return torch.cat([" + all + "], 1)\n";
  const auto graph = compiled(source, weights);
  std::vector<torch::Tensor> inputs;
  for (const auto images : {1, 2, 5}) inputs.push_back(torch::randn({images, 4, 6, 5}));
  const auto run = run_in(graph, inputs);
  if (!run.why_not.empty()) {
    MESSAGE("left out: " << run.why_not);
    return;
  }
  REQUIRE(run.outputs.size() == 3);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto images = inputs[i].size(0);
    CAPTURE(images);
    std::int64_t column = 0;
    for (const auto& snippet : snippets()) {
      CAPTURE(snippet.name);
      const auto expected =
          computed(compiled(main_of(snippet.code), weights), inputs[i]).reshape({images, -1});
      const auto rows = run.outputs[i].narrow(1, column, expected.size(1));
      column += expected.size(1);
      CHECK((rows - expected).abs().max().item<float>() < 2e-5F);
    }
    CHECK(column == run.outputs[i].size(1));
  }
}

TEST_CASE("a negative place of a row, which LibTorch refuses, is no place from the end") {
  torch::manual_seed(5);
  const Weights weights;
  const auto graph =
      compiled(main_of("torch.index_select(v, 0, (x[:, 0, 0, 0] > 5).to(4) * -1).unsqueeze(1)"), weights);
  const auto first = run_in(graph, {torch::zeros({2, 4, 6, 5})});
  if (!first.why_not.empty()) {
    MESSAGE("left out: " << first.why_not);
    return;
  }
  CHECK(torch::equal(first.outputs.at(0), weights.v.slice(0, 0, 1).expand({2, 1})));
  CHECK_THROWS_WITH_AS(static_cast<void>(run_in(graph, {torch::full({2, 4, 6, 5}, 10.0)})),
                       doctest::Contains("ONNX Runtime does not run the file"), ComponentError);
}

TEST_CASE("in 16 bits weights are, inputs and output are not, and the result is near") {
  torch::manual_seed(3);
  const Weights weights;
  const auto graph = compiled(
      "def main(x, w, v, m, k):\n"
      "    y = torch.relu(torch.conv2d(x, w, None, [1, 1], [1, 1], [1, 1], 1))\n"
      "    y = torch.layer_norm(y, [5], m[:, 0], m[:, 1], 1e-5) + y\n"
      "    y = torch.softmax(torch.matmul(y, m), -1).mean([2])\n"
      "    y = y.flatten(1)\n"
      "    return y / torch.clamp_min(torch.norm(y, 2, [1], True), 1e-12)\n",
      weights);
  const auto proto = onnx::to_onnx(model_of(graph, true));
  CHECK(proto.graph().input(0).type().tensor_type().elem_type() == ::onnx::TensorProto::FLOAT);
  CHECK(proto.graph().output(0).type().tensor_type().elem_type() == ::onnx::TensorProto::FLOAT);
  int half = 0;
  for (const auto& tensor : proto.graph().initializer()) {
    if (tensor.data_type() == ::onnx::TensorProto::FLOAT16) ++half;
    const bool is_convolution = tensor.dims_size() == 4;
    if (is_convolution) CHECK(tensor.data_type() == ::onnx::TensorProto::FLOAT16);
  }
  CHECK(half >= 2);
  const auto x = torch::randn({4, 4, 6, 5});
  const auto run = run_in(graph, {x}, true);
  if (!run.why_not.empty()) {
    MESSAGE("left out: " << run.why_not);
    return;
  }
  const auto difference = (run.outputs[0] - computed(graph, x)).abs().max().item<float>();
  CHECK(difference < 5e-3F);
  CHECK(difference > 0);
}

TEST_CASE("an operation that ONNX does not have is named, with the module that it stands in") {
  const Weights weights;
  const auto graph = compiled(main_of("torch.cumsum(torch.relu(x), 1)"), weights);
  for (auto* node : graph->nodes()) {
    node->setScope(graph->current_scope()->push(c10::Symbol::scope("head.counter")));
  }
  const auto message = message_of<ComponentError>([&] { static_cast<void>(onnx::to_onnx(model_of(graph))); });
  CHECK(message.find("the operation aten::cumsum in the module 'head.counter' cannot be written as ONNX") !=
        std::string::npos);
  CHECK(message.find("--to torchscript") != std::string::npos);
}

TEST_CASE("what an operation asks for that ONNX cannot say is named too") {
  const Weights weights;
  const auto reason = [&](const std::string& code) {
    return message_of<ComponentError>(
        [&] { static_cast<void>(onnx::to_onnx(model_of(compiled(main_of(code), weights)))); });
  };
  CHECK(reason("torch.chunk(x, 2, 0)[0]").find("it parts a batch of images unevenly") != std::string::npos);
  CHECK(reason("torch.roll(x, [1], [0])").find("it parts a batch of images") != std::string::npos);
  CHECK(reason("torch.max(x, 1)[1].to(6)").find("places of its results") != std::string::npos);
  CHECK(reason("torch.softplus(x, 1.0, 3.0)").find("it is x itself from 3.0") != std::string::npos);
  CHECK(reason("torch.round(x, decimals=1)").find("it rounds to decimals") != std::string::npos);
  CHECK(reason("torch.norm(x, 0, [1], True)").find("its order is 0") != std::string::npos);
  CHECK(reason("x * torch.arange(0.5, x.size(3)).to(6)").find("it counts in fractions") != std::string::npos);
  for (const auto* op :
       {"nearest2d(x, [9, 7]", "bilinear2d(x, [9, 7], False", "bicubic2d(x, [9, 7], False"}) {
    CHECK(reason(std::string("torch.upsample_") + op + ", 1.5, 1.5)").find("it scales 5 by 1.5") !=
          std::string::npos);
  }
}

TEST_CASE("metadata, names and sizes are in the file, and equal models give equal bytes") {
  torch::manual_seed(4);
  const Weights weights;
  auto model = model_of(compiled(main_of("torch.conv2d(x, w, None, [1, 1], [1, 1], [1, 1], 1)"), weights));
  model.about = {{"mean", "0.5, 0.5, 0.5"}};
  const TemporaryFolder folder;
  const onnx::OnnxExporter exporter({}, {});
  exporter.write(model, folder / "a.onnx");
  exporter.write(model, folder / "b.onnx");
  CHECK(read_bytes(folder / "a.onnx") == read_bytes(folder / "b.onnx"));
  ::onnx::ModelProto proto;
  REQUIRE(proto.ParseFromString(read_bytes(folder / "a.onnx")));
  CHECK(proto.opset_import(0).version() == 17);
  REQUIRE(proto.metadata_props_size() == 1);
  CHECK(proto.metadata_props(0).value() == "0.5, 0.5, 0.5");
  const auto& shape = proto.graph().input(0).type().tensor_type().shape();
  CHECK(proto.graph().input(0).name() == "images");
  CHECK(shape.dim(0).dim_param() == "batch");
  CHECK(shape.dim(1).dim_value() == 4);
  CHECK(proto.graph().output(0).name() == "output");
}

TEST_CASE("without ONNX Runtime the reason is given; a file that is no model is refused") {
  const TemporaryFolder folder;
  const std::vector<std::vector<torch::Tensor>> batches = {{torch::zeros({1, 4, 6, 5})}};
  const auto nowhere = onnx::run_in_onnx_runtime("no-such-python", "model.onnx", {"images"}, batches);
  CHECK(nowhere.why_not.find("there is no program 'no-such-python'") != std::string::npos);
  CHECK(nowhere.why_not.find("pip install onnxruntime") != std::string::npos);
  const auto broken = folder.write("broken.onnx", "not a model");
  const auto run = [&] {
    static_cast<void>(onnx::run_in_onnx_runtime(python(), broken, {"images"}, batches));
  };
  const auto there = run_in(compiled(main_of("x"), Weights()), {torch::zeros({1, 4, 6, 5})});
  if (!there.why_not.empty()) {
    MESSAGE("left out: " << there.why_not);
    return;
  }
  CHECK(there.runtime.starts_with("ONNX Runtime "));
  CHECK_THROWS_WITH_AS(run(), doctest::Contains("ONNX Runtime does not run the file"), ComponentError);
}

}  // namespace kindred::test
