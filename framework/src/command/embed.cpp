#include "command/embed.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "command/machine.h"
#include "data/kept_images.h"
#include "data/open_dataset.h"
#include "data/open_folder.h"
#include "file/command_inputs.h"
#include "file/feature_files.h"
#include "file/presence.h"
#include "inference/activation_maps.h"
#include "kindred/core/error.h"
#include "model/model_file.h"
#include "recipe/affects.h"
#include "system/rank_machine.h"

namespace kindred::command {
namespace {

/// A data set and where it lies.
struct Opened {
  std::unique_ptr<Dataset> dataset;
  std::vector<std::filesystem::path> roots;
};

Opened open_named(const EmbedRequest& request, const Catalog& catalog, progress::ProgressSink& progress) {
  auto opened = data::open_folder(request.data, catalog);
  if (!opened.remark.empty()) progress.note(opened.remark);
  return {std::move(opened.dataset), {request.data}};
}

Opened open_of_recipe(const Value& recipe, const Catalog& catalog) {
  const auto plan = recipe::choose_data(recipe, catalog);
  if (plan.datasets.size() > 1) {
    throw Error("embed: error: the model's recipe has several data sets, " +
                quoted_list(recipe::names_of(plan.datasets)) +
                "; name the folder of one with --data, or leave the others out with --set "
                "dataset.NAME.enabled=false");
  }
  return {data::open_dataset(plan), recipe::locations_of(plan.datasets.front())};
}

/// Training images of a folder, where whoever gives it may have meant all images.
void note_left_out(const std::vector<Sample>& samples, progress::ProgressSink& progress) {
  const auto left_out = std::count_if(samples.begin(), samples.end(),
                                      [](const Sample& sample) { return sample.split == Split::train; });
  if (left_out == 0 || left_out == static_cast<std::ptrdiff_t>(samples.size())) return;
  progress.note(std::to_string(left_out) + " of " + std::to_string(samples.size()) +
                " images are in the training split and left out; --train-split extracts their features too");
}

/// Throws RecipeError when features or maps would replace what is read.
void require_inputs_kept(const EmbedRequest& request, const std::vector<std::filesystem::path>& roots,
                         const std::vector<Sample>& samples) {
  file::CommandInputs inputs;
  inputs.add(request.model);
  for (const auto& root : roots) {
    inputs.add(root);
    data::require_images_apart("--maps", request.maps, root, samples);
  }
  for (const auto split : {Split::query, Split::gallery, Split::train}) {
    for (const auto& name : file::names_of_features(request.out / split_name(split))) {
      inputs.require_kept("--out", request.out / name);
    }
  }
}

/// Throws DataError when the folder holds features of splits that this call does not write. The stage would
/// remove them, as those of two models must never lie side by side.
void require_nothing_lost(const EmbedRequest& request, const std::vector<Sample>& samples) {
  const auto written = [&](Split split) {
    return (split != Split::train || request.train_split) &&
           std::any_of(samples.begin(), samples.end(),
                       [split](const Sample& sample) { return sample.split == split; });
  };
  std::vector<std::string> lost;
  bool any = false;
  for (const auto split : {Split::query, Split::gallery, Split::train}) {
    if (written(split)) {
      any = true;
      continue;
    }
    auto there = file::names_of_features(request.out / split_name(split));
    std::erase_if(there, [&](const std::string& name) { return !file::is_there(request.out / name); });
    // One stands for all: the array, or the list of arrays, behind the list of images.
    if (!there.empty()) lost.push_back(there[there.size() > 1 ? 1 : 0]);
  }
  if (!any || lost.empty()) return;  // nothing is written, and the stage says so; or nothing is there
  throw DataError(request.out, "holds " + quoted_list(lost) +
                                   " of an earlier call, which this one would remove; "
                                   "name another folder with --out, or remove them");
}

}  // namespace

std::vector<stage::EmbeddedSplit> embed(const EmbedRequest& request, const Catalog& catalog,
                                        progress::ProgressSink& progress, const system::Ranks& ranks) {
  if (!request.data.empty()) {
    model::require_no_data_overrides(request.overrides,
                                     "--data says what is read, and its files which data set that is; to "
                                     "choose by keys, leave --data out and give --set dataset.root=DIR");
  }
  const auto file = model::read_model_file(request.model, catalog, request.overrides);
  const auto& plan = file.plan;
  if (ranks.is_first()) {
    for (const auto& note : file.notes) progress.note(note);
  }
  prepare_machine(plan.machine, progress, ranks.place());
  const auto [dataset, roots] =
      request.data.empty() ? open_of_recipe(file.recipe, catalog) : open_named(request, catalog, progress);
  auto samples = dataset->samples();
  if (!request.data.empty() && !request.train_split) note_left_out(samples, progress);
  require_inputs_kept(request, roots, samples);
  require_nothing_lost(request, samples);
  const auto device = system::device_of_rank(plan.machine.device, ranks.place());
  auto written = stage::embed_dataset(*file.model, plan, *dataset, samples, request.out, device, progress,
                                      request.train_split, ranks);
  if (!request.maps.empty()) {
    if (!request.train_split) {
      std::erase_if(samples, [](const Sample& sample) { return sample.split == Split::train; });
    }
    inference::MapModel model(request.model, catalog, request.overrides);
    inference::write_energy_maps(model, *dataset, samples, request.maps, device, progress, ranks);
  }
  return written;
}

}  // namespace kindred::command
