#include "kindred/image/split_folders.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "kindred/core/error.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::test;
namespace fs = std::filesystem;

TEST_CASE("folders, files and links to them are told apart, and nothing is neither") {
  const TemporaryFolder folder;
  const auto file = folder.write("inner/file", "x");
  fs::create_symlink(folder / "inner", folder / "link");
  fs::create_symlink(folder / "gone", folder / "broken");
  CHECK(is_folder(folder / "inner"));
  CHECK(is_folder(folder / "link"));
  CHECK(is_file(file));
  CHECK(is_file(folder / "link/file"));
  CHECK_FALSE(is_folder(file));
  CHECK_FALSE(is_file(folder / "inner"));
  for (const auto& nothing : {folder / "none", folder / "none/inner", file / "inner", folder / "broken"}) {
    CAPTURE(nothing.string());
    CHECK_FALSE(is_folder(nothing));
    CHECK_FALSE(is_file(nothing));
  }
}

TEST_CASE("what the system does not let be looked at is an error, not absent") {
  const TemporaryFolder folder;
  // As a folder without permission, also for root.
  fs::create_symlink("loop", folder / "loop");
  const auto said = (folder / "loop").string() + ": error: cannot be read: Too many levels of symbolic links";
  CHECK(message_of<DataError>([&] { static_cast<void>(is_folder(folder / "loop")); }) == said);
  CHECK(message_of<DataError>([&] { static_cast<void>(is_file(folder / "loop")); }) == said);
  fs::create_directory(folder / "train");
  fs::create_directory(folder / "gallery");
  const SplitFolders folders{"train", "loop", "gallery"};
  CHECK(message_of<DataError>([&] { static_cast<void>(folders.images(folder.path())); }) == said);
}
