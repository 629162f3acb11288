#include "command/embed.h"

#include "command/machine.h"
#include "data/open_dataset.h"
#include "data/open_folder.h"
#include "model/model_file.h"
#include "system/device.h"

namespace kindred::command {

std::vector<stage::EmbeddedSplit> embed(const EmbedRequest& request, const Catalog& catalog,
                                        progress::ProgressSink& progress) {
  const auto file = model::read_model_file(request.model, catalog, request.overrides);
  const auto& plan = file.plan;
  for (const auto& note : file.notes) progress.note(note);
  prepare_machine(plan.machine, progress);
  const auto dataset = request.data.empty() ? data::open_dataset(recipe::choose_data(file.recipe, catalog))
                                            : data::open_folder(request.data, catalog).dataset;
  return stage::embed_dataset(*file.model, plan, *dataset, dataset->samples(), request.out,
                              system::resolve_device(plan.machine.device), progress, request.train_split);
}

}  // namespace kindred::command
