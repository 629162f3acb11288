#include "onnx_exporter.h"

#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include <cerrno>
#include <cstdint>
#include <exception>
#include <fstream>
#include <limits>
#include <system_error>

#include "kindred/core/error.h"
#include "lowering.h"
#include "onnx_runtime.h"

namespace kindred::onnx {
namespace {

constexpr std::int64_t ir_version = 8;

void require_valid(const ::onnx::ModelProto& proto) {
  try {
    ::onnx::checker::check_model(proto);
    auto inferred = proto;
    ::onnx::ShapeInferenceOptions options;
    options.check_type = true;
    options.error_mode = 1;
    options.enable_data_propagation = true;
    ::onnx::shape_inference::InferShapes(inferred, ::onnx::OpSchemaRegistry::Instance(), options);
  } catch (const std::exception& error) {
    throw ComponentError("exporter/onnx", std::string("ONNX's own check refuses the graph: ") + error.what() +
                                              ". Please report it, with the recipe of the model");
  }
}

std::vector<std::string> input_names(const std::filesystem::path& file) {
  ::onnx::ModelProto proto;
  std::ifstream in(file, std::ios::binary);
  if (!in || !proto.ParseFromIstream(&in)) throw DataError(file, "is not an ONNX model");
  std::vector<std::string> names;
  for (const auto& input : proto.graph().input()) names.push_back(input.name());
  return names;
}

}  // namespace

Schema<OnnxExporter::Params> OnnxExporter::schema() {
  return Schema<Params>(
      "ONNX, opset 17: for ONNX Runtime, OpenVINO, TensorRT, OpenCV and trackers such as BoxMOT.");
}

OnnxExporter::OnnxExporter(const Params& /*params*/, const Context& context) : python_(context.python) {}

::onnx::ModelProto to_onnx(const ExportedModel& model) {
  ::onnx::ModelProto proto;
  proto.set_ir_version(ir_version);
  proto.set_producer_name("Kindred");
  auto& operations = *proto.add_opset_import();
  operations.set_domain("");
  operations.set_version(opset);
  proto.mutable_graph()->set_name("kindred");
  for (const auto& [key, value] : model.about) {
    auto& entry = *proto.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  Lowering(model, proto).run();
  if (proto.ByteSizeLong() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw ComponentError(
        "exporter/onnx",
        "the model is larger than 2 GiB, which an ONNX file cannot be; export in 16 bits, or to "
        "TorchScript: --to torchscript");
  }
  require_valid(proto);
  return proto;
}

void OnnxExporter::write(const ExportedModel& model, const std::filesystem::path& file) const {
  const auto proto = to_onnx(model);
  errno = 0;
  std::ofstream out(file, std::ios::binary);
  const bool written = out && proto.SerializeToOstream(&out);
  out.close();
  if (!written || !out) throw DataError(file, "cannot be written: " + std::generic_category().message(errno));
}

ExportRun OnnxExporter::run(const std::filesystem::path& file,
                            const std::vector<std::vector<torch::Tensor>>& batches) const {
  return run_in_onnx_runtime(python_, file, input_names(file), batches);
}

}  // namespace kindred::onnx
