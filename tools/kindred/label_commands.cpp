// partition, label, submit: domains, pseudo labels and submissions, step by step.
#include <filesystem>
#include <iostream>
#include <memory>
#include <utility>

#include "chosen_component.h"
#include "commands.h"
#include "kindred/role/labeler.h"
#include "kindred/role/partitioner.h"
#include "kindred/role/writer.h"
#include "recipe/recipe.h"
#include "results/domains_file.h"
#include "results/labels_file.h"
#include "session.h"
#include "stage/label.h"
#include "stage/label_sheet.h"
#include "stage/partition.h"
#include "stage/submit.h"
#include "system/device.h"

namespace kindred::launcher {

int partition_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto progress = progress::make_stderr_progress(options.quiet);
  auto overrides = options.overrides;
  const auto partitioner = chosen_component<Partitioner>(options, overrides, plugins);
  const auto dataset = dataset_at(options.folder, overrides, plugins);
  const auto outcome = stage::partition(*partitioner, *dataset, dataset->samples(), options.out, *progress);
  std::cout << outcome.csv.string() << '\n';
  for (const auto& domain : outcome.domains) {
    std::cout << "  " << domain.name << "  " << domain.images << " images\n";
  }
  return 0;
}

int label_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto progress = progress::make_stderr_progress(options.quiet);
  auto own = options;
  own.data.clear();  // may be a folder, which says itself what it is
  auto overrides = own.recipe_overrides();
  const auto labeler = chosen_component<Labeler>(options, overrides, plugins);
  const auto machine =
      plan_ranking(recipe::parse_recipe("", "", taken_out(overrides, "machine")), plugins).machine;
  std::unique_ptr<Dataset> dataset;
  if (!options.data.empty()) {
    dataset = dataset_at(options.data, overrides, plugins);
  } else if (!overrides.empty()) {
    throw RecipeError(
        {"--set " + overrides.front(), 0, 0},
        "keys of this command begin with labeler. or machine., or belong to the recipe of --data");
  }
  use_machine(machine, *progress);

  auto input = ranking::read_search_input(options.folder / "query.npy", options.folder / "gallery.npy");
  if (!options.domain_list.empty()) {
    const auto domains = results::DomainsFile::read(options.domain_list);
    domains.give_to(input.query, options.domain_list);
    domains.give_to(input.gallery, options.domain_list);
  }
  const auto outcome = stage::label(*labeler, std::move(input), options.domains, options.out,
                                    system::resolve_device(machine.device), *progress);
  std::cout << outcome.csv.string() << "  " << outcome.identities << " pseudo identities of "
            << outcome.images << " images\n"
            << outcome.json.string() << '\n';
  std::filesystem::remove(options.out / "labels.png");  // of earlier labels
  if (dataset == nullptr) return 0;
  const auto sheet = stage::draw_label_sheet(results::LabelsFile::read(outcome.csv).samples, *dataset,
                                             options.out / "labels.png", *progress);
  if (sheet) std::cout << sheet->string() << '\n';
  return 0;
}

int submit_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto progress = progress::make_stderr_progress(options.quiet);
  auto overrides = options.overrides;
  const auto writer = chosen_component<Writer>(options, overrides, plugins);
  const auto dataset = dataset_at(options.data, overrides, plugins);
  const auto outcome = stage::submit(*writer, options.rankings, dataset->samples(), options.out, *progress);
  std::cout << outcome.file.string() << "  " << outcome.queries << " queries, " << outcome.listed
            << " gallery images each\n";
  return 0;
}

}  // namespace kindred::launcher
