// Folds and studies from the command line: killed, gone on with, put together.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "kindred/text/csv.h"
#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

namespace fs = std::filesystem;

const std::string tiny = std::string(source_directory) + "/tests/e2e/tiny.toml";

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Waits until a file is there, or the program has ended.
void wait_for(const Program& program, const fs::path& file) {
  while (program.running() && !fs::exists(file)) usleep(5'000);
}

/// Makes a folder the working directory while it lives.
class WorkingDirectory {
 public:
  explicit WorkingDirectory(const fs::path& folder) : before_(fs::current_path()) {
    fs::current_path(folder);
  }
  ~WorkingDirectory() { fs::current_path(before_); }
  WorkingDirectory(const WorkingDirectory&) = delete;
  WorkingDirectory& operator=(const WorkingDirectory&) = delete;

 private:
  fs::path before_;
};

/// Two seeds of two variants.
std::string write_study(const TemporaryFolder& folder) {
  return folder
      .write("small_study.toml",
             "recipe = '" + tiny +
                 "'\nseeds = [1, 2]\nset.train.epochs = 8\n"
                 "[[variant]]\nname = 'off'\nset.augmentation.horizontal_flip.enabled = false\n"
                 "[[axis]]\nkey = 'augmentation.horizontal_flip.prob'\nvalues = [0.5]\n")
      .string();
}

TEST_CASE("folds are trained and evaluated one by one, with and without post-processors") {
  const TemporaryFolder folder;
  const auto runs = folder / "folds";
  const std::vector<std::string> command = {"folds",     tiny,
                                            "--run-dir", runs.string(),
                                            "--set",     "folds.count=2",
                                            "--set",     "train.epochs=3",
                                            "--set",     "post_processor=[{type='k_reciprocal', k1=4}]"};
  const auto outcome = kindred(command, folder.path());
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  for (const auto* part :
       {"mAP/Rank-1", "fold 1", "fold 2", "mean", "after post-processing", "with descriptors only"}) {
    CHECK(holds(outcome.out, part));
  }
  CHECK(holds(read_bytes(runs / "folds.md"), "| mAP/Rank-1 | fold 1 | fold 2 | mean | deviation |"));
  CHECK(CsvTable::read(runs / "folds.csv").rows().size() == 6);
  CHECK(holds(read_bytes(runs / "fold2/model/recipe.toml"), "fold = 2\n"));
  // Four people under three cameras, each with two images or more under each.
  CHECK(CsvTable::read(runs / "fold1/features/query.csv").rows().size() == 12);

  // One that was stopped after its last stage has neither costs nor scores yet.
  const auto scores = read_bytes(runs / "fold1/scores.json");
  for (const auto* name : {"fold1/scores.json", "fold1/scores.md", "fold1/costs.md"}) fs::remove(runs / name);
  const auto again = kindred(command, folder.path());
  CHECK(again.exit_code == 0);
  CHECK(again.out == outcome.out);
  CHECK(holds(again.err, "run 2 of 2, fold2: already done"));
  CHECK(read_bytes(runs / "fold1/scores.json") == scores);
  CHECK(fs::exists(runs / "fold1/scores.md"));
  CHECK(fs::exists(runs / "fold1/costs.md"));

  // A fold is a run like any other, and its folder is no other fold's.
  const auto other = kindred({"run", tiny, "--run-dir", (runs / "fold1").string(), "--set", "folds.count=2",
                              "--set", "folds.fold=2", "--set", "train.epochs=3"},
                             folder.path());
  CHECK(other.exit_code == 1);
  CHECK(holds(other.err, "folds.fold: 1 there, 2 here"));

  // The weights know which images their fold was validated on.
  const auto features = (folder / "features").string();
  REQUIRE(
      kindred({"embed", "--weights", (runs / "fold2/model/model.safetensors").string(), "--out", features},
              folder.path())
          .exit_code == 0);
  CHECK(read_bytes(folder / "features/query.csv") == read_bytes(runs / "fold2/features/query.csv"));
}

TEST_CASE("a study that is killed and then stopped goes on to the table of one that was not") {
  const TemporaryFolder folder;
  const auto study = write_study(folder);
  const auto whole = folder / "whole";
  const auto outcome = kindred({"study", study, "--run-dir", whole.string()}, folder.path());
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  CHECK(holds(outcome.out, "prob=0.5"));
  CHECK(holds(outcome.out, "(2)"));
  CHECK(CsvTable::read(whole / "study.csv").rows().size() == 7);

  const auto runs = folder / "runs/small_study";
  const WorkingDirectory here(folder.path());
  {
    Program program({launcher, "study", study}, folder.path());
    wait_for(program, runs / "prob=0.5/seed1/model/metrics.jsonl");
    program.send(SIGKILL);
    REQUIRE(program.wait().exit_code == -SIGKILL);
  }
  const auto listed = kindred({"study", study, "--dry-run"}, folder.path());
  CHECK(listed.exit_code == 0);
  CHECK(holds(listed.out, "runs/small_study/off/seed1       done\n"));
  CHECK_FALSE(holds(listed.out, "4 of 4 runs are done"));
  {
    Program program({launcher, "study", study}, folder.path());
    wait_for(program, runs / "off/seed2/model/metrics.jsonl");
    program.send(SIGINT);
    const auto stopped = program.wait();
    CHECK(stopped.exit_code == 130);
    CHECK(holds(stopped.err, "run the same command again to continue"));
    CHECK(holds(stopped.err, "run 1 of 4, off/seed1: already done"));
  }
  const auto ended = kindred({"study", study}, folder.path());
  CAPTURE(ended.err);
  REQUIRE(ended.exit_code == 0);
  for (const auto* name : {"study.md", "study.csv"})
    CHECK(read_bytes(runs / name) == read_bytes(whole / name));
}

TEST_CASE(
    "runs side by side give the bits and tables of one after the other, also stopped and gone on with") {
  const TemporaryFolder folder;
  const auto study = write_study(folder);
  const auto whole = folder / "whole";
  const auto apart = kindred({"study", study, "--run-dir", whole.string(), "--threads", "1"}, folder.path());
  REQUIRE(apart.exit_code == 0);

  const auto runs = folder / "runs";
  const std::vector<std::string> command = {"study",     study, "--run-dir", runs.string(),
                                            "--threads", "1",   "--jobs",    "2"};
  {
    auto whole_command = command;
    whole_command.insert(whole_command.begin(), launcher);
    Program program(whole_command, folder.path());
    wait_for(program, runs / "off/seed1/model/metrics.jsonl");
    wait_for(program, runs / "prob=0.5/seed1/model/metrics.jsonl");
    program.send(SIGINT);
    const auto stopped = program.wait();
    CAPTURE(stopped.err);
    CHECK(stopped.exit_code == 130);
    CHECK(holds(stopped.err, "run the same command again to continue"));
    // Both were under way at the same time.
    CHECK(holds(stopped.err, "run 1 of 4, off/seed1\nrun 2 of 4, prob=0.5/seed1\n"));
  }
  const auto ended = kindred(command, folder.path());
  CAPTURE(ended.err);
  REQUIRE(ended.exit_code == 0);
  CHECK(holds(ended.err, "prob=0.5/seed1: stage 'model' (train) continues"));
  CHECK(holds(ended.err, "\noff/seed2: mAP "));
  CHECK(ended.out.substr(0, ended.out.find("table ")) == apart.out.substr(0, apart.out.find("table ")));
  for (const auto* name : {"study.md", "study.csv"})
    CHECK(read_bytes(runs / name) == read_bytes(whole / name));
  for (const auto* run : {"off/seed1", "prob=0.5/seed1", "off/seed2", "prob=0.5/seed2"}) {
    const auto model = fs::path(run) / "model/model.safetensors";
    CHECK(read_bytes(runs / model) == read_bytes(whole / model));
  }
  const auto again = kindred(command, folder.path());
  CHECK(again.out == ended.out);
  CHECK(holds(again.err, "run 4 of 4, prob=0.5/seed2: already done"));
}

TEST_CASE("lines of runs side by side have the run's name in front, also where it is the beginning of any") {
  const TemporaryFolder folder;
  const auto study = folder.write("names.toml", "recipe = '" + tiny +
                                                    "'\nset.train.epochs = 3\n[[variant]]\nname = 'train'\n"
                                                    "[[variant]]\nname = 'e'\nset.seed = 8\n");
  const auto outcome = kindred(
      {"study", study.string(), "--run-dir", (folder / "runs").string(), "--jobs", "2"}, folder.path());
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  for (const auto* line : {"train: train, epoch 1/3: ", "e: evaluate: ", "train: mAP ", "e: mAP "}) {
    CHECK(holds(outcome.err, "\n" + std::string(line)));
  }
}

TEST_CASE("a run of a study that is killed or fails side by side is told with its reason, the others go on") {
  const TemporaryFolder folder;
  const auto runs = folder / "runs";
  const auto failed = kindred({"study", write_study(folder), "--run-dir", runs.string(), "--jobs", "3",
                               "--set", "dataset.type=market1501", "--data", "nowhere"},
                              folder.path());
  CHECK(failed.exit_code == 1);
  for (const auto* run : {"off/seed1", "prob=0.5/seed1", "off/seed2", "prob=0.5/seed2"}) {
    CHECK(holds(failed.out, "- " + std::string(run) + " failed: nowhere: error: "));
  }

  Program program({launcher, "study", write_study(folder), "--run-dir", (folder / "killed").string(),
                   "--jobs", "2", "--set", "train.epochs=6"},
                  folder.path());
  wait_for(program, folder / "killed/off/seed1/model/metrics.jsonl");
  const auto id = std::to_string(program.pid());
  std::ifstream children("/proc/" + id + "/task/" + id + "/children");
  pid_t first = 0;
  pid_t second = 0;
  children >> first >> second;
  REQUIRE(second > 0);
  kill(std::min(first, second), SIGKILL);
  const auto outcome = program.wait();
  CAPTURE(outcome.err);
  CHECK(outcome.exit_code == 1);
  CHECK(holds(outcome.out, "- off/seed1 failed: its process was ended by signal 9 (Killed)"));
  CHECK(holds(outcome.out, "prob=0.5  "));
}

TEST_CASE("one run of a study is done alone, and the study then finds it done") {
  const TemporaryFolder folder;
  const auto study = write_study(folder);
  const auto runs = folder / "runs";
  const auto only = [&](const std::string& run) {
    return kindred({"study", study, "--run-dir", runs.string(), "--only", run}, folder.path());
  };
  const auto planned = kindred(
      {"study", study, "--run-dir", runs.string(), "--only", "off/seed2", "--dry-run"}, folder.path());
  CHECK(planned.exit_code == 0);
  CHECK(holds(planned.out, "off/seed2"));
  CHECK_FALSE(holds(planned.out, "off/seed1"));
  CHECK_FALSE(fs::exists(runs / "off/seed2"));
  const auto one = only("off/seed2");
  CHECK(one.exit_code == 0);
  CHECK(one.out.starts_with("off/seed2: mAP "));
  CHECK_FALSE(fs::exists(runs / "study.md"));
  const auto listed = kindred({"study", study, "--run-dir", runs.string(), "--dry-run"}, folder.path());
  CHECK(holds(listed.out, "off/seed2       done\n"));
  CHECK(holds(listed.out, "1 of 4 runs are done"));
  const auto unknown = only("of/seed2");
  CHECK(unknown.exit_code == 2);
  CHECK(holds(unknown.err, "--only of/seed2: error: the study has no such run; did you mean 'off/seed2'?"));
}

TEST_CASE("wrong studies exit with 2, failed runs with 1") {
  const TemporaryFolder folder;
  const auto wrong =
      folder.write("wrong.toml", "recipe = '" + tiny + "'\nseeds = [1]\n[[variat]]\n").string();
  const auto outcome = kindred({"study", wrong}, folder.path());
  CHECK(outcome.exit_code == 2);
  CAPTURE(outcome.err);
  CHECK(
      holds(outcome.err, wrong + ":3:3: error: a study has no parameter 'variat'; did you mean 'variant'?"));
  const auto runs = (folder / "runs").string();
  const auto failed = kindred({"study", write_study(folder), "--run-dir", runs, "--set",
                               "dataset.type=market1501", "--data", "nowhere"},
                              folder.path());
  CHECK(failed.exit_code == 1);
  CHECK(holds(failed.out, "- off/seed1 failed: nowhere: error: "));
  const auto folds = kindred({"folds", tiny, "--run-dir", runs, "--set", "folds.fold=2"}, folder.path());
  CHECK(folds.exit_code == 2);
  CHECK(holds(folds.err, "--set folds.fold=2: error: kindred folds already sets the folds"));
}

}  // namespace
}  // namespace kindred::test
