#include "command/export.h"

#include <c10/core/GradMode.h>
#include <doctest/doctest.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/interpreter.h>
#include <torch/types.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "framework/application/made_model.h"
#include "kindred/core/error.h"
#include "kindred/core/schema.h"
#include "kindred/role/exporter.h"
#include "plugin/plugin_loader.h"
#include "progress/progress.h"
#include "temporary_folder.h"
#include "test_paths.h"

using namespace kindred;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

/// Its program is LibTorch, which gives no numbers for one of the batches.
class Unsteady final : public Exporter {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Is run by LibTorch."); }
  static inline std::size_t broken_batch = 0;

  Unsteady(const Params& /*params*/, const Context& /*context*/) {}

  [[nodiscard]] std::string ending() const override { return "txt"; }
  void write(const ExportedModel& model, const fs::path& file) const override {
    graph_ = model.graph;
    std::ofstream(file) << "a graph";
  }
  [[nodiscard]] ExportRun run(const fs::path& /*file*/,
                              const std::vector<std::vector<torch::Tensor>>& batches) const override {
    const torch::NoGradGuard no_gradients;
    ExportRun run;
    run.runtime = "a program";
    for (const auto& batch : batches) {
      torch::jit::Stack stack(batch.begin(), batch.end());
      torch::jit::InterpreterState(torch::jit::Code(graph_, "forward")).run(stack);
      auto rows = stack.at(0).toTensor().clone();
      if (run.outputs.size() == broken_batch) rows.fill_(std::numeric_limits<float>::quiet_NaN());
      run.outputs.push_back(rows);
    }
    return run;
  }

 private:
  mutable std::shared_ptr<torch::jit::Graph> graph_;
};

}  // namespace

TEST_CASE("a file whose program gives no numbers for one batch does not appear, whichever that is") {
  const TemporaryFolder folder;
  auto plugins = plugin::load_plugins({fs::path(build_directory) / "lib/kindred/plugins"});
  plugins.catalog.add<Unsteady>("unsteady");
  command::ExportRequest request;
  request.model = write_made_model(folder);
  request.format = "unsteady";
  request.out = folder / "model.txt";
  progress::SilentProgress silent;
  constexpr std::size_t batches = 3;  // of the eight random images
  for (std::size_t broken = 0; broken < batches; ++broken) {
    CAPTURE(broken);
    Unsteady::broken_batch = broken;
    CHECK(message_of<Error>([&] {
            static_cast<void>(command::export_model(request, plugins.catalog, silent));
          }).find("a program gives other descriptors than the model") != std::string::npos);
    CHECK_FALSE(fs::exists(request.out));
  }
  Unsteady::broken_batch = batches;
  const auto outcome = command::export_model(request, plugins.catalog, silent);
  CHECK(outcome.images == 8);
  CHECK(outcome.largest_difference < 1e-4);
  CHECK(fs::exists(request.out));
}
