#include "kindred/core/plugin.h"

#include "onnx_exporter.h"

KINDRED_PLUGIN("onnx", "1.0.0", "Writes models as ONNX files") {
  catalog.add<kindred::onnx::OnnxExporter>("onnx");
}
