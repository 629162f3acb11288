#include "file/folder_lock.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <ios>
#include <string>

#include "data_files.h"
#include "kindred/core/error.h"
#include "ordinary_user.h"

using namespace kindred;
using namespace kindred::test;

TEST_CASE("a folder that is in use is refused with the process that uses it") {
  const TemporaryFolder folder;
  const file::FolderLock lock(folder / "run");
  CHECK(folder.without(error_of([&] { const file::FolderLock second(folder / "run"); })) ==
        "run: error: is in use by process " + std::to_string(::getpid()) +
            "; wait until it ends, or use another run directory");
}

TEST_CASE("what else than a process the file of a lock names is not repeated") {
  const TemporaryFolder folder;
  const file::FolderLock lock(folder / "run");
  for (const auto& text : {std::string(), std::string("\x1b[2J\n"), std::string("12\x1b[2J\n"),
                           std::string(100, '1') + "\n", std::string("17")}) {
    CAPTURE(text);
    // Into the file that is locked, not into another of its name.
    std::ofstream(folder / "run/.lock", std::ios::trunc) << text;
    CHECK(folder.without(error_of([&] { const file::FolderLock second(folder / "run", "gallery"); })) ==
          "run: error: is in use by another process; wait until it ends, or use another gallery");
  }
}

TEST_CASE(
    "whoever locks a folder removes what was never finished there, whoever is refused removes nothing") {
  namespace fs = std::filesystem;
  const TemporaryFolder folder;
  folder.write("run/.model.safetensors.tmp", "half");
  folder.write("run/.features.tmp/query.npy", "half");
  folder.write("run/model.tmp", "whole");
  folder.write("run/.hidden", "whole");
  const file::FolderLock lock(folder / "run");
  CHECK_FALSE(fs::exists(folder / "run/.model.safetensors.tmp"));
  CHECK_FALSE(fs::exists(folder / "run/.features.tmp"));
  CHECK(fs::exists(folder / "run/model.tmp"));
  CHECK(fs::exists(folder / "run/.hidden"));
  const auto under_way = folder.write("run/.checkpoint.safetensors.tmp", "half");
  CHECK_THROWS_AS(file::FolderLock(folder / "run"), DataError);
  CHECK(fs::exists(under_way));
}

TEST_CASE("whether a folder can be locked is known, in the same words, without a trace") {
  namespace fs = std::filesystem;
  const TemporaryFolder folder;
  const auto refusals = [&](const fs::path& wanted) {
    const auto asked = error_of([&] { file::require_lockable(wanted); });
    CHECK(asked == error_of([&] { const file::FolderLock lock(wanted); }));
    return folder.without(asked);
  };
  file::require_lockable(folder / "new/run/");
  CHECK_FALSE(fs::exists(folder / "new"));
  folder.write("file", "x");
  CHECK(refusals(folder / "file") == "file: error: cannot be created: Not a directory");
  CHECK(refusals(folder / "file/run") == "file/run: error: cannot be created: Not a directory");

  { const file::FolderLock lock(folder / "used"); }
  fs::create_directory(folder / "unused");
  fs::permissions(folder / "used/.lock", fs::perms::owner_read);
  // Of others, who may be of root's group.
  const auto enter = fs::perms::group_exec | fs::perms::others_exec;
  fs::permissions(folder / "unused", fs::perms::owner_read | fs::perms::owner_exec | enter);
  fs::permissions(folder.path(), fs::perms::owner_all | enter);
  {
    const OrdinaryUser user;
    const std::string closed = ": error: cannot be used as a run directory: Permission denied";
    CHECK(refusals(folder / "used") == "used" + closed);
    CHECK(refusals(folder / "unused") == "unused" + closed);
    CHECK(refusals(folder / "unused/run") == "unused/run: error: cannot be created: Permission denied");
  }
  fs::permissions(folder / "unused", fs::perms::owner_all);
}
