#include "command/embed.h"

#include "command/machine.h"
#include "data/open_dataset.h"
#include "data/open_folder.h"
#include "inference/activation_maps.h"
#include "model/model_file.h"
#include "system/device.h"

namespace kindred::command {

std::vector<stage::EmbeddedSplit> embed(const EmbedRequest& request, const Catalog& catalog,
                                        progress::ProgressSink& progress) {
  const auto file = model::read_model_file(request.model, catalog, request.overrides);
  const auto& plan = file.plan;
  prepare_machine(plan.machine, progress);
  const auto dataset =
      request.data.empty() ? data::open_dataset(plan) : data::open_folder(request.data, catalog).dataset;
  const auto device = system::resolve_device(plan.machine.device);
  auto samples = dataset->samples();
  auto written = stage::embed_dataset(*file.model, plan, *dataset, samples, request.out, device, progress,
                                      request.train_split);
  if (!request.maps.empty()) {
    if (!request.train_split) {
      std::erase_if(samples, [](const Sample& sample) { return sample.split == Split::train; });
    }
    inference::MapModel model(request.model, catalog, request.overrides);
    inference::write_energy_maps(model, *dataset, samples, request.maps, device, progress);
  }
  return written;
}

}  // namespace kindred::command
