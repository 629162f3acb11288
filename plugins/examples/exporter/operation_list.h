// Models as lists of their operations.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/exporter.h"

namespace my_plugins {

/// A CSV file with a line for each operation of a model in the order of computation: the module that it
/// stands in, and its name. Constants and lists of numbers are left out unless they are asked for. It is for
/// reading, so there is nothing to run.
class OperationList final : public kindred::Exporter {
 public:
  struct Params {
    bool constants = false;
  };
  static kindred::Schema<Params> schema();

  OperationList(const Params& params, const Context& context);

  [[nodiscard]] std::string ending() const override { return "csv"; }
  void write(const kindred::ExportedModel& model, const std::filesystem::path& file) const override;
  [[nodiscard]] kindred::ExportRun run(const std::filesystem::path& file,
                                       const std::vector<std::vector<torch::Tensor>>& batches) const override;

 private:
  Params params_;
};

}  // namespace my_plugins
