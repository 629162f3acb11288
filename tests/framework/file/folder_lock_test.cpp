#include "file/folder_lock.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <ios>
#include <string>

#include "data_files.h"

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
