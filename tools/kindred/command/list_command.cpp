#include <iostream>
#include <memory>
#include <string>

#include "command.h"
#include "command/list.h"
#include "common_options.h"
#include "session.h"

namespace kindred::launcher {
namespace {

struct Options {
  std::string role;
  PluginOptions plugins;
};

int list(const Options& options, Session& session) {
  std::cout << command::list_components(session.load_plugins(options.plugins.folders), options.role);
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("ROLE", options->role, "Only the components of this role, such as loss")->type_name("ROLE");
  options->plugins.add_to(app);
  return [options](Session& session) { return list(*options, session); };
}

}  // namespace

const Command list_command = {"list", "List the components: role, name, plugin, summary", add_options};

}  // namespace kindred::launcher
