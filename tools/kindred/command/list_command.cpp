#include <iostream>
#include <memory>

#include "command.h"
#include "command/list.h"
#include "common_options.h"
#include "session.h"

namespace kindred::launcher {
namespace {

int list(const PluginOptions& options, Session& session) {
  std::cout << command::list_components(session.load_plugins(options.folders));
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<PluginOptions>();
  options->add_to(app);
  return [options](Session& session) { return list(*options, session); };
}

}  // namespace

const Command list_command = {"list", "List all components: role, name, plugin, summary", add_options};

}  // namespace kindred::launcher
