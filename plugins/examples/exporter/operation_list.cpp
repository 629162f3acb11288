#include "operation_list.h"

#include <torch/csrc/jit/ir/ir.h>

#include <fstream>

#include "kindred/core/error.h"

namespace my_plugins {

kindred::Schema<OperationList::Params> OperationList::schema() {
  kindred::Schema<Params> s("A list of a model's operations as CSV, to read.");
  s.add("constants", &Params::constants, "list constants, and lists of numbers, too");
  return s;
}

OperationList::OperationList(const Params& params, const Context&) : params_(params) {}

void OperationList::write(const kindred::ExportedModel& model, const std::filesystem::path& file) const {
  std::ofstream out(file);
  out << "module,operation\n";
  for (const auto* node : model.graph->nodes()) {
    const bool computes = node->kind().is_aten();
    if (computes || params_.constants) out << node->scopeName() << ',' << node->kind().toQualString() << '\n';
  }
  out.close();
  if (!out) throw kindred::DataError(file, "cannot be written");
}

kindred::ExportRun OperationList::run(const std::filesystem::path&,
                                      const std::vector<std::vector<torch::Tensor>>&) const {
  kindred::ExportRun run;
  run.why_not = "a list of operations is for reading";
  return run;
}

}  // namespace my_plugins
