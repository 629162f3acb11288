// Role "exporter": writes a trained model as a file of other programs.
#pragma once

#include <c10/core/ScalarType.h>
#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kindred/core/export.h"

namespace torch::jit {
struct Graph;
}

namespace kindred {

/// A tensor that goes into an exported model, or comes out.
struct KINDRED_API ExportedTensor {
  /// The size of a dimension that is any, as is that of those of the same name.
  struct Size {
    std::int64_t size = -1;  ///< -1: any
    std::string name{};      ///< of one that is any: "batch"
  };
  std::string name;  ///< "images"
  c10::ScalarType type = c10::ScalarType::Float;
  std::vector<Size> sizes;
};

/// All that a file needs to hold.
struct KINDRED_API ExportedModel {
  /// Tensors to the descriptors, rows of length 1. Without parameters: weights are constants in it, 32-bit
  /// floats, and batch norms are folded into convolutions where they can be. No operation changes a tensor.
  /// The scope of a node is the module that it stands in, or the smallest around it that is known.
  std::shared_ptr<torch::jit::Graph> graph;
  std::vector<ExportedTensor> inputs;  ///< of the graph, in its order
  ExportedTensor output;
  std::vector<torch::Tensor> example;  ///< of the inputs, on the CPU
  bool half = false;  ///< weights and computation in 16-bit floats, inputs and output as above
  std::vector<std::pair<std::string, std::string>> about;  ///< what a user of the file has to know
};

/// What another program made of a written file.
struct KINDRED_API ExportRun {
  std::string runtime;                 ///< "ONNX Runtime 1.20.0"
  std::vector<torch::Tensor> outputs;  ///< for each batch
  std::string why_not;                 ///< what is missing, and how to get it; "" when it has run
};

class KINDRED_API Exporter {
 public:
  using Role = Exporter;
  using Handle = std::unique_ptr<Exporter>;
  static constexpr std::string_view role_name = "exporter";
  struct Context {
    std::string python = "python3";  ///< an interpreter, for runtimes that are packages of Python
  };

  virtual ~Exporter();

  /// What names of its files end in: "onnx".
  [[nodiscard]] virtual std::string ending() const = 0;

  /// Writes the file, which does not exist. Throws ComponentError that names the operation that the format
  /// does not have, with the module that it stands in, and DataError when the file cannot be written.
  virtual void write(const ExportedModel& model, const std::filesystem::path& file) const = 0;

  /// Runs a written file in the program that it is for, on the CPU, to compare what comes out. Throws
  /// ComponentError when that program refuses the file.
  /// @param batches for each the tensors of the inputs
  [[nodiscard]] virtual ExportRun run(const std::filesystem::path& file,
                                      const std::vector<std::vector<torch::Tensor>>& batches) const = 0;
};

}  // namespace kindred
