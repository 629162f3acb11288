// Training that is stopped or killed from outside goes on and ends with the same bits.
#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

std::vector<std::string> training(const std::filesystem::path& run) {
  return {launcher,          "train",      std::string(source_directory) + "/tests/e2e/tiny.toml",
          "--run-dir",       run.string(), "--set",
          "train.epochs=12", "--set",      "train.checkpoint_every=2"};
}

/// Lets the program work until it has written its first metrics, and a while more.
void let_it_work(const Program& program, const std::filesystem::path& run, int milliseconds) {
  while (program.running() && !std::filesystem::exists(run / "model/metrics.jsonl")) usleep(5'000);
  for (int waited = 0; program.running() && waited < milliseconds; waited += 5) usleep(5'000);
}

/// The earliest of times for a file that is not there.
std::filesystem::file_time_type written_at(const std::filesystem::path& file) {
  std::error_code error;
  return std::filesystem::last_write_time(file, error);
}

bool goes_on(const Outcome& outcome) {
  return outcome.err.find("continuing in epoch ") != std::string::npos;
}

std::string undisturbed(const TemporaryFolder& folder) {
  const auto run = folder / "undisturbed";
  REQUIRE(Program(training(run), folder.path()).wait().exit_code == 0);
  return read_bytes(run / "model/model.safetensors");
}

TEST_CASE("a training killed again and again goes on from its checkpoints and ends with the same bits") {
  const TemporaryFolder folder;
  const auto expected = undisturbed(folder);
  const auto run = folder / "killed";
  const auto checkpoint = run / "model/checkpoint.safetensors";
  int kills = 0;
  for (const int milliseconds : {0, 10, 3, 20}) {
    CAPTURE(kills);
    // Each gets one checkpoint further than the one before.
    const auto before = written_at(checkpoint);
    Program program(training(run), folder.path());
    while (program.running() && written_at(checkpoint) == before) usleep(1'000);
    usleep(1'000 * milliseconds);
    if (!program.running()) break;
    program.send(SIGKILL);
    const auto killed = program.wait();
    CHECK(killed.exit_code == -SIGKILL);
    CHECK(goes_on(killed) == (kills > 0));
    ++kills;
  }
  CHECK(kills >= 2);
  const auto outcome = Program(training(run), folder.path()).wait();
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  CHECK(goes_on(outcome));
  CHECK(read_bytes(run / "model/model.safetensors") == expected);
}

TEST_CASE("a training that is asked to stop writes a checkpoint, says so and goes on from there") {
  const TemporaryFolder folder;
  const auto expected = undisturbed(folder);
  const auto run = folder / "stopped";
  Program program(training(run), folder.path());
  let_it_work(program, run, 20);
  program.send(SIGTERM);
  const auto stopped = program.wait();
  CHECK(stopped.exit_code == 130);
  CHECK(stopped.err.find("run the same command again to continue") != std::string::npos);
  CHECK(std::filesystem::exists(run / "model/checkpoint.safetensors"));
  CHECK_FALSE(std::filesystem::exists(run / "model/model.safetensors"));
  const auto outcome = Program(training(run), folder.path()).wait();
  REQUIRE(outcome.exit_code == 0);
  CHECK(goes_on(outcome));
  CHECK(read_bytes(run / "model/model.safetensors") == expected);
}

TEST_CASE("a second run in the same folder is refused and harms nothing") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  auto command = training(run);
  command.back() = "train.epochs=400";
  Program first(command, folder.path());
  let_it_work(first, run, 0);
  const auto second = Program(command, folder.path()).wait();
  CHECK(second.exit_code == 1);
  CHECK(second.err.find(run.string()) != std::string::npos);
  CHECK(first.running());
  first.send(SIGTERM);
  CHECK(first.wait().exit_code == 130);
}

}  // namespace
}  // namespace kindred::test
