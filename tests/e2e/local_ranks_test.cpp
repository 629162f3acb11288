// Ranks that the launcher starts itself (--ranks), and those of torchrun and mpirun, where there are any.
#include <doctest/doctest.h>
#include <torch/torch.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "file/safetensors.h"
#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

namespace fs = std::filesystem;

const std::string ranks_recipe = std::string(source_directory) + "/tests/e2e/several_ranks.toml";

std::vector<std::string> train_command(const fs::path& run, const std::vector<std::string>& more) {
  std::vector<std::string> command{launcher, "train", ranks_recipe, "--run-dir", run.string()};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// The processes that a program has started, by rank: in the order of their start.
std::vector<pid_t> children_of(const Program& program) {
  const auto id = std::to_string(program.pid());
  std::ifstream file("/proc/" + id + "/task/" + id + "/children");
  std::vector<pid_t> children;
  for (pid_t child = 0; file >> child;) children.push_back(child);
  std::sort(children.begin(), children.end());
  return children;
}

void wait_for_training(const Program& program, const fs::path& run) {
  while (program.running() && !fs::exists(run / "model/metrics.jsonl")) usleep(5'000);
}

/// Whether two runs' models have the same weights to the last bit, whatever their recipes say of the machine.
bool are_same_models(const fs::path& run, const fs::path& other) {
  const auto one = file::read_safetensors(run / "model/model.safetensors");
  const auto two = file::read_safetensors(other / "model/model.safetensors");
  return one.tensors.size() == two.tensors.size() && !one.tensors.empty() &&
         std::all_of(one.tensors.begin(), one.tensors.end(), [&](const auto& entry) {
           const auto* found = two.find(entry.first);
           return found != nullptr && found->equal(entry.second);
         });
}

/// One that has ended is not, though nobody has fetched how, as where a container's first process fetches
/// none.
bool is_alive(pid_t process) {
  const auto status = read_bytes("/proc/" + std::to_string(process) + "/stat");
  const auto state = status.rfind(") ");
  return state != std::string::npos && status.compare(state, 3, ") Z") != 0;
}

TEST_CASE("--ranks starts them: one log, the model of ranks, and a pipeline's other stages by rank 0 alone") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  auto command = train_command(run, {"--ranks", "2"});
  command[1] = "run";
  const auto outcome = Program(command, folder.path()).wait();
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  CHECK(times(outcome.err, "stage 'model' (train)") == 1);
  CHECK(times(outcome.err, "2 ranks share each batch\n") == 1);
  CHECK(times(outcome.out, "mAP") >= 1);
  CHECK(fs::exists(run / "ranking/evaluation.json"));
  CHECK(read_bytes(run / "model/recipe.toml").find("ranks = 2\n") != std::string::npos);

  // As the recipe says it; and the same bits.
  const auto other = folder / "other";
  const auto by_recipe = Program(train_command(other, {"--set", "machine.ranks=2"}), folder.path()).wait();
  CAPTURE(by_recipe.err);
  REQUIRE(by_recipe.exit_code == 0);
  CHECK(by_recipe.out == (other / "model/model.safetensors").string() + "\n");
  CHECK(read_bytes(other / "model/model.safetensors") == read_bytes(run / "model/model.safetensors"));
}

TEST_CASE("asked to stop, the ranks keep a checkpoint, and the same command ends with the same bits") {
  const TemporaryFolder folder;
  REQUIRE(Program(train_command(folder / "whole", {"--ranks", "2"}), folder.path()).wait().exit_code == 0);
  const auto run = folder / "run";
  {
    Program program(train_command(run, {"--ranks", "2"}), folder.path());
    wait_for_training(program, run);
    program.send(SIGINT);
    const auto outcome = program.wait();
    CAPTURE(outcome.err);
    CHECK(outcome.exit_code == 130);
    CHECK(times(outcome.err, "run the same command again to continue") == 1);
  }
  CHECK(fs::exists(run / "model/checkpoint.safetensors"));
  REQUIRE(Program(train_command(run, {"--ranks", "2"}), folder.path()).wait().exit_code == 0);
  CHECK(read_bytes(run / "model/model.safetensors") == read_bytes(folder / "whole/model/model.safetensors"));
}

TEST_CASE("a rank that is killed, and a launcher that is, take all others with them") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  const auto command = train_command(run, {"--ranks", "3", "--set", "train.epochs=500"});
  {
    Program program(command, folder.path());
    wait_for_training(program, run);
    const auto children = children_of(program);
    REQUIRE(children.size() == 3);
    const auto before = std::chrono::steady_clock::now();
    kill(children[1], SIGKILL);
    const auto outcome = program.wait();
    CHECK(outcome.exit_code == 1);
    CAPTURE(outcome.err);
    CHECK(times(outcome.err, "error: rank 1 of 3 was ended by signal 9 (Killed)") == 1);
    CHECK(times(outcome.err, "lost") == 0);
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(20));
    for (const auto child : children) CHECK_FALSE(is_alive(child));
  }
  Program program(command, folder.path());
  const auto metrics = fs::file_size(run / "model/metrics.jsonl");
  while (program.running() && fs::file_size(run / "model/metrics.jsonl") == metrics) usleep(5'000);
  const auto children = children_of(program);
  REQUIRE(children.size() == 3);
  program.send(SIGKILL);
  CHECK(program.wait().exit_code == -SIGKILL);
  for (int tries = 0; tries < 4000 && std::any_of(children.begin(), children.end(), is_alive); ++tries)
    usleep(5'000);
  CHECK(std::none_of(children.begin(), children.end(), is_alive));
}

TEST_CASE("ranks are not bound to the processors that OpenMP would bind each of them to") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  auto command = train_command(run, {"--ranks", "2", "--set", "train.epochs=500"});
  command.insert(command.begin(), {"/usr/bin/env", "OMP_PROC_BIND=true"});
  Program program(command, folder.path());
  wait_for_training(program, run);
  const auto children = children_of(program);
  REQUIRE(children.size() == 2);
  for (const auto child : children) {
    const auto variables = read_bytes("/proc/" + std::to_string(child) + "/environ");
    CHECK(variables.find(std::string("OMP_PROC_BIND=false") + '\0') != std::string::npos);
  }
  program.send(SIGINT);
  CHECK(program.wait().exit_code == 130);
}

TEST_CASE("what all ranks find wrong is said once, with the exit code of one process") {
  const TemporaryFolder folder;
  const auto outcome_of = [&](const std::vector<std::string>& more) {
    return Program(train_command(folder / "run", more), folder.path()).wait();
  };
  const auto too_many = outcome_of({"--ranks", "3", "--set", "sampler.identities_per_batch=2"});
  CHECK(too_many.exit_code == 1);
  CHECK(times(too_many.err, "use fewer ranks or larger batches") == 1);
  CHECK(times(too_many.err, "lost") == 0);

  const auto wrong = outcome_of({"--ranks", "2", "--set", "train.epoch=3"});
  CHECK(wrong.exit_code == 2);
  CHECK(times(wrong.err, "train.epoch") == 1);

  CHECK(outcome_of({"--ranks", "0"}).exit_code == 2);
  CHECK(outcome_of({"--set", "machine.ranks=0"}).exit_code == 2);
}

TEST_CASE("as one of the ranks of somebody else, a process starts none, and warns of another number") {
  const TemporaryFolder folder;
  // Nobody is waited for: the recipe is found to be wrong before.
  auto command = train_command(folder / "run", {"--ranks", "3", "--set", "train.epoch=1"});
  const std::vector<std::string> place{"/usr/bin/env", "RANK=0", "WORLD_SIZE=2", "MASTER_ADDR=127.0.0.1",
                                       "MASTER_PORT=1"};
  command.insert(command.begin(), place.begin(), place.end());
  const auto outcome = Program(command, folder.path()).wait();
  CHECK(outcome.exit_code == 2);
  CHECK(times(outcome.err, "warning: machine.ranks = 3 has no effect: 2 ranks have been started already") ==
        1);
}

/// "" where there is none.
std::string found_program(const std::string& name) {
  const char* list = std::getenv("PATH");
  std::string paths = list == nullptr ? "" : list;
  while (!paths.empty()) {
    const auto end = std::min(paths.find(':'), paths.size());
    const auto file = fs::path(paths.substr(0, end)) / name;
    if (access(file.c_str(), X_OK) == 0) return file.string();
    paths.erase(0, end + 1);
  }
  return "";
}

std::string python_with_torch(const TemporaryFolder& folder) {
  const char* given = std::getenv("KINDRED_PYTHON");
  const auto python = given == nullptr ? found_program("python3") : std::string(given);
  if (python.empty()) return "";
  // Its launcher of ranks needs --no-python, which 1.13 spells in another way.
  const auto outcome =
      Program({python, "-c", "import torch.distributed.run as r; r.parse_args(['--no-python', 'x'])"},
              folder.path())
          .wait();
  return outcome.exit_code == 0 ? python : "";
}

TEST_CASE("torchrun starts ranks, and starts them again from the checkpoint when one is killed") {
  const TemporaryFolder folder;
  const auto python = python_with_torch(folder);
  if (python.empty()) {
    MESSAGE("left out: no python3 with torch's torchrun; KINDRED_PYTHON may name one");
    return;
  }
  const auto whole = train_command(folder / "whole", {"--ranks", "2", "--set", "train.epochs=12"});
  REQUIRE(Program(whole, folder.path()).wait().exit_code == 0);
  const auto run = folder / "run";
  auto command = train_command(run, {"--set", "train.epochs=12"});
  const std::vector<std::string> torchrun{
      python,           "-m", "torch.distributed.run", "--standalone", "--no-python", "--nproc-per-node", "2",
      "--max-restarts", "1"};
  command.insert(command.begin(), torchrun.begin(), torchrun.end());
  Program program(command, folder.path());
  while (program.running() && !fs::exists(run / "model/checkpoint.safetensors")) usleep(5'000);
  const auto children = children_of(program);
  REQUIRE(children.size() >= 2);
  kill(children.back(), SIGKILL);
  const auto outcome = program.wait();
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  CHECK(times(outcome.err, "stage 'model' (train) continues") == 1);
  CHECK(are_same_models(run, folder / "whole"));
}

TEST_CASE("mpirun starts ranks, and ends them when one is killed") {
  const TemporaryFolder folder;
  const auto mpirun = found_program("mpirun");
  if (mpirun.empty()) {
    MESSAGE("left out: no mpirun");
    return;
  }
  const std::vector<std::string> starter{mpirun, "--allow-run-as-root", "--oversubscribe", "-np", "2"};
  const auto run = folder / "run";
  auto command = train_command(run, {});
  command.insert(command.begin(), starter.begin(), starter.end());
  const auto outcome = Program(command, folder.path()).wait();
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  CHECK(times(outcome.err, "2 ranks share each batch\n") == 1);
  REQUIRE(Program(train_command(folder / "own", {"--ranks", "2"}), folder.path()).wait().exit_code == 0);
  CHECK(are_same_models(run, folder / "own"));

  auto endless = train_command(folder / "killed", {"--set", "train.epochs=500"});
  endless.insert(endless.begin(), starter.begin(), starter.end());
  Program program(endless, folder.path());
  wait_for_training(program, folder / "killed");
  const auto children = children_of(program);
  REQUIRE(children.size() == 2);
  kill(children[1], SIGKILL);
  CHECK(program.wait().exit_code != 0);
}

}  // namespace
}  // namespace kindred::test
