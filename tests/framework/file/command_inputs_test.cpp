#include "file/command_inputs.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "kindred/core/error.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::file;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

/// Of an output that is the only one.
std::string refusal(CommandInputs inputs, const fs::path& output) {
  return message_of<RecipeError>([&] { inputs.require_kept("--json", output); });
}

}  // namespace

TEST_CASE("an output that is an input is refused by whatever name, and others are not") {
  const TemporaryFolder folder;
  const auto list = folder.write("data/list.csv", "path\n");
  fs::create_directory_symlink("data", folder / "linked");
  fs::create_symlink("data/list.csv", folder / "link.csv");
  CommandInputs inputs;
  inputs.add("");
  inputs.add(folder / "data");
  inputs.add(list);
  inputs.add(folder / "data/absent.csv");
  CHECK(folder.without(refusal(inputs, list)) ==
        "--json data/list.csv: error: would replace 'data/list.csv', which this command reads; give another "
        "path");
  for (const auto* name : {"data/../data/list.csv", "linked/list.csv", "link.csv", "linked/absent.csv"}) {
    CAPTURE(name);
    CHECK(refusal(inputs, folder / name).find("which this command reads") != std::string::npos);
  }
  folder.write("other/list.csv", "path\n");
  for (const auto* name : {"other/list.csv", "data/list.json", "none/list.csv", "list.csv"}) {
    CAPTURE(name);
    CHECK(refusal(inputs, folder / name).empty());
  }
  CHECK(refusal(inputs, "").empty());
}

TEST_CASE("features are all of their files, also arrays that lie elsewhere") {
  const TemporaryFolder folder;
  folder.write("f/query.npy", "x");
  folder.write("f/query.csv", "x");
  folder.write("f/gallery.shards.csv", "file,rows,dim\ngallery.0000.npy,1,2\n../far/part.npy,1,2\n");
  folder.write("f/gallery.csv", "x");
  folder.write("f/gallery.0000.npy", "x");
  folder.write("far/part.npy", "x");
  CommandInputs inputs;
  inputs.add_features(folder / "f/query.npy");
  inputs.add_features(folder / "f/gallery.npy");
  for (const auto* name : {"f/query.npy", "f/query.csv", "f/gallery.shards.csv", "f/gallery.csv",
                           "f/gallery.0000.npy", "far/part.npy"}) {
    CAPTURE(name);
    CHECK_FALSE(refusal(inputs, folder / name).empty());
  }
  for (const auto* name : {"f/train.npy", "f/scores.json", "far/gallery.csv", "query.csv"}) {
    CAPTURE(name);
    CHECK(refusal(inputs, folder / name).empty());
  }
}

TEST_CASE("two outputs at one place are refused by whatever name") {
  const TemporaryFolder folder;
  fs::create_directory_symlink(".", folder / "here");
  CommandInputs inputs;
  inputs.require_kept("--json", folder / "scores");
  inputs.require_kept("--out", "");
  inputs.require_kept("--out", "");
  inputs.require_kept("--per-query", folder / "queries");
  CHECK(message_of<RecipeError>([&] { inputs.require_kept("--per-query", folder / "here/scores"); }) ==
        "--per-query " + (folder / "here/scores").string() +
            ": error: is what --json writes, too; give each a path of its own");
}

TEST_CASE("a path lies in a folder when it is the folder, in it or below, through links and dots") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "data/train");
  fs::create_directory_symlink("data", folder / "link");
  for (const auto* name :
       {"data", "data/", "data/maps", "data/train/maps/x", "link/maps", "runs/../data/x"}) {
    CAPTURE(name);
    CHECK(lies_in(folder / name, folder / "data"));
    CHECK(lies_in(folder / name, folder / "data/"));
  }
  for (const auto* name : {"", "maps", "data_maps", "data/../maps"}) {
    CAPTURE(name);
    CHECK_FALSE(lies_in(folder / name, folder / "data"));
  }
}
