#include "file/atomic_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <ostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "kindred/core/error.h"
#include "ordinary_user.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::file;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

void write_text(const fs::path& file, const std::string& text) {
  write_atomically(file, [&](std::ostream& stream) { stream << text; });
}

/// What lies in a pipe by now.
std::string read_pipe(int descriptor) {
  std::array<char, 100> bytes{};
  const auto size = ::read(descriptor, bytes.data(), bytes.size());
  return size <= 0 ? "" : std::string(bytes.data(), static_cast<std::size_t>(size));
}

}  // namespace

TEST_CASE("a file is written, replaced, and leaves nothing else behind") {
  const TemporaryFolder folder;
  const auto file = folder / "file.txt";
  write_text(file, "old");
  CHECK(read_bytes(file) == "old");
  write_text(file, "new and longer");
  CHECK(read_bytes(file) == "new and longer");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("more than the buffer holds is written whole, in small and in large pieces") {
  const TemporaryFolder folder;
  const auto file = folder / "file.bin";
  std::string expected;
  write_atomically(file, [&](std::ostream& stream) {
    for (int i = 0; i < 300'000; ++i) {
      const std::string piece = std::to_string(i) + ",";
      expected += piece;
      stream << piece;
    }
    const std::string large(3'000'000, 'x');
    expected += large + "end";
    stream << large;
    stream.put('e');
    stream << "nd";
  });
  CHECK(read_bytes(file) == expected);
}

TEST_CASE("missing folders are made, and a bare name goes to the working directory") {
  const TemporaryFolder folder;
  write_text(folder / "a/b/c.txt", "deep");
  CHECK(read_bytes(folder / "a/b/c.txt") == "deep");
  const auto before = fs::current_path();
  fs::current_path(folder.path());
  write_text("bare.txt", "bare");
  fs::current_path(before);
  CHECK(read_bytes(folder / "bare.txt") == "bare");
}

TEST_CASE("when the writer throws, the old file stays, the temporary one goes and the exception arrives") {
  const TemporaryFolder folder;
  const auto file = folder / "file.txt";
  write_text(file, "old");
  const auto failing = [&] {
    write_atomically(file, [](std::ostream& stream) {
      stream << "half";
      throw std::logic_error("given up");
    });
  };
  CHECK_THROWS_WITH_AS(failing(), "given up", std::logic_error);
  CHECK(read_bytes(file) == "old");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a write that the system refuses keeps the old file and says the system's reason") {
  const TemporaryFolder folder;
  const auto file = folder / "file.bin";
  write_text(file, "old");
  // A limit on file size fails as a full disk does.
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto* handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{100'000, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto large = message_of<DataError>([&] { write_text(file, std::string(5'000'000, 'x')); });
  const auto flushed_at_the_end = message_of<DataError>([&] { write_text(file, std::string(200'000, 'x')); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(large == file.string() + ": error: cannot be written: File too large");
  CHECK(flushed_at_the_end == large);
  CHECK(read_bytes(file) == "old");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a file in the place of the folder, and a folder in the place of the file, are named") {
  const TemporaryFolder folder;
  write_text(folder / "plain", "x");
  const auto inside = folder / "plain/file.txt";
  CHECK(message_of<DataError>([&] { write_text(inside, "x"); }) ==
        inside.string() + ": error: its folder cannot be created: Not a directory");
  fs::create_directories(folder / "taken/by");
  CHECK(message_of<DataError>([&] { write_text(folder / "taken", "x"); }) ==
        (folder / "taken").string() + ": error: cannot be replaced: Is a directory");
  CHECK(files_in(folder.path()) == 2);
}

TEST_CASE("a name may be as long as the system allows, and a longer one is refused by name") {
  const TemporaryFolder folder;
  // Names of 250 bytes leave room for those of the hidden file, of more they do not.
  for (std::size_t size = 249; size <= 255; ++size) {
    CAPTURE(size);
    const auto file = folder / std::string(size, 'x');
    write_text(file, "old");
    write_text(file, "new");
    CHECK(read_bytes(file) == "new");
    CHECK(files_in(folder.path()) == 1);
    fs::remove(file);
  }
  std::string umlauts;
  for (int i = 0; i < 127; ++i) umlauts += "\xC3\xA4";
  write_text(folder / umlauts, "x");
  CHECK(read_bytes(folder / umlauts) == "x");
  const auto longer = folder / std::string(256, 'x');
  CHECK(message_of<DataError>([&] { write_text(longer, "x"); }) ==
        longer.string() + ": error: cannot be written: File name too long");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a file is written at a path of 4,000 bytes") {
  const TemporaryFolder folder;
  const auto file = long_folder(folder.path(), 3990) / "file.txt";
  write_text(file, "x");
  CHECK(read_bytes(file) == "x");
  const auto longer = file.parent_path() / std::string(200, 'y');
  CHECK(message_of<DataError>([&] { write_text(longer, "x"); }) ==
        longer.string() + ": error: cannot be written: File name too long");
}

TEST_CASE("a folder that may not be written is named") {
  const TemporaryFolder folder;
  const auto closed = folder / "closed";
  fs::create_directory(closed);
  fs::permissions(folder.path(), static_cast<fs::perms>(0755));
  fs::permissions(closed, static_cast<fs::perms>(0555));
  const auto message = [&] {
    const OrdinaryUser user;
    return message_of<DataError>([&] { write_text(closed / "file.txt", "x"); });
  }();
  CHECK(message == (closed / "file.txt").string() + ": error: cannot be written: Permission denied");
}

TEST_CASE("what a link points to is replaced, not the link") {
  const TemporaryFolder folder;
  write_text(folder / "real.txt", "old");
  fs::create_symlink("real.txt", folder / "link.txt");
  write_text(folder / "link.txt", "new");
  CHECK(fs::is_symlink(folder / "link.txt"));
  CHECK(read_bytes(folder / "real.txt") == "new");
}

TEST_CASE("a named pipe is written to and stays, also behind a link") {
  const TemporaryFolder folder;
  const auto pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  fs::create_symlink("pipe", folder / "link");
  // A reader that does not wait: what is written finds it there.
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(reader >= 0);
  write_text(pipe, "by its name");
  CHECK(read_pipe(reader) == "by its name");
  write_text(folder / "link", "by a link");
  CHECK(read_pipe(reader) == "by a link");
  CHECK(fs::is_fifo(fs::symlink_status(pipe)));
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(files_in(folder.path()) == 2);
  ::close(reader);
}

TEST_CASE("a descriptor of the process is written to where it stands, be it a pipe or a file") {
  const TemporaryFolder folder;
  const auto name_of = [](int descriptor) { return "/dev/fd/" + std::to_string(descriptor); };
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  write_text(name_of(ends[1]), "into the pipe");
  CHECK(read_pipe(ends[0]) == "into the pipe");
  for (const int end : ends) ::close(end);

  // As the shell opens a file for standard output.
  const auto file = folder.write("file.txt", "");
  const int output = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(output >= 0);
  REQUIRE(::write(output, "before ", 7) == 7);
  fs::create_symlink(name_of(output), folder / "link");
  write_text(folder / "link", "written ");
  REQUIRE(::write(output, "after", 5) == 5);
  CHECK(read_bytes(file) == "before written after");
  CHECK(fs::is_symlink(folder / "link"));
  ::close(output);
}

TEST_CASE("the file gets the permissions that any new file gets") {
  const TemporaryFolder folder;
  const auto mask = ::umask(0027);
  write_text(folder / "file.txt", "x");
  ::umask(mask);
  CHECK((fs::status(folder / "file.txt").permissions() & fs::perms::mask) == static_cast<fs::perms>(0640));
}

TEST_CASE(
    "what a killed process has written goes when the file is written again, what a living one writes stays") {
  const TemporaryFolder folder;
  const auto file = folder / "file.txt";
  const auto child = ::fork();
  if (child == 0) {
    write_atomically(file, [](std::ostream& stream) {
      stream << "half" << std::flush;
      ::kill(::getpid(), SIGKILL);
    });
  }
  REQUIRE(child > 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  REQUIRE(files_in(folder.path()) == 1);
  CHECK(read_bytes(folder / ".file.txt.tmp") == "half");

  write_atomically(file, [&](std::ostream& stream) {
    stream << "outer" << std::flush;
    write_text(file, "inner");
    CHECK(read_bytes(file) == "inner");
    CHECK(files_in(folder.path()) == 2);
  });
  CHECK(read_bytes(file) == "outer");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("many writers of one file leave one whole version") {
  const TemporaryFolder folder;
  const auto file = folder / "file.txt";
  std::vector<std::thread> threads;
  for (char c = 'a'; c < 'e'; ++c) {
    threads.emplace_back([&, c] {
      for (int i = 0; i < 5; ++i) write_text(file, std::string(50'000, c));
    });
  }
  for (auto& thread : threads) thread.join();
  const auto content = read_bytes(file);
  CHECK(content == std::string(50'000, content.at(0)));
  CHECK(files_in(folder.path()) == 1);
}
