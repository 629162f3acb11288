// ONNX Runtime, by its Python package.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/role/exporter.h"

namespace kindred::onnx {

/// Runs a model in a process of its own. Throws ComponentError with what ONNX Runtime says when it refuses
/// the model, and DataError when files for the exchange cannot be written.
/// @param python the interpreter, which may have the package or not, or not exist
/// @param names of the model's inputs
[[nodiscard]] ExportRun run_in_onnx_runtime(const std::string& python, const std::filesystem::path& model,
                                            const std::vector<std::string>& names,
                                            const std::vector<std::vector<torch::Tensor>>& batches);

}  // namespace kindred::onnx
