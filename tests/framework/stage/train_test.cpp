#include "stage/train.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

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
namespace fs = std::filesystem;

namespace {

struct Killed {};

/// Does something at the n-th update, counted over its life.
class ActingSink : public progress::ProgressSink {
 public:
  ActingSink() = default;
  ActingSink(std::int64_t at, std::function<void()> action) : at(at), action(std::move(action)) {}
  void update(const progress::Progress& progress) override {
    updates.push_back(progress);
    if (static_cast<std::int64_t>(updates.size()) == at) action();
  }
  void finish(const progress::Progress& progress) override { finished.push_back(progress); }
  void note(const std::string& text) override { notes += text + "\n"; }

  std::int64_t at = 0;
  std::function<void()> action;
  std::vector<progress::Progress> updates;
  std::vector<progress::Progress> finished;
  std::string notes;
};

const std::atomic<bool> never{false};

TrainOutcome train_quietly(const recipe::Plan& plan, const fs::path& folder) {
  ActingSink sink;
  return train(plan, folder, sink, never);
}

/// The bytes of the model that a training in one go makes.
std::string undisturbed(const recipe::Plan& plan) {
  const TemporaryFolder folder;
  static_cast<void>(train_quietly(plan, folder / "run"));
  return read_bytes(folder / "run/model.safetensors");
}

std::vector<nlohmann::json> metrics_of(const fs::path& folder) {
  std::vector<nlohmann::json> lines;
  std::istringstream stream(read_bytes(folder / "metrics.jsonl"));
  for (std::string line; std::getline(stream, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

/// Which epochs metrics.jsonl says are finished, in order.
std::vector<std::string> finished_epochs(const fs::path& folder) {
  std::vector<std::string> epochs;
  for (const auto& line : metrics_of(folder)) {
    if (line["event"] == "finished") epochs.push_back(line["detail"]);
  }
  return epochs;
}

/// What a safetensors file holds behind its header.
std::string tensors_of(const std::string& bytes) {
  std::uint64_t header = 0;
  REQUIRE(bytes.size() > sizeof header);
  std::memcpy(&header, bytes.data(), sizeof header);
  return bytes.substr(sizeof header + header);
}

const std::vector<std::string> three_epochs{"epoch 1/3", "epoch 2/3", "epoch 3/3"};

void flip_a_bit(const fs::path& file) {
  auto bytes = read_bytes(file);
  bytes[bytes.size() - 20] = static_cast<char>(bytes[bytes.size() - 20] ^ 4);
  write_bytes(file, bytes);
}

}  // namespace

TEST_CASE("a training learns, leaves its files, and its model can be read back") {
  const auto catalog = tiny_catalog();
  const auto plan = tiny_plan(catalog, {"train.epochs=8"});
  const TemporaryFolder folder;
  ActingSink sink;
  const auto outcome = train(plan, folder / "run", sink, never);
  CHECK(!outcome.interrupted);
  CHECK(!outcome.was_done);
  CHECK(outcome.epochs_done == 8);
  REQUIRE(sink.finished.size() == 8);
  CHECK(outcome.last_loss < 0.8 * sink.finished.front().figures.at("loss"));
  CHECK(outcome.last_loss == sink.finished.back().figures.at("loss"));
  for (const char* name : {"recipe.toml", "environment.json", "checkpoint.safetensors", "model.safetensors",
                           "metrics.jsonl", "log.txt"}) {
    CHECK_MESSAGE(fs::exists(folder / "run" / name), name);
  }
  CHECK(!fs::exists(folder / "run/checkpoint.previous.safetensors"));
  const auto model_file = model::read_model_file(outcome.model, catalog, {});
  CHECK(model_file.identities == 5);
  CHECK(model_file.plan.resolved() == plan.resolved());
  CHECK(!model_file.model->is_training());
  const auto descriptors = model_file.model->describe(torch::rand({2, 3, 16, 8}));
  CHECK((descriptors.sizes() == torch::IntArrayRef({2, 16})));
}

TEST_CASE("progress tells each term, the learning rate of the schedule, and what is left") {
  const auto catalog = tiny_catalog();
  const TemporaryFolder folder;
  ActingSink sink;
  static_cast<void>(train(tiny_plan(catalog), folder / "run", sink, never));
  REQUIRE(sink.updates.size() == 15);
  const auto& update = sink.updates[6];
  CHECK(update.stage == "train");
  CHECK(update.detail == "epoch 2/3");
  CHECK(update.done == 2);
  CHECK(update.total == 5);
  CHECK(update.images_per_second > 0);
  CHECK(update.remaining_seconds > 0);
  CHECK(update.figures.at("learning_rate") == doctest::Approx(0.01 * (1 - 0.5 * 0.2) / 2));
  for (const char* figure :
       {"loss", "loss/entropy(logits)", "loss/centers(descriptor)", "loss/scale(descriptor)"}) {
    CHECK_MESSAGE(update.figures.count(figure) == 1, figure);
  }
  const auto& figures = sink.finished.back().figures;
  CHECK(figures.at("loss") ==
        doctest::Approx(figures.at("loss/entropy(logits)") + 0.01 * figures.at("loss/centers(descriptor)") +
                        0.1 * figures.at("loss/scale(descriptor)")));
  CHECK(sink.finished.back().remaining_seconds == 0);
}

TEST_CASE("the model depends on the seed, and not on the number of workers") {
  const auto catalog = tiny_catalog();
  const auto model = undisturbed(tiny_plan(catalog));
  CHECK(undisturbed(tiny_plan(catalog)) == model);
  // The recipe inside the file says how many workers there were; the tensors behind it are the same.
  CHECK(tensors_of(undisturbed(tiny_plan(catalog, {"loader.workers=1", "loader.prefetch=1"}))) ==
        tensors_of(model));
  CHECK(tensors_of(undisturbed(tiny_plan(catalog, {"seed=4"}))) != tensors_of(model));
}

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
  }
}

TEST_CASE(
    "with groups, freezing, clipping, averages and bf16 a stopped training is the same to the last bit") {
  const auto catalog = tiny_catalog();
  std::vector<std::string> overrides{
      "optimizer.group=[{ name = 'new', parameters = ['head*', 'loss*'], learning_rate_factor = 10.0, "
      "bias_factor = 2.0 }, { name = 'backbone', parameters = ['backbone*'], weight_decay_factor = 0.0, "
      "frozen_epochs = 1 }]",
      "train.clip_gradient_norm=0.5", "train.ema_decay=0.9", "train.evaluate_every=1", "dataset.tested=3"};
  if (system::can_compute(torch::kCPU, system::Precision::bf16)) {
    overrides.emplace_back("train.precision=bf16");
  } else {
    MESSAGE("in fp32: this processor cannot compute convolutions in bf16");
  }
  for (const std::string optimizer : {"sgd", "adam"}) {
    CAPTURE(optimizer);
    overrides.insert(overrides.begin(), "optimizer.type=" + optimizer);
    const auto plan = tiny_plan(catalog, overrides);
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

TEST_CASE("a group that catches nothing is an error before anything is trained") {
  const auto catalog = tiny_catalog();
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(
      static_cast<void>(train_quietly(
          tiny_plan(catalog, {"optimizer.group=[{ name = 'new', parameters = ['head.klassifier*'] }]"}),
          folder / "run")),
      doctest::Contains("group 'new': 'head.klassifier*' matches no parameter"), RecipeError);
  CHECK(!fs::exists(folder / "run/checkpoint.safetensors"));
}

TEST_CASE("fp16 on the CPU is refused before anything is trained") {
  const auto catalog = tiny_catalog();
  const TemporaryFolder folder;
  CHECK(message_of<Error>([&] {
          static_cast<void>(train_quietly(tiny_plan(catalog, {"train.precision=fp16"}), folder / "run"));
        }) ==
        "train.precision = \"fp16\" needs a CUDA GPU, but this run uses cpu; choose \"fp32\" or "
        "\"auto\"");
  CHECK(message_of<Error>([&] {
          static_cast<void>(train_quietly(
              tiny_plan(catalog, {"embed.precision=fp16", "train.evaluate_every=1", "dataset.tested=2"}),
              folder / "run"));
        }).rfind("embed.precision = \"fp16\" needs a CUDA GPU", 0) == 0);
  CHECK(!fs::exists(folder / "run/checkpoint.safetensors"));
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
  ActingSink sink;
  const auto again = train(plan, folder / "run", sink, never);
  CHECK(again.was_done);
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

TEST_CASE("a loss that is not a number stops training by name, before harm is done") {
  const auto catalog = tiny_catalog();
  const auto plan = tiny_plan(catalog, {"loss.scale.breaks_at=8"});
  const TemporaryFolder folder;
  const auto message = message_of<Error>([&] { static_cast<void>(train_quietly(plan, folder / "run")); });
  CHECK(message.rfind("the loss is no longer finite in epoch 2, batch 3: 'scale(descriptor)'. Lower the "
                      "learning rate, which was 0.004, ",
                      0) == 0);
  CHECK(!fs::exists(folder / "run/model.safetensors"));
  CHECK(training::read_checkpoint_position(folder / "run/checkpoint.safetensors")->epoch == 2);
  // Asked again, it stops at the same place.
  CHECK(message_of<Error>([&] { static_cast<void>(train_quietly(plan, folder / "run")); }) == message);
}

TEST_CASE("weights that are not finite are never kept, though the loss was") {
  const auto catalog = tiny_catalog();
  // The loss is finite, and so are its gradients; the step that they make is not.
  const auto plan = tiny_plan(
      catalog, {"optimizer.learning_rate=1e30", "loss.scale.weight=1e12", "train.checkpoint_minutes=1e-9"});
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(static_cast<void>(train_quietly(plan, folder / "run")),
                       doctest::Contains("is no longer finite, although the loss was"), Error);
  CHECK(!fs::exists(folder / "run/checkpoint.safetensors"));
}

TEST_CASE("a loss's own optimiser learns at a rate that does not depend on the loss's weight") {
  const auto catalog = tiny_catalog();
  // One batch: later ones would see another model.
  const auto centers_after_one_step = [&](const char* weight) {
    const TemporaryFolder folder;
    static_cast<void>(train_quietly(tiny_plan(catalog, {"train.epochs=1", "sampler.batch_size=20",
                                                        "loss.centers.weight=" + std::string(weight)}),
                                    folder / "run"));
    return *file::read_safetensors(folder / "run/checkpoint.safetensors").find("loss.1.centers");
  };
  const auto heavy = centers_after_one_step("2.0");
  const auto light = centers_after_one_step("0.0001");
  CHECK(torch::allclose(heavy, light, 1e-4, 1e-5));
}

TEST_CASE("a loss's parameters without an optimiser of their own are trained with the model's") {
  const auto catalog = tiny_catalog();
  const TemporaryFolder folder;
  static_cast<void>(train_quietly(tiny_plan(catalog), folder / "run"));
  const auto content = file::read_safetensors(folder / "run/checkpoint.safetensors");
  CHECK(content.find("loss.2.length")->item<float>() != 1.0F);
  CHECK(content.find("loss.2.steps")->item<std::int64_t>() == 15);
  CHECK(torch::equal(*content.find("model.head.unused"), torch::ones({3})));
}

TEST_CASE("evaluations in between keep the best model and leave no trace in the last one") {
  const auto catalog = tiny_catalog();
  const std::vector<std::string> data{"dataset.tested=4", "train.epochs=4"};
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
  REQUIRE(outcome.best_score.has_value());
  CHECK(*outcome.best_score == std::max(scores[0], scores[1]));
  CHECK(fs::exists(folder / "run/best.safetensors"));
  CHECK(model::read_model_file(folder / "run/best.safetensors", catalog, {}).identities == 5);
  CHECK(tensors_of(read_bytes(folder / "run/model.safetensors")) == tensors_of(expected));
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

TEST_CASE("evaluations in between need query and gallery images") {
  const auto catalog = tiny_catalog();
  const TemporaryFolder folder;
  CHECK(message_of<ComponentError>([&] {
          static_cast<void>(train_quietly(tiny_plan(catalog, {"train.evaluate_every=1"}), folder / "run"));
        }) ==
        "dataset/tiny: error: has 0 query and 0 gallery images, but train.evaluate_every needs both; set "
        "train.evaluate_every = 0");
}

TEST_CASE("data that cannot be trained on is refused with the reason") {
  const auto catalog = tiny_catalog();
  const auto message = [&](const std::vector<std::string>& overrides) {
    const TemporaryFolder folder;
    return message_of<ComponentError>(
        [&] { static_cast<void>(train_quietly(tiny_plan(catalog, overrides), folder / "run")); });
  };
  CHECK(message({"dataset.identities=0", "dataset.tested=2"}) ==
        "dataset/tiny: error: has no training images (2 query, 4 gallery images); choose a data set with a "
        "split 'train'");
  CHECK(message({"dataset.identities=1"}) ==
        "dataset/tiny: error: all 4 training images have the same identity; training needs at least two "
        "identities");
  CHECK(message({"dataset.unlabelled=train/3_2"}) ==
        "dataset/tiny: error: training image 'train/3_2' has no identity; every training image needs an "
        "identity of 0 or more");
  CHECK(message({"sampler.batch_size=21"}) ==
        "sampler/shuffled: error: forms no batch from 20 images of 5 identities: too few for its parameters; "
        "choose fewer identities or images per batch, or add data");
  CHECK(
      message({"sampler.batch_size=1"}) ==
      "sampler/shuffled: error: batch 1 of epoch 1 has 1 images; training needs at least two in each batch");
}

TEST_CASE("bad images are skipped and counted when asked, and a batch of one is left out") {
  const auto catalog = tiny_catalog();
  const std::vector<std::string> bad{"dataset.bad=['train/1_0', 'train/2_1', 'train/3_2']",
                                     "sampler.batch_size=2"};
  const TemporaryFolder folder;
  CHECK_THROWS_AS(static_cast<void>(train_quietly(tiny_plan(catalog, bad), folder / "stops")), DataError);
  auto skipping = bad;
  skipping.emplace_back("loader.skip_bad_images=true");
  ActingSink sink;
  const auto outcome = train(tiny_plan(catalog, skipping), folder / "run", sink, never);
  CHECK(outcome.epochs_done == 3);
  CHECK(sink.notes.find("is skipped: only one of its images could be read") != std::string::npos);
  CHECK(sink.notes.find("warning: 3 bad images skipped so far:") != std::string::npos);
  // The same when it is stopped in between.
  for (int stops = 0;; ++stops) {
    REQUIRE(stops < 40);
    std::atomic<bool> stop{false};
    ActingSink stopper(2, [&] { stop = true; });
    if (!train(tiny_plan(catalog, skipping), folder / "stopped", stopper, stop).interrupted) break;
  }
  CHECK(read_bytes(folder / "run/model.safetensors") == read_bytes(folder / "stopped/model.safetensors"));
}
