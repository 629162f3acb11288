// Calls to the system fail, by the library tests/faults; tools/faults.py does the same for every call.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "pipeline_results.h"
#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

namespace fs = std::filesystem;

const std::string faults_library = std::string(build_directory) + "/tests/lib/libkindred_faults.so";

/// A launcher built with sanitizers has no such library.
bool faults_are_possible() {
  if (fs::exists(faults_library)) return true;
  MESSAGE("left out: there is no " << faults_library);
  return false;
}

/// @param plan variables of the faults library (tests/faults/fault_plan.h)
Outcome program_as_planned(const TemporaryFolder& folder, const std::vector<std::string>& plan,
                           const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {"/usr/bin/env", "LD_PRELOAD=" + faults_library,
                                      "KINDRED_FAULT_UNDER=" + folder.path().string()};
  command.insert(command.end(), plan.begin(), plan.end());
  command.push_back(program);
  command.insert(command.end(), arguments.begin(), arguments.end());
  return Program(std::move(command), folder.path()).wait();
}

Outcome kindred_as_planned(const TemporaryFolder& folder, const std::vector<std::string>& plan,
                           const std::vector<std::string>& arguments) {
  return program_as_planned(folder, plan, launcher, arguments);
}

/// @param fault CALL:N:EFFECT, for files in the folder
Outcome kindred_with_fault(const TemporaryFolder& folder, const std::string& fault,
                           const std::vector<std::string>& arguments) {
  return kindred_as_planned(folder, {"KINDRED_FAULT=" + fault}, arguments);
}

const std::string recipes = std::string(source_directory) + "/tests/e2e/";

std::vector<std::string> training_of(const TemporaryFolder& folder) {
  return {"train", recipes + "tiny.toml", "--run-dir", (folder / "run").string()};
}

std::vector<std::string> conversion_to(const fs::path& out) {
  return {"data", "convert", recipes + "tiny.toml", "--layout", "market1501", "--out", out.string()};
}

std::vector<std::string> pipeline_in(const fs::path& run) {
  return {"run", recipes + "tiny_pipeline.toml", "--run-dir", run.string()};
}

/// A call to the system that changes a file, or waits for the disk.
struct Call {
  std::string kind;  ///< "write", "sync" or "rename"
  fs::path path;
  fs::path from;  ///< what is renamed
};

/// What the faults library has written of such calls (KINDRED_FAULT_LOG).
std::vector<Call> calls_in(const fs::path& log) {
  std::vector<Call> calls;
  std::istringstream lines(read_bytes(log));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream cells(line);
    std::string kind;
    std::string number;
    std::string path;
    std::string from;
    for (auto* cell : {&kind, &number, &path, &from}) std::getline(cells, *cell, '\t');
    if (kind == "write" || kind == "sync" || kind == "rename") calls.push_back({kind, path, from});
  }
  return calls;
}

/// Each file that is written under another name is on the disk before it gets its own, and that name is
/// before anything else gets one.
/// @return how many files that were
int check_written_safely(const std::vector<Call>& calls) {
  int files = 0;
  for (auto call = calls.begin(); call != calls.end(); ++call) {
    if (call->kind != "rename") continue;
    CAPTURE(call->path);
    const auto before = std::find_if(std::make_reverse_iterator(call), calls.rend(), [&](const Call& other) {
      return other.kind != "rename" && other.path == call->from;
    });
    if (before == calls.rend()) continue;  // a second name of a file that was written before
    ++files;
    CHECK(before->kind == "sync");
    const auto after =
        std::find_if(call + 1, calls.end(), [](const Call& other) { return other.kind != "write"; });
    REQUIRE(after != calls.end());
    CHECK(after->kind == "sync");
    CHECK(after->path == call->path.parent_path());
  }
  return files;
}

/// @param locked the folder that the command would lock
void check_needs_locks(const TemporaryFolder& folder, const std::vector<std::string>& arguments,
                       const fs::path& locked) {
  const auto outcome = kindred_with_fault(folder, "lock:1+:ENOLCK", arguments);
  CAPTURE(outcome.err);
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.err.find(locked.string() + ": error: cannot be locked: No locks available") !=
        std::string::npos);
  CHECK(outcome.err.find("use a folder on another file system") != std::string::npos);
}

TEST_CASE("a system that starts no thread is an error that says what to do, and no wait without end") {
  if (!faults_are_possible()) return;
  const TemporaryFolder folder;
  const auto outcome = kindred_with_fault(folder, "thread:1+:EAGAIN", training_of(folder));
  CHECK(outcome.exit_code == 1);
  CAPTURE(outcome.err);
  CHECK(outcome.err.find("error: the system starts 1 of ") != std::string::npos);
  CHECK(outcome.err.find("let it use fewer processors (taskset), or raise the limit") != std::string::npos);
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

TEST_CASE("a thread of the service that is not started is an error that says what to do") {
  if (!faults_are_possible()) return;
  const TemporaryFolder folder;
  REQUIRE(kindred(training_of(folder), folder.path()).exit_code == 0);
  const auto model = (folder / "run/model/model.safetensors").string();
  const auto features = (folder / "features").string();
  REQUIRE(kindred({"embed", "--weights", model, "--out", features}, folder.path()).exit_code == 0);
  const auto outcome = kindred_with_fault(folder, "thread:300+:EAGAIN",
                                          {"serve", "--weights", model, "--gallery", features, "--port", "0",
                                           "--max-requests", "500", "--threads", "1"});
  if (outcome.err.find("built without cpp-httplib") != std::string::npos) {
    MESSAGE("left out: built without cpp-httplib");
    return;
  }
  CHECK(outcome.exit_code == 1);
  CAPTURE(outcome.err);
  CHECK(outcome.err.find(" of 500 threads for requests: Resource temporarily unavailable") !=
        std::string::npos);
  CHECK(outcome.err.find("--max-requests") != std::string::npos);
}

TEST_CASE("a file system without locks is refused by a run and a gallery that is made, not by a conversion") {
  if (!faults_are_possible()) return;
  const TemporaryFolder folder;
  check_needs_locks(folder, training_of(folder), folder / "run");
  REQUIRE(kindred(training_of(folder), folder.path()).exit_code == 0);

  const auto data = folder / "data";
  REQUIRE(kindred_with_fault(folder, "lock:1+:ENOLCK", conversion_to(data)).exit_code == 0);

  const auto gallery = folder / "gallery";
  const std::vector<std::string> search = {
      "search",        "--weights", (folder / "run/model/model.safetensors").string(),       "--gallery",
      data.string(),   "--image",   fs::directory_iterator(data / "query")->path().string(), "--keep",
      gallery.string()};
  check_needs_locks(folder, search, gallery);
  CHECK_FALSE(fs::exists(gallery / "gallery.log"));
  CHECK(kindred(search, folder.path()).exit_code == 0);
}

TEST_CASE("a lock that cannot be written is an error that names its file") {
  if (!faults_are_possible()) return;
  const TemporaryFolder folder;
  for (const auto* call : {"truncate", "write"}) {
    CAPTURE(call);
    const auto outcome = kindred_with_fault(folder, std::string(call) + ":1:EIO", training_of(folder));
    CAPTURE(outcome.err);
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.err.find((folder / "run/.lock").string() +
                           ": error: cannot be written: Input/output error") != std::string::npos);
  }
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
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    CHECK(entry.path().filename().string().find("model.pt") == std::string::npos);
  }
  CHECK(kindred(arguments, folder.path()).exit_code == 0);
}

TEST_CASE(
    "what a training or a gallery writes is on the disk before it has its name, and so is the name then") {
  if (!faults_are_possible()) return;
  const TemporaryFolder folder;
  const auto log = folder / "calls";
  const std::vector<std::string> plan = {"KINDRED_FAULT_LOG=" + log.string()};
  REQUIRE(kindred_as_planned(folder, plan, training_of(folder)).exit_code == 0);
  // Among them the recipe, four checkpoints, the model and what says that the stage is done.
  CHECK(check_written_safely(calls_in(log)) > 10);

  fs::remove(log);
  const auto gallery = folder / "gallery";
  REQUIRE(program_as_planned(folder, plan, std::string(build_directory) + "/tests/bin/gallery_additions",
                             {gallery.string()})
              .exit_code == 0);
  const auto calls = calls_in(log);
  CHECK(check_written_safely(calls) == 2);  // made, and written again
  // It flushes what it has added three times.
  CHECK(std::count_if(calls.begin(), calls.end(), [&](const Call& call) {
          return call.kind == "sync" && call.path == gallery / "gallery.log";
        }) == 3);
}

TEST_CASE("a file that cannot be looked at is not replaced as if it were not there") {
  if (!faults_are_possible()) return;
  const TemporaryFolder folder;
  REQUIRE(kindred(training_of(folder), folder.path()).exit_code == 0);
  const auto out = folder.write("out/model.pt", "kept");
  const auto outcome = kindred_as_planned(
      folder, {"KINDRED_FAULT_UNDER=" + out.parent_path().string(), "KINDRED_FAULT=stat:1:EIO"},
      {"export", "--weights", (folder / "run/model/model.safetensors").string(), "--to", "torchscript",
       "--out", out.string()});
  CAPTURE(outcome.err);
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.err.find("model.pt: error: cannot be written: Input/output error") != std::string::npos);
  CHECK(read_bytes(out) == "kept");
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
  CHECK(fs::exists(folder / "features/gallery.csv"));
  CHECK(kindred(flipped, folder.path()).exit_code == 0);
  CHECK(read_bytes(folder / "features/query.npy") != before);
}

TEST_CASE("a folder that is not listed to its end is an error that names it, and never one with less in it") {
  if (!faults_are_possible()) return;
  const TemporaryFolder folder;
  const auto run = folder / "run";
  REQUIRE(kindred(pipeline_in(run), folder.path()).exit_code == 0);
  fs::remove(run / "pipeline.toml");
  // Its second entry: the first thing that these commands read there is the folder itself.
  const std::vector<std::string> plan = {"KINDRED_FAULT_UNDER=" + run.string(), "KINDRED_FAULT=read:2:EIO"};
  for (const auto* command : {"evaluate", "report"}) {
    CAPTURE(command);
    const auto outcome = kindred_as_planned(folder, plan, {command, run.string()});
    CAPTURE(outcome.err);
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.err.find(run.string() + ": error: cannot be listed: Input/output error") !=
          std::string::npos);
  }
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
    fs::remove_all(out);
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

TEST_CASE("a clock that jumps by years changes no result") {
  if (!faults_are_possible()) return;
  const TemporaryFolder folder;
  REQUIRE(kindred(pipeline_in(folder / "right"), folder.path()).exit_code == 0);
  const auto expected = results(folder / "right");
  const auto jumped = folder / "jumped";
  const auto run = folder / "run";
  // Within the pipeline, and from its start on: it is killed then, and goes on with a clock that is right
  // again.
  for (const auto* jump : {"20:315360000", "20:-315360000", "1:315360000", "1:-315360000"}) {
    CAPTURE(jump);
    std::vector<std::string> plan = {std::string("KINDRED_FAULT_CLOCK=") + jump,
                                     "KINDRED_FAULT_FIRED=" + jumped.string()};
    const bool is_killed = jump[0] == '1';
    if (is_killed) plan.emplace_back("KINDRED_FAULT=rename:20:KILL");
    const auto outcome = kindred_as_planned(folder, plan, pipeline_in(run));
    CAPTURE(outcome.err);
    REQUIRE(outcome.exit_code == (is_killed ? -SIGKILL : 0));
    CHECK(fs::remove(jumped));
    const auto again = kindred(pipeline_in(run), folder.path());
    CHECK(again.exit_code == 0);
    CHECK((again.err.find(" runs: ") == std::string::npos) == !is_killed);
    CHECK(results(run) == expected);
    fs::remove_all(run);
  }
}

}  // namespace
}  // namespace kindred::test
