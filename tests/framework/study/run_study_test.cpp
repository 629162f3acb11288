#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "study/run_study.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::study;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

const std::atomic<bool> never{false};

class Notes final : public progress::ProgressSink {
 public:
  void update(const progress::Progress&) override {}
  void finish(const progress::Progress&) override {}
  void note(const std::string& text) override { all += text + "\n"; }
  std::string all;
};

/// Stops after some updates.
class Stopper final : public progress::ProgressSink {
 public:
  explicit Stopper(int after) : left_(after) {}
  void update(const progress::Progress&) override {
    if (--left_ == 0) stop = true;
  }
  void finish(const progress::Progress&) override {}
  void note(const std::string&) override {}
  std::atomic<bool> stop{false};

 private:
  int left_;
};

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A study of two variants on two folds, of the tiny recipe.
class StudyRuns {
 public:
  explicit StudyRuns(const std::string& second_variant = "set.optimizer.learning_rate = 0.02\n") {
    scratch_.write("tiny.toml", tiny_recipe);
    const auto file = scratch_.write(
        "s.toml",
        "recipe = 'tiny.toml'\nfolds = [1, 2]\nset.train.epochs = 1\nset.dataset.identities = 8\n"
        "[[variant]]\nname = 'a'\n[[variant]]\nname = 'b'\n" +
            second_variant);
    study_ = read_study(file);
  }

  StudyOutcome run(progress::ProgressSink& progress, const std::vector<std::string>& overrides = {},
                   const std::atomic<bool>& stop = never) const {
    return run_study(study_, runs(overrides), StudyReport::variants, {}, catalog_, folder(), false, progress,
                     stop);
  }
  [[nodiscard]] std::string list(const std::vector<std::string>& overrides = {}) const {
    return list_runs(runs(overrides), catalog_, folder(), false);
  }
  [[nodiscard]] fs::path folder() const { return scratch_ / "out"; }
  [[nodiscard]] std::vector<StudyRun> runs(const std::vector<std::string>& overrides = {}) const {
    return plan_runs(study_, overrides, catalog_);
  }

 private:
  TemporaryFolder scratch_;
  Catalog catalog_ = tiny_catalog();
  Study study_;
};

TEST_CASE("a study carries out each run once, and reports what it has found") {
  const StudyRuns study;
  CHECK(holds(study.list(), "0 of 4 runs are done"));
  CHECK_FALSE(fs::exists(study.folder()));
  Notes notes;
  const auto outcome = study.run(notes);
  CHECK_FALSE(outcome.interrupted);
  CHECK(outcome.failed == 0);
  CHECK(holds(outcome.text, "variant"));
  CHECK(holds(outcome.text, "(2)"));
  CHECK(holds(notes.all, "run 4 of 4, b/fold2\n"));
  CHECK(holds(study.list(), "4 of 4 runs are done"));
  for (const auto* run : {"a/fold1", "a/fold2", "b/fold1", "b/fold2"}) {
    const auto scores = nlohmann::json::parse(read_bytes(study.folder() / run / "ranking/evaluation.json"));
    // Four cameras, one image each: three of them ask.
    CHECK(scores["queries"] == 6);
    CHECK(holds(read_bytes(study.folder() / "study.csv"), run));
  }
  const auto table = read_bytes(study.folder() / "study.md");
  const auto model = read_bytes(study.folder() / "b/fold2/model/model.safetensors");

  SUBCASE("again nothing is repeated, and the table is the same") {
    const auto changed = fs::last_write_time(study.folder() / "a/fold1/ranking/evaluation.json");
    fs::remove(study.folder() / "study.md");
    Notes again;
    CHECK(study.run(again).text == outcome.text);
    CHECK(holds(again.all, "run 1 of 4, a/fold1: already done\n"));
    CHECK(fs::last_write_time(study.folder() / "a/fold1/ranking/evaluation.json") == changed);
    CHECK(read_bytes(study.folder() / "study.md") == table);
  }
  SUBCASE("a lost result is made again from the model that is there") {
    fs::remove(study.folder() / "b/fold2/ranking/evaluation.json");
    CHECK(holds(study.list(), "trained, to be evaluated"));
    Notes again;
    CHECK(study.run(again).text == outcome.text);
    CHECK(holds(again.all, "stage 'ranking' (rank) runs: its result evaluation.json is missing"));
    CHECK(read_bytes(study.folder() / "b/fold2/model/model.safetensors") == model);
  }
  SUBCASE("a damaged result counts as lost") {
    write_bytes(study.folder() / "b/fold2/ranking/evaluation.json", "{\"figures\": ");
    Notes again;
    CHECK(study.run(again).text == outcome.text);
  }
  SUBCASE("what changes only the evaluation evaluates anew, and says so") {
    Notes again;
    CHECK(study.run(again, {"evaluate.cameras=single"}).failed == 0);
    CHECK(holds(again.all, "stage 'features' is up to date"));
    CHECK(holds(again.all,
                "stage 'ranking' (rank) runs: its recipe has changed: evaluate.cameras: \"auto\" there, "
                "\"single\" here"));
    CHECK(read_bytes(study.folder() / "b/fold2/model/model.safetensors") == model);
    const auto scores = nlohmann::json::parse(read_bytes(study.folder() / "b/fold2/ranking/evaluation.json"));
    CHECK(scores["cameras"] == "single");
  }
  SUBCASE("what changes no result changes nothing") {
    Notes again;
    CHECK(study.run(again, {"machine.threads=2", "loader.workers=1", "train.checkpoint_minutes=3"}).text ==
          outcome.text);
    CHECK(holds(again.all, "run 4 of 4, b/fold2: already done\n"));
  }
  SUBCASE(
      "another training in the same folder is refused before anything is started, with all that differs") {
    Notes again;
    const auto message =
        message_of<DataError>([&] { static_cast<void>(study.run(again, {"loss.centers.weight=0.02"})); });
    CHECK(holds(message, "contains runs that cannot be continued"));
    CHECK(holds(message, "a/fold1/model: error: holds a training that is kept"));
    CHECK(holds(message, "loss.centers.weight: 0.01 there, 0.02 here"));
    CHECK(holds(message, "b/fold2/model: error: "));
    CHECK(holds(study.list({"loss.centers.weight=0.02"}), "loss.centers.weight: 0.01 there, 0.02 here; "));
    CHECK(holds(study.list({"train.epochs=2"}), "started, will continue"));
    CHECK(again.all.empty());
    CHECK(read_bytes(study.folder() / "study.md") == table);
  }
}

TEST_CASE("a run that fails is told of, and the others go on") {
  const StudyRuns study("set.loss.scale.breaks_at = 2\n");
  Notes notes;
  const auto outcome = study.run(notes);
  CHECK_FALSE(outcome.interrupted);
  CHECK(outcome.failed == 2);
  CHECK(holds(outcome.text, "- b/fold1 failed: "));
  CHECK(holds(read_bytes(study.folder() / "study.md"), "- b/fold2 failed: "));
  CHECK(holds(read_bytes(study.folder() / "study.md"), "| b | - | - | - | - |"));
  CHECK(holds(notes.all, "a/fold2: mAP "));
  CHECK(holds(study.list(), "2 of 4 runs are done"));
}

TEST_CASE("a study that is stopped keeps what is done and goes on to the same table") {
  const StudyRuns whole;
  Notes notes;
  const auto expected = whole.run(notes);
  const StudyRuns study;
  Stopper stopper(9);
  const auto stopped = study.run(stopper, {}, stopper.stop);
  CHECK(stopped.interrupted);
  CHECK_FALSE(holds(study.list(), "4 of 4"));
  CHECK(fs::exists(study.folder() / "study.md"));
  static_cast<void>(study.run(notes));
  CHECK(read_bytes(study.folder() / "study.md") == read_bytes(whole.folder() / "study.md"));
  for (const auto* run : {"a/fold1", "b/fold1", "b/fold2"}) {
    const auto model = fs::path(run) / "model/model.safetensors";
    CHECK(read_bytes(study.folder() / model) == read_bytes(whole.folder() / model));
  }
}

TEST_CASE("a stop before the first run begins nothing") {
  const StudyRuns study;
  Notes notes;
  const std::atomic<bool> stopped{true};
  CHECK(study.run(notes, {}, stopped).interrupted);
  CHECK_FALSE(fs::exists(study.folder() / "a"));
}

TEST_CASE("checking the runs finds what only the network tells, with every error once") {
  const StudyRuns study("set.loss.entropy.on = ['nothing']\n");
  const auto message = message_of<RecipeError>([&] { check_runs(study.runs()); });
  CAPTURE(message);
  CHECK(holds(message, "s.toml:9:23: error: "));
  CHECK(holds(message, "nothing"));
  CHECK(message.find("error: ") == message.rfind("error: "));
}

}  // namespace
