#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "command/named_component.h"
#include "common_options.h"
#include "file/command_inputs.h"
#include "kindred/role/writer.h"
#include "session.h"
#include "stage/submit.h"

namespace kindred::launcher {
namespace {

struct Options {
  std::vector<std::filesystem::path> rankings;
  std::filesystem::path data;
  std::filesystem::path out;
  ComponentOptions writer;
};

int submit(const Options& options, Session& session) {
  const auto& catalog = session.load_plugins(options.writer.plugins.folders);
  const auto progress = session.make_progress();
  auto overrides = options.writer.set;
  const auto writer = command::make_named_component<Writer>(options.writer.name, overrides, catalog);
  file::CommandInputs inputs;
  inputs.add(options.data);
  for (const auto& ranking : options.rankings) inputs.add(ranking);
  inputs.require_kept("--out", options.out / writer->file_name());
  const auto data = session.open_data(options.data, overrides);
  for (const auto& place : data.places) inputs.add(place);
  inputs.require_kept("--out", options.out / writer->file_name());
  const auto outcome =
      stage::submit(*writer, options.rankings, data.dataset->samples(), options.out, *progress);
  std::cout << outcome.file.string() << "  " << outcome.queries << " queries, " << outcome.listed
            << " gallery images each\n";
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("--rankings", options->rankings,
                 "Files matches.csv, as match writes them, which together rank each query once")
      ->required()
      ->type_name("FILE...");
  app.add_option("--data", options->data,
                 std::string(data_source_help) + ", with all queries and the gallery")
      ->required()
      ->type_name("PATH");
  app.add_option("--out", options->out, "Folder that the submission is written to")
      ->required()
      ->type_name("DIR");
  options->writer.add_to(app, "writer", "The format");
  return [options](Session& session) { return submit(*options, session); };
}

}  // namespace

const Command submit_command = {"submit", "Write rankings in a submission format", add_options};

}  // namespace kindred::launcher
