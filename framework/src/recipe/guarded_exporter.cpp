#include <torch/types.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/role/exporter.h"
#include "recipe/guard.h"
#include "recipe/guarded.h"

namespace kindred::recipe {
namespace {

class GuardedExporter final : public Guard<Exporter> {
 public:
  using Guard::Guard;
  [[nodiscard]] std::string ending() const override {
    auto ending = call([&] { return inner_->ending(); });
    if (ending.empty() || ending.find_first_of("./") != std::string::npos) {
      gave("'" + ending + "' as what the names of its files end in; it is a word, such as 'onnx'");
    }
    return ending;
  }
  void write(const ExportedModel& model, const std::filesystem::path& file) const override {
    call([&] { inner_->write(model, file); });
    if (!std::filesystem::is_regular_file(file)) gave("no file");
  }
  [[nodiscard]] ExportRun run(const std::filesystem::path& file,
                              const std::vector<std::vector<torch::Tensor>>& batches) const override {
    auto done = call([&] { return inner_->run(file, batches); });
    if (!done.why_not.empty()) return done;
    if (done.outputs.size() != batches.size()) {
      gave(std::to_string(done.outputs.size()) + " outputs for " + std::to_string(batches.size()) +
           " batches");
    }
    for (std::size_t i = 0; i < batches.size(); ++i) {
      const auto& rows = done.outputs[i];
      const bool fits = rows.defined() && rows.dim() == 2 && rows.scalar_type() == torch::kFloat &&
                        rows.size(0) == batches[i].at(0).size(0);
      if (!fits) gave("something else than one row of 32-bit floats for each image");
    }
    return done;
  }
};

}  // namespace

std::unique_ptr<Exporter> guard(std::unique_ptr<Exporter> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedExporter>(std::move(inner), info);
}

}  // namespace kindred::recipe
