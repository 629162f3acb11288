#include "pipeline/file_hashes.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "kindred/core/error.h"
#include "no_more_files.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::pipeline;
using namespace kindred::test;

namespace {

// printf abc | sha256sum
const std::string of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// Sets the time of the last change.
void touch(const std::filesystem::path& file, long seconds) {
  const struct timespec times[2] = {{seconds, 0}, {seconds, 0}};
  REQUIRE(::utimensat(AT_FDCWD, file.c_str(), times, 0) == 0);
}

}  // namespace

TEST_CASE("a file's content is told as sha256sum does, and again after it has changed") {
  const TemporaryFolder folder;
  const auto file = folder.write("a b.txt", "abc");
  FileHashes hashes(folder / "memory");
  CHECK(hashes.of(file) == of_abc);
  write_bytes(file, "abcd");
  CHECK(hashes.of(file) != of_abc);
}

TEST_CASE("a file that is the same is not read again, also by a later process") {
  const TemporaryFolder folder;
  const auto file = folder.write("a b.txt", "abc");
  {
    FileHashes hashes(folder / "memory");
    static_cast<void>(hashes.of(file));
    hashes.save();
  }
  const std::string other(64, '0');
  auto memory = read_bytes(folder / "memory");
  REQUIRE(memory.starts_with(of_abc));
  write_bytes(folder / "memory", memory.replace(0, of_abc.size(), other));
  CHECK(FileHashes(folder / "memory").of(file) == other);
  touch(file, 1'000'001);
  CHECK(FileHashes(folder / "memory").of(file) == of_abc);
}

TEST_CASE("other content is told by a file's time of change where a program kept size and modification") {
  const TemporaryFolder folder;
  const auto file = folder.write("a b.txt", "abc");
  touch(file, 1'000'000);
  FileHashes hashes(folder / "memory");
  CHECK(hashes.of(file) == of_abc);
  SUBCASE("written in place") {
    std::ofstream(file, std::ios::in | std::ios::out) << "xyz";
  }
  SUBCASE("renamed over") {
    const auto copy = folder.write("copy", "xyz");
    touch(copy, 1'000'000);
    std::filesystem::rename(copy, file);
  }
  touch(file, 1'000'000);
  CHECK(hashes.of(file) != of_abc);
}

TEST_CASE("a damaged memory is an empty one") {
  const TemporaryFolder folder;
  const auto file = folder.write("a.txt", "abc");
  for (const std::string& text :
       {std::string("junk\n"), of_abc + " x y z u\n", of_abc.substr(1) + " 3 4 5 6 /a\n"}) {
    folder.write("memory", text);
    CHECK(FileHashes(folder / "memory").of(file) == of_abc);
  }
}

TEST_CASE("nothing is remembered of a file that cannot be read") {
  const TemporaryFolder folder;
  const auto file = folder.write("a.txt", "abc");
  const auto damaged = folder.write("b.txt", "abc");
  {
    FileHashes hashes(folder / "memory");
    static_cast<void>(hashes.of(file));
    const NoMoreFiles limit;
    CHECK_THROWS_AS(static_cast<void>(hashes.of(damaged)), DataError);
  }
  FileHashes hashes(folder / "memory");
  static_cast<void>(hashes.of(file));
  {
    const NoMoreFiles limit;
    CHECK_THROWS_AS(static_cast<void>(hashes.of(damaged)), DataError);
  }
  hashes.save();
  CHECK(read_bytes(folder / "memory").find("b.txt") == std::string::npos);
  CHECK(read_bytes(folder / "memory").starts_with(of_abc + " "));
}

TEST_CASE("a file that cannot be read is an error that names it") {
  const TemporaryFolder folder;
  FileHashes hashes(folder / "memory");
  CHECK(message_of<DataError>([&] {
          static_cast<void>(hashes.of(folder / "gone.txt"));
        }).find("gone.txt: error: cannot be read") != std::string::npos);
}
