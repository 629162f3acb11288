// Models as TorchScript files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/exporter.h"

namespace kindred::torchscript {

/// What torch.jit.load() and torch::jit::load() read: one method, forward(). The file's extra file
/// "about.txt" holds ExportedModel::about, a line "KEY: VALUE" for each.
class TorchScriptExporter final : public Exporter {
 public:
  struct Params {};
  static Schema<Params> schema();

  TorchScriptExporter(const Params& params, const Context& context);

  [[nodiscard]] std::string ending() const override { return "pt"; }
  void write(const ExportedModel& model, const std::filesystem::path& file) const override;
  [[nodiscard]] ExportRun run(const std::filesystem::path& file,
                              const std::vector<std::vector<torch::Tensor>>& batches) const override;
};

}  // namespace kindred::torchscript
