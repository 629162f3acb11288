// A whole pipeline as a user runs it: killed, changed, damaged, and always ending with the same results.
#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "pipeline_results.h"
#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

namespace fs = std::filesystem;

const std::string recipe = std::string(source_directory) + "/tests/e2e/tiny_pipeline.toml";

std::vector<std::string> command(const fs::path& run, const std::vector<std::string>& more = {}) {
  std::vector<std::string> words{launcher, "run", recipe, "--run-dir", run.string()};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Outcome run(const fs::path& folder, const TemporaryFolder& scratch,
            const std::vector<std::string>& more = {}) {
  return Program(command(folder, more), scratch.path()).wait();
}

std::vector<std::string> names(const Files& files) {
  std::vector<std::string> paths;
  for (const auto& [path, bytes] : files) paths.push_back(path);
  return paths;
}

/// One undisturbed run serves all tests.
struct Undisturbed {
  Undisturbed() : outcome(run(folder / "run", folder)), files(results(folder / "run")) {}
  TemporaryFolder folder;
  Outcome outcome;
  Files files;
};

const Undisturbed& undisturbed() {
  static const Undisturbed once;
  return once;
}

/// A copy of the undisturbed run, to be spoilt.
fs::path copy_of_run(const TemporaryFolder& folder) {
  fs::copy(undisturbed().folder / "run", folder / "run", fs::copy_options::recursive);
  return folder / "run";
}

bool says(const Outcome& outcome, const std::string& text) {
  return (outcome.out + outcome.err).find(text) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST_CASE("a pipeline goes from images to a submission, and tells what it cost and reached") {
  const auto& done = undisturbed();
  CAPTURE(done.outcome.err);
  REQUIRE(done.outcome.exit_code == 0);
  for (const auto* file : {"base/model.safetensors", "domains/domains.csv", "base_features/query.npy",
                           "labels/labels.csv", "labels/labels.png", "final/model.safetensors",
                           "ranking/matches.csv", "ranking/evaluation_plain.json",
                           "submission/submission.json", "scores.json", "scores.md", "pipeline.toml"}) {
    CAPTURE(file);
    CHECK(done.files.count(file) == 1);
  }
  CHECK(says(done.outcome, "IMAGES/S"));
  CHECK(says(done.outcome, "post-processed"));
  CHECK(read_bytes(done.folder / "run" / "costs.md").find("| total |") != std::string::npos);
  // The final model has learned from the pseudo-labeled images too.
  CHECK(read_bytes(done.folder / "run" / "final" / "recipe.toml").find("[[pseudo_labels]]") !=
        std::string::npos);
}

TEST_CASE("a second run finds everything up to date and touches nothing") {
  const TemporaryFolder folder;
  const auto there = copy_of_run(folder);
  const auto before = fs::last_write_time(there / "final" / "model.safetensors");
  const auto again = run(there, folder);
  REQUIRE(again.exit_code == 0);
  CHECK(count(again.err, "is up to date") == 9);
  CHECK(fs::last_write_time(there / "final" / "model.safetensors") == before);
  CHECK(results(there) == undisturbed().files);
}

TEST_CASE("killed at many random moments, the same command ends with the same bytes") {
  const TemporaryFolder folder;
  const auto there = folder / "run";
  std::mt19937 random(20261124);
  std::uniform_int_distribution<int> moment(1, 400);
  int kills = 0;
  Outcome outcome;
  for (int attempt = 0; attempt < 400; ++attempt) {
    Program program(command(there), folder.path());
    // From the first stage on: what comes before does nothing that a kill could harm.
    for (int left = moment(random); left > 0 && program.running(); left -= 2) usleep(2'000);
    if (!program.running()) {
      outcome = program.wait();
      break;
    }
    program.send(SIGKILL);
    static_cast<void>(program.wait());
    ++kills;
    // Nearer and nearer to the end.
    if (kills % 12 == 0) moment = std::uniform_int_distribution<int>(1, 400 + 20 * kills);
  }
  MESSAGE("killed " << kills << " times");
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  CHECK(kills >= 10);
  const auto files = results(there);
  CHECK(names(files) == names(undisturbed().files));
  for (const auto& file : undisturbed().files) {
    CAPTURE(file.first);
    CHECK((files.count(file.first) == 1 && files.at(file.first) == file.second));
  }
  for (const auto& entry : fs::recursive_directory_iterator(there)) CHECK(entry.path().extension() != ".tmp");
}

TEST_CASE("asked to stop, it says how to go on, and goes on") {
  const TemporaryFolder folder;
  const auto there = folder / "run";
  Program program(command(there), folder.path());
  while (program.running() && !fs::exists(there / "base" / "metrics.jsonl")) usleep(2'000);
  program.send(SIGTERM);
  const auto stopped = program.wait();
  CHECK(stopped.exit_code == 130);
  CHECK(says(stopped, "run the same command again to continue"));
  const auto rest = run(there, folder);
  REQUIRE(rest.exit_code == 0);
  CHECK(results(there) == undisturbed().files);
}

TEST_CASE("a changed parameter makes its stage run, and those whose input it changes, with the reason") {
  const TemporaryFolder folder;
  const auto there = copy_of_run(folder);
  const std::vector<std::string> change{"--set", "stage.ranking.recipe.post_processor.k_reciprocal.k1=4"};
  auto dry = change;
  dry.emplace_back("--dry-run");
  const auto planned = run(there, folder, dry);
  CHECK(planned.exit_code == 0);
  CHECK(says(planned, "its recipe has changed: post_processor.k_reciprocal.k1: 6 there, 4 here"));
  CHECK(count(planned.out, "it is up to date") == 7);
  CHECK(results(there) == undisturbed().files);

  const auto changed = run(there, folder, change);
  REQUIRE(changed.exit_code == 0);
  CHECK(count(changed.err, "is up to date") == 7);
  CHECK(says(changed, "stage 'ranking' (rank) runs: its recipe has changed"));
  CHECK(results(there) != undisturbed().files);
  const auto back = run(there, folder);
  REQUIRE(back.exit_code == 0);
  CHECK(results(there) == undisturbed().files);
}

TEST_CASE("a change of [embed] in a model's recipe makes its features anew and trains nothing") {
  const TemporaryFolder folder;
  const auto there = copy_of_run(folder);
  const auto changed = run(there, folder, {"--set", "stage.final.recipe.embed.flip_test=true"});
  REQUIRE(changed.exit_code == 0);
  CHECK(says(changed, "stage 'final' is up to date"));
  CHECK(
      says(changed,
           "stage 'final_features' (embed) runs: its recipe has changed: embed.flip_test: false there, true "
           "here"));
  // The recipe of the run says how the features were made, also where no other stage was looked at.
  CHECK(read_bytes(there / "pipeline.toml").find("flip_test = true") != std::string::npos);
  const auto alone = folder / "alone";
  fs::copy(undisturbed().folder / "run", alone, fs::copy_options::recursive);
  CHECK(read_bytes(alone / "pipeline.toml").find("flip_test = true") == std::string::npos);
  REQUIRE(run(alone, folder, {"--only", "final_features", "--set", "stage.final.recipe.embed.flip_test=true"})
              .exit_code == 0);
  CHECK(read_bytes(alone / "pipeline.toml").find("flip_test = true") != std::string::npos);
  const auto other = folder / "other";
  fs::copy(undisturbed().folder / "run", other, fs::copy_options::recursive);
  REQUIRE(run(other, folder, {"--set", "stage.final_features.embed.flip_test=true"}).exit_code == 0);
  for (const auto* file : {"final_features/query.npy", "final_features/gallery.npy"}) {
    CHECK(read_bytes(there / file) == read_bytes(other / file));
    CHECK(read_bytes(there / file) != undisturbed().files.at(file));
  }
}

TEST_CASE("what a change that fails has put aside is taken back with the parameters") {
  const TemporaryFolder folder;
  const auto there = copy_of_run(folder);
  const auto before = fs::last_write_time(there / "final" / "model.safetensors");
  // Nobody gets a label, so that the final training has nothing to join.
  const auto failed =
      run(there, folder,
          {"--set", "stage.labels.labeler.eps=1e-9", "--set", "stage.labels.labeler.min_samples=20"});
  CHECK(failed.exit_code == 1);
  CHECK(says(failed, "contains no labels"));
  CHECK(says(failed, "stage 'final' failed; earlier stages are kept"));
  const auto back = run(there, folder);
  REQUIRE(back.exit_code == 0);
  CHECK(says(back, "stage 'final' is up to date: an earlier result is restored"));
  CHECK(fs::last_write_time(there / "final" / "model.safetensors") == before);
  CHECK(results(there) == undisturbed().files);
}

TEST_CASE("of a first stage that fails, nothing is said of earlier ones") {
  const TemporaryFolder folder;
  const auto failed =
      run(folder / "run", folder, {"--set", "stage.base.recipe.optimizer.learning_rate=1e30"});
  CHECK(failed.exit_code == 1);
  CHECK(says(failed,
             "stage 'base' failed; once the cause is gone, the same command continues with this stage"));
  // Why is in the run's log, too.
  CHECK(read_bytes(folder / "run/log.txt").find("the loss is no longer finite") != std::string::npos);
}

TEST_CASE("attempts that fail one after the other do not cost the result that the first has put aside") {
  const TemporaryFolder folder;
  const auto there = copy_of_run(folder);
  const auto before = fs::last_write_time(there / "final" / "model.safetensors");
  for (const std::string rate : {"1e30", "2e30"}) {
    const auto failed = run(there, folder,
                            {"--set", "stage.final.recipe.optimizer.learning_rate=" + rate, "--set",
                             "stage.final_features.embed.flip_test=true"});
    CHECK(failed.exit_code == 1);
    CHECK(says(failed, "stage 'final' failed; earlier stages are kept"));
  }
  CHECK(read_bytes(there / "pipeline.toml").find("learning_rate = 2e+30") != std::string::npos);
  const auto back = run(there, folder);
  REQUIRE(back.exit_code == 0);
  CHECK(says(back, "stage 'final' is up to date: an earlier result is restored"));
  CHECK(fs::last_write_time(there / "final" / "model.safetensors") == before);
  CHECK(results(there) == undisturbed().files);
  // The recipe of the run is that of the result, not of what has failed.
  CHECK(read_bytes(there / "pipeline.toml") == read_bytes(undisturbed().folder / "run" / "pipeline.toml"));
}

TEST_CASE("a result that was removed or changed is made again") {
  const TemporaryFolder folder;
  const auto there = copy_of_run(folder);
  fs::remove(there / "base_features" / "gallery.npy");
  write_bytes(there / "submission" / "submission.json", "{}");
  const auto mended = run(there, folder);
  REQUIRE(mended.exit_code == 0);
  CHECK(says(mended, "stage 'base_features' (embed) runs: its result gallery.npy is missing"));
  CHECK(says(mended, "stage 'submission' (submit) runs: its result submission.json has changed"));
  CHECK(count(mended.err, "is up to date") == 7);
  CHECK(results(there) == undisturbed().files);
}

TEST_CASE("--from runs a stage and what reads it anew, --only runs one stage") {
  const TemporaryFolder folder;
  const auto there = copy_of_run(folder);
  const auto from = run(there, folder, {"--from", "ranking"});
  REQUIRE(from.exit_code == 0);
  CHECK(says(from, "stage 'ranking' (rank) runs: --from ranking"));
  CHECK(says(from, "stage 'submission' (submit) runs: --from ranking"));
  CHECK(count(from.err, "is up to date") == 7);
  CHECK(results(there) == undisturbed().files);
  const auto only = run(there, folder, {"--only", "labels", "--set", "stage.labels.labeler.k1=5"});
  REQUIRE(only.exit_code == 0);
  CHECK(count(only.err, "stage '") == 1);
  const auto unknown = run(there, folder, {"--from", "rankin"});
  CHECK(unknown.exit_code == 2);
  CHECK(says(unknown, "--from rankin: error: there is no such stage; did you mean 'ranking'?"));
  const auto idle = run(there, folder, {"--from", "ranking", "--only", "labels"});
  CHECK(idle.exit_code == 2);
  CHECK(says(idle,
             "--from ranking: error: has no effect: 'labels' is the only stage that runs here, and it does "
             "not depend on 'ranking'"));
  const auto early = run(folder / "new", folder, {"--only", "labels"});
  CHECK(early.exit_code == 1);
  CHECK(says(early, "stage 'labels' reads the result of stage 'base_features', which is not finished"));
}

TEST_CASE(
    "--only says that what its stage reads would read other stages now, and the recipe of the run does not") {
  const TemporaryFolder folder;
  const auto there = copy_of_run(folder);
  const auto alone =
      run(there, folder,
          {"--only", "final_features", "--from", "final_features", "--set", "stage.final.labels=[]"});
  REQUIRE(alone.exit_code == 0);
  CHECK(says(alone, "warning: stage 'final' stays as it is, though the recipe says otherwise:"));
  CHECK(says(alone, "labels: [labels] there, not set here"));
  CHECK(read_bytes(there / "pipeline.toml").find("labels = [\"labels\"]") != std::string::npos);
}

TEST_CASE("what --only leaves behind of a result that is made anew has no say in the scores") {
  const TemporaryFolder folder;
  const auto there = copy_of_run(folder);
  const auto same = run(there, folder, {"--only", "final", "--from", "final"});
  REQUIRE(same.exit_code == 0);
  CHECK_FALSE(says(same, "left out of the scores"));
  CHECK(says(same, "submission.json"));
  CHECK(read_bytes(there / "scores.md") == undisturbed().files.at("scores.md"));
  const auto other =
      run(there, folder, {"--only", "final", "--set", "stage.final.recipe.optimizer.learning_rate=0.002"});
  REQUIRE(other.exit_code == 0);
  CHECK(says(other,
             "warning: made of earlier results than there are now, and so left out of the scores: "
             "'final_features', 'ranking' and 'submission'; `kindred run` without --only makes them again"));
  CHECK_FALSE(says(other, "submission.json"));
  const auto scores = read_bytes(there / "scores.md");
  CHECK(scores.find("| base_ranking |") != std::string::npos);
  CHECK(scores.find("| ranking |") == std::string::npos);
}

TEST_CASE("a dry run of a new directory plans everything and leaves nothing behind") {
  const TemporaryFolder folder;
  const auto planned = run(folder / "run", folder, {"--dry-run"});
  CHECK(planned.exit_code == 0);
  CHECK(count(planned.out, "it has not run yet") == 2);
  CHECK(count(planned.out, "which runs") == 7);
  CHECK_FALSE(fs::exists(folder / "run"));
}

TEST_CASE("a dry run refuses what the run refuses before its first stage, in the same words") {
  const TemporaryFolder folder;
  const auto refused = [&](const fs::path& there, const std::vector<std::string>& more) {
    const auto real = run(there, folder, more);
    auto dry = more;
    dry.emplace_back("--dry-run");
    const auto planned = run(there, folder, dry);
    CHECK(real.exit_code > 0);
    CHECK(planned.exit_code == real.exit_code);
    CHECK(planned.err == real.err);
    CHECK(planned.out.empty());
    return planned.err;
  };
  const auto there = folder / "run";
  CHECK(refused(there, {"--set", "stage.final.recipe.loss.cross_entropy.on=['nothing']"})
            .find("the head has no output 'nothing'") != std::string::npos);
  CHECK(refused(there, {"--device", "cuda:99"}).find("there is no device 'cuda:99'") != std::string::npos);
  CHECK(refused(folder.write("file", ""), {}).find("file: error: cannot be created: Not a directory") !=
        std::string::npos);
}

TEST_CASE("a second run in one directory is refused by name, and the first goes on") {
  const TemporaryFolder folder;
  const auto there = folder / "run";
  Program first(command(there, {"--set", "stage.base.recipe.train.epochs=400"}), folder.path());
  while (first.running() && !fs::exists(there / "base" / "metrics.jsonl")) usleep(2'000);
  const auto second = run(there, folder);
  CHECK(second.exit_code == 1);
  CHECK(says(second, there.string() + ": error: is in use by process "));
  CHECK(first.running());
  first.send(SIGTERM);
  CHECK(first.wait().exit_code == 130);
}

TEST_CASE("a removed image stops the run with its name, and what was done stays") {
  const TemporaryFolder folder;
  const auto data = folder / "data";
  REQUIRE(Program({launcher, "data", "convert", recipe, "--out", data.string(), "--layout", "manifest"},
                  folder.path())
              .wait()
              .exit_code == 0);
  const std::vector<std::string> drawn{"--set",
                                       "dataset={type = \"manifest\", root = \"" + data.string() + "\"}"};
  const auto there = folder / "run";
  REQUIRE(run(there, folder, drawn).exit_code == 0);
  const auto before = results(there);

  fs::path image;
  for (const auto& entry : fs::recursive_directory_iterator(data)) {
    if (entry.path().extension() == ".png" && entry.path().string().find("query") != std::string::npos) {
      image = entry.path();
    }
  }
  REQUIRE(fs::exists(image));
  fs::rename(image, folder / "aside.png");
  const auto missing = run(there, folder, drawn);
  CHECK(missing.exit_code == 1);
  CHECK(says(missing, image.filename().string()));
  CHECK(results(there) == before);
  fs::rename(folder / "aside.png", image);
  const auto back = run(there, folder, drawn);
  REQUIRE(back.exit_code == 0);
  CHECK(count(back.err, "is up to date") == 9);

  // Another picture under the same name is other data.
  fs::copy_file(undisturbed().folder / "run" / "labels" / "labels.png", image,
                fs::copy_options::overwrite_existing);
  const auto other = run(there, folder, drawn);
  REQUIRE(other.exit_code == 0);
  CHECK(says(other, "stage 'base_features' (embed) runs: the images or their labels have changed"));
  CHECK(says(other, "stage 'base' is up to date"));
}

TEST_CASE("domains with stages of their own come together, and rounds build on each other") {
  const TemporaryFolder folder;
  const auto there = folder / "run";
  const auto outcome = kindred(
      {"run", std::string(source_directory) + "/tests/e2e/tiny_rounds.toml", "--run-dir", there.string()},
      folder.path());
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  // Each of the two rankings knows its own domain alone; the submission has all queries.
  const auto rows = [&](const char* file) { return count(read_bytes(there / file), "\n") - 1; };
  CHECK(rows("day/query.csv") > 0);
  CHECK(rows("night/query.csv") > 0);
  CHECK(rows("submission/submission.csv") == 3 * (rows("day/query.csv") + rows("night/query.csv")));
  // The second round labels what the first round's model has described, and its model is another one.
  CHECK(read_bytes(there / "labels.2" / "stage.json").find("\"final_day/query.npy\"") != std::string::npos);
  CHECK(read_bytes(there / "final_rank" / "stage.json").find("\"final_day.2/query.npy\"") !=
        std::string::npos);
  CHECK(read_bytes(there / "final" / "model.safetensors") !=
        read_bytes(there / "final.2" / "model.safetensors"));
}

TEST_CASE("a recipe for one model runs as a pipeline does, and a pipeline cannot be trained") {
  const TemporaryFolder folder;
  const std::string tiny = std::string(source_directory) + "/tests/e2e/tiny.toml";
  const auto dry = kindred({"run", tiny, "--dry-run"}, folder.path());
  CHECK(dry.exit_code == 0);
  for (const auto* stage : {"model", "features", "ranking"}) CHECK(dry.out.find(stage) != std::string::npos);
  const auto trained = kindred({"train", recipe}, folder.path());
  CHECK(trained.exit_code == 2);
  CHECK(says(trained,
             ": error: is a pipeline, a recipe of several stages; use `kindred run " + recipe + "`\n"));
}

TEST_CASE("a file that a training has started from may move, and --only needs it no more") {
  const TemporaryFolder folder;
  const auto weights = folder / "weights.safetensors";
  fs::copy_file(undisturbed().folder / "run" / "base" / "model.safetensors", weights);
  const auto start_from = [&](const fs::path& file, const std::vector<std::string>& more) {
    std::vector<std::string> words{"run",       std::string(source_directory) + "/tests/e2e/tiny.toml",
                                   "--set",     "weights.file=" + file.string(),
                                   "--set",     "train.epochs=1",
                                   "--set",     "schedule.milestones=[]",
                                   "--set",     "schedule.warmup_epochs=0",
                                   "--run-dir", (folder / "run").string()};
    words.insert(words.end(), more.begin(), more.end());
    return kindred(words, folder.path());
  };
  REQUIRE(start_from(weights, {}).exit_code == 0);
  const auto moved = folder / "moved.safetensors";
  fs::rename(weights, moved);
  const auto planned = start_from(moved, {"--dry-run"});
  CAPTURE(planned.err);
  CHECK(planned.exit_code == 0);
  CHECK(count(planned.out, "it is up to date") == 3);
  fs::remove(moved);
  const auto only = start_from(moved, {"--from", "ranking", "--only", "ranking"});
  CAPTURE(only.err);
  CHECK(only.exit_code == 0);
  CHECK(says(only, "stage 'ranking' (rank) runs: --from ranking"));
}

TEST_CASE("a stage killed before its record was written begins again") {
  const TemporaryFolder folder;
  const auto there = copy_of_run(folder);
  fs::remove_all(there / "ranking");
  fs::create_directories(there / "ranking");
  write_bytes(there / "ranking" / ".started.json.77-0.tmp", "{");
  REQUIRE(run(there, folder).exit_code == 0);
  CHECK(results(there) == undisturbed().files);
}

TEST_CASE("what is not the pipeline's own is never moved or overwritten") {
  const TemporaryFolder folder;
  const auto there = folder / "run";
  fs::create_directories(there / "domains");
  write_bytes(there / "domains" / "precious.txt", "precious");
  for (const auto& more : std::vector<std::vector<std::string>>{{"--dry-run"}, {}}) {
    const auto refused = run(there, folder, more);
    CHECK(refused.exit_code == 1);
    CHECK(says(refused, "does not belong to this pipeline, but is where stage 'domains' writes its result"));
    CHECK(read_bytes(there / "domains" / "precious.txt") == "precious");
    CHECK_FALSE(fs::exists(there / "base"));  // not after hours of training
  }
  fs::remove(there / "domains" / "precious.txt");
  REQUIRE(run(there, folder).exit_code == 0);
  CHECK(results(there) == undisturbed().files);
}

}  // namespace
}  // namespace kindred::test
