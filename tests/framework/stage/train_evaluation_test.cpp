// Evaluations while a training runs, and averaged weights.
#include <doctest/doctest.h>
#include <torch/types.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "event_records.h"
#include "file/safetensors.h"
#include "framework/stage/train_runs.h"
#include "kindred/core/error.h"
#include "model/model_file.h"
#include "system/precision.h"
#include "temporary_folder.h"
#include "tiny_components.h"
#include "training/checkpoint.h"
#include "training/run_directory.h"

using namespace kindred;
using namespace kindred::stage;
using namespace kindred::test;

namespace {

/// Takes numbers from LibTorch's generator, which dropout draws from as well.
class DrawingMetric : public TinyMetric {
 public:
  using TinyMetric::TinyMetric;
  [[nodiscard]] MetricResult judge(const std::vector<QueryRanks>& queries) const override {
    static_cast<void>(torch::rand({5}));
    return TinyMetric::judge(queries);
  }
};

}  // namespace

TEST_CASE("averages change neither the training nor its last model, and they are what is evaluated") {
  const auto catalog = tiny_catalog();
  const std::vector<std::string> data{"dataset.tested=4", "train.evaluate_every=3"};
  const TemporaryFolder folder;
  const auto plain = train_quietly(tiny_plan(catalog, data), folder / "plain");
  auto overrides = data;
  overrides.emplace_back("train.ema_decay=0.95");
  const auto averaged = train_quietly(tiny_plan(catalog, overrides), folder / "averaged");
  CHECK(plain.averaged_model.empty());
  CHECK(!fs::exists(folder / "plain/model.ema.safetensors"));
  CHECK(tensors_of(read_bytes(averaged.model)) == tensors_of(read_bytes(plain.model)));
  // Evaluated once, in the end: the best are the last averages.
  CHECK(read_bytes(folder / "averaged/best.safetensors") == read_bytes(averaged.averaged_model));
  CHECK(model::read_model_file(averaged.averaged_model, catalog, {}).plan.train.ema_decay == 0.95);
}

TEST_CASE("a training that is evaluated on one person alone says once that the figures say nothing") {
  const auto catalog = tiny_catalog();
  const std::string warning = "warning: no query has an image of anybody else to tell it from";
  for (const int tested : {1, 2}) {
    const TemporaryFolder folder;
    ActingSink sink;
    static_cast<void>(
        train(tiny_plan(catalog, {"dataset.tested=" + std::to_string(tested), "train.evaluate_every=1"}),
              folder / "run", sink, never));
    const auto said = sink.notes.find(warning);
    CHECK((said != std::string::npos) == (tested == 1));
    CHECK(said == sink.notes.rfind(warning));
  }
}

TEST_CASE("evaluations in between keep the best model and leave no trace in the last one") {
  auto catalog = tiny_catalog();
  Catalog own;
  own.add<DrawingMetric>("drawing");
  catalog.merge(std::move(own), "own", "own.so");
  const std::vector<std::string> data{"dataset.tested=4", "train.epochs=4", "metric=[{type='drawing'}]"};
  const auto expected = undisturbed(tiny_plan(catalog, data));
  auto overrides = data;
  overrides.emplace_back("train.evaluate_every=2");
  const TemporaryFolder folder;
  ActingSink sink;
  const auto outcome = train(tiny_plan(catalog, overrides), folder / "run", sink, never);
  std::vector<double> scores;
  for (const auto& progress : sink.finished) {
    if (progress.stage == "evaluate") scores.push_back(progress.figures.at("mAP"));
  }
  REQUIRE(scores.size() == 2);
  CHECK(event_steps(folder / "run").at("evaluate/mAP") == std::vector<std::int64_t>{2, 4});
  CHECK(event_steps(folder / "run").at("evaluate/rank_sheet") == std::vector<std::int64_t>{2, 4});
  CHECK(fs::exists(folder / "run/rank_sheets/epoch_002.jpg"));
  REQUIRE(outcome.best_score.has_value());
  CHECK(*outcome.best_score == std::max(scores[0], scores[1]));
  CHECK(fs::exists(folder / "run/best.safetensors"));
  CHECK(model::read_model_file(folder / "run/best.safetensors", catalog, {}).identities == 5);
  CHECK(tensors_of(read_bytes(folder / "run/model.safetensors")) == tensors_of(expected));
}

namespace {

/// As a warm-up that is longer than the training.
class RisingSchedule final : public Schedule {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("0.15 more in each epoch."); }
  RisingSchedule(const Params& /*params*/, const Context& /*context*/) {}
  [[nodiscard]] double factor(std::int64_t epoch, double /*progress*/) const override {
    return 0.15 * static_cast<double>(epoch);
  }
};

}  // namespace

TEST_CASE("a schedule that never comes near the learning rate is said to") {
  auto catalog = tiny_catalog();
  Catalog scratch;
  scratch.add<RisingSchedule>("rising");
  catalog.merge(std::move(scratch), "rising", "rising.so");
  const TemporaryFolder folder;
  for (const std::string schedule : {"{type='falling'}", "{type='rising'}"}) {
    CAPTURE(schedule);
    ActingSink sink;
    static_cast<void>(train(tiny_plan(catalog, {"train.epochs=2", "schedule=" + schedule}), folder / schedule,
                            sink, never));
    const bool said = sink.notes.find(
                          "warning: schedule 'rising' takes the learning rate to 30 % of the "
                          "optimizer's at most in 2 epochs") != std::string::npos;
    CHECK(said == (schedule == "{type='rising'}"));
  }
}

TEST_CASE("a figure to choose the best model by that is never evaluated is said to have no effect") {
  const auto catalog = tiny_catalog();
  const TemporaryFolder folder;
  for (const std::string evaluate : {"train.evaluate_every=0", "train.evaluate_every=1"}) {
    CAPTURE(evaluate);
    ActingSink sink;
    static_cast<void>(train(tiny_plan(catalog, {"dataset.tested=4", evaluate, "train.best_by=first"}),
                            folder / evaluate, sink, never));
    const bool wanted = evaluate == "train.evaluate_every=0";
    const std::string warning = "train.best_by has no effect";
    CHECK((sink.notes.find(warning) != std::string::npos) == wanted);
    // Said before the training begins, which forgets what an earlier attempt has measured.
    CHECK((read_bytes(folder / evaluate / "metrics.jsonl").find(warning) != std::string::npos) == wanted);
  }
}

TEST_CASE("the best model is by the figure that the recipe names, and by its better direction") {
  const auto catalog = tiny_catalog();
  const TemporaryFolder folder;
  ActingSink sink;
  const auto outcome = train(tiny_plan(catalog, {"dataset.tested=4", "train.epochs=4",
                                                 "train.evaluate_every=1", "train.best_by=first"}),
                             folder / "run", sink, never);
  double least = 1e9;
  for (const auto& progress : sink.finished) {
    if (progress.stage != "evaluate") continue;
    least = std::min(least, progress.figures.at("first"));
    CHECK(progress.figures.at("best first") == least);
    // In the order of the metric.
    std::vector<std::string> names;
    for (const auto& figure : progress.figures) names.push_back(figure.first);
    CHECK(names == std::vector<std::string>{"mAP", "rank1", "first", "best first"});
  }
  CHECK(outcome.best_score == least);
  const auto unknown = [&] {
    static_cast<void>(train_quietly(
        tiny_plan(catalog, {"dataset.tested=4", "train.evaluate_every=1", "train.best_by=mINP"}),
        folder / "other"));
  };
  CHECK(message_of<RecipeError>(unknown) ==
        "--set train.best_by=mINP: error: train.best_by: no metric of the recipe gives a figure 'mINP'; "
        "choose 'mAP', 'rank1' and 'first'");
}

TEST_CASE(
    "the best score of another evaluation is forgotten when a training goes on, that of the same is kept") {
  const auto catalog = tiny_catalog();
  const auto plan_of = [&](const std::string& tested_only, const std::vector<std::string>& more) {
    std::vector<std::string> overrides{
        "dataset=[{type='tiny', name='a', share=1, tested=4}, {type='tiny', name='b', share=0, " +
            tested_only + "}]",
        "evaluate_on=['a', 'b']", "train.evaluate_every=1"};
    overrides.insert(overrides.end(), more.begin(), more.end());
    return tiny_plan(catalog, overrides);
  };
  const TemporaryFolder folder;
  std::atomic<bool> stop{false};
  ActingSink stopper(7, [&] { stop = true; });  // after the first epoch
  REQUIRE(train(plan_of("tested=3", {}), folder / "begun", stopper, stop).interrupted);
  // No evaluation is better.
  const auto file = folder / "begun/checkpoint.safetensors";
  auto checkpoint = *training::read_checkpoint_position(file);
  REQUIRE(checkpoint.best_score.has_value());
  checkpoint.best_score = 1.5;
  checkpoint.state = file::read_safetensors(file);
  training::write_checkpoint(file, checkpoint);
  const auto best_after = [&](const recipe::Plan& plan) {
    fs::remove_all(folder / "run");
    fs::copy(folder / "begun", folder / "run", fs::copy_options::recursive);
    ActingSink sink;
    const auto outcome = train(plan, folder / "run", sink, never);
    const bool replaced =
        read_bytes(folder / "run/best.safetensors") != read_bytes(folder / "begun/best.safetensors");
    const bool is_said =
        sink.notes.find("the evaluation is another one than that of before") != std::string::npos;
    CHECK(replaced == (outcome.best_score != 1.5));
    CHECK(is_said == replaced);
    return *outcome.best_score;
  };
  CHECK(best_after(plan_of("tested=3", {})) == 1.5);
  CHECK(best_after(plan_of("tested=3", {"embed.batch_size=3", "evaluate_on=['a', 'b']"})) == 1.5);
  for (const std::string other :
       {"evaluate.cameras=single", "embed.flip_test=true", "evaluate_on=['a']", "train.best_by=rank1"}) {
    CAPTURE(other);
    CHECK(best_after(plan_of("tested=3", {other})) <= 1);
  }
  CHECK(best_after(plan_of("tested=5", {})) <= 1);
}

TEST_CASE("evaluations in between need query and gallery images") {
  const auto catalog = tiny_catalog();
  const TemporaryFolder folder;
  CHECK(message_of<ComponentError>([&] {
          static_cast<void>(train_quietly(tiny_plan(catalog, {"train.evaluate_every=1"}), folder / "run"));
        }) ==
        "dataset/tiny: error: has 0 query and 0 gallery images, but train.evaluate_every needs both; set "
        "train.evaluate_every = 0");
}
