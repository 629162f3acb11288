#include "file/folder_beside.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "kindred/core/error.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::test;
namespace fs = std::filesystem;

TEST_CASE("a folder beside a file is hidden, and gone in the end with all that is in it") {
  const TemporaryFolder folder;
  const auto target = folder / "deep/model.onnx";
  {
    const file::FolderBeside beside(target);
    CHECK(beside.path() == folder / "deep/.model.onnx.tmp");
    write_bytes(beside.path() / "part", "half");
    const file::FolderBeside another(target);
    CHECK(another.path() == folder / "deep/.model.onnx.1.tmp");
    CHECK(fs::exists(beside.path() / "part"));
  }
  CHECK(fs::is_empty(folder / "deep"));
}

TEST_CASE("a folder that a killed process has left beside a file is removed by the next one") {
  const TemporaryFolder folder;
  const auto target = folder / "model.onnx";
  const auto child = ::fork();
  if (child == 0) {
    const file::FolderBeside beside(target);
    write_bytes(beside.path() / "part", "half");
    ::kill(::getpid(), SIGKILL);
  }
  REQUIRE(child > 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  REQUIRE(fs::exists(folder / ".model.onnx.tmp/part"));
  {
    const file::FolderBeside beside(target);
    CHECK(beside.path() == folder / ".model.onnx.tmp");
    CHECK(fs::is_empty(beside.path()));
  }
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("a folder beside a file of a long name has a shorter one") {
  const TemporaryFolder folder;
  const file::FolderBeside beside(folder / std::string(255, 'x'));
  CHECK(beside.path() == folder / ("." + std::string(250, 'x') + ".tmp"));
  const file::FolderBeside another(folder / std::string(254, 'x'));
  CHECK(another.path() == folder / ("." + std::string(249, 'x') + ".tmp"));
}

TEST_CASE("a folder that cannot be made beside a file is an error that names the file") {
  const TemporaryFolder folder;
  folder.write("file", "");
  CHECK(message_of<DataError>([&] {
          const file::FolderBeside beside(folder / "file/model.onnx");
        }).find((folder / "file").string()) != std::string::npos);
  const auto long_name = folder / std::string(256, 'x');
  CHECK(message_of<DataError>([&] { const file::FolderBeside beside(long_name); }) ==
        long_name.string() + ": error: cannot be written: File name too long");
}
