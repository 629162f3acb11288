#include "command/new_plugin.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/core/schema.h"
#include "kindred/role/loss.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace fs = std::filesystem;
using namespace kindred;
using namespace kindred::command;
using test::TemporaryFolder;

namespace {

class TakenLoss final : public OutputLoss {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Has a name already."); }
  TakenLoss(const Params&, const Context&) {}
  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor&) override {
    return output.sum();
  }
};

/// The loss 'taken' of the plugin 'others'.
const Catalog& catalog_with_a_loss() {
  static const Catalog instance = [] {
    Catalog declared;
    declared.add<TakenLoss>("taken");
    Catalog merged;
    merged.merge(std::move(declared), "others", "/plugins/others.so");
    return merged;
  }();
  return instance;
}

fs::path examples_of_source() {
  return fs::path(test::source_directory) / "plugins/examples";
}

std::string write_plugin(const std::string& role, const std::string& name, const fs::path& folder,
                         const fs::path& prefix = {}) {
  return write_new_plugin({role, name, folder, prefix}, examples_of_source(), catalog_with_a_loss());
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

/// What is said of a request that cannot be met; nothing is written for one.
std::string refusal(const std::string& role, const std::string& name) {
  const TemporaryFolder folder;
  std::string said;
  try {
    write_plugin(role, name, folder / "new");
  } catch (const RecipeError& error) {
    said = error.what();
  }
  CHECK_FALSE(fs::exists(folder / "new"));
  return said;
}

}  // namespace

TEST_CASE("a new plugin is the example of its role under another name") {
  const TemporaryFolder folder;
  CHECK(write_plugin("loss", "my_own_loss2", folder / "deep/new") == "loss/proxy_anchor");
  CHECK(names_in(folder / "deep/new") ==
        std::set<std::string>{"CMakeLists.txt", "README.md", "my_own_loss2.cpp", "my_own_loss2.h",
                              "my_own_loss2.toml", "my_own_loss2_test.cpp", "people.toml", "plugin.cpp"});
  const auto text_of = [&](const std::string& file) { return test::read_bytes(folder / "deep/new" / file); };
  CHECK(text_of("my_own_loss2.h").find("class MyOwnLoss2 final : public kindred::OutputLoss") !=
        std::string::npos);
  CHECK(text_of("plugin.cpp").find("catalog.add<my_plugins::MyOwnLoss2>(\"my_own_loss2\")") !=
        std::string::npos);
  CHECK(text_of("CMakeLists.txt").find("kindred_add_plugin(my_own_loss2 SOURCES my_own_loss2.cpp") !=
        std::string::npos);
  CHECK(text_of("my_own_loss2.toml").find("type = \"my_own_loss2\"") != std::string::npos);
  CHECK(text_of("README.md").find("describe loss/my_own_loss2 --plugin-dir build") != std::string::npos);
  for (const auto& file : names_in(folder / "deep/new")) {
    CAPTURE(file);
    for (const auto* old : {"proxy_anchor", "ProxyAnchor", "my_plugin.", "MyPlugin", "my_role"}) {
      CAPTURE(old);
      CHECK(text_of(file).find(old) == std::string::npos);
    }
  }
}

TEST_CASE("there is an example of every role, and each can be copied") {
  std::set<std::string> roles;
  for (const auto& name : names_in(fs::path(test::source_directory) / "framework/include/kindred/role")) {
    roles.insert(fs::path(name).stem().string());
  }
  auto examples = names_in(examples_of_source());
  examples.erase("plugin");
  CHECK(examples == roles);
  for (const auto& role : examples) {
    CAPTURE(role);
    const TemporaryFolder folder;
    const auto example = write_plugin(role, "made_" + role, folder / "new");
    CHECK(example.starts_with(role + "/"));
    CHECK(names_in(folder / "new").size() == 8);
    CHECK(names_in(folder / "new").count("made_" + role + "_test.cpp") == 1);
  }
}

TEST_CASE("the instructions name the folder of an installed Kindred") {
  const TemporaryFolder folder;
  write_plugin("schedule", "slow", folder / "installed", "/opt/kindred");
  write_plugin("schedule", "slow", folder / "built");
  CHECK(test::read_bytes(folder / "installed/README.md").find("-DCMAKE_PREFIX_PATH=/opt/kindred\n") !=
        std::string::npos);
  CHECK(test::read_bytes(folder / "built/README.md").find("-DCMAKE_PREFIX_PATH=KINDRED\n") !=
        std::string::npos);
}

TEST_CASE("a role that does not exist is answered with those that do") {
  CHECK(refusal("los", "mine")
            .find("there is no role 'los'; did you mean 'loss'? The roles are 'augmentation'") !=
        std::string::npos);
  CHECK(refusal("plugin", "mine").find("there is no role 'plugin'") != std::string::npos);
  CHECK(refusal("", "mine").find("there is no role ''") != std::string::npos);
}

TEST_CASE("a name that cannot be a file, a class and a type is refused") {
  for (const std::string& name :
       {std::string("My_loss"), std::string("my-loss"), std::string("2nd"), std::string("_loss"),
        std::string("loss_"), std::string("my__loss"), std::string("../loss"), std::string("a b"),
        std::string(), std::string("l\xc3\xb6ss"), std::string(51, 'a')}) {
    CAPTURE(name);
    CHECK(refusal("loss", name).find("'" + name + "' cannot be the name of a plugin") != std::string::npos);
  }
}

TEST_CASE("a name that is taken is refused") {
  CHECK(refusal("loss", "taken").find("loss 'taken' exists already, in /plugins/others.so") !=
        std::string::npos);
  CHECK(refusal("head", "others")
            .find("there is a plugin 'others' already, /plugins/others.so, which yours would "
                  "hide") != std::string::npos);
  const TemporaryFolder folder;
  CHECK(write_plugin("head", "taken", folder / "new") == "head/drop_block");
}

TEST_CASE("a name whose class or files would mean two things is refused") {
  CHECK(refusal("loss", "params").find("'params' would make a class 'Params', which means something else") !=
        std::string::npos);
  CHECK(refusal("backbone", "conv_block").find("class 'ConvBlock'") != std::string::npos);
  CHECK(refusal("loss", "plugin").find("'plugin' would give two files one name") != std::string::npos);
  CHECK(refusal("loss", "people").find("'people' would give two files one name") != std::string::npos);
}

TEST_CASE("nothing that exists is changed") {
  const TemporaryFolder folder;
  folder.write("mine/notes.txt", "old");
  CHECK_THROWS_WITH_AS(write_plugin("loss", "mine", folder / "mine"),
                       doctest::Contains("exists already, and nothing in it was changed"), DataError);
  CHECK(names_in(folder / "mine") == std::set<std::string>{"notes.txt"});
  CHECK_THROWS_WITH_AS(write_plugin("loss", "mine", folder / "mine/notes.txt"),
                       doctest::Contains("exists already"), DataError);
  CHECK_THROWS_WITH_AS(write_plugin("loss", "mine", folder / "mine/notes.txt/new"),
                       doctest::Contains("cannot be made"), DataError);
  CHECK(test::read_bytes(folder / "mine/notes.txt") == "old");
}

TEST_CASE("missing examples are an error that names the folder") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(write_new_plugin({"loss", "mine", folder / "new", {}}, folder / "gone", {}),
                       doctest::Contains("gone: error: Kindred's examples"), DataError);
  CHECK_FALSE(fs::exists(folder / "new"));
}

TEST_CASE("examples and headers are looked for beside the executable") {
  const TemporaryFolder folder;
  CHECK(examples_folder("/opt/kindred/bin/kindred") == "/opt/kindred/share/kindred/examples");
  CHECK(installed_prefix(folder / "bin/kindred").empty());
  folder.write("include/kindred/core/plugin.h", "");
  CHECK(installed_prefix(folder / "bin/kindred") == folder.path());
}
