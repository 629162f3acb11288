#include "command/embed.h"

#include "command/machine.h"
#include "data/open_dataset.h"
#include "data/open_folder.h"
#include "kindred/core/error.h"
#include "model/model_file.h"
#include "system/device.h"

namespace kindred::command {

std::vector<stage::EmbeddedSplit> embed(const EmbedRequest& request, const Catalog& catalog,
                                        progress::ProgressSink& progress) {
  const auto file = model::read_model_file(request.model, catalog, request.overrides);
  const auto& plan = file.plan;
  if (request.data.empty() && plan.datasets.size() > 1) {
    throw Error("embed: error: the model's recipe has several data sets, " +
                quoted_list(recipe::names_of(plan.datasets)) +
                "; name the folder of one with --data, or leave the others out with --set "
                "dataset.NAME.enabled=false");
  }
  prepare_machine(plan.machine, progress);
  const auto dataset =
      request.data.empty() ? data::open_dataset(plan) : data::open_folder(request.data, catalog).dataset;
  return stage::embed_dataset(*file.model, plan, *dataset, dataset->samples(), request.out,
                              system::resolve_device(plan.machine.device), progress, request.train_split);
}

}  // namespace kindred::command
