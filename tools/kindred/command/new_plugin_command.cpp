#include <filesystem>
#include <iostream>
#include <memory>

#include "command.h"
#include "command/new_plugin.h"
#include "common_options.h"
#include "session.h"

namespace kindred::launcher {
namespace {

struct Options {
  command::NewPluginRequest request;
  PluginOptions plugins;
};

int new_plugin(const Options& options, Session& session) {
  const auto executable = std::filesystem::read_symlink("/proc/self/exe");
  auto request = options.request;
  if (request.folder.empty()) request.folder = request.name;
  request.prefix = command::installed_prefix(executable);
  const auto& catalog = session.load_plugins(options.plugins.folders);
  const auto example = command::write_new_plugin(request, command::examples_folder(executable), catalog);
  const auto prefix = request.prefix.empty() ? std::filesystem::path("KINDRED") : request.prefix;
  std::cout << "written to " << request.folder.string() << ", a copy of the example " << example
            << "; to build, test and look at it:\n"
            << "  cd " << request.folder.string() << '\n'
            << "  cmake -S . -B build -DCMAKE_PREFIX_PATH=" << prefix.string() << '\n'
            << "  cmake --build build\n"
            << "  ctest --test-dir build --output-on-failure\n"
            << "  " << (prefix / "bin/kindred").string() << " describe " << request.role << '/'
            << request.name << " --plugin-dir build\n"
            << "README.md there says what each file is for\n";
  if (request.prefix.empty()) {
    session.note(
        "KINDRED stands for the folder of an installed Kindred: this one lies in a build folder; "
        "cmake --install installs it");
  }
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("ROLE", options->request.role,
                 "What the component is: loss, head, augmentation, dataset, ...")
      ->required()
      ->type_name("ROLE");
  app.add_option("NAME", options->request.name, "Name of the plugin and its component, such as my_loss")
      ->required()
      ->type_name("NAME");
  app.add_option("--out", options->request.folder, "Folder to make [NAME]")->type_name("DIR");
  options->plugins.add_to(app);
  return [options](Session& session) { return new_plugin(*options, session); };
}

}  // namespace

const Command new_plugin_command = {
    "new plugin", "Write a small plugin that can be built and tried, to begin with", add_options};

}  // namespace kindred::launcher
