// A training on several data sets and its evaluations, as a pipeline.
#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "data/open_dataset.h"
#include "file/sample_list.h"
#include "kindred/core/error.h"
#include "pipeline/pipeline.h"
#include "pipeline/pipeline_run.h"
#include "recipe/recipe.h"
#include "temporary_folder.h"
#include "tiny_components.h"
#include "training/batch_pairs.h"
#include "training/shared_sampler.h"
#include "training/training_data.h"

using namespace kindred;
using namespace kindred::pipeline;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

const std::atomic<bool> never{false};

const std::string two_sets =
    "dataset=[{type='tiny', name='a', identities=4, images=6, tested=2, share=3}, "
    "{type='tiny', name='b', identities=3, images=4, tested=3, share=1}]";

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Asks to stop at the n-th update.
class StoppingSink final : public progress::ProgressSink {
 public:
  StoppingSink(std::atomic<bool>& stop, int at) : stop_(stop), left_(at) {}
  void update(const progress::Progress&) override {
    if (--left_ == 0) stop_ = true;
  }
  void finish(const progress::Progress&) override {}
  void note(const std::string&) override {}

 private:
  std::atomic<bool>& stop_;
  int left_;
};

/// A run of the tiny recipe with two data sets.
class SeveralRun {
 public:
  PipelineOutcome run_until(const std::atomic<bool>& stop, progress::ProgressSink& sink,
                            const std::vector<std::string>& overrides) {
    return run_pipeline(pipeline(overrides), catalog_, folder(), {}, sink, stop);
  }
  PipelineOutcome run(const std::vector<std::string>& overrides = {}) {
    return run_pipeline(pipeline(overrides), catalog_, folder(), {}, silent_, never);
  }
  std::string plan(const std::vector<std::string>& overrides = {}) {
    return plan_text(plan_pipeline(pipeline(overrides), catalog_, folder(), {}));
  }
  [[nodiscard]] Value recipe(const std::vector<std::string>& overrides) const {
    std::vector<std::string> all = {"train.epochs=2", two_sets};
    all.insert(all.end(), overrides.begin(), overrides.end());
    return recipe::parse_recipe(tiny_recipe, "tiny.toml", all);
  }
  [[nodiscard]] Pipeline pipeline(const std::vector<std::string>& overrides) const {
    return make_any_pipeline(recipe(overrides), catalog_);
  }
  [[nodiscard]] recipe::Plan model_plan(const std::vector<std::string>& overrides = {}) const {
    return recipe::make_plan(recipe(overrides), catalog_);
  }
  [[nodiscard]] fs::path folder() const { return scratch_ / "run"; }

 private:
  TemporaryFolder scratch_;
  Catalog catalog_ = tiny_catalog();
  progress::SilentProgress silent_;
};

std::vector<std::string> stage_names(const Pipeline& pipeline) {
  std::vector<std::string> names;
  for (const auto& stage : pipeline.stages) names.push_back(stage->name);
  return names;
}

std::string refusal_of(const std::vector<std::string>& overrides) {
  try {
    SeveralRun run;
    static_cast<void>(run.run(overrides));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("a recipe with several data sets is evaluated on each, or on those that it names") {
  const SeveralRun run;
  CHECK(stage_names(run.pipeline({})) ==
        std::vector<std::string>{"model", "features_a", "ranking_a", "features_b", "ranking_b"});
  CHECK(stage_names(run.pipeline({"evaluate_on=['b']"})) ==
        std::vector<std::string>{"model", "features_b", "ranking_b"});
}

TEST_CASE("a training on two data sets is evaluated on each during it and after it, by name") {
  SeveralRun run;
  const auto outcome = run.run({"train.evaluate_every=1"});
  CHECK(holds(outcome.text, "ranking_a"));
  CHECK(holds(outcome.text, "ranking_b"));
  std::vector<std::string> stages;
  std::vector<double> scores;
  std::istringstream metrics(read_bytes(run.folder() / "model/metrics.jsonl"));
  for (std::string line; std::getline(metrics, line);) {
    const auto event = nlohmann::json::parse(line);
    if (event["event"] != "finished" || event["detail"] != "epoch 2/2") continue;
    stages.push_back(event["stage"]);
    if (event["stage"] != "train") scores.push_back(event["figures"]["mAP"]);
  }
  CHECK(stages == std::vector<std::string>{"train", "evaluate a", "evaluate b", "evaluate"});
  REQUIRE(scores.size() == 3);
  CHECK(scores[2] == doctest::Approx((scores[0] + scores[1]) / 2));

  // What is evaluated during the training is what is evaluated after it.
  for (std::size_t i = 0; i < 2; ++i) {
    const auto file = run.folder() / (i == 0 ? "ranking_a" : "ranking_b") / "evaluation.json";
    CAPTURE(read_bytes(file));
    const auto json = nlohmann::json::parse(read_bytes(file));
    CHECK(json["figures"]["mAP"]["value"].get<double>() == doctest::Approx(scores[i]));
  }
  for (const auto& sample : file::read_sample_list(run.folder() / "features_b/query.csv")) {
    CHECK(sample.path.starts_with("b/query/"));
  }
  for (const auto& other : std::vector<std::vector<std::string>>{
           {"train.evaluate_every=1"}, {"train.evaluate_every=1", "evaluate_on=['b']"}, {}}) {
    CAPTURE(other);
    CHECK(holds(run.plan(other), "model       train  nothing, it is up to date"));
  }
}

TEST_CASE(
    "a change of any data set that is trained on is another training, of a test set only another test") {
  SeveralRun run;
  static_cast<void>(run.run({"dataset.b.share=0"}));
  const auto tested = run.plan({"dataset.b.share=0", "dataset.b.tested=4"});
  CHECK(holds(tested, "model       train  nothing, it is up to date"));
  CHECK(holds(tested, "features_a  embed  nothing, it is up to date"));
  CHECK(holds(tested, "features_b  embed  runs"));
  for (const std::string change : {"dataset.a.images=7", "dataset.b.share=1"}) {
    CAPTURE(change);
    CHECK_THROWS_AS(static_cast<void>(run.plan({"dataset.b.share=0", change})), DataError);
  }
}

TEST_CASE("identities of two data sets are different classes, and batches have their shares") {
  const SeveralRun run;
  const auto plan = run.model_plan();
  const auto data = training::load_training_data(plan);
  CHECK(data.identities == 7);
  REQUIRE(data.samples.size() == 36);
  REQUIRE(data.test_sets.size() == 2);
  CHECK(data.test_sets[1].name == "b");
  CHECK(data.test_sets[1].query.size() == 3);
  const auto sampler = training::create_sampler(plan, data);
  const auto batches = training::batches_of(plan, *sampler, 1);
  CHECK(batches.size() == 7);
  CHECK(training::batches_of(plan, *sampler, 1) == batches);
  CHECK_FALSE(training::batches_of(plan, *sampler, 2) == batches);
  std::size_t images = 0;
  std::size_t of_a = 0;
  for (const auto& batch : batches) {
    for (const auto image : batch) {
      ++images;
      of_a += data.samples[image].path.starts_with("a/") ? 1 : 0;
    }
  }
  // To the nearest batch, though groups make batches larger than the four images asked for.
  CHECK(images >= 34);
  CHECK(images <= 38);
  CHECK(static_cast<double>(of_a) / static_cast<double>(images) == doctest::Approx(0.75).epsilon(0.1));
  const auto text = training::shares_text(plan, data, batches);
  CHECK(holds(text, "an epoch has 7 batches; of their images "));
  CHECK(holds(text, " times its 24), "));
  CHECK(holds(text, " % are of 'b' ("));
}

TEST_CASE("a training with shares that is stopped within an epoch ends with the same bits") {
  SeveralRun whole;
  static_cast<void>(whole.run({"train.evaluate_every=1"}));
  SeveralRun stopped;
  std::atomic<bool> stop{false};
  StoppingSink sink(stop, 5);
  CHECK(stopped.run_until(stop, sink, {"train.evaluate_every=1"}).interrupted);
  CHECK_FALSE(fs::exists(stopped.folder() / "model/model.safetensors"));
  static_cast<void>(stopped.run({"train.evaluate_every=1"}));
  CHECK(read_bytes(stopped.folder() / "model/model.safetensors") ==
        read_bytes(whole.folder() / "model/model.safetensors"));
}

TEST_CASE("without shares the sampler sees one data set") {
  const SeveralRun run;
  const auto plan = run.model_plan({"dataset=[{type='tiny', name='a'}, {type='tiny', name='b'}]"});
  const auto data = training::load_training_data(plan);
  CHECK(data.identities == 10);
  const auto batches = training::batches_of(plan, *training::create_sampler(plan, data), 1);
  CHECK(batches.size() == data.samples.size() / 4);
  CHECK(training::shares_text(plan, data, batches).empty());
}

TEST_CASE("folds divide each data set that is trained on, and leave a mere test set as it is") {
  const SeveralRun run;
  const auto plan = run.model_plan({"folds.fold=1", "folds.count=2", "dataset.b.share=0"});
  const auto data = training::load_training_data(plan);
  CHECK(data.identities == 2);
  CHECK(data.test_sets[0].query.front().path.starts_with("a/train/"));
  CHECK(data.test_sets[1].query.front().path.starts_with("b/query/"));
}

TEST_CASE("what a data set lacks is said with its name") {
  const auto untrained = refusal_of({"dataset.b.identities=0"});
  CAPTURE(untrained);
  CHECK(holds(untrained, "dataset/tiny 'b'"));
  CHECK(holds(untrained, "has no training images (3 query, 6 gallery images); set its share = 0"));
  CHECK(holds(refusal_of({"dataset.b.tested=0"}), "data set 'b': has no query images"));
}

TEST_CASE("a stage of a pipeline picks data sets by name") {
  const auto catalog = tiny_catalog();
  const auto pipeline_with = [&](const std::string& stages) {
    const std::string datasets =
        "[[dataset]]\ntype = 'tiny'\nname = 'a'\n[[dataset]]\ntype = 'tiny'\nname = 'b'\nimages = 2\n";
    auto recipe = recipe::parse_recipe(datasets + stages, "pipeline.toml", {});
    const auto model = recipe::parse_recipe(tiny_recipe, "tiny.toml", {});
    for (auto& stage : *recipe.as<Table>()->find("stage")->as<Array>()) {
      auto& table = *stage.as<Table>();
      if (!(*table.find("type") == Value("train"))) continue;
      Table keys;
      for (const auto& entry : model.as<Table>()->entries()) {
        if (entry.key != "dataset" && entry.key != "machine") keys.set(entry.key, entry.value);
      }
      table.set("recipe", Value(std::move(keys)));
    }
    return make_pipeline(recipe, catalog);
  };
  const auto message = [&](const std::string& stages) -> std::string {
    try {
      static_cast<void>(pipeline_with(stages));
    } catch (const RecipeError& error) {
      return error.what();
    }
    return "";
  };
  const std::string train = "[[stage]]\nname = 'm'\ntype = 'train'\n";
  const std::string embed = "[[stage]]\nname = 'f'\ntype = 'embed'\nmodel = 'm'\n";

  const auto one = pipeline_with(train + "dataset = 'b'\n" + embed + "dataset = 'a'\n");
  const auto* plan = one.find("m")->model_plan();
  REQUIRE(plan != nullptr);
  CHECK(training::load_training_data(*plan).samples.size() == 10);
  CHECK(plan->evaluate_on == std::vector<std::string>{"b"});
  CHECK(one.find("f")->data().front().plan.dataset().prefix == "a/");
  CHECK(training::load_training_data(*pipeline_with(train + "dataset = ['a', 'b']\n").find("m")->model_plan())
            .samples.size() == 30);
  CHECK(training::load_training_data(*pipeline_with(train).find("m")->model_plan()).samples.size() == 30);

  CHECK(holds(message(train + embed),
              "stage 'f' reads one data set, and there are 'a' and 'b'; choose one "
              "in the stage, with dataset = \"a\""));
  CHECK(holds(message(train + embed + "dataset = 'c'\n"), "stage 'f': the pipeline has no data set 'c'"));
}

TEST_CASE("labels of one of several data sets join the training under the same names") {
  const SeveralRun run;
  const TemporaryFolder folder;
  const auto labels = folder.write("labels.csv",
                                   "path,identity,camera,domain,split\n"
                                   "b/query/1_0,0,0,,query\n"
                                   "b/gallery/1_1,0,1,,gallery\n");
  const auto plan = run.model_plan({"pseudo_labels=[{file='" + labels.string() + "'}]"});
  const auto data = training::load_training_data(plan);
  CHECK(data.identities == 8);
  CHECK(data.samples.back().path == "b/gallery/1_1");
  CHECK(data.test_sets[1].gallery.size() == 6);
  const auto image = data.dataset->image(data.samples.back());
  CHECK(image.rows == 16);
}

}  // namespace
