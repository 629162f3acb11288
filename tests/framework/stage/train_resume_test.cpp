// Trainings that are stopped, killed, damaged or begun again.
#include <doctest/doctest.h>
#include <torch/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "event_records.h"
#include "file/checksum.h"
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

/// Its value is the number of steps so far.
class StepCount : public OutputLoss {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Counts."); }
  StepCount(const Params&, const Context&) : steps_(register_buffer("steps", torch::zeros({}))) {}
  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor&) override {
    steps_.add_(1);
    return output.sum() * 0 + steps_;
  }

 private:
  torch::Tensor steps_;
};

/// What metrics.jsonl says of a figure at the end of each epoch.
std::vector<double> means_of_epochs(const fs::path& folder, const std::string& figure) {
  std::vector<double> means;
  for (const auto& line : metrics_of(folder)) {
    if (line.at("event") == "finished") means.push_back(line.at("figures").at(figure).get<double>());
  }
  return means;
}

}  // namespace

TEST_CASE("a training that is stopped after every batch makes the same model to the last bit") {
  const auto catalog = tiny_catalog();
  for (const std::string optimizer : {"optimizer.type=sgd", "optimizer.type=adam"}) {
    CAPTURE(optimizer);
    const auto plan = tiny_plan(catalog, {optimizer, "augmentation.brightness.enabled=true"});
    const auto expected = undisturbed(plan);
    const TemporaryFolder folder;
    int stops = 0;
    for (;; ++stops) {
      REQUIRE(stops < 20);
      std::atomic<bool> stop{false};
      ActingSink sink(1, [&] { stop = true; });
      const auto outcome = train(plan, folder / "run", sink, stop);
      if (!outcome.interrupted) break;
      CHECK(outcome.model.empty());
      CHECK(!fs::exists(folder / "run/model.safetensors"));
    }
    CHECK(stops == 15);
    CHECK(read_bytes(folder / "run/model.safetensors") == expected);
    CHECK(finished_epochs(folder / "run") == three_epochs);
    CHECK(event_steps(folder / "run").at("epoch/loss") == std::vector<std::int64_t>{1, 2, 3});
  }
}

TEST_CASE("an epoch's figures are the means over its own steps, also when it was stopped in between") {
  auto catalog = tiny_catalog();
  Catalog own;
  own.add<StepCount>("count");
  catalog.merge(std::move(own), "own", "own.so");
  const auto plan = tiny_plan(catalog, {"loss.scale={type='count', on=['descriptor'], weight=0.1}"});
  const std::string figure = "loss/count(descriptor)";
  // Of the steps 1 to 5, 6 to 10 and 11 to 15.
  const std::vector<double> expected{3, 8, 13};
  const TemporaryFolder folder;
  static_cast<void>(train_quietly(plan, folder / "whole"));
  CHECK(means_of_epochs(folder / "whole", figure) == expected);
  for (int stops = 0;; ++stops) {
    REQUIRE(stops < 20);
    std::atomic<bool> stop{false};
    ActingSink sink(1, [&] { stop = true; });
    if (!train(plan, folder / "stopped", sink, stop).interrupted) break;
  }
  CHECK(means_of_epochs(folder / "stopped", figure) == expected);
  // Of the last batch of each, behind which it was stopped, too.
  const auto rates = means_of_epochs(folder / "whole", "learning_rate");
  CHECK(rates.front() > 0);
  CHECK(means_of_epochs(folder / "stopped", "learning_rate") == rates);
}

TEST_CASE("an automatic precision is decided on once, said, and kept by what goes on") {
  const auto catalog = tiny_catalog();
  const auto plan = tiny_plan(catalog, {"train.precision=auto"});
  const auto suitable = system::suitable_precision(torch::kCPU);
  const auto name = system::precision_name(suitable);
  const TemporaryFolder folder;
  ActingSink sink;
  static_cast<void>(train(plan, folder / "run", sink, never));
  CHECK(sink.notes.find("train.precision = \"auto\": computing in " + name + "\n") != std::string::npos);
  CHECK(read_bytes(folder / "run/recipe.toml").find("precision = \"" + name + "\"\n") != std::string::npos);
  CHECK(read_bytes(folder / "run/environment.json").find("\"precision\": \"" + name + "\"") !=
        std::string::npos);
  CHECK(model::read_model_file(folder / "run/model.safetensors", catalog, {}).plan.train.precision ==
        suitable);
  CHECK(train_quietly(plan, folder / "run").was_done);

  // Begun in what this machine would not choose.
  const auto other = suitable == system::Precision::fp32 ? system::Precision::bf16 : system::Precision::fp32;
  if (!system::can_compute(torch::kCPU, other)) {
    MESSAGE("left out: this processor computes in fp32 alone");
    return;
  }
  const auto other_name = system::precision_name(other);
  std::atomic<bool> stop{false};
  ActingSink stopper(2, [&] { stop = true; });
  static_cast<void>(
      train(tiny_plan(catalog, {"train.precision=" + other_name}), folder / "other", stopper, stop));
  ActingSink going_on;
  static_cast<void>(train(plan, folder / "other", going_on, never));
  CHECK(going_on.notes.find("computing in " + other_name + ", which this training started with; " + name +
                            " would suit cpu better\n") != std::string::npos);
  CHECK(read_bytes(folder / "other/model.safetensors") ==
        undisturbed(tiny_plan(catalog, {"train.precision=" + other_name})));
  // Asked for by name, another one is another training.
  CHECK(message_of<DataError>([&] {
          static_cast<void>(train_quietly(tiny_plan(catalog, {"train.precision=" + name}), folder / "other"));
        }).find("\n  train.precision: \"" + other_name + "\" there, \"" + name + "\" here") !=
        std::string::npos);
}

TEST_CASE("a training that is killed anywhere goes on from its last checkpoint to the same model") {
  const auto catalog = tiny_catalog();
  // A checkpoint each epoch, each second epoch, after each batch.
  for (const std::string often :
       {"train.checkpoint_every=1", "train.checkpoint_every=2", "train.checkpoint_minutes=1e-9"}) {
    CAPTURE(often);
    const auto plan = tiny_plan(catalog, {often});
    const auto expected = undisturbed(plan);
    for (const std::int64_t at : {1, 4, 5, 6, 8, 11, 15}) {
      CAPTURE(at);
      const TemporaryFolder folder;
      ActingSink sink(at, [] { throw Killed(); });
      CHECK_THROWS_AS(static_cast<void>(train(plan, folder / "run", sink, never)), Killed);
      // What a power cut leaves is what lies on the disk, not what destructors do: a copy of the folder.
      fs::copy(folder / "run", folder / "copy", fs::copy_options::recursive);
      static_cast<void>(train_quietly(plan, folder / "copy"));
      CHECK(read_bytes(folder / "copy/model.safetensors") == expected);
      CHECK(finished_epochs(folder / "copy") == three_epochs);
      CHECK(event_steps(folder / "copy").at("epoch/loss") == std::vector<std::int64_t>{1, 2, 3});
    }
  }
}

TEST_CASE("copies of the directory made while training runs can all be gone on from") {
  const auto catalog = tiny_catalog();
  const auto plan = tiny_plan(catalog, {"train.checkpoint_minutes=1e-9"});
  const TemporaryFolder folder;
  const auto copy_to = [&](int number) { return folder / ("copy" + std::to_string(number)); };
  int copies = 0;
  class CopyingSink : public ActingSink {
   public:
    explicit CopyingSink(std::function<void()> copy) : copy_(std::move(copy)) {}
    void update(const progress::Progress&) override { copy_(); }
    void finish(const progress::Progress&) override { copy_(); }

   private:
    std::function<void()> copy_;
  };
  CopyingSink sink([&] { fs::copy(folder / "run", copy_to(copies++), fs::copy_options::recursive); });
  static_cast<void>(train(plan, folder / "run", sink, never));
  const auto expected = read_bytes(folder / "run/model.safetensors");
  REQUIRE(copies == 18);
  for (int i = 0; i < copies; i += 3) {
    static_cast<void>(train_quietly(plan, copy_to(i)));
    CHECK(read_bytes(copy_to(i) / "model.safetensors") == expected);
    CHECK(finished_epochs(copy_to(i)) == three_epochs);
  }
}

TEST_CASE("a checkpoint with weights that are not finite is refused, with the tensor") {
  const auto catalog = tiny_catalog();
  const auto plan = tiny_plan(catalog, {"train.ema_decay=0.9"});
  for (const std::string name :
       {"model.head.classifier.weight", "loss.1.centers", "average.backbone.norm.running_var"}) {
    CAPTURE(name);
    const TemporaryFolder folder;
    std::atomic<bool> stop{false};
    ActingSink sink(6, [&] { stop = true; });
    static_cast<void>(train(plan, folder / "run", sink, stop));
    const auto file = folder / "run/checkpoint.safetensors";
    auto content = file::read_safetensors(file);
    const auto* found = content.find(name);
    REQUIRE(found != nullptr);
    found->view(-1)[0] = std::numeric_limits<float>::quiet_NaN();
    file::add_checksum(content);
    file::write_safetensors(file, content);
    CHECK_THROWS_WITH_AS(
        train_quietly(plan, folder / "run"),
        doctest::Contains((file.string() + ": error: its tensor '" + name + "' contains a number").c_str()),
        DataError);
  }
}

TEST_CASE("checkpoints within an epoch let a killed training go on at the batch") {
  const auto catalog = tiny_catalog();
  const auto plan = tiny_plan(catalog, {"train.checkpoint_minutes=1e-9"});
  const TemporaryFolder folder;
  ActingSink killer(9, [] { throw Killed(); });
  CHECK_THROWS_AS(static_cast<void>(train(plan, folder / "run", killer, never)), Killed);
  ActingSink sink;
  static_cast<void>(train(plan, folder / "run", sink, never));
  CHECK(sink.notes.find("continuing in epoch 2 of 3, 3 batches done") != std::string::npos);
  CHECK(sink.updates.size() == 7);
}

TEST_CASE("a damaged checkpoint is replaced by the previous one, and the model is the same") {
  const auto catalog = tiny_catalog();
  const auto plan = tiny_plan(catalog);
  const auto expected = undisturbed(plan);
  const TemporaryFolder folder;
  ActingSink killer(13, [] { throw Killed(); });
  CHECK_THROWS_AS(static_cast<void>(train(plan, folder / "run", killer, never)), Killed);
  const auto checkpoint = folder / "run/checkpoint.safetensors";
  flip_a_bit(checkpoint);
  ActingSink sink;
  static_cast<void>(train(plan, folder / "run", sink, never));
  CHECK(sink.notes.find("warning: " + checkpoint.string() + ": error: is damaged: its checksum is") !=
        std::string::npos);
  CHECK(sink.notes.find("continuing from the previous checkpoint") != std::string::npos);
  CHECK(sink.notes.find("continuing in epoch 2 of 3") != std::string::npos);
  CHECK(read_bytes(folder / "run/model.safetensors") == expected);
  CHECK(finished_epochs(folder / "run") == three_epochs);
}

TEST_CASE("when both checkpoints are damaged, both are named and nothing is begun anew") {
  const auto catalog = tiny_catalog();
  const auto plan = tiny_plan(catalog);
  const TemporaryFolder folder;
  ActingSink killer(13, [] { throw Killed(); });
  CHECK_THROWS_AS(static_cast<void>(train(plan, folder / "run", killer, never)), Killed);
  flip_a_bit(folder / "run/checkpoint.safetensors");
  write_bytes(folder / "run/checkpoint.previous.safetensors", "short");
  const auto message = message_of<DataError>([&] { static_cast<void>(train_quietly(plan, folder / "run")); });
  for (const char* part : {"checkpoint.safetensors: error: cannot be used to continue, and neither can the "
                           "previous checkpoint; remove both to train from the start",
                           "is damaged: its checksum is",
                           "checkpoint.previous.safetensors: error: is not a "
                           "safetensors file: it has only 5 bytes"}) {
    CHECK_MESSAGE(message.find(part) != std::string::npos, message);
  }
}

TEST_CASE("a training that has ended is not repeated") {
  const auto catalog = tiny_catalog();
  const auto plan = tiny_plan(catalog);
  const TemporaryFolder folder;
  const auto first = train_quietly(plan, folder / "run");
  const auto before = fs::last_write_time(folder / "run/model.safetensors");
  const auto metrics = read_bytes(folder / "run/metrics.jsonl");
  // A kill between the model and the end of the training leaves this.
  fs::copy_file(folder / "run/checkpoint.safetensors", folder / "run/checkpoint.previous.safetensors");
  ActingSink sink;
  const auto again = train(plan, folder / "run", sink, never);
  CHECK(again.was_done);
  CHECK_FALSE(fs::exists(folder / "run/checkpoint.previous.safetensors"));
  CHECK(!again.interrupted);
  CHECK(again.model == first.model);
  CHECK(again.epochs_done == 3);
  CHECK(again.last_loss == first.last_loss);
  CHECK(sink.updates.empty());
  CHECK(sink.notes.rfind("already trained: ", 0) == 0);
  CHECK(fs::last_write_time(folder / "run/model.safetensors") == before);
  CHECK(read_bytes(folder / "run/metrics.jsonl") == metrics);
}

TEST_CASE("a directory of another recipe is refused with the keys that differ") {
  const auto catalog = tiny_catalog();
  const TemporaryFolder folder;
  static_cast<void>(train_quietly(tiny_plan(catalog), folder / "run"));
  const auto message = message_of<DataError>([&] {
    static_cast<void>(train_quietly(
        tiny_plan(catalog, {"optimizer.learning_rate=0.5", "loss.scale.enabled=false"}), folder / "run"));
  });
  const auto expected =
      (folder / "run").string() +
      ": error: belongs to another recipe; use another run directory, or revert these changes of the recipe:"
      "\n  loss: [entropy, centers, scale] there, [entropy, centers] here"
      "\n  loss.scale.breaks_at: 0 there, not set here";
  CHECK_MESSAGE(message.rfind(expected, 0) == 0, message);
  CHECK(message.find("\n  optimizer.learning_rate: 0.01 there, 0.5 here") != std::string::npos);
}

TEST_CASE("another machine, name or number of workers goes on with the same training") {
  const auto catalog = tiny_catalog();
  const TemporaryFolder folder;
  std::atomic<bool> stop{false};
  ActingSink stopper(2, [&] { stop = true; });
  static_cast<void>(train(tiny_plan(catalog), folder / "run", stopper, stop));
  ActingSink sink;
  const auto outcome =
      train(tiny_plan(catalog, {"machine.threads=2", "loader.workers=1", "train.checkpoint_every=2"}),
            folder / "run", sink, never);
  CHECK(outcome.epochs_done == 3);
  CHECK(sink.notes.find("warning: the result may differ in the last bits") != std::string::npos);
  CHECK(sink.notes.find("on cpu with 1 threads and continues with") != std::string::npos);
}

TEST_CASE("a directory in use is refused with the process that uses it") {
  const auto catalog = tiny_catalog();
  const TemporaryFolder folder;
  const training::RunDirectory held(folder / "run");
  CHECK(message_of<DataError>([&] {
          static_cast<void>(train_quietly(tiny_plan(catalog), folder / "run"));
        }) == (folder / "run").string() + ": error: is in use by process " + std::to_string(::getpid()) +
                  "; wait until it ends, or use another run directory");
}

TEST_CASE("a training goes on to the same weights when a data set is added that is only evaluated on") {
  const auto catalog = tiny_catalog();
  const std::string trained = "{type='tiny', name='a', share=1}, {type='tiny', name='b', share=1, tested=2}";
  const auto plan = tiny_plan(catalog, {"dataset=[" + trained + "]"});
  const auto more =
      tiny_plan(catalog, {"dataset=[{type='tiny', name='c', share=0, tested=3}, " + trained + "]"});
  const auto expected = undisturbed(plan);
  const TemporaryFolder folder;
  std::atomic<bool> stop{false};
  ActingSink stopper(3, [&] { stop = true; });
  REQUIRE(train(plan, folder / "run", stopper, stop).interrupted);
  CHECK_FALSE(train_quietly(more, folder / "run").interrupted);
  CHECK(tensors_of(read_bytes(folder / "run/model.safetensors")) == tensors_of(expected));
}

TEST_CASE("training images that have changed since the checkpoint are refused") {
  const auto catalog = tiny_catalog();
  const TemporaryFolder folder;
  std::atomic<bool> stop{false};
  ActingSink stopper(2, [&] { stop = true; });
  static_cast<void>(train(tiny_plan(catalog), folder / "run", stopper, stop));
  auto content = file::read_safetensors(folder / "run/checkpoint.safetensors");
  training::Checkpoint checkpoint =
      *training::read_checkpoint_position(folder / "run/checkpoint.safetensors");
  checkpoint.state = content;
  checkpoint.data = "19 images, 01234567";
  training::write_checkpoint(folder / "run/checkpoint.safetensors", checkpoint);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(train_quietly(tiny_plan(catalog), folder / "run")),
      doctest::Contains(
          "the training images have changed since this checkpoint (19 images, 01234567 then, 20 images, "),
      DataError);
}

TEST_CASE("a checkpoint that stands where the training never does is refused") {
  const auto catalog = tiny_catalog();
  const auto plan = tiny_plan(catalog);
  const TemporaryFolder folder;
  std::atomic<bool> stop{false};
  ActingSink stopper(2, [&] { stop = true; });
  static_cast<void>(train(plan, folder / "run", stopper, stop));
  const auto file = folder / "run/checkpoint.safetensors";
  const auto content = file::read_safetensors(file);
  const auto whole = *training::read_checkpoint_position(file);
  const auto refusal = [&](std::int64_t epoch, std::int64_t batch) {
    auto checkpoint = whole;
    checkpoint.state = content;
    checkpoint.epoch = epoch;
    checkpoint.batch = batch;
    training::write_checkpoint(file, checkpoint);
    return message_of<DataError>([&] { static_cast<void>(train_quietly(plan, folder / "run")); });
  };
  const auto start = file.string() + ": error: is not a checkpoint of this training: it has done ";
  CHECK(refusal(2, 6) == start + "6 batches of epoch 2, of a training of 3 epochs whose epoch has 5");
  CHECK(refusal(4, 1) == start + "1 batches of epoch 4, of a training of 3 epochs");
  CHECK(refusal(9'000'000'000'000'000'000, 0) ==
        start + "0 batches of epoch 9000000000000000000, of a training of 3 epochs");
}

TEST_CASE(
    "with groups, freezing, clipping, averages and bf16 a stopped training is the same to the last bit") {
  const auto catalog = tiny_catalog();
  std::vector<std::string> settings{
      "optimizer.group=[{ name = 'new', parameters = ['head*', 'loss*'], learning_rate_factor = 10.0, "
      "bias_factor = 2.0 }, { name = 'backbone', parameters = ['backbone*'], weight_decay_factor = 0.0, "
      "frozen_epochs = 1 }]",
      "train.clip_gradient_norm=0.5", "train.ema_decay=0.9", "train.evaluate_every=1", "dataset.tested=3"};
  if (system::can_compute(torch::kCPU, system::Precision::bf16)) {
    settings.emplace_back("train.precision=bf16");
  } else {
    MESSAGE("in fp32: this processor cannot compute convolutions in bf16");
  }
  for (const std::string optimizer : {"sgd", "adam"}) {
    CAPTURE(optimizer);
    // First: another type leaves nothing of the groups.
    auto overrides = settings;
    overrides.insert(overrides.begin(), "optimizer.type=" + optimizer);
    const auto plan = tiny_plan(catalog, overrides);
    REQUIRE(plan.optimizer.factory->info().name == optimizer);
    REQUIRE(plan.groups.size() == 2);
    const TemporaryFolder folder;
    ActingSink whole;
    const auto outcome = train(plan, folder / "whole", whole, never);
    CHECK(whole.notes.find("backbone    6        1,408") != std::string::npos);
    CHECK(whole.notes.find("group 'backbone' is trained from now on") != std::string::npos);
    int stops = 0;
    for (;; ++stops) {
      REQUIRE(stops < 20);
      std::atomic<bool> stop{false};
      ActingSink sink(1, [&] { stop = true; });
      if (!train(plan, folder / "stopped", sink, stop).interrupted) break;
    }
    CHECK(stops >= 15);  // after each batch, and in evaluations
    for (const auto* name : {"model.safetensors", "model.ema.safetensors", "best.safetensors"})
      CHECK_MESSAGE(read_bytes(folder / "stopped" / name) == read_bytes(folder / "whole" / name), name);
    CHECK(outcome.model == folder / "whole/model.safetensors");
    CHECK(outcome.averaged_model == folder / "whole/model.ema.safetensors");
    CHECK(train_quietly(plan, folder / "whole").averaged_model == outcome.averaged_model);
    CHECK(tensors_of(read_bytes(outcome.model)) != tensors_of(read_bytes(outcome.averaged_model)));
  }
}
