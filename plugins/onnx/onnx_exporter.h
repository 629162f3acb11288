// Models as ONNX files.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/exporter.h"

namespace kindred::onnx {

/// ONNX of opset 17, IR version 8, in one file. The metadata hold ExportedModel::about.
class OnnxExporter final : public Exporter {
 public:
  struct Params {};
  static Schema<Params> schema();

  OnnxExporter(const Params& params, const Context& context);

  [[nodiscard]] std::string ending() const override { return "onnx"; }
  void write(const ExportedModel& model, const std::filesystem::path& file) const override;
  /// By the Python package of ONNX Runtime, in the context's interpreter.
  [[nodiscard]] ExportRun run(const std::filesystem::path& file,
                              const std::vector<std::vector<torch::Tensor>>& batches) const override;

 private:
  std::string python_;
};

/// The model in memory, checked by ONNX's own checker and by its inference of types and shapes.
[[nodiscard]] ::onnx::ModelProto to_onnx(const ExportedModel& model);

}  // namespace kindred::onnx
