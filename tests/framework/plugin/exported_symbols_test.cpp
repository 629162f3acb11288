// What holds for every plugin of the build tree.
#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include "plugin/plugin_loader.h"
#include "test_paths.h"

namespace fs = std::filesystem;
using namespace kindred;
using namespace kindred::plugin;

namespace {

const fs::path folder = fs::path(test::build_directory) / "lib/kindred/plugins";

/// The names that a library offers to others, as nm lists them.
std::set<std::string> exported(const fs::path& library) {
  const auto command =
      std::string(KINDRED_NM) + " -D --defined-only --format=posix '" + library.string() + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  REQUIRE(pipe != nullptr);
  std::string output;
  for (int c = std::fgetc(pipe.get()); c != EOF; c = std::fgetc(pipe.get())) output += static_cast<char>(c);
  std::set<std::string> names;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) names.insert(line.substr(0, line.find(' ')));
  return names;
}

}  // namespace

TEST_CASE("every plugin exports its entry and nothing else") {
  int plugins = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".so") continue;
    ++plugins;
    CAPTURE(entry.path());
    CHECK(exported(entry.path()) == std::set<std::string>{"kindred_plugin_declare", "kindred_plugin_info"});
  }
  CHECK(plugins > 0);
}

TEST_CASE("every plugin loads with all its symbols, and is named as its file") {
  const auto plugins = load_plugins({folder});
  for (const auto& refused : plugins.refused) FAIL_CHECK(refused.file << ": " << refused.reason);
  for (const auto& loaded : plugins.loaded) {
    CAPTURE(loaded.file);
    CHECK(loaded.name == loaded.file.stem());
    CHECK_FALSE(loaded.summary.empty());
  }
}

TEST_CASE("every component says what it does, and so does each of its parameters") {
  const auto plugins = load_plugins({folder});
  for (const auto* component : plugins.catalog.components()) {
    CAPTURE(component->info().id());
    CHECK_FALSE(component->info().summary.empty());
    for (const auto& parameter : component->info().parameters) {
      CAPTURE(parameter.name);
      CHECK_FALSE(parameter.doc.empty());
    }
  }
}
