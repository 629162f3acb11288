// A training by several processes, as torchrun, mpirun and srun start them.
#include <doctest/doctest.h>
#include <torch/torch.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "file/safetensors.h"
#include "program.h"
#include "started_ranks.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

/// Layers that look at each image alone, so that the batch's division changes nothing but the order of sums.
std::vector<std::string> training(const std::filesystem::path& run, std::vector<std::string> more = {}) {
  std::vector<std::string> command{launcher, "train",
                                   std::string(source_directory) + "/tests/e2e/several_ranks.toml",
                                   "--run-dir", run.string()};
  for (auto& setting : more) {
    command.emplace_back("--set");
    command.push_back(std::move(setting));
  }
  return command;
}

/// The largest difference of two models' weights.
double difference(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto one = file::read_safetensors(a);
  const auto other = file::read_safetensors(b);
  REQUIRE(one.tensors.size() == other.tensors.size());
  double largest = 0;
  for (const auto& [name, tensor] : one.tensors) {
    const auto* found = other.find(name);
    REQUIRE(found != nullptr);
    if (!tensor.is_floating_point() || tensor.numel() == 0) continue;
    largest = std::max(largest, (tensor - *found).abs().max().item<double>());
  }
  return largest;
}

TEST_CASE("ranks that share batches learn what one process learns") {
  const TemporaryFolder folder;
  REQUIRE(Program(training(folder / "one"), folder.path()).wait().exit_code == 0);
  for (const int ranks : {2, 3}) {
    const auto run = folder / std::to_string(ranks);
    require_success(start(training(run), ranks, folder));
    CHECK(difference(folder / "one/model/model.safetensors", run / "model/model.safetensors") < 1e-5);
    CHECK(read_bytes(run / "model/metrics.jsonl").find("\"loss\"") != std::string::npos);
  }
  const auto parts = folder / "parts";
  require_success(start(training(parts, {"train.accumulate=2"}), 2, folder));
  CHECK(difference(folder / "one/model/model.safetensors", parts / "model/model.safetensors") < 1e-5);
}

TEST_CASE("with synchronized batch normalizations that holds for networks that have them") {
  const TemporaryFolder folder;
  const std::vector<std::string> network{
      R"(backbone={type="resnet",depth=18,width_multiplier=0.125})",
      R"(head={type="bnneck"})",
      R"(loss=[{type="cross_entropy",on=["logits"]},{type="triplet",on=["global"]}])",
      "train.epochs=1",
      "schedule.milestones=[0.5]",
      "schedule.warmup_epochs=0"};
  auto with_sync = network;
  with_sync.emplace_back("train.sync_batch_norm=true");
  REQUIRE(Program(training(folder / "one", network), folder.path()).wait().exit_code == 0);
  require_success(start(training(folder / "synced", with_sync), 2, folder));
  require_success(start(training(folder / "apart", network), 2, folder));
  const auto expected = folder / "one/model/model.safetensors";
  CHECK(difference(expected, folder / "synced/model/model.safetensors") < 1e-5);
  CHECK(difference(expected, folder / "apart/model/model.safetensors") > 1e-4);
}

TEST_CASE(
    "ranks that are stopped go on to the same bits, and to about the same with another number of them") {
  const TemporaryFolder folder;
  require_success(start(training(folder / "whole"), 2, folder));
  const auto expected = read_bytes(folder / "whole/model/model.safetensors");
  for (const int later : {2, 1}) {
    CAPTURE(later);
    const auto run = folder / ("stopped" + std::to_string(later));
    const auto programs = start(training(run), 2, folder);
    while (programs[0]->running() && !std::filesystem::exists(run / "model/metrics.jsonl")) usleep(5'000);
    // Of one rank: all agree.
    programs[1]->send(SIGTERM);
    for (const auto& program : programs) {
      const auto outcome = program->wait();
      CAPTURE(outcome.err);
      CHECK(outcome.exit_code == 130);
    }
    CHECK(std::filesystem::exists(run / "model/checkpoint.safetensors"));
    require_success(start(training(run), later, folder));
    if (later == 2) CHECK(read_bytes(run / "model/model.safetensors") == expected);
    CHECK(difference(folder / "whole/model/model.safetensors", run / "model/model.safetensors") < 1e-4);
  }
}

TEST_CASE("a rank that is killed ends the others within seconds, each with words") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  const auto programs = start(training(run, {"train.epochs=500"}), 3, folder);
  while (programs[0]->running() && !std::filesystem::exists(run / "model/metrics.jsonl")) usleep(5'000);
  const auto before = std::chrono::steady_clock::now();
  programs[1]->send(SIGKILL);
  for (const int rank : {0, 2}) {
    const auto outcome = programs[static_cast<std::size_t>(rank)]->wait();
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.err.find("rank " + std::to_string(rank) + " of 3: error: has lost another rank") !=
          std::string::npos);
  }
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(20));
}

TEST_CASE("more ranks than a batch can be divided among are refused with words") {
  const TemporaryFolder folder;
  const auto programs = start(training(folder / "run", {"sampler.identities_per_batch=2"}), 3, folder);
  for (const auto& program : programs) {
    const auto outcome = program->wait();
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.err.find("use fewer ranks or larger batches") != std::string::npos);
  }
}

}  // namespace
}  // namespace kindred::test
