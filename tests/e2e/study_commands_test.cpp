// Folds and studies from the command line: killed, gone on with, put together.
#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
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

  const auto again = kindred(command, folder.path());
  CHECK(again.exit_code == 0);
  CHECK(again.out == outcome.out);
  CHECK(holds(again.err, "run 2 of 2, fold2: already done"));

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
  CHECK(holds(folds.err, "--set folds.fold=2: error: the study already sets its folds"));
}

}  // namespace
}  // namespace kindred::test
