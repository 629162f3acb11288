#include "command/label.h"

#include <utility>

#include "command/features_folder.h"
#include "command/machine.h"
#include "command/named_component.h"
#include "command/open_data.h"
#include "file/command_inputs.h"
#include "kindred/core/error.h"
#include "kindred/role/dataset.h"
#include "kindred/role/labeler.h"
#include "ranking/post_processing.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "results/domains_file.h"
#include "results/labels_file.h"
#include "stage/label_sheet.h"
#include "system/rank_machine.h"

namespace kindred::command {

namespace {

constexpr const char* sheet_name = "labels.png";

/// Throws RecipeError when a result would replace what is read.
/// @param data where the images lie
void require_inputs_kept(const LabelRequest& request, const std::filesystem::path& features,
                         const std::vector<std::filesystem::path>& data) {
  file::CommandInputs inputs;
  for (const auto* name : {"query.npy", "gallery.npy"}) inputs.add_features(features / name);
  inputs.add(request.domain_list);
  inputs.add(request.data);
  for (const auto& place : data) inputs.add(place);
  for (const auto* name : {results::LabelsFile::name, results::LabelFiguresFile::name, sheet_name}) {
    inputs.require_kept("--out", request.out / name);
  }
}

}  // namespace

LabelResult label(const LabelRequest& request, const Catalog& catalog, progress::ProgressSink& progress,
                  const system::Ranks& ranks) {
  auto overrides = request.overrides;
  const auto labeler = make_named_component<Labeler>(request.labeler, overrides, catalog);
  const auto of_machine = take_overrides(overrides, "machine");
  const auto machine = recipe::choose_ranking(recipe::parse_recipe("", "", of_machine), catalog).machine;
  OpenedData data;
  if (!request.data.empty()) {
    data = open_data(request.data, overrides, catalog);
  } else if (!overrides.empty()) {
    throw RecipeError({"--set " + overrides.front(), 0, 0},
                      "without the recipe of a data set (--data), keys must begin with labeler. or machine.");
  }
  prepare_machine(machine, progress, ranks.place());

  const auto features = features_folder(request.features);
  require_inputs_kept(request, features, data.places);
  auto input = ranking::read_folder_input(features, progress, ranks);
  if (!request.domain_list.empty()) {
    const auto domains = results::DomainsFile::read(request.domain_list);
    domains.give_to(input.query, request.domain_list);
    domains.give_to(input.gallery, request.domain_list);
  }
  LabelResult result;
  result.labels = stage::label(*labeler, std::move(input), request.domains, request.out,
                               system::device_of_rank(machine.device, ranks.place()), progress, ranks);
  if (!ranks.is_first()) return result;
  const auto sheet = request.out / sheet_name;
  std::filesystem::remove(sheet);  // of earlier labels
  if (data.dataset != nullptr) {
    result.sheet = stage::draw_label_sheet(results::LabelsFile::read(result.labels.csv).samples,
                                           *data.dataset, sheet, progress);
  }
  return result;
}

}  // namespace kindred::command
