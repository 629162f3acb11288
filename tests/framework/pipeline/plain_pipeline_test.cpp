// A recipe for one model as a pipeline that nobody had to write.
#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "pipeline/pipeline.h"
#include "pipeline/pipeline_run.h"
#include "recipe/recipe.h"
#include "report/run_files.h"
#include "results/stage_record.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::pipeline;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

const std::atomic<bool> never{false};

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The folder of a run of the tiny recipe.
class PlainRun {
 public:
  PipelineOutcome run(const std::vector<std::string>& overrides = {}, const PipelineOptions& options = {},
                      const std::atomic<bool>& stop = never) {
    return run_pipeline(pipeline(overrides), catalog_, folder(), options, silent_, stop);
  }
  std::string plan(const std::vector<std::string>& overrides = {}, const PipelineOptions& options = {}) {
    return plan_text(plan_pipeline(pipeline(overrides), catalog_, folder(), options));
  }
  [[nodiscard]] Pipeline pipeline(const std::vector<std::string>& overrides) const {
    std::vector<std::string> all = {"train.epochs=1", "dataset.tested=3"};
    all.insert(all.end(), overrides.begin(), overrides.end());
    return make_any_pipeline(recipe::parse_recipe(tiny_recipe, "tiny.toml", all), catalog_);
  }
  [[nodiscard]] fs::path folder() const { return scratch_ / "run"; }
  /// Everything that the run has left but its log, by path.
  [[nodiscard]] std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder())) {
      if (!entry.is_regular_file() || entry.path().filename() == "log.txt") continue;
      found[fs::relative(entry.path(), folder()).string()] = read_bytes(entry.path());
    }
    return found;
  }

 private:
  TemporaryFolder scratch_;
  Catalog catalog_ = tiny_catalog();
  progress::SilentProgress silent_;
};

/// A pipeline that trains a model in each of its stages.
Pipeline trainings(const std::vector<std::string>& names, const Catalog& catalog) {
  std::string text = R"(
[dataset]
type = "tiny"
[machine]
device = "cpu"
threads = 1
)";
  for (const auto& name : names) {
    text += "[[stage]]\nname = '" + name + "'\n" + R"(
type = "train"
[stage.recipe]
sampler = { type = "shuffled" }
backbone = { type = "tiny" }
head = { type = "tiny" }
loss = [{ type = "entropy", on = ["logits"] }]
optimizer = { type = "sgd" }
schedule = { type = "falling" }
train = { epochs = 1 }
)";
  }
  return make_any_pipeline(recipe::parse_recipe(text, "trainings.toml", {}), catalog);
}

/// As if another build had made what a stage has left.
void set_other_code(const fs::path& folder) {
  const auto file = folder / results::StageRecord::finished_file;
  auto record = results::StageRecord::read(file);
  record.key.code.at("kindred") = "of another build";
  record.write(file);
}

TEST_CASE("a plain recipe is a pipeline of a model, its features and a ranking") {
  const PlainRun run;
  const auto pipeline = run.pipeline({});
  REQUIRE(pipeline.stages.size() == 3);
  CHECK(pipeline.name == "tiny");
  CHECK(pipeline.keep_training);
  const std::vector<std::string> names = {"model", "features", "ranking"};
  const std::vector<std::string> types = {"train", "embed", "rank"};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(pipeline.stages[i]->name == names[i]);
    CHECK(pipeline.stages[i]->type() == types[i]);
  }
}

TEST_CASE("what is wrong with a plain recipe is said once, in its own words") {
  const auto catalog = tiny_catalog();
  const auto recipe =
      recipe::parse_recipe(tiny_recipe, "tiny.toml", {"evaluate.camras='known'", "embed.batch_size=0"});
  try {
    static_cast<void>(make_any_pipeline(recipe, catalog));
    FAIL("no error");
  } catch (const RecipeError& error) {
    CHECK(error.diagnostics().size() == 2);
    CHECK_FALSE(holds(error.what(), "stage"));
  }
}

TEST_CASE("a key runs the stages again whose results it affects, and no other") {
  PlainRun run;
  static_cast<void>(run.run());
  CHECK(holds(run.plan(), "ranking   rank   nothing, it is up to date"));
  const auto ranked = run.plan({"evaluate.cameras=single"});
  CHECK(holds(ranked, "features  embed  nothing, it is up to date"));
  CHECK(holds(ranked, "ranking   rank   runs: its recipe has changed: evaluate.cameras"));
  const auto embedded = run.plan({"embed.flip_test=true"});
  CHECK(holds(embedded, "model     train  nothing, it is up to date"));
  CHECK(holds(embedded, "features  embed  runs: its recipe has changed: embed.flip_test"));
  CHECK(holds(embedded, "ranking   rank   runs: it reads 'features', which runs"));
  const auto untouched = run.plan({"train.checkpoint_every=3", "train.evaluate_every=1", "loader.workers=1",
                                   "machine.threads=2", "name=other"});
  CHECK(untouched == run.plan());
}

TEST_CASE("a training that is there is never trained over, unless that is asked for by name") {
  PlainRun run;
  static_cast<void>(run.run());
  const auto model = read_bytes(run.folder() / "model/model.safetensors");
  const auto files = run.files();
  for (const auto& change : {std::string("optimizer.learning_rate=0.5"), std::string("dataset.images=5")}) {
    CAPTURE(change);
    try {
      static_cast<void>(run.run({change}));
      FAIL("no error");
    } catch (const DataError& error) {
      CHECK(holds(error.what(), "holds a training that is kept, but this is another one:\n  "));
      CHECK(holds(error.what(), change.substr(0, change.find('='))));
      CHECK(holds(error.what(), "--from model"));
    }
    CHECK(read_bytes(run.folder() / "model/model.safetensors") == model);
    CHECK(run.files() == files);
    CHECK(holds(run.plan(), "model     train  nothing, it is up to date"));
  }
  PipelineOptions anew;
  anew.from = "model";
  static_cast<void>(run.run({"optimizer.learning_rate=0.5"}, anew));
  CHECK(read_bytes(run.folder() / "model/model.safetensors") != model);
}

TEST_CASE(
    "what another build has made is made again, but for a training that is kept, or as an option says") {
  PlainRun run;
  static_cast<void>(run.run());
  for (const auto* stage : {"model", "features", "ranking"}) set_other_code(run.folder() / stage);
  const auto plan = run.plan();
  CHECK(holds(plan, "model     train  nothing, it is up to date"));
  CHECK(holds(plan, "features  embed  runs: kindred has changed (--ignore-code accepts its result)"));
  CHECK(holds(plan, "ranking   rank   runs: "));
  PipelineOptions accepting;
  accepting.ignore_code = true;
  const auto accepted = run.plan({}, accepting);
  CHECK(holds(accepted, "features  embed  nothing, it is up to date"));
  CHECK(holds(accepted, "ranking   rank   nothing, it is up to date"));

  const auto catalog = tiny_catalog();
  const TemporaryFolder scratch;
  progress::SilentProgress silent;
  const auto unkept = trainings({"first"}, catalog);
  static_cast<void>(run_pipeline(unkept, catalog, scratch / "run", {}, silent, never));
  set_other_code(scratch / "run/first");
  CHECK(holds(plan_text(plan_pipeline(unkept, catalog, scratch / "run", {})), "runs: kindred has changed"));
}

TEST_CASE("all that keeps a training from being trained over is said, not the first of it alone") {
  PlainRun run;
  static_cast<void>(run.run());
  const auto message = message_of<DataError>([&] {
    static_cast<void>(run.run({"optimizer.learning_rate=0.5", "seed=9", "dataset.images=5"}));
  });
  CHECK(holds(message, "\n  optimizer.learning_rate: 0.01 there, 0.5 here"));
  CHECK(holds(message, "\n  seed: 3 there, 9 here"));
  CHECK(holds(message, "\n  the images or their labels have changed"));
  CHECK(holds(message, "\nUse another --run-dir, revert the changes, or train again with --from model"));
}

TEST_CASE("a training that has ended is given more epochs, and what is made of its model is made again") {
  PlainRun run;
  static_cast<void>(run.run());
  const auto plan = run.plan({"train.epochs=2"});
  CHECK(holds(plan, "model     train  continues: 1 epoch is trained; continuing to 2"));
  CHECK(holds(plan, "features  embed  runs: it reads 'model', which runs"));
  static_cast<void>(run.run({"train.epochs=2"}));
  CHECK(holds(run.plan({"train.epochs=2"}), "ranking   rank   nothing, it is up to date"));
  CHECK(fs::exists(run.folder() / "model/model.1.safetensors"));
  PlainRun other;
  static_cast<void>(other.run({"train.epochs=2"}));
  for (const auto* result : {"model/model.safetensors", "features/query.npy", "ranking/evaluation.json"}) {
    CHECK(read_bytes(run.folder() / result) == read_bytes(other.folder() / result));
  }
}

TEST_CASE(
    "a training that is stopped on its way to more epochs goes on, and counts as unfinished until then") {
  PlainRun run;
  static_cast<void>(run.run());
  std::atomic<bool> stop{true};
  CHECK(run.run({"train.epochs=3"}, {}, stop).interrupted);
  CHECK(holds(run.plan({"train.epochs=3"}), "model     train  continues where it was stopped"));
  CHECK_FALSE(fs::exists(run.folder() / "model/stage.json"));
  static_cast<void>(run.run({"train.epochs=3"}));
  PlainRun other;
  static_cast<void>(other.run({"train.epochs=3"}));
  CHECK(read_bytes(run.folder() / "model/model.safetensors") ==
        read_bytes(other.folder() / "model/model.safetensors"));
}

TEST_CASE("with one stage alone, the recipe of the run describes the others as they ran") {
  PlainRun run;
  static_cast<void>(run.run());
  PipelineOptions only;
  only.only = "model";
  static_cast<void>(run.run({"ranking.top=7", "embed.flip_test=true"}, only));
  const auto recipe = read_bytes(run.folder() / "pipeline.toml");
  CHECK_FALSE(holds(recipe, "top = 7"));
  CHECK_FALSE(holds(recipe, "flip_test = true"));
  // Stages that are up to date are not described anew, the one that runs is.
  static_cast<void>(run.run({"ranking.top=7", "loader.workers=1"}));
  const auto ranked = read_bytes(run.folder() / "pipeline.toml");
  CHECK(ranked.find("top = 7") != std::string::npos);
  CHECK(ranked.find("top = 7") == ranked.rfind("top = 7"));
}

TEST_CASE("one stage alone says that what it reads was made by another recipe") {
  PlainRun run;
  static_cast<void>(run.run());
  PipelineOptions only;
  only.only = "ranking";
  const auto log = [&] { return read_bytes(run.folder() / "log.txt"); };
  static_cast<void>(run.run({"loader.workers=1"}, only));
  CHECK_FALSE(holds(log(), "stays as it is"));
  static_cast<void>(run.run({"optimizer.learning_rate=0.5"}, only));
  CHECK(holds(log(), "warning: stage 'model' stays as it is, though the recipe says otherwise:"));
  CHECK(holds(log(), "optimizer.learning_rate: 0.01 there, 0.5 here"));
  only.only = "model";
  static_cast<void>(run.run({"ranking.top=7"}, only));
  CHECK_FALSE(holds(log(), "stage 'ranking' stays as it is"));
}

TEST_CASE("what one stage alone warns of is no warning of the run in its report") {
  PlainRun run;
  static_cast<void>(run.run());
  const auto warned_of = [&](const std::string& text) {
    CHECK(holds(read_bytes(run.folder() / "log.txt"), text));
    for (const auto& warning : report::read_run(run.folder()).warnings) CHECK_FALSE(holds(warning, text));
  };
  PipelineOptions only;
  only.only = "ranking";
  static_cast<void>(run.run({"optimizer.learning_rate=0.5"}, only));
  warned_of("stays as it is, though the recipe says otherwise");
  only.only = only.from = "model";
  static_cast<void>(run.run({"optimizer.learning_rate=0.5"}, only));
  warned_of("made of earlier results than there are now");
  // That is said as long as it is so, by the results themselves.
  CHECK(report::read_run(run.folder()).outdated == std::vector<std::string>{"features", "ranking"});
  static_cast<void>(run.run({"optimizer.learning_rate=0.5"}));
  CHECK(report::read_run(run.folder()).outdated.empty());
}

TEST_CASE("the model alone is trained, and the same folder continues from it") {
  PlainRun run;
  PipelineOptions only;
  only.only = "model";
  static_cast<void>(run.run({}, only));
  CHECK(fs::exists(run.folder() / "model/model.safetensors"));
  CHECK_FALSE(fs::exists(run.folder() / "features"));
  const auto model = read_bytes(run.folder() / "model/model.safetensors");
  static_cast<void>(run.run());
  CHECK(read_bytes(run.folder() / "model/model.safetensors") == model);
  CHECK(fs::exists(run.folder() / "ranking/evaluation.json"));
}

TEST_CASE("the folder of another run is refused by its stages, and nothing in it changes") {
  const auto catalog = tiny_catalog();
  progress::SilentProgress silent;
  PlainRun plain;
  static_cast<void>(plain.run());
  const auto files = plain.files();
  const auto another = trainings({"first", "second"}, catalog);
  const std::string refusal =
      "is the folder of another run, with the stages 'model', 'features' and 'ranking'; use another "
      "--run-dir, or remove the folder";
  PipelineOptions only;
  only.only = "first";
  for (const auto& options : {PipelineOptions{}, only}) {
    CHECK(holds(message_of<DataError>([&] {
                  static_cast<void>(run_pipeline(another, catalog, plain.folder(), options, silent, never));
                }),
                refusal));
    CHECK(holds(message_of<DataError>(
                    [&] { static_cast<void>(plan_pipeline(another, catalog, plain.folder(), options)); }),
                refusal));
  }
  CHECK(plain.files() == files);

  // The other way round, where one stage has ended and the next has not begun.
  PlainRun late;
  static_cast<void>(run_pipeline(another, catalog, late.folder(), only, silent, never));
  const auto trained = late.files();
  const auto message = message_of<DataError>([&] { static_cast<void>(late.run()); });
  CHECK(holds(message, "is the folder of another run, with the stage 'first'; use another --run-dir"));
  CHECK(late.files() == trained);
}

TEST_CASE("a pipeline that has gained, lost or renamed stages goes on in its folder") {
  const auto catalog = tiny_catalog();
  const TemporaryFolder scratch;
  const auto folder = scratch / "run";
  progress::SilentProgress silent;
  static_cast<void>(
      run_pipeline(trainings({"first", "second"}, catalog), catalog, folder, {}, silent, never));
  for (const auto& names : std::vector<std::vector<std::string>>{
           {"first"}, {"first", "second", "third"}, {"renamed", "second"}}) {
    const auto plan = plan_text(plan_pipeline(trainings(names, catalog), catalog, folder, {}));
    CHECK(holds(plan, "nothing, it is up to date"));
  }
  // Nothing ran in it: whatever its recipe says, no result could be mixed up.
  fs::remove_all(folder / "first");
  fs::remove_all(folder / "second");
  CHECK(holds(plan_text(plan_pipeline(trainings({"other"}, catalog), catalog, folder, {})),
              "runs: it has not run yet"));
}

TEST_CASE("a ranking of one person alone says in the log that the figures say nothing") {
  PlainRun run;
  static_cast<void>(run.run({"dataset.tested=1"}));
  const auto log = read_bytes(run.folder() / "log.txt");
  const std::string warning = "warning: no query has an image of anybody else to tell it from";
  CHECK(holds(log, warning));
  CHECK(log.find(warning) == log.rfind(warning));
  PlainRun of_two;
  static_cast<void>(of_two.run({"dataset.tested=2"}));
  CHECK_FALSE(holds(read_bytes(of_two.folder() / "log.txt"), warning));
}

TEST_CASE("what a run refuses before its first stage its plan refuses, in the same words") {
  PlainRun run;
  const auto refusal_of = [&](const std::vector<std::string>& overrides) {
    const auto planned = message_of<Error>([&] { static_cast<void>(run.plan(overrides)); });
    CHECK(planned == message_of<Error>([&] { static_cast<void>(run.run(overrides)); }));
    CHECK_FALSE(fs::is_directory(run.folder()));
    return planned;
  };
  CHECK(holds(refusal_of({"machine.device='cuda:99'"}), "there is no device 'cuda:99'"));
  CHECK(holds(refusal_of({"loss.entropy.on=['nothing']"}), "'nothing'"));
  CHECK(holds(refusal_of({"dataset.tested=0"}), "has no query images"));
  CHECK(holds(refusal_of({"dataset.identities=0"}), "has no training images"));
  CHECK(holds(refusal_of({"train.precision='fp16'"}), "train.precision = \"fp16\": error: needs a CUDA GPU"));
  write_bytes(run.folder(), "a file");
  CHECK(holds(refusal_of({}), "run: error: cannot be created: Not a directory"));
}

TEST_CASE("a run that is refused makes no folder, and leaves an empty one empty") {
  PlainRun run;
  const auto refuse = [&] { CHECK_THROWS_AS(static_cast<void>(run.run({"dataset.identities=0"})), Error); };
  refuse();
  CHECK_FALSE(fs::exists(run.folder()));
  fs::create_directory(run.folder());
  refuse();
  CHECK(fs::is_empty(run.folder()));
  static_cast<void>(run.run());
  CHECK(fs::exists(run.folder() / "ranking/evaluation.json"));
}

TEST_CASE(
    "what lies in the place of a stage is refused before the first one runs, also for an earlier result") {
  PlainRun run;
  const auto refuses = [&] {
    const auto foreign = run.folder() / "ranking/letter.txt";
    fs::remove_all(run.folder() / "ranking");
    fs::create_directories(foreign.parent_path());
    write_bytes(foreign, "mine");
    const std::string refusal = "ranking: error: does not belong to this pipeline";
    CHECK(holds(message_of<DataError>([&] { static_cast<void>(run.plan()); }), refusal));
    CHECK(holds(message_of<DataError>([&] { static_cast<void>(run.run()); }), refusal));
    CHECK(read_bytes(foreign) == "mine");
    fs::remove_all(foreign.parent_path());
  };
  refuses();
  CHECK_FALSE(fs::exists(run.folder() / "model"));
  static_cast<void>(run.run());
  // As after another ranking that has failed.
  fs::create_directories(run.folder() / ".replaced");
  fs::copy(run.folder() / "ranking", run.folder() / ".replaced/ranking", fs::copy_options::recursive);
  refuses();
  CHECK(holds(run.plan(), "ranking   rank   nothing, it is up to date: an earlier result is restored"));
}

TEST_CASE("a stage that need not run is not asked whether this machine could") {
  PlainRun run;
  static_cast<void>(run.run());
  // As on a GPU, which computes in fp16.
  const std::vector<std::string> in_fp16 = {"train.precision=fp16", "embed.precision=fp16"};
  const auto pipeline = run.pipeline(in_fp16);
  for (const auto* stage : {"model", "features"}) {
    const auto file = run.folder() / stage / results::StageRecord::finished_file;
    auto record = results::StageRecord::read(file);
    record.key.settings = recipe::write_recipe(pipeline.find(stage)->settings());
    record.write(file);
  }
  auto ranked = in_fp16;
  ranked.emplace_back("evaluate.cameras=single");
  CHECK(holds(run.plan(ranked), "ranking   rank   runs: its recipe has changed: evaluate.cameras"));
  CHECK(holds(run.run(ranked).text, "ranking"));
  ranked.emplace_back("embed.flip_test=true");
  CHECK(holds(message_of<Error>([&] { static_cast<void>(run.plan(ranked)); }),
              "embed.precision = \"fp16\": error: needs a CUDA GPU"));
}

TEST_CASE("data without queries are refused before anything is trained, but not for the model alone") {
  PlainRun run;
  try {
    static_cast<void>(run.run({"dataset.tested=0"}));
    FAIL("no error");
  } catch (const RecipeError& error) {
    CHECK(holds(error.what(), "kindred train"));
  }
  CHECK_FALSE(fs::exists(run.folder() / "model"));
}

}  // namespace
