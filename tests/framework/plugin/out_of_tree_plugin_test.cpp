// Installs the build into a fresh prefix and does with it what the author of a plugin does.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/core/random.h"
#include "kindred/core/value.h"
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

/// Of the installed tree.
std::string run_installed(const std::string& arguments) {
  return run(installed(), quoted(installed() / "prefix/bin/kindred") + " " + arguments);
}

std::vector<std::string> roles_with_examples() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(installed() / "prefix/share/kindred/examples")) {
    if (entry.path().filename() != "plugin") names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

fs::path new_plugins() {
  return installed() / "new";
}

/// "my_ROLE", but one is called as a header that all of the system's include.
std::string name_for(const std::string& role) {
  return role == "exporter" ? "features" : "my_" + role;
}

/// A new plugin for each role, all built as one project; once for all cases. By the compiler of Kindred,
/// because the system's, which the last case uses, may take three times as long.
const fs::path& built_plugins() {
  static const fs::path libraries = [] {
    std::string project =
        "cmake_minimum_required(VERSION 3.25)\n"
        "project(all LANGUAGES CXX)\n"
        "set(CMAKE_CXX_FLAGS \"-Wall -Wextra -Wpedantic\")\n"
        "find_package(Kindred REQUIRED)\n"
        "enable_testing()\n"
        "set(KINDRED_PLUGIN_OUTPUT_DIRECTORY \"${CMAKE_BINARY_DIR}/plugins\")\n";
    for (const auto& role : roles_with_examples()) {
      const auto name = name_for(role);
      run_installed("new plugin " + role + " " + name + " --out " + quoted(new_plugins() / name));
      project += "add_subdirectory(" + name + ")\n";
    }
    installed().write("new/CMakeLists.txt", project);
    const auto build = new_plugins() / "build";
    run(installed(), std::string(KINDRED_CMAKE) + " -S " + quoted(new_plugins()) + " -B " + quoted(build) +
                         " -DCMAKE_PREFIX_PATH=" + quoted(installed() / "prefix") +
                         " -DCMAKE_CXX_COMPILER=" + quoted(KINDRED_CXX_COMPILER));
    const auto said =
        run(installed(), std::string(KINDRED_CMAKE) + " --build " + quoted(build) + " --parallel 2");
    CHECK_MESSAGE(said.find("warning") == std::string::npos, said);
    return build / "plugins";
  }();
  return libraries;
}

std::set<std::string> files_below(const fs::path& folder, const std::string& extension) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == extension) names.insert(entry.path().lexically_relative(folder).string());
  }
  return names;
}

/// The augmentation of the new plugins, in this process.
std::unique_ptr<Augmentation> make_augmentation(const std::map<std::string, double>& parameters) {
  static const auto plugins = load_plugins({built_plugins()});
  Table table;
  for (const auto& [name, value] : parameters) table.set(name, Value(value));
  const auto* factory = plugins.catalog.find<Augmentation>("my_augmentation");
  REQUIRE(factory != nullptr);
  Diagnostics diagnostics;
  auto params = factory->parse(Value(std::move(table)), diagnostics, {});
  diagnostics.throw_if_any();
  return factory->create(params.get(), {});
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> lines;
  std::istringstream text(test::read_bytes(file));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

/// The first block of shell commands of a page.
std::string commands_of(const fs::path& page) {
  const auto text = test::read_bytes(page);
  const auto begin = text.find("```sh\n") + 6;
  return text.substr(begin, text.find("```", begin) - begin);
}

/// A pipeline and a model in which every part that a plugin can bring is of a new plugin.
void write_recipes() {
  installed().write("new/model.toml", R"(extends = "my_loss/people.toml"
[[augmentation]]
type = "resize"
height = 48
width = 24
[[augmentation]]
type = "my_augmentation"
[[augmentation]]
type = "normalize"
[sampler]
type = "my_sampler"
batch_size = 8
[backbone]
type = "my_backbone"
channels = [8, 16, 32]
[head]
type = "my_head"
[[loss]]
type = "cross_entropy"
on = ["logits"]
[[loss]]
type = "my_loss"
on = ["global", "dropped"]
[optimizer]
type = "my_optimizer"
learning_rate = 1e-3
[schedule]
type = "my_schedule"
power = 1
[[metric]]
type = "retrieval"
[[metric]]
type = "my_metric"
[[post_processor]]
type = "my_post_processor"
[ranking]
top = 100
)");
  installed().write("new/pipeline.toml", R"([dataset]
type = "my_dataset"
root = "data"
[machine]
threads = 1
device = "cpu"
[[stage]]
name = "model"
type = "train"
[stage.recipe]
extends = "model.toml"
[[stage]]
name = "domains"
type = "partition"
[stage.partitioner]
type = "my_partitioner"
[[stage]]
name = "features"
type = "embed"
model = "model"
domains = "domains"
[[stage]]
name = "labels"
type = "label"
features = "features"
[stage.labeler]
type = "my_labeler"
[[stage]]
name = "ranking"
type = "rank"
features = "features"
recipe = "model.toml"
[[stage]]
name = "submission"
type = "submit"
rankings = ["ranking"]
[stage.writer]
type = "my_writer"
)");
}

}  // namespace

TEST_CASE("the installed tree holds launcher, library, plugins, headers, package, recipes and examples") {
  const auto prefix = installed() / "prefix";
  const fs::path source = test::source_directory;
  CHECK(fs::exists(prefix / "bin/kindred"));
  const auto plugins = files_below(fs::path(test::build_directory) / "lib/kindred/plugins", ".so");
  CHECK_FALSE(plugins.empty());
  const auto shipped = files_below(prefix / "lib/kindred/plugins", ".so");
  CHECK(std::includes(plugins.begin(), plugins.end(), shipped.begin(), shipped.end()));
  CHECK_FALSE(shipped.empty());
  CHECK(files_below(prefix / "include/kindred", ".h") ==
        files_below(source / "framework/include/kindred", ".h"));
  CHECK(files_below(prefix / "share/kindred/configs", ".toml") == files_below(source / "configs", ".toml"));
  CHECK(files_below(prefix / "share/kindred/examples", ".cpp") ==
        files_below(source / "plugins/examples", ".cpp"));
  CHECK(fs::exists(prefix / "share/kindred/docs/first-plugin.md"));
}

TEST_CASE("the installed launcher finds its library and its plugins") {
  const auto said = run_installed("list");
  for (const auto& plugin : files_below(installed() / "prefix/lib/kindred/plugins", ".so")) {
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

TEST_CASE("a new plugin of each role is built without a warning, and its own tests pass") {
  const auto libraries = files_below(built_plugins(), ".so");
  CHECK(libraries.size() == roles_with_examples().size());
  const auto ctest = fs::path(KINDRED_CMAKE).parent_path() / "ctest";
  const auto said =
      run(installed(), quoted(ctest) + " --test-dir " + quoted(new_plugins() / "build") + " --parallel 2");
  CHECK(said.find("100% tests passed, 0 tests failed out of " +
                  std::to_string(roles_with_examples().size())) != std::string::npos);
}

TEST_CASE("the installed launcher offers the component of each new plugin") {
  const auto said = run_installed("list --plugin-dir " + quoted(built_plugins()));
  CHECK(said.find("warning") == std::string::npos);
  for (const auto& role : roles_with_examples()) {
    CAPTURE(role);
    CHECK(said.find(role + "/" + name_for(role)) != std::string::npos);
  }
}

TEST_CASE("the recipe of each new plugin is sound") {
  for (const auto& role : roles_with_examples()) {
    CAPTURE(role);
    const auto recipe = new_plugins() / name_for(role) / (name_for(role) + ".toml");
    const auto said = run_installed("check " + quoted(recipe) + " --plugin-dir " + quoted(built_plugins()));
    CHECK(said.find("warning") == std::string::npos);
  }
}

TEST_CASE("a pipeline of new plugins alone trains, partitions, embeds, labels, ranks and submits") {
  const auto plugins = " --plugin-dir " + quoted(built_plugins());
  const auto data = new_plugins() / "data";
  run_installed("data convert " + quoted(new_plugins() / "my_layout/my_layout.toml") +
                " --layout my_layout --out " + quoted(data) + plugins);
  const auto images = files_below(data, ".png");
  CHECK(images.size() > 50);
  write_recipes();
  const auto pipeline = [&](const std::string& name, const std::string& options) {
    run_installed("run " + quoted(new_plugins() / "pipeline.toml") + " --data " + quoted(data) +
                  " --run-dir " + quoted(new_plugins() / name) + plugins + options);
    return new_plugins() / name;
  };
  const auto folder = pipeline("run", "");

  // Two epochs of B batches along a straight line end at 1 / (2 B) of the learning rate.
  nlohmann::json last;
  for (const auto& line : lines_of(folder / "model/metrics.jsonl")) {
    const auto entry = nlohmann::json::parse(line);
    if (entry.contains("figures") && entry.at("stage") == "train") last = entry;
  }
  REQUIRE_FALSE(last.is_null());
  const auto& figures = last.at("figures");
  CHECK(figures.at("learning_rate").get<double>() ==
        doctest::Approx(1e-3 / (2 * last.at("total").get<double>())).epsilon(1e-6));
  CHECK(figures.at("loss/my_loss(global)").get<double>() > 0);
  CHECK(figures.at("loss/my_loss(dropped)").get<double>() > 0);

  const auto test_images = std::count_if(
      images.begin(), images.end(), [](const std::string& image) { return !image.starts_with("train/"); });
  const auto domains = lines_of(folder / "domains/domains.csv");
  CHECK(std::count_if(domains.begin(), domains.end(), [](const std::string& line) {
          return line.find("bright") != std::string::npos || line.find("dark") != std::string::npos;
        }) == test_images);
  const auto labels = nlohmann::json::parse(test::read_bytes(folder / "labels/labels.json"));
  CHECK_FALSE(labels.empty());
  CHECK(test::read_bytes(folder / "ranking/evaluation.json").find("first_right") != std::string::npos);

  // A line for each query: its name and all of the small gallery, or the first 100 of it.
  const auto queries = std::count_if(images.begin(), images.end(),
                                     [](const std::string& image) { return image.starts_with("query/"); });
  const auto lines = lines_of(folder / "submission/rankings.txt");
  CHECK(static_cast<std::ptrdiff_t>(lines.size()) == queries);
  for (const auto& line : lines) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    CHECK(images.count("query/" + name) == 1);
    words >> name;
    CHECK(images.count("gallery/" + name) == 1);
  }

  // The seed alone decides what backbone, head, loss, sampler and augmentation draw.
  const auto model_of = [](const fs::path& run) { return test::read_bytes(run / "model/model.safetensors"); };
  CHECK(model_of(pipeline("again", " --only model")) == model_of(folder));
  CHECK(model_of(pipeline("other", " --only model --set stage.model.recipe.seed=2")) != model_of(folder));
}

TEST_CASE("an application is built from nothing, without LibTorch's headers, and finds a person") {
  const auto prefix = installed() / "prefix";
  const auto build = installed() / "application";
  run(installed(), std::string(KINDRED_CMAKE) + " -S " + quoted(prefix / "share/kindred/application") +
                       " -B " + quoted(build) + " -DCMAKE_PREFIX_PATH=" + quoted(prefix) +
                       " -DCMAKE_CXX_FLAGS='-Wall -Wextra -Wpedantic' -DCMAKE_DISABLE_FIND_PACKAGE_Torch=ON");
  const auto built = run(installed(), std::string(KINDRED_CMAKE) + " --build " + quoted(build));
  CHECK_MESSAGE(built.find("warning") == std::string::npos, built);

  const auto recipe = quoted(fs::path(test::source_directory) / "tests/e2e/tiny.toml");
  const auto model = installed() / "trained/model/model.safetensors";
  run_installed("train " + recipe + " --set train.epochs=1 --set 'schedule.milestones=[]' --run-dir " +
                quoted(installed() / "trained"));
  const auto data = installed() / "people";
  run_installed("data convert " + recipe + " --layout market1501 --out " + quoted(data));
  const auto picture = data / "bounding_box_test" / *files_below(data / "bounding_box_test", ".jpg").begin();

  // It finds its plugins beside the library, wherever it lies itself.
  const auto gallery = installed() / "people.gallery";
  const auto command = quoted(build / "find_person") + " " + quoted(model) + " " + quoted(gallery) + " " +
                       quoted(data / "bounding_box_test") + " ";
  const auto said = run(installed(), command + quoted(picture));
  const auto images = files_below(data / "bounding_box_test", ".jpg").size();
  CHECK(said.find("the 5 most similar of " + std::to_string(images) + "\n1.0000  " +
                  picture.filename().string() + "\n") != std::string::npos);
  CHECK(run(installed(), command + quoted(picture)) == said);

  // The launcher reads the same gallery.
  const auto search = run_installed("search --quiet --weights " + quoted(model) + " --gallery " +
                                    quoted(gallery) + " --image " + quoted(picture) + " --top 5 --json");
  std::size_t at = 0;
  for (const auto& match : nlohmann::json::parse(search).at(0).at("matches")) {
    at = said.find(match.at("id").get<std::string>(), at);
    CHECK(at != std::string::npos);
  }

  const auto bad = installed().write("bad.txt", "no picture");
  const int status = std::system((command + quoted(bad) + " 2> " + quoted(installed() / "bad.log")).c_str());
  CHECK(WEXITSTATUS(status) == 1);
  CHECK(test::read_bytes(installed() / "bad.log").starts_with("crops[0]: error: is empty"));
}

TEST_CASE("a package's component that there is not is refused by name") {
  const auto folder = installed() / "components";
  installed().write("components/CMakeLists.txt",
                    "cmake_minimum_required(VERSION 3.25)\nproject(all LANGUAGES CXX)\n"
                    "find_package(Kindred QUIET COMPONENTS trainer)\n"
                    "if(Kindred_FOUND)\n  message(FATAL_ERROR found)\nendif()\n"
                    "message(STATUS \"${Kindred_NOT_FOUND_MESSAGE}\")\n");
  const auto said = run(installed(), std::string(KINDRED_CMAKE) + " -S " + quoted(folder) + " -B " +
                                         quoted(folder / "build") +
                                         " -DCMAKE_PREFIX_PATH=" + quoted(installed() / "prefix"));
  CHECK(said.find("Kindred has no component 'trainer'; it has application and plugins") != std::string::npos);
}

TEST_CASE("another OpenCV than that of the build is refused, and where to name the right one") {
  const auto folder = installed() / "other_opencv";
  installed().write("other_opencv/OpenCVConfig.cmake", "set(OpenCV_VERSION 9.9.9)\n");
  installed().write("other_opencv/CMakeLists.txt",
                    "cmake_minimum_required(VERSION 3.25)\nproject(all LANGUAGES CXX)\n"
                    "find_package(Kindred QUIET COMPONENTS application)\n"
                    "if(Kindred_FOUND)\n  message(STATUS found)\nendif()\n"
                    "message(STATUS \"${Kindred_NOT_FOUND_MESSAGE}\")\n");
  const auto configured = [&](const std::string& option) {
    return run(installed(), std::string(KINDRED_CMAKE) + " -S " + quoted(folder) + " -B " +
                                quoted(folder / "build") +
                                " -DCMAKE_PREFIX_PATH=" + quoted(installed() / "prefix") + " " + option);
  };
  const auto said = configured("-DOpenCV_DIR=" + quoted(folder));
  CHECK(said.find("-- found") == std::string::npos);
  CHECK(said.find("this Kindred was built with OpenCV " CV_VERSION ", but 9.9.9 was found") !=
        std::string::npos);
  CHECK(said.find("CMake files in OpenCV_DIR") != std::string::npos);
  CHECK(configured("-UOpenCV_DIR").find("-- found") != std::string::npos);
}

TEST_CASE("new plugins side by side in a project each find Kindred by themselves") {
  const auto folder = installed() / "side_by_side";
  for (const std::string name : {"first_loss", "second_loss"}) {
    run_installed("new plugin loss " + name + " --out " + quoted(folder / name));
  }
  installed().write("side_by_side/CMakeLists.txt",
                    "cmake_minimum_required(VERSION 3.25)\nproject(all LANGUAGES CXX)\n"
                    "add_subdirectory(first_loss)\nadd_subdirectory(second_loss)\n");
  const auto said = run(installed(), std::string(KINDRED_CMAKE) + " -S " + quoted(folder) + " -B " +
                                         quoted(folder / "build") +
                                         " -DCMAKE_PREFIX_PATH=" + quoted(installed() / "prefix"));
  CHECK(said.find("Build files have been written to") != std::string::npos);
}

TEST_CASE("an error of the library's that a plugin throws is caught as what it is") {
  const auto augmentation = make_augmentation({});
  cv::Mat image(8, 4, CV_32FC3, cv::Scalar::all(0.5));
  RandomStream random(1);
  CHECK_THROWS_WITH_AS(augmentation->apply(image, random),
                       "augmentation/my_augmentation: error: needs an image with 8 bits per channel; place "
                       "it before the augmentation that normalizes",
                       ComponentError);
}

TEST_CASE("a plugin's parameters are checked by the library's schema") {
  CHECK_THROWS_AS(static_cast<void>(make_augmentation({{"max_area", 2}})), RecipeError);
}

TEST_CASE("the commands in the README of a new plugin build, test and describe it") {
  const auto folder = installed() / "alone";
  run_installed("new plugin schedule slow --out " + quoted(folder));
  const auto said =
      run(installed(),
          "sh -e -c " + quoted(fs::path("cd " + folder.string() + "\n" + commands_of(folder / "README.md"))));
  CHECK(said.find("100% tests passed, 0 tests failed out of 1") != std::string::npos);
  CHECK(said.find("Plugin: slow (" + folder.string() + "/build/slow.so)") != std::string::npos);

  const auto prefix = installed() / "prefix";
  run(installed(),
      std::string(KINDRED_CMAKE) + " --install " + quoted(folder / "build") + " --prefix " + quoted(prefix));
  CHECK(fs::exists(prefix / "lib/kindred/plugins/slow.so"));
  CHECK(run_installed("list").find("schedule/slow") != std::string::npos);
}
