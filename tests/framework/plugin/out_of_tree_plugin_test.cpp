// Installs the build into a fresh prefix and does with it what the author of a plugin does.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <opencv2/core.hpp>
#include <set>
#include <string>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/role/augmentation.h"
#include "plugin/plugin_loader.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace fs = std::filesystem;
using namespace kindred;
using namespace kindred::plugin;
using test::TemporaryFolder;

namespace {

std::string quoted(const fs::path& path) {
  return "'" + path.string() + "'";
}

/// Runs a command with the default compiler of the system; returns all that it said.
std::string run(const TemporaryFolder& folder, const std::string& command) {
  const auto log = folder / "log.txt";
  const int status = std::system(
      ("env -u CXX -u CXXFLAGS -u LD_LIBRARY_PATH " + command + " > " + quoted(log) + " 2>&1").c_str());
  const auto said = test::read_bytes(log);
  INFO(command);
  INFO(said);
  REQUIRE(status == 0);
  return said;
}

/// The installed tree, made once for all cases.
const TemporaryFolder& installed() {
  static const TemporaryFolder folder;
  static const auto said =
      run(folder, std::string(KINDRED_CMAKE) + " --install " + quoted(test::build_directory) + " --prefix " +
                      quoted(folder / "prefix"));
  return folder;
}

/// The template, copied away from the source, built as its first lines say and loaded; once for all cases.
const LoadedPlugins& template_plugin() {
  static const auto plugins = [] {
    const auto plugin = installed() / "plugin";
    fs::copy(fs::path(test::source_directory) / "plugins/template", plugin, fs::copy_options::recursive);
    run(installed(), std::string(KINDRED_CMAKE) + " -S " + quoted(plugin) + " -B " +
                         quoted(plugin / "build") + " -DCMAKE_PREFIX_PATH=" + quoted(installed() / "prefix"));
    const auto said = run(installed(), std::string(KINDRED_CMAKE) + " --build " + quoted(plugin / "build"));
    CHECK(said.find("warning") == std::string::npos);
    return load_plugins({plugin / "build"});
  }();
  return plugins;
}

std::set<std::string> files_below(const fs::path& folder, const std::string& extension) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == extension) names.insert(entry.path().lexically_relative(folder).string());
  }
  return names;
}

std::unique_ptr<Augmentation> make_grayscale(const std::map<std::string, double>& parameters) {
  Table table;
  for (const auto& [name, value] : parameters) table.set(name, Value(value));
  const auto* factory = template_plugin().catalog.find<Augmentation>("local_grayscale");
  REQUIRE(factory != nullptr);
  Diagnostics diagnostics;
  auto params = factory->parse(Value(std::move(table)), diagnostics, {});
  diagnostics.throw_if_any();
  return factory->create(params.get(), {});
}

}  // namespace

TEST_CASE("the installed tree holds launcher, kernel, plugins, headers, package and recipes") {
  const auto prefix = installed() / "prefix";
  CHECK(fs::exists(prefix / "bin/kindred"));
  const auto plugins = files_below(fs::path(test::build_directory) / "lib/kindred/plugins", ".so");
  CHECK_FALSE(plugins.empty());
  const auto shipped = files_below(prefix / "lib/kindred/plugins", ".so");
  CHECK(std::includes(plugins.begin(), plugins.end(), shipped.begin(), shipped.end()));
  CHECK_FALSE(shipped.empty());
  CHECK(files_below(prefix / "include/kindred", ".h") ==
        files_below(fs::path(test::source_directory) / "framework/include/kindred", ".h"));
  CHECK(files_below(prefix / "share/kindred/configs", ".toml") ==
        files_below(fs::path(test::source_directory) / "configs", ".toml"));
  CHECK(fs::exists(prefix / "share/kindred/docs/first-plugin.md"));
}

TEST_CASE("the installed launcher finds its kernel and its plugins") {
  const auto prefix = installed() / "prefix";
  const auto said = run(installed(), quoted(prefix / "bin/kindred") + " list");
  for (const auto& plugin : files_below(prefix / "lib/kindred/plugins", ".so")) {
    CAPTURE(plugin);
    CHECK(said.find(fs::path(plugin).stem().string()) != std::string::npos);
  }
  CHECK(said.find("error") == std::string::npos);
}

TEST_CASE("the package names neither the source nor the build tree") {
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(installed() / "prefix")) {
    if (entry.path().extension() != ".cmake") continue;
    ++files;
    CAPTURE(entry.path());
    const auto text = test::read_bytes(entry.path());
    CHECK(text.find(test::source_directory) == std::string::npos);
    CHECK(text.find(test::build_directory) == std::string::npos);
  }
  CHECK(files >= 5);
}

TEST_CASE("a copy of the template is built against the package and loaded") {
  const auto& plugins = template_plugin();
  CHECK(plugins.refused.empty());
  REQUIRE(plugins.loaded.size() == 1);
  CHECK(plugins.loaded[0].name == "local_grayscale");
}

TEST_CASE("the template makes a part of an image grey, and no more than was asked for") {
  const auto grayscale = make_grayscale({{"prob", 1}, {"max_area", 0.3}});
  const cv::Vec3b colour(200, 40, 90);
  const cv::Vec3b grey(94, 94, 94);  // 0.299 R + 0.587 G + 0.114 B
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    cv::Mat image(64, 32, CV_8UC3, cv::Scalar(colour[0], colour[1], colour[2]));
    RandomStream random(seed);
    grayscale->apply(image, random);
    const auto changed = std::count(image.begin<cv::Vec3b>(), image.end<cv::Vec3b>(), grey);
    const auto kept = std::count(image.begin<cv::Vec3b>(), image.end<cv::Vec3b>(), colour);
    CHECK(changed + kept == 64 * 32);
    CHECK(changed > 0);
    CHECK(changed <= 0.32 * 64 * 32);  // 0.3, and the rounding of the sides
  }
}

TEST_CASE("the template leaves an image alone with the probability that was asked for") {
  const auto grayscale = make_grayscale({{"prob", 0.25}});
  int treated = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const cv::Mat before(8, 4, CV_8UC3, cv::Scalar(200, 40, 90));
    cv::Mat image = before.clone();
    RandomStream random(seed);
    grayscale->apply(image, random);
    treated += cv::norm(image, before, cv::NORM_INF) > 0 ? 1 : 0;
  }
  CHECK(treated > 200);
  CHECK(treated < 300);
}

TEST_CASE("an error of the kernel's that a plugin throws is caught as what it is") {
  const auto grayscale = make_grayscale({});
  cv::Mat image(8, 4, CV_32FC3, cv::Scalar::all(0.5));
  RandomStream random(1);
  CHECK_THROWS_WITH_AS(grayscale->apply(image, random),
                       "augmentation/local_grayscale: error: needs an image with 8 bits per channel; place "
                       "it before the augmentation that normalizes",
                       ComponentError);
}

TEST_CASE("a plugin's parameters are checked by the kernel's schema") {
  CHECK_THROWS_AS(static_cast<void>(make_grayscale({{"max_area", 2}})), RecipeError);
}

TEST_CASE("a plugin installed into the prefix stands beside the shipped ones") {
  static_cast<void>(template_plugin());
  const auto prefix = installed() / "prefix";
  run(installed(), std::string(KINDRED_CMAKE) + " --install " + quoted(installed() / "plugin/build") +
                       " --prefix " + quoted(prefix));
  CHECK(fs::exists(prefix / "lib/kindred/plugins/local_grayscale.so"));
  const auto said = run(installed(), quoted(prefix / "bin/kindred") + " list");
  CHECK(said.find("local_grayscale") != std::string::npos);
}
