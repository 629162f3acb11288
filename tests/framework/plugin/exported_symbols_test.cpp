// What holds for every plugin of the build tree.
#include <cxxabi.h>
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
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

/// The names of functions without their parameters, each once: "kindred::Gallery::add".
std::set<std::string> readable(const std::set<std::string>& symbols) {
  std::set<std::string> names;
  for (const auto& versioned : symbols) {
    const auto symbol = versioned.substr(0, versioned.find('@'));
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> text(
        abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), std::free);
    const std::string name = status == 0 ? text.get() : symbol;
    names.insert(name.substr(0, name.find_first_of("([")));
  }
  return names;
}

}  // namespace

TEST_CASE("the library for applications exports what its headers declare and nothing else") {
  // A name that goes, or changes, breaks applications: raise KINDRED_VERSION_MINOR (kindred/version.h).
  std::set<std::string> expected{"kindred::version"};
  for (const auto* member : {"Extractor", "~Extractor", "operator=", "dim", "extract", "image_size",
                             "model_id", "needs_cameras", "needs_views", "notes"}) {
    expected.insert(std::string("kindred::Extractor::") + member);
  }
  for (const auto* member :
       {"Gallery", "~Gallery",   "operator=", "add",        "build_index", "cameras", "compact", "contains",
        "create",  "descriptor", "dim",       "drop_index", "exists",      "flush",   "ids",     "info",
        "model",   "notes",      "open",      "remove",     "save",        "search",  "size"}) {
    expected.insert(std::string("kindred::Gallery::") + member);
  }
  std::set<std::string> found;
  for (const auto& name : readable(exported(fs::path(test::build_directory) / "lib/libkindred.so"))) {
    // Some linkers list the version of the names too.
    if (name != "KINDRED_0.1") found.insert(name);
  }
  CHECK(found == expected);
}

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
  CHECK_FALSE(plugins.loaded.empty());
  for (const auto& loaded : plugins.loaded) {
    CAPTURE(loaded.file);
    CHECK(loaded.name == loaded.file.stem());
    CHECK_FALSE(loaded.summary.empty());
  }
}

TEST_CASE("every component says what it does, and so does each of its parameters") {
  const auto plugins = load_plugins({folder});
  REQUIRE_FALSE(plugins.catalog.components().empty());
  for (const auto* component : plugins.catalog.components()) {
    CAPTURE(component->info().id());
    CHECK_FALSE(component->info().summary.empty());
    for (const auto& parameter : component->info().parameters) {
      CAPTURE(parameter.name);
      CHECK_FALSE(parameter.doc.empty());
    }
  }
}
