// A recipe for one model as a pipeline that nobody had to write.
#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "pipeline/pipeline.h"
#include "pipeline/pipeline_run.h"
#include "recipe/recipe.h"
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
  PipelineOutcome run(const std::vector<std::string>& overrides = {}, const PipelineOptions& options = {}) {
    return run_pipeline(pipeline(overrides), catalog_, folder(), options, silent_, never);
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

 private:
  TemporaryFolder scratch_;
  Catalog catalog_ = tiny_catalog();
  progress::SilentProgress silent_;
};

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
  const auto untouched =
      run.plan({"train.checkpoint_every=3", "loader.workers=1", "machine.threads=2", "name=other"});
  CHECK(untouched == run.plan());
}

TEST_CASE("a training that is there is never trained over, unless that is asked for by name") {
  PlainRun run;
  static_cast<void>(run.run());
  const auto model = read_bytes(run.folder() / "model/model.safetensors");
  for (const auto& change : {std::string("optimizer.learning_rate=0.5"), std::string("dataset.images=5")}) {
    CAPTURE(change);
    try {
      static_cast<void>(run.run({change}));
      FAIL("no error");
    } catch (const DataError& error) {
      CHECK(holds(error.what(), "holds a training that is kept"));
      CHECK(holds(error.what(), change.substr(0, change.find('='))));
      CHECK(holds(error.what(), "--from model"));
    }
    CHECK(read_bytes(run.folder() / "model/model.safetensors") == model);
    CHECK(holds(run.plan(), "model     train  nothing, it is up to date"));
  }
  PipelineOptions anew;
  anew.from = "model";
  static_cast<void>(run.run({"optimizer.learning_rate=0.5"}, anew));
  CHECK(read_bytes(run.folder() / "model/model.safetensors") != model);
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
