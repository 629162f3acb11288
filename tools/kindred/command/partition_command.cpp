#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "command.h"
#include "command/named_component.h"
#include "common_options.h"
#include "file/command_inputs.h"
#include "kindred/role/partitioner.h"
#include "results/domains_file.h"
#include "session.h"
#include "stage/partition.h"

namespace kindred::launcher {
namespace {

struct Options {
  std::filesystem::path data;
  std::filesystem::path out;
  ComponentOptions partitioner;
};

int partition(const Options& options, Session& session) {
  const auto& catalog = session.load_plugins(options.partitioner.plugins.folders);
  const auto progress = session.make_progress();
  file::CommandInputs inputs;
  inputs.add(options.data);
  inputs.require_kept("--out", options.out / results::DomainsFile::name);
  auto overrides = options.partitioner.set;
  const auto partitioner =
      command::make_named_component<Partitioner>(options.partitioner.name, overrides, catalog);
  const auto data = session.open_data(options.data, overrides);
  for (const auto& place : data.places) inputs.add(place);
  inputs.require_kept("--out", options.out / results::DomainsFile::name);
  const auto outcome =
      stage::partition(*partitioner, *data.dataset, data.dataset->samples(), options.out, *progress);
  std::cout << outcome.csv.string() << '\n';
  for (const auto& domain : outcome.domains) {
    Session::print("  " + domain.name + "  " + std::to_string(domain.images) + " images\n");
  }
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("RECIPE|FOLDER", options->data, data_source_help)->required()->type_name("PATH");
  app.add_option("--out", options->out, "Folder that domains.csv is written to")
      ->required()
      ->type_name("DIR");
  options->partitioner.add_to(app, "partitioner", "The method that assigns domains");
  return [options](Session& session) { return partition(*options, session); };
}

}  // namespace

const Command partition_command = {"partition", "Assign each image of a data set to a domain", add_options};

}  // namespace kindred::launcher
