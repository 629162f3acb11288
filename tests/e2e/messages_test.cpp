// Commands that are given something else than they work on say what it is and what to do with it.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

namespace fs = std::filesystem;

const std::string sources = source_directory;
const std::string tiny = sources + "/tests/e2e/tiny.toml";
const std::string pipeline_file = sources + "/tests/e2e/tiny_pipeline.toml";
const std::string study_file = sources + "/configs/studies/center_loss_small.toml";
const std::string ranking_file = sources + "/configs/ranking/k_reciprocal.toml";

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// What a command that fails with an exit code prints to stderr.
std::string failure(const std::vector<std::string>& arguments, int exit_code, const fs::path& folder) {
  const auto outcome = kindred(arguments, folder);
  CAPTURE(outcome.err);
  CHECK(outcome.exit_code == exit_code);
  return outcome.err;
}

std::int64_t lines(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

TEST_CASE("a recipe of another kind is answered with one line: what it is, and the command for it") {
  const TemporaryFolder folder;
  const auto is = [&](const std::vector<std::string>& arguments, const std::string& what) {
    CAPTURE(arguments);
    const auto text = failure(arguments, 2, folder.path());
    CHECK(holds(text, what));
    CHECK(lines(text) == 1);
  };
  const auto study =
      "is a study, which compares variants of a recipe; use `kindred study " + study_file + "`";
  for (const std::string command : {"train", "run", "check", "folds"}) is({command, study_file}, study);
  is({"evaluate", "--query", "q.npy", "--gallery", "g.npy", "--recipe", study_file}, study);
  is({"data", "doctor", study_file}, study);
  const auto pipeline = "is a pipeline, a recipe of several stages; use `kindred run " + pipeline_file + "`";
  for (const std::string command : {"train", "folds"}) is({command, pipeline_file}, pipeline);
  is({"study", pipeline_file}, "is not a study: it " + pipeline);
  is({"study", tiny}, "is not a study: it is a recipe for one model; use `kindred run " + tiny + "`");
  for (const std::string command : {"train", "run", "folds"}) {
    is({command, ranking_file},
       "is a recipe for ranking features on disk, without a model; use `kindred evaluate FEATURES --recipe " +
           ranking_file + "`");
  }
  const auto data = folder.write("data.toml", "[dataset]\ntype = 'synthetic'\n").string();
  is({"train", data}, "describes a data set alone, without a model; use `kindred data doctor " + data + "`");
}

TEST_CASE("a file that is no recipe at all is said to be what it is") {
  const TemporaryFolder folder;
  const auto torch = sources + "/tests/golden/weights/resnet.pth";
  CHECK(holds(failure({"train", torch}, 2, folder.path()),
              "cannot read the recipe: it is a file of PyTorch (torch.save), not a recipe (TOML)"));
  CHECK(holds(failure({"train", folder.path().string()}, 2, folder.path()), "it is a folder"));
  CHECK(holds(failure({"data", "doctor", "none.toml", "--set", "dataset.seed=2"}, 1, folder.path()),
              "none.toml: error: does not exist"));
}

TEST_CASE("what is given to embed as weights is said to be what it is, with the way to a model file") {
  const TemporaryFolder folder;
  const auto embed = [&](const fs::path& file) {
    return failure({"embed", "--weights", file.string(), "--data", folder.path().string()}, 1, folder.path());
  };
  const auto torch = sources + "/tests/golden/weights/resnet.pth";
  CHECK(holds(embed(torch),
              "resnet.pth: error: is a file of PyTorch (torch.save), not a model file of Kindred; import "
              "it first: kindred weights import " +
                  torch + " --recipe RECIPE --out model.safetensors"));
  CHECK(
      holds(embed(sources + "/tests/golden/weights/resnet_legacy.pth"), "is a file of PyTorch (torch.save)"));
  CHECK(holds(embed(tiny), "is a recipe, not a model file; train its model with `kindred run " + tiny + "`"));
  CHECK(holds(embed(folder.write("m.onnx", "\x08\x07\x12\x07pytorch")), "is an ONNX file"));
  CHECK(holds(embed(folder.write("f.npy", "\x93NUMPY...")), "it holds features; `kindred evaluate`"));
  CHECK(holds(embed(folder / "none.safetensors"), "does not exist"));
}

TEST_CASE(
    "of a run, its features and its model are found or named, and its checkpoint is told from a model") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  REQUIRE(kindred({"run", tiny, "--run-dir", run.string(), "-q"}, folder.path()).exit_code == 0);
  const auto whole = kindred({"evaluate", run.string()}, folder.path());
  const auto features = kindred({"evaluate", (run / "features").string()}, folder.path());
  CHECK(whole.exit_code == 0);
  CHECK(whole.out == features.out);
  CHECK(kindred({"match", run.string(), "--out", (folder / "matches").string()}, folder.path()).exit_code ==
        0);
  // What a killed extraction has left is none.
  fs::create_directory(folder / "killed");
  fs::copy(run / "features", folder / "killed/.staged.7-0.tmp");
  CHECK(holds(failure({"evaluate", (folder / "killed").string()}, 1, folder.path()),
              "has neither query.npy nor gallery.npy"));
  CHECK(holds(failure({"label", (folder / "killed").string(), "--labeler", "dbscan_jaccard", "--out",
                       (folder / "labels").string()},
                      1, folder.path()),
              "has neither query.npy nor gallery.npy"));
  fs::copy(run / "features", run / "again");
  const auto several = failure({"evaluate", run.string()}, 1, folder.path());
  CHECK(holds(several, "holds the features of several stages; give one of '" + (run / "again").string() +
                           "' and '" + (run / "features").string() + "'"));
  CHECK(holds(failure({"evaluate", (run / "model").string()}, 1, folder.path()),
              "has neither query.npy nor gallery.npy"));

  const auto embed = [&](const fs::path& file) {
    return failure({"embed", "--weights", file.string()}, 1, folder.path());
  };
  CHECK(holds(embed(run),
              "is a folder; give a model file in it: " + (run / "model/model.safetensors").string()));
  CHECK(
      holds(embed(run / "model/checkpoint.safetensors"), "is a checkpoint of a training, not a model file"));

  // The record of a finished training stays true: other data are refused, and more epochs continue it.
  const auto recipe = read_bytes(run / "model/recipe.toml");
  const auto pipeline = read_bytes(run / "pipeline.toml");
  const auto other =
      failure({"train", tiny, "--run-dir", run.string(), "--set", "dataset.max_images=9"}, 1, folder.path());
  CHECK(holds(other, "holds a training that is kept, but this is another one"));
  CHECK(holds(other, "Use another --run-dir"));
  CHECK(read_bytes(run / "model/recipe.toml") == recipe);
  CHECK(read_bytes(run / "pipeline.toml") == pipeline);
  const auto more =
      kindred({"train", tiny, "--run-dir", run.string(), "--set", "train.epochs=6"}, folder.path());
  CHECK(more.exit_code == 0);
  CHECK(holds(more.err, "4 epochs are trained; continuing to 6"));
}

TEST_CASE("a name with control characters clears no terminal, in results and errors") {
  const TemporaryFolder folder;
  const std::string name = "a\x1b[2J\xC2\x9B.png";
  const std::string shown = "a\\x1B[2J\\xC2\\x9B.png";
  const auto file = folder.write("photos/" + name, "no image").string();
  const auto report = kindred({"data", "doctor", (folder / "photos").string()}, folder.path());
  CHECK(holds(report.out, shown + ": error: is not an image"));
  CHECK(report.out.find('\x1b') == std::string::npos);
  const auto missing = failure({"data", "doctor", file + "x"}, 1, folder.path());
  CHECK(holds(missing, shown + "x: error: does not exist"));
  CHECK(missing.find('\x1b') == std::string::npos);
}

TEST_CASE("a recipe of a stage that is set on the command line is relative to the working directory") {
  const TemporaryFolder folder;
  const auto missing =
      failure({"check", pipeline_file, "--set", "stage.base.recipe=none.toml"}, 2, folder.path());
  CHECK(
      holds(missing,
            "--set stage.base.recipe=none.toml: error: cannot read the recipe 'none.toml', which is relative "
            "to the working directory (" +
                fs::current_path().string() + "): "));
  const auto mine = folder.write("mine.toml", "extends = '" + tiny + "'\n[train]\nepochs = 77\n");
  const auto found = kindred({"check", pipeline_file, "--set", "stage.base.recipe=" + mine.string(), "--set",
                              "stage.base.recipe.train.epoks=1"},
                             folder.path());
  CHECK(found.exit_code == 2);
  CHECK(holds(found.err, "did you mean 'epochs'?"));
}

TEST_CASE("a rule that --set breaks is reported there") {
  const TemporaryFolder folder;
  const auto at = [&](const std::string& change, const std::string& text) {
    const auto err = failure({"check", tiny, "--set", change}, 2, folder.path());
    CHECK(holds(err, "--set " + change + ": error: "));
    CHECK(holds(err, text));
  };
  at("train.ema_decay=1", "[train]: ema_decay = 1 would never change the average");
  at("schedule.milestones=[3, 2]", "milestones must ascend");
  at("schedule.milestones=[300]", "which is after the last epoch");
  at("train.epochs=1",
     "milestones contains 3, which is after the last epoch, 1; for a training this long choose milestones = "
     "[], or give shares");
}

TEST_CASE("what only its components find wrong with a pipeline is said of all stages at once") {
  const TemporaryFolder folder;
  const std::vector<std::string> changes = {"--set", "stage.base.recipe.train.epochs=1", "--set",
                                            "stage.final.recipe.train.epochs=2"};
  for (const std::string command : {"check", "run"}) {
    auto arguments = changes;
    arguments.insert(arguments.begin(), {command, pipeline_file});
    const auto err = failure(arguments, 2, folder.path());
    CHECK(
        holds(err, "--set stage.base.recipe.train.epochs=1: error: schedule 'warmup_multistep': milestones"));
    CHECK(holds(err,
                "--set stage.final.recipe.train.epochs=2: error: schedule 'warmup_multistep': milestones"));
    CHECK(lines(err) == 2);
  }
  // One mistake in a recipe of both is one error.
  folder.write("short.toml", "extends = \"" + tiny + "\"\n[train]\nepochs = 1\n");
  const auto recipe = ".recipe=" + (folder / "short.toml").string();
  const auto shared =
      failure({"check", pipeline_file, "--set", "stage.base" + recipe, "--set", "stage.final" + recipe}, 2,
              folder.path());
  CHECK(holds(shared, "tiny.toml:"));
  CHECK(holds(shared, ": error: schedule 'warmup_multistep': milestones contains 3"));
  CHECK(lines(shared) == 1);
}

TEST_CASE("keys are known by other programs' names for them") {
  const TemporaryFolder folder;
  const auto meant = [&](const std::string& change, const std::string& key) {
    const auto err = failure({"check", tiny, "--set", change}, 2, folder.path());
    CHECK(holds(err, "did you mean '" + key + "'?"));
  };
  meant("loader.on_bad_image=skip", "skip_bad_images");
  meant("train.amp=true", "precision");
  meant("optimizer.lr=0.1", "learning_rate");
  meant("sampler.num_instances=4", "images_per_identity");
  meant("scheduler.type=x", "schedule");
}

TEST_CASE("a command that is stopped says that it can be continued, even if it is quiet") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  Program program({launcher, "train", tiny, "--run-dir", run.string(), "-q", "--set", "train.epochs=500",
                   "--set", "schedule.milestones=[]"},
                  folder.path());
  while (program.running() && !fs::exists(run / "model/checkpoint.safetensors")) ::usleep(20'000);
  program.send(SIGINT);
  const auto outcome = program.wait();
  CHECK(outcome.exit_code == 130);
  CHECK(outcome.err ==
        "stopped; finished work is in " + run.string() + "; run the same command again to continue\n");
}

}  // namespace
}  // namespace kindred::test
