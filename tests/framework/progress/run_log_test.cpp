#include "progress/run_log.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "report/training_files.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::progress;
using namespace kindred::test;

namespace {

std::vector<std::string> log_lines(const std::filesystem::path& file) {
  std::vector<std::string> lines;
  std::istringstream stream(read_bytes(file));
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("a run's log keeps notes and finished steps, each with the time, and is continued") {
  const TemporaryFolder folder;
  const auto file = folder / "runs/mine/log.txt";
  const Progress step{.stage = "train", .detail = "epoch 1/2", .done = 5, .total = 5, .unit = "batches"};
  {
    RunLog log(file);
    log.update(step);
    log.finish(step);
    log.note("a note with {} braces");
  }
  RunLog(file).note("of the\nnext start");
  const auto lines = log_lines(file);
  REQUIRE(lines.size() == 4);
  const std::regex head(
      "^20[0-9]{2}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{3} info: ");
  for (const auto i : {0, 1, 2}) CHECK(std::regex_search(lines[static_cast<std::size_t>(i)], head));
  CHECK(lines[0].substr(30) == progress_text(step));
  CHECK(lines[1].substr(30) == "a note with {} braces");
  CHECK(lines[2].substr(30) == "of the");
  CHECK(lines[3] == "    next start");
}

TEST_CASE("a name with a line break or a control character makes no entry of its own in a log") {
  const TemporaryFolder folder;
  const auto file = folder / "log.txt";
  const std::string forged = "2026-01-02 03:04:05.678 error: forged";
  {
    RunLog log(file);
    log.note("warning: a.jpg\n" + forged + ": cannot be read\n  another line\tof ours");
    log.note("b\r" + forged + "\x1b[2K\xC2\x9B\x32J\xE9\xC3\xA9.jpg");
    log.finish({.stage = "evaluate c\n" + forged});
  }
  const auto lines = log_lines(file);
  REQUIRE(lines.size() == 5);
  CHECK(lines[0].substr(30) == "warning: a.jpg");
  CHECK(lines[1] == "    " + forged + ": cannot be read");
  CHECK(lines[2] == "      another line\tof ours");
  CHECK(lines[3].substr(30) == "b\\x0D" + forged + "\\x1B[2K\\xC2\\x9B2J\\xE9\xC3\xA9.jpg");
  CHECK(lines[4].substr(30) == "evaluate c\\x0A" + forged);
  CHECK(report::read_log_warnings(file) ==
        std::vector<std::string>{"a.jpg\n" + forged + ": cannot be read\n  another line\tof ours"});
}

TEST_CASE("a log file that cannot be made is named") {
  const TemporaryFolder folder;
  write_bytes(folder / "plain", "x");
  CHECK_THROWS_WITH_AS(RunLog(folder / "plain/log.txt"),
                       doctest::Contains("plain/log.txt: error: cannot be written: "), DataError);
  CHECK_THROWS_WITH_AS(RunLog{folder.path()}, doctest::Contains("cannot be written: Is a directory"),
                       DataError);
}

TEST_CASE("a log that cannot be written any more ends no work, and says so once") {
  const TemporaryFolder folder;
  RunLog log(folder / "log.txt");
  log.note("first");
  const auto before = read_bytes(folder / "log.txt");
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit full{before.size(), limit.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &full);
  std::ostringstream said;
  auto* const stderr_buffer = std::cerr.rdbuf(said.rdbuf());
  log.note("second");
  log.note("third");
  std::cerr.rdbuf(stderr_buffer);
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, handler);
  CHECK(read_bytes(folder / "log.txt") == before);
  CHECK(folder.without(said.str()) ==
        "warning: log.txt: cannot be written: File too large; lines may be missing there from now on\n");
  log.note("fourth");
  const auto lines = log_lines(folder / "log.txt");
  REQUIRE(lines.size() >= 2);
  CHECK(lines.front().substr(30) == "first");
  CHECK(lines.back().substr(30) == "fourth");
}
