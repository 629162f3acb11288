#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "command.h"
#include "command/doctor.h"
#include "common_options.h"
#include "data/kept_images.h"
#include "file/atomic_file.h"
#include "file/command_inputs.h"
#include "session.h"

namespace kindred::launcher {
namespace {

struct Options {
  std::filesystem::path data;
  bool skip_decoding = false;
  std::filesystem::path json;
  std::vector<std::string> set;
  PluginOptions plugins;
};

int doctor(const Options& options, Session& session) {
  static_cast<void>(session.load_plugins(options.plugins.folders));
  const auto progress = session.make_progress();
  file::CommandInputs inputs;
  inputs.add(options.data);
  inputs.require_kept("--json", options.json);
  const auto data = session.open_data(options.data, options.set);
  for (const auto& place : data.places) inputs.add(place);
  inputs.require_kept("--json", options.json);
  if (!data.root.empty()) {
    data::require_images_kept("--json", options.json, data.root, data.dataset->samples());
  }
  const auto report = command::examine(*data.dataset, !options.skip_decoding, progress.get(), data.root);
  Session::print(command::doctor_text(report));
  if (!options.json.empty()) {
    file::write_atomically(options.json, [&](std::ostream& out) { out << command::doctor_json(report); });
  }
  return command::is_usable(report) ? 0 : 1;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("RECIPE|FOLDER", options->data, data_source_help)->required()->type_name("PATH");
  app.add_flag("--no-decode", options->skip_decoding,
               "Look only at the names of the images, not at the pixels");
  app.add_option("--json", options->json, "Also write the findings to this file")->type_name("FILE");
  add_set(app, options->set, "Override a key of the data's recipe");
  options->plugins.add_to(app);
  return [options](Session& session) { return doctor(*options, session); };
}

}  // namespace

const Command data_doctor_command = {
    "data doctor", "Check a data set: contents, problems, and their effect on training and evaluation",
    add_options};

}  // namespace kindred::launcher
