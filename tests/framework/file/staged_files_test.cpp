#include "file/staged_files.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <iterator>
#include <string>

#include "kindred/core/error.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::file;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

std::ptrdiff_t entries_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

}  // namespace

TEST_CASE("staged files take the place of earlier ones together, and what has no successor goes") {
  const TemporaryFolder folder;
  folder.write("a", "old a");
  folder.write("c", "old c");
  folder.write("other", "kept");
  StagedFiles staged(folder.path());
  write_bytes(staged.path() / "a", "new a");
  write_bytes(staged.path() / "b", "new b");
  CHECK(read_bytes(folder / "a") == "old a");
  staged.take_place({"a", "b", "c"});
  CHECK(read_bytes(folder / "a") == "new a");
  CHECK(read_bytes(folder / "b") == "new b");
  CHECK_FALSE(fs::exists(folder / "c"));
  CHECK(read_bytes(folder / "other") == "kept");
}

TEST_CASE("staged files that do not take their place leave everything as it was") {
  const TemporaryFolder folder;
  folder.write("a", "old a");
  {
    const StagedFiles staged(folder.path());
    write_bytes(staged.path() / "a", "new a");
  }
  CHECK(read_bytes(folder / "a") == "old a");
  CHECK(entries_in(folder.path()) == 1);
}

TEST_CASE("when one of the staged files cannot take its place, the earlier ones come back") {
  const TemporaryFolder folder;
  folder.write("a", "old a");
  folder.write("b/file", "a folder where a file should be");
  {
    StagedFiles staged(folder.path());
    write_bytes(staged.path() / "a", "new a");
    write_bytes(staged.path() / "b", "new b");
    CHECK_THROWS_WITH_AS(staged.take_place({"a"}), doctest::Contains("b: error: cannot be replaced: "),
                         DataError);
  }
  CHECK(read_bytes(folder / "a") == "old a");
  CHECK(fs::exists(folder / "b/file"));
  CHECK(entries_in(folder.path()) == 2);
}

TEST_CASE("what cannot be looked at is not taken for absent: it stays, and so does all else") {
  const TemporaryFolder folder;
  folder.write("a", "old a");
  {
    StagedFiles staged(folder.path());
    write_bytes(staged.path() / "a", "new a");
    const std::string longer_than_any_name(300, 'n');
    CHECK_THROWS_WITH_AS(staged.take_place({"a", longer_than_any_name}),
                         doctest::Contains("n: error: cannot be replaced: "), DataError);
  }
  CHECK(read_bytes(folder / "a") == "old a");
  CHECK(entries_in(folder.path()) == 1);
}

TEST_CASE("what a killed process has staged goes when others have taken their place, a living one's stays") {
  const TemporaryFolder folder;
  const auto child = ::fork();
  if (child == 0) {
    const StagedFiles staged(folder.path());
    write_bytes(staged.path() / "a", "of the killed one");
    ::kill(::getpid(), SIGKILL);
  }
  REQUIRE(child > 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(entries_in(folder.path()) == 1);
  StagedFiles living(folder.path());
  write_bytes(living.path() / "b", "b");
  {
    StagedFiles staged(folder.path());
    write_bytes(staged.path() / "a", "a");
    CHECK(entries_in(folder.path()) == 3);
    staged.take_place({"a"});
  }
  CHECK(entries_in(folder.path()) == 2);
  living.take_place({"b"});
  CHECK(read_bytes(folder / "a") == "a");
  CHECK(read_bytes(folder / "b") == "b");
}

TEST_CASE("the folder of staged files is made where needed") {
  const TemporaryFolder folder;
  {
    StagedFiles staged(folder / "new/folder");
    write_bytes(staged.path() / "a", "a");
    staged.take_place({});
  }
  CHECK(read_bytes(folder / "new/folder/a") == "a");
  CHECK(entries_in(folder / "new/folder") == 1);
}
