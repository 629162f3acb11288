// Calls to the system fail, by the library tests/faults; tools/faults.py does the same for every call.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

const std::string faults_library = std::string(build_directory) + "/tests/lib/libkindred_faults.so";

/// A launcher built with sanitizers has no such library.
bool faults_are_possible() {
  if (std::filesystem::exists(faults_library)) return true;
  MESSAGE("left out: there is no " << faults_library);
  return false;
}

/// @param fault CALL:N:EFFECT, for files in the folder
Outcome kindred_with_fault(const TemporaryFolder& folder, const std::string& fault,
                           const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {"/usr/bin/env", "LD_PRELOAD=" + faults_library,
                                      "KINDRED_FAULT=" + fault,
                                      "KINDRED_FAULT_UNDER=" + folder.path().string(), launcher};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return Program(std::move(command), folder.path()).wait();
}

std::vector<std::string> training_of(const TemporaryFolder& folder) {
  return {"train", std::string(source_directory) + "/tests/e2e/tiny.toml", "--run-dir",
          (folder / "run").string()};
}

TEST_CASE("a system that starts no thread is an error that says what to do, and no wait without end") {
  if (!faults_are_possible()) return;
  const TemporaryFolder folder;
  const auto outcome = kindred_with_fault(folder, "thread:1+:EAGAIN", training_of(folder));
  CHECK(outcome.exit_code == 1);
  CAPTURE(outcome.err);
  CHECK(outcome.err.find("error: the system starts 1 of ") != std::string::npos);
  CHECK(outcome.err.find("use fewer (--threads)") != std::string::npos);
}

TEST_CASE("a thread of the loader that is not started is an error that says what to do") {
  if (!faults_are_possible()) return;
  const TemporaryFolder folder;
  auto arguments = training_of(folder);
  arguments.insert(arguments.end(), {"--set", "loader.workers=500", "--threads", "1"});
  const auto outcome = kindred_with_fault(folder, "thread:300+:EAGAIN", arguments);
  CHECK(outcome.exit_code == 1);
  CAPTURE(outcome.err);
  CHECK(outcome.err.find("error: the system starts no further thread") != std::string::npos);
  CHECK(outcome.err.find("loader.workers") != std::string::npos);
}

TEST_CASE("a file system without locks, and a lock file that cannot be written, are named") {
  if (!faults_are_possible()) return;
  const TemporaryFolder folder;
  const auto outcome = kindred_with_fault(folder, "lock:1+:ENOLCK", training_of(folder));
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.err.find((folder / "run").string() + ": error: cannot be locked: No locks available") !=
        std::string::npos);
  CHECK(outcome.err.find("use a folder on another file system") != std::string::npos);
}

TEST_CASE("an export onto a full disk is an error and leaves nothing") {
  if (!faults_are_possible()) return;
  const TemporaryFolder folder;
  REQUIRE(kindred(training_of(folder), folder.path()).exit_code == 0);
  const auto out = folder / "model.pt";
  const std::vector<std::string> arguments = {
      "export", "--weights", (folder / "run/model/model.safetensors").string(), "--to", "torchscript",
      "--out",  out.string()};
  const auto outcome = kindred_with_fault(folder, "write:1:ENOSPC", arguments);
  CAPTURE(outcome.err);
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.err.find("model.pt: error: cannot be written: No space left on device") != std::string::npos);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    CHECK(entry.path().filename().string().find("model.pt") == std::string::npos);
  }
  CHECK(kindred(arguments, folder.path()).exit_code == 0);
}

TEST_CASE("features are kept until the new ones are all there") {
  if (!faults_are_possible()) return;
  const TemporaryFolder folder;
  REQUIRE(kindred(training_of(folder), folder.path()).exit_code == 0);
  const std::vector<std::string> arguments = {"embed", "--weights",
                                              (folder / "run/model/model.safetensors").string(), "--out",
                                              (folder / "features").string()};
  REQUIRE(kindred(arguments, folder.path()).exit_code == 0);
  const auto before = read_bytes(folder / "features/query.npy");
  auto flipped = arguments;
  flipped.insert(flipped.end(), {"--set", "embed.flip_test=true"});
  // The list of the gallery is the last of four files.
  CHECK(kindred_with_fault(folder, "rename:4:EIO", flipped).exit_code == 1);
  CHECK(read_bytes(folder / "features/query.npy") == before);
  CHECK(std::filesystem::exists(folder / "features/gallery.csv"));
  CHECK(kindred(flipped, folder.path()).exit_code == 0);
  CHECK(read_bytes(folder / "features/query.npy") != before);
}

TEST_CASE("memory that does not suffice is an error like any other") {
  if (!faults_are_possible()) return;
  const TemporaryFolder folder;
  auto arguments = training_of(folder);
  const auto outcome = kindred_with_fault(folder, "allocate:92+:ENOMEM", arguments);
  CAPTURE(outcome.err);
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.err.find("error: ") != std::string::npos);
  CHECK(outcome.err.find("memory") != std::string::npos);
  CHECK(outcome.err.find("unexpected") == std::string::npos);
}

TEST_CASE("memory that runs out while a network is prepared or run is an error, and changes no descriptor") {
  if (!faults_are_possible()) return;
  const TemporaryFolder folder;
  REQUIRE(kindred(training_of(folder), folder.path()).exit_code == 0);
  const auto out = folder / "features";
  const std::vector<std::string> arguments = {
      "embed", "--weights", (folder / "run/model/model.safetensors").string(), "--out", out.string()};
  REQUIRE(kindred(arguments, folder.path()).exit_code == 0);
  const auto expected = read_bytes(out / "gallery.npy");
  int errors = 0;
  // In the fusion of the network, and in the graph that it gives.
  for (const int number : {80, 85, 92, 117, 125, 127}) {
    std::filesystem::remove_all(out);
    const auto outcome =
        kindred_with_fault(folder, "allocate:" + std::to_string(number) + ":ENOMEM", arguments);
    CAPTURE(number);
    CAPTURE(outcome.err);
    if (outcome.exit_code == 0) {
      CHECK(read_bytes(out / "gallery.npy") == expected);
    } else {
      ++errors;
      CHECK(outcome.exit_code == 1);
      CHECK(outcome.err.find("memory") != std::string::npos);
      CHECK(outcome.err.find("unexpected") == std::string::npos);
    }
  }
  CHECK(errors > 0);
}

}  // namespace
}  // namespace kindred::test
