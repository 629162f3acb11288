#include <filesystem>
#include <memory>
#include <ostream>
#include <string>

#include "command.h"
#include "command/weights.h"
#include "common_options.h"
#include "file/atomic_file.h"
#include "file/command_inputs.h"
#include "session.h"

namespace kindred::launcher {
namespace {

struct Options {
  std::filesystem::path file;
  std::filesystem::path json;
  std::string key;
  PluginOptions plugins;
};

int inspect(const Options& options, Session& session) {
  file::CommandInputs inputs;
  inputs.add(options.file);
  inputs.require_kept("--json", options.json);
  const auto summary =
      command::inspect_weights(options.file, options.key, session.load_plugins(options.plugins.folders));
  Session::print(command::weights_text(summary));
  if (!options.json.empty()) {
    file::write_atomically(options.json, [&](std::ostream& out) { out << command::weights_json(summary); });
  }
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("FILE", options->file, "The weight file")->required()->type_name("FILE");
  app.add_option("--json", options->json, "Also write the list to this file")->type_name("FILE");
  add_weights_key(app, options->key);
  options->plugins.add_to(app);
  return [options](Session& session) { return inspect(*options, session); };
}

}  // namespace

const Command weights_inspect_command = {
    "weights inspect", "List the tensors of a weight file: safetensors, or a file of PyTorch's torch.save",
    add_options};

}  // namespace kindred::launcher
