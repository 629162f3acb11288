#include "file/folder_entries.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "file/read_error.h"
#include "no_more_files.h"
#include "temporary_folder.h"

using namespace kindred::file;
using namespace kindred::test;

TEST_CASE("what lies in a folder is listed, hidden files too, and nothing where there is no folder") {
  const TemporaryFolder folder;
  const auto file = folder.write("a", "");
  const std::vector<std::filesystem::path> expected = {folder.write(".hidden", ""), file};
  auto entries = folder_entries(folder.path());
  std::sort(entries.begin(), entries.end());
  CHECK(entries == expected);
  CHECK(folder_entries(folder / "none").empty());
  CHECK(folder_entries(file).empty());
}

TEST_CASE("a folder that cannot be listed is an error that names it, or says so to who asks for it") {
  const TemporaryFolder folder;
  folder.write("a", "");
  const NoMoreFiles limit;
  CHECK_THROWS_WITH_AS(static_cast<void>(folder_entries(folder.path())),
                       (folder.path().string() + ": error: cannot be listed: Too many open files").c_str(),
                       ReadError);
  std::error_code error;
  CHECK(folder_entries(folder.path(), error).empty());
  CHECK(error == std::errc::too_many_files_open);
}
