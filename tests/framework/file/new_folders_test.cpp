#include "file/new_folders.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <system_error>

#include "kindred/core/error.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::file;
using namespace kindred::test;

TEST_CASE("a folder is made with those above it, and one that is there is no error") {
  const TemporaryFolder folder;
  const auto wanted = folder / "a/b/c/";
  for (int times = 0; times < 2; ++times) {
    make_folders(wanted);
    CHECK(std::filesystem::is_directory(wanted));
  }
  std::error_code error;
  make_folders(folder / "a/d", error);
  CHECK_FALSE(error);
  CHECK(std::filesystem::is_directory(folder / "a/d"));
}

TEST_CASE("a folder that cannot be made is an error that names it, or says so to who asks for it") {
  const TemporaryFolder folder;
  const auto wanted = folder.write("file", "x") / "below/it";
  const auto message = message_of<DataError>([&] { make_folders(wanted); });
  CHECK(message == wanted.string() + ": error: cannot be created: Not a directory");
  std::error_code error;
  make_folders(wanted, error);
  CHECK(error == std::errc::not_a_directory);
}
