// Losses that leave something, and losses of other trainings that start from it.
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <exception>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "file/safetensors.h"
#include "kindred/core/error.h"
#include "kindred/nn/lasting_tensors.h"
#include "pipeline/pipeline.h"
#include "pipeline/pipeline_run.h"
#include "recipe/recipe.h"
#include "temporary_folder.h"
#include "tiny_components.h"
#include "train_runs.h"

using namespace kindred;
using namespace kindred::test;

namespace {

/// Learns a row for each identity, and leaves twice what it has learned.
class LeavingLoss final : public OutputLoss, public LastingTensors {
 public:
  struct Params {
    bool breaks = false;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Leaves rows.");
    s.add("breaks", &Params::breaks, "leave what is no number");
    return s;
  }
  static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  LeavingLoss(const Params& params, const Context& context)
      : breaks_(params.breaks),
        rows_(register_parameter("rows", torch::zeros({context.identities, context.dim}))) {}
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor& labels) override {
    return (output - rows_.index_select(0, labels)).pow(2).mean();
  }
  [[nodiscard]] std::vector<NamedTensor> lasting_tensors() override {
    return {{"rows", breaks_ ? rows_ * std::numeric_limits<float>::infinity() : rows_ * 2}};
  }

 private:
  bool breaks_;
  torch::Tensor rows_;
};

/// Has rows from a file, and an offset that is trained and in no file.
class StartingLoss final : public OutputLoss {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Reads rows."); }
  static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  static std::vector<WeightsLayout> weights_layouts() {
    return {{.name = "rows", .required = {"rows"}, .rules = {{"rows", "fixed"}}}};
  }
  StartingLoss(const Params&, const Context& context)
      : fixed_(register_buffer("fixed", torch::zeros({context.identities, context.dim}))),
        offset_(register_parameter("offset", torch::ones({context.dim}))) {}
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor& labels) override {
    return (output + offset_ - fixed_.index_select(0, labels)).pow(2).mean();
  }

 private:
  torch::Tensor fixed_;
  torch::Tensor offset_;
};

const Catalog& losses_catalog() {
  static const auto made = [] {
    auto catalog = tiny_catalog();
    Catalog scratch;
    scratch.add<LeavingLoss>("leaving");
    scratch.add<StartingLoss>("starting");
    catalog.merge(std::move(scratch), "losses", "losses.so");
    return catalog;
  }();
  return made;
}

const char* const two_stages = R"(
[dataset]
type = "tiny"
[machine]
device = "cpu"
threads = 1
[[stage]]
name = "first"
type = "train"
[stage.recipe]
sampler = { type = "shuffled" }
backbone = { type = "tiny" }
head = { type = "tiny" }
loss = [{ type = "leaving", on = ["descriptor"] }]
optimizer = { type = "sgd" }
schedule = { type = "falling" }
train = { epochs = 2 }
[[stage]]
name = "second"
type = "train"
losses_from = "first"
[stage.recipe]
sampler = { type = "shuffled" }
backbone = { type = "tiny" }
head = { type = "tiny" }
loss = [{ type = "entropy", on = ["logits"] }, { type = "starting", on = ["descriptor"] }]
optimizer = { type = "sgd" }
schedule = { type = "falling" }
train = { epochs = 1 }
)";

pipeline::PipelineOutcome run_stages(const fs::path& folder, progress::ProgressSink& sink,
                                     const std::vector<std::string>& overrides = {}) {
  const auto made =
      pipeline::make_pipeline(recipe::parse_recipe(two_stages, "two.toml", overrides), losses_catalog());
  return pipeline::run_pipeline(made, losses_catalog(), folder, {}, sink, never);
}

}  // namespace

TEST_CASE("the losses of a stage start from what those of another have left") {
  const TemporaryFolder folder;
  ActingSink sink;
  CHECK_FALSE(run_stages(folder / "run", sink).interrupted);
  const auto left = file::read_safetensors(folder / "run/first/losses.safetensors");
  REQUIRE(left.tensors.size() == 1);
  CHECK(left.tensors[0].first == "leaving(descriptor).rows");
  CHECK(left.tensors[0].second.abs().max().item<double>() > 0);
  CHECK(left.metadata.at("kindred.classes").starts_with("5 identities, "));
  const auto checkpoint = file::read_safetensors(folder / "run/first/checkpoint.safetensors");
  CHECK(torch::equal(*checkpoint.find("loss.0.rows") * 2, left.tensors[0].second));
  const auto second = file::read_safetensors(folder / "run/second/checkpoint.safetensors");
  CHECK(torch::equal(*second.find("loss.1.fixed"), left.tensors[0].second));
  CHECK_FALSE(fs::exists(folder / "run/second/losses.safetensors"));
  CHECK(sink.notes.find("weights of loss 'starting' from") != std::string::npos);
  CHECK(sink.notes.find("left unchanged: loss.starting(descriptor).offset") != std::string::npos);

  SUBCASE("a second run does nothing, and another first stage makes the second run") {
    ActingSink again;
    CHECK_FALSE(run_stages(folder / "run", again).interrupted);
    CHECK(again.notes.find("stage 'second' is up to date") != std::string::npos);
    ActingSink changed;
    CHECK_FALSE(run_stages(folder / "run", changed, {"stage.first.recipe.train.epochs=1"}).interrupted);
    CHECK(changed.notes.find("stage 'second' (train) runs") != std::string::npos);
  }
  SUBCASE("on other images the file is refused") {
    const auto plan =
        tiny_plan(losses_catalog(),
                  {"dataset.identities=6", "loss=[{type='starting',on=['descriptor'],weights_file='" +
                                               (folder / "run/first/losses.safetensors").string() + "'}]"});
    CHECK_THROWS_WITH_AS(train_quietly(plan, folder / "other"),
                         doctest::Contains("belongs to a training with other identities (5 identities"),
                         DataError);
  }
  SUBCASE("the file counts by its content") {
    const auto file = folder / "run/first/losses.safetensors";
    const auto plan = tiny_plan(losses_catalog(), {"loss=[{type='starting',on=['descriptor'],weights_file='" +
                                                   file.string() + "'}]"});
    static_cast<void>(train_quietly(plan, folder / "plain"));
    auto other = left;
    other.tensors[0].second += 1;
    file::write_safetensors(file, other);
    CHECK_THROWS_WITH_AS(train_quietly(plan, folder / "plain"), doctest::Contains("weights_sha256"),
                         DataError);
  }
}

TEST_CASE("a file for a loss that holds no numbers is refused, with the tensor") {
  const TemporaryFolder folder;
  const auto file = folder / "rows.safetensors";
  file::TensorFile content;
  content.tensors.emplace_back("rows", torch::full({5, 16}, std::numeric_limits<float>::quiet_NaN()));
  file::write_safetensors(file, content);
  const auto plan = tiny_plan(
      losses_catalog(), {"loss=[{type='starting',on=['descriptor'],weights_file='" + file.string() + "'}]"});
  CHECK_THROWS_WITH_AS(
      train_quietly(plan, folder / "run"),
      doctest::Contains((file.string() + ": error: its tensor 'rows' contains a number").c_str()), DataError);
}

TEST_CASE("a stage without anything to start from, or to leave, says so") {
  const auto of = [](const std::vector<std::string>& overrides) {
    return pipeline::make_pipeline(recipe::parse_recipe(two_stages, "two.toml", overrides), losses_catalog());
  };
  CHECK_THROWS_WITH_AS(of({"stage.second.recipe.loss=[{type='entropy',on=['logits']}]"}),
                       doctest::Contains("stage 'second': losses_from is of no use"), RecipeError);
  const TemporaryFolder folder;
  ActingSink sink;
  CHECK_THROWS_WITH_AS(
      run_stages(folder / "run", sink, {"stage.first.recipe.loss=[{type='entropy',on=['logits']}]"}),
      doctest::Contains("no loss of that training leaves anything"), DataError);
  CHECK_THROWS_WITH_AS(run_stages(folder / "broken", sink, {"stage.first.recipe.loss.leaving.breaks=true"}),
                       doctest::Contains("not finite"), std::exception);
}
