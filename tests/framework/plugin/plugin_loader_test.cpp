#include "plugin/plugin_loader.h"

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/core/plugin.h"
#include "kindred/role/augmentation.h"
#include "ordinary_user.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace fs = std::filesystem;
using namespace kindred;
using namespace kindred::plugin;
using test::TemporaryFolder;

namespace {

const fs::path fixtures = fs::path(test::build_directory) / "tests/fixtures/plugins";

std::string good_plugin() {
  return test::read_bytes(fixtures / "good/good.so");
}

/// What is said of the only library of a folder.
std::string refusal(const fs::path& folder) {
  const auto result = load_plugins({folder});
  CHECK(result.loaded.empty());
  CHECK(result.catalog.components().empty());
  REQUIRE(result.refused.size() == 1);
  return result.refused.front().reason;
}

std::string refusal_of_bytes(const std::string& bytes) {
  const TemporaryFolder folder;
  folder.write("damaged.so", bytes);
  return refusal(folder.path());
}

/// A good plugin whose info was changed in the file.
std::string refusal_of_info(const std::function<void(KindredPluginInfo&)>& change) {
  auto bytes = good_plugin();
  const auto at = bytes.find(std::string("KINDRED\0", 8) +
                             std::string(1, static_cast<char>(sizeof(KindredPluginInfo) % 256)));
  REQUIRE(at != std::string::npos);
  KindredPluginInfo info;
  std::memcpy(&info, bytes.data() + at, sizeof(info));
  change(info);
  std::memcpy(bytes.data() + at, &info, sizeof(info));
  return refusal_of_bytes(bytes);
}

}  // namespace

TEST_CASE("a good plugin is loaded and its component works") {
  const auto result = load_plugins({fixtures / "good"});
  CHECK(result.refused.empty());
  REQUIRE(result.loaded.size() == 1);
  CHECK(result.loaded[0].name == "good");
  CHECK(result.loaded[0].version == "1.2.3");
  CHECK(result.loaded[0].summary == "A plugin without a fault");
  CHECK(result.loaded[0].file == fixtures / "good/good.so");

  const auto* factory = result.catalog.find<Augmentation>("fixture_black");
  REQUIRE(factory != nullptr);
  CHECK(factory->info().plugin == "good");
  CHECK(factory->info().file == fixtures / "good/good.so");
  Diagnostics diagnostics;
  const auto black = factory->create(factory->parse(Value(), diagnostics, {}).get(), {});
  CHECK(diagnostics.empty());
  cv::Mat image(4, 2, CV_8UC3, cv::Scalar::all(200));
  RandomStream random(1);
  black->apply(image, random);
  CHECK(cv::countNonZero(image.reshape(1)) == 0);
}

TEST_CASE("a component of a plugin outlives the list of loaded plugins") {
  std::unique_ptr<Augmentation> black;
  {
    const auto result = load_plugins({fixtures / "good"});
    const auto* factory = result.catalog.find<Augmentation>("fixture_black");
    REQUIRE(factory != nullptr);
    Diagnostics diagnostics;
    black = factory->create(factory->parse(Value(), diagnostics, {}).get(), {});
  }
  cv::Mat image(1, 1, CV_8UC3, cv::Scalar::all(200));
  RandomStream random(1);
  black->apply(image, random);
  CHECK(image.at<cv::Vec3b>(0, 0) == cv::Vec3b(0, 0, 0));
}

TEST_CASE("a plugin that is linked with -ffast-math does not change how the program computes") {
  const volatile float smallest_normal = std::numeric_limits<float>::min();
  REQUIRE(smallest_normal / 2 > 0);
  REQUIRE(load_plugins({fixtures / "fast_math"}).loaded.size() == 1);
  CHECK(smallest_normal / 2 > 0);
}

TEST_CASE("files that are no libraries are refused for what they are") {
  CHECK(refusal_of_bytes("") == "is empty; build or copy it again");
  CHECK(refusal_of_bytes("hello world, I am a text") ==
        "is not a shared library: it does not begin like an ELF file; remove it from the plugin folder, or "
        "build or copy it again");
  CHECK(refusal_of_bytes("\x7f"
                         "EL") ==
        "is truncated or damaged: its ELF header (64 bytes at byte 0) is not within the 3 bytes of the file; "
        "build or copy it again");

  const TemporaryFolder folder;
  fs::create_directory(folder / "folder.so");
  CHECK(refusal(folder.path()) == "is not a regular file; remove it from the plugin folder");
  fs::remove(folder / "folder.so");
  fs::create_symlink(folder / "gone", folder / "link.so");
  CHECK(refusal(folder.path()) == "is a link to a file that does not exist; fix or remove the link");
  fs::remove(folder / "link.so");
  fs::create_symlink("link.so", folder / "link.so");
  CHECK(refusal(folder.path()) ==
        "cannot be read (Too many levels of symbolic links); check its permissions");
}

TEST_CASE("a plugin for another machine is refused by the machine's name") {
  auto bytes = good_plugin();
  const bool here_is_arm = bytes[18] == char(183);
  bytes[18] = here_is_arm ? char(62) : char(183);
  const std::string other = here_is_arm ? "x86-64" : "ARM64";
  CHECK(refusal_of_bytes(bytes).starts_with("was built for " + other + ", but this program runs on "));
}

TEST_CASE("a plugin cut short is refused and the program goes on") {
  const auto whole = good_plugin();
  for (const std::size_t length :
       {std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{500}, std::size_t{4096},
        whole.size() / 3, whole.size() / 2, whole.size() - 4096, whole.size() - 1}) {
    CAPTURE(length);
    const auto reason = refusal_of_bytes(whole.substr(0, length));
    CHECK(reason.starts_with("is truncated or damaged: its "));
    CHECK(reason.ends_with("; build or copy it again"));
  }
}

TEST_CASE("a library without the plugin's section is refused before its code runs") {
  CHECK(refusal(fixtures / "no_entry") ==
        "is not a Kindred plugin: it has no section .kindred_plugin; remove it from the plugin folder, or "
        "use KINDRED_PLUGIN in its source (docs/first-plugin.md)");
}

TEST_CASE("a plugin without the declaring function is refused") {
  CHECK(refusal(fixtures / "no_declare") ==
        "is not a complete Kindred plugin: it does not export kindred_plugin_declare; use KINDRED_PLUGIN in "
        "its "
        "source "
        "and build it with kindred_add_plugin() (docs/first-plugin.md)");
}

TEST_CASE("a plugin for another interface is refused before its code runs") {
  CHECK(refusal(fixtures / "other_interface") == "was built for plugin ABI 99, but this Kindred has ABI " +
                                                     std::to_string(KINDRED_ABI) +
                                                     "; build the plugin again against this Kindred");
}

TEST_CASE("a plugin built for another LibTorch is refused by name before its code runs") {
  CHECK(refusal(fixtures / "other_toolchain") ==
        "was built with LibTorch 9.8.7, but this Kindred with " KINDRED_TAG_TORCH
        "; build the plugin with the same versions");
}

TEST_CASE("an info that was tampered with is refused") {
  const std::string place = "is damaged: in its section .kindred_plugin ";
  const std::string remedy = "; build or copy it again";
  CHECK(refusal_of_info([](auto& info) { info.magic[0] = 'k'; }) ==
        place + "the mark 'KINDRED' is missing" + remedy);
  CHECK(refusal_of_info([](auto& info) { info.size += 4096; }) == place + "the size is wrong" + remedy);
  CHECK(refusal_of_info([](auto& info) { info.size -= 1; }) == place + "the size is wrong" + remedy);
  CHECK(refusal_of_info([](auto& info) { std::memset(info.name, 'x', sizeof(info.name)); }) ==
        place + "a string is not terminated" + remedy);
  CHECK(refusal_of_info([](auto& info) { info.name[0] = '\0'; }) ==
        "has no name; set the name in KINDRED_PLUGIN and build it again (docs/first-plugin.md)");
  CHECK(refusal_of_info([](auto& info) { std::strcpy(info.toolchain, "something"); }) ==
        "was built with something, but this Kindred with " KINDRED_TOOLCHAIN
        "; build the plugin with the same versions");
}

TEST_CASE("a plugin that throws while it declares offers nothing, and its neighbor is told apart") {
  const auto result = load_plugins({fixtures / "throws"});
  CHECK(result.loaded.empty());
  CHECK(result.catalog.components().empty());
  REQUIRE(result.refused.size() == 2);
  CHECK(result.refused[0].file == fixtures / "throws/throws_error.so");
  CHECK(result.refused[0].reason ==
        "failed to declare its components: the table of patches is missing; fix the plugin");
  CHECK(result.refused[1].file == fixtures / "throws/throws_number.so");
  CHECK(
      result.refused[1].reason ==
      "failed to declare its components: it threw a value of type 'int', which is not an exception and says "
      "nothing; a component must throw what is derived from std::exception; fix the plugin");
}

TEST_CASE("a plugin that offers one name twice, or nothing, is refused") {
  CHECK(refusal(fixtures / "twice") ==
        "failed to declare its components: component 'augmentation/fixture_twice' is declared twice; fix the "
        "plugin");
  CHECK(refusal(fixtures / "nothing") ==
        "offers no components; call catalog.add in KINDRED_PLUGIN (docs/first-plugin.md)");
}

TEST_CASE("of two files that offer one component the second is refused and both are named") {
  const auto result = load_plugins({fixtures / "duplicate"});
  REQUIRE(result.loaded.size() == 1);
  CHECK(result.loaded[0].file == fixtures / "duplicate/duplicate_a.so");
  REQUIRE(result.refused.size() == 1);
  CHECK(result.refused[0].file == fixtures / "duplicate/duplicate_b.so");
  CHECK(result.refused[0].reason ==
        "plugin 'duplicate' offers 'augmentation/fixture_duplicate', which plugin 'duplicate' (" +
            (fixtures / "duplicate/duplicate_a.so").string() +
            ") already offers; remove one of the two files, or rename the component");
}

TEST_CASE("a missing symbol is found when the plugin is loaded, and named as C++ writes it") {
  CHECK(refusal(fixtures / "undefined_symbol") ==
        "cannot be loaded: undefined symbol: kindred::nowhere_defined(kindred::Black const*); install the "
        "libraries that it needs, and build it with kindred_add_plugin(), which reports missing symbols at "
        "link time");
}

TEST_CASE("broken plugins do not stop a good one, and files are taken in the order of their names") {
  const TemporaryFolder folder;
  folder.write("a.so", "text");
  fs::copy(fixtures / "good/good.so", folder / "b.so");
  folder.write("c.so", "");
  folder.write("d.so.1", "is not looked at");
  folder.write("read_me.txt", "is not looked at");
  const auto result = load_plugins({folder.path()});
  REQUIRE(result.loaded.size() == 1);
  CHECK(result.loaded[0].file.filename() == "b.so");
  REQUIRE(result.refused.size() == 2);
  CHECK(result.refused[0].file.filename() == "a.so");
  CHECK(result.refused[1].file.filename() == "c.so");
  CHECK(result.catalog.find("augmentation", "fixture_black") != nullptr);
}

TEST_CASE("a link to a plugin is as good as the plugin") {
  const TemporaryFolder folder;
  fs::create_symlink(fixtures / "good/good.so", folder / "link.so");
  const auto result = load_plugins({folder.path()});
  CHECK(result.refused.empty());
  REQUIRE(result.loaded.size() == 1);
  CHECK(result.loaded[0].file == folder / "link.so");
}

TEST_CASE("a file shadows the file of the same name in a later folder") {
  const TemporaryFolder user;
  fs::copy(fixtures / "good/good.so", user / "good.so");
  const auto result = load_plugins({user.path(), fixtures / "good", user.path()});
  CHECK(result.refused.empty());
  REQUIRE(result.loaded.size() == 1);
  CHECK(result.loaded[0].file == user / "good.so");
}

TEST_CASE("a folder that does not exist is an error of the user") {
  const fs::path folder = fixtures / "nowhere";
  CHECK_THROWS_WITH_AS(
      static_cast<void>(load_plugins({folder})),
      (folder.string() +
       ": error: is not a readable folder; plugin folders are set by --plugin-dir and KINDRED_PLUGIN_PATH")
          .c_str(),
      PluginError);
}

TEST_CASE("a file or folder that may not be read is refused") {
  const TemporaryFolder folder;
  fs::copy(fixtures / "good/good.so", folder / "good.so");
  const auto refused = [&] {
    const test::OrdinaryUser user;
    return refusal(folder.path());
  };
  fs::permissions(folder.path(), static_cast<fs::perms>(0755));
  fs::permissions(folder / "good.so", fs::perms::none);
  CHECK(refused() == "cannot be read (Permission denied); check its permissions");
  fs::permissions(folder.path(), fs::perms::none);
  CHECK(refused() == "cannot be listed (Permission denied); check its permissions");
}

TEST_CASE("folders are those given, those of the list, and the one beside the executable, in this order") {
  const TemporaryFolder prefix;
  fs::create_directories(prefix / "lib/kindred/plugins");
  fs::create_directories(prefix / "bin");
  CHECK(plugin_folders({"b", "a"}, "x::/y:", prefix / "bin/kindred") ==
        std::vector<fs::path>{"b", "a", "x", "/y", prefix / "lib/kindred/plugins"});
  CHECK(plugin_folders({}, "", prefix / "bin/kindred") ==
        std::vector<fs::path>{prefix / "lib/kindred/plugins"});
  CHECK(plugin_folders({}, "", "/nowhere/bin/kindred").empty());
}
