// Trainings that are given another number of epochs than they were begun with.
#include "training/extension.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "framework/stage/train_runs.h"
#include "kindred/core/error.h"
#include "kindred/role/schedule.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::test;

namespace {

/// Falls to 0 in the last epoch, whichever that is.
class FallingToZero : public Schedule {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Falls to 0."); }
  FallingToZero(const Params&, const Context& context) : epochs_(context.epochs) {}
  [[nodiscard]] double factor(std::int64_t epoch, double) const override {
    return 1 - static_cast<double>(epoch - 1) / static_cast<double>(epochs_);
  }

 private:
  std::int64_t epochs_;
};

class OneStep : public Schedule {
 public:
  struct Params {
    std::int64_t at = 100;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Falls once.");
    s.add("at", &Params::at, "epoch");
    return s;
  }
  OneStep(const Params& params, const Context&) : at_(params.at) {}
  [[nodiscard]] double factor(std::int64_t epoch, double) const override { return epoch < at_ ? 1 : 0.1; }

 private:
  std::int64_t at_;
};

const Catalog& catalog() {
  static const auto made = [] {
    auto tiny = tiny_catalog();
    Catalog scratch;
    scratch.add<FallingToZero>("to_zero");
    scratch.add<OneStep>("one_step");
    tiny.merge(std::move(scratch), "schedules", "schedules.so");
    return tiny;
  }();
  return made;
}

recipe::Plan plan_of(std::int64_t epochs, std::vector<std::string> more = {}) {
  more.push_back("train.epochs=" + std::to_string(epochs));
  return tiny_plan(catalog(), more);
}

std::string refusal(const recipe::Plan& plan, const fs::path& folder) {
  return message_of<DataError>([&] { static_cast<void>(train_quietly(plan, folder)); });
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a training that has ended goes on to more epochs, with the bits of a training in one go") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  static_cast<void>(train_quietly(plan_of(2), run));
  const auto model = read_bytes(run / "model.safetensors");
  ActingSink sink;
  const auto outcome = train(plan_of(4), run, sink, never);
  CHECK_FALSE(outcome.was_done);
  CHECK(outcome.epochs_done == 4);
  CHECK(says(sink.notes, "2 epochs are trained; continuing to 4, with the same learning rates"));
  CHECK(read_bytes(run / "model.safetensors") == undisturbed(plan_of(4)));
  CHECK(read_bytes(run / "model.2.safetensors") == model);
  CHECK(says(read_bytes(run / "recipe.toml"), "epochs = 4"));
  CHECK(finished_epochs(run) == std::vector<std::string>{"epoch 1/2", "epoch 2/2", "epoch 3/4", "epoch 4/4"});
  CHECK(train_quietly(plan_of(4), run).was_done);
}

TEST_CASE("a training that was stopped goes on to more epochs, or to fewer") {
  for (const std::int64_t epochs : {2, 5}) {
    CAPTURE(epochs);
    const TemporaryFolder folder;
    std::atomic<bool> stop{false};
    ActingSink stopper(4, [&] { stop = true; });  // within an epoch
    CHECK(train(plan_of(3), folder / "run", stopper, stop).interrupted);
    CHECK(train_quietly(plan_of(epochs), folder / "run").epochs_done == epochs);
    CHECK(read_bytes(folder / "run/model.safetensors") == undisturbed(plan_of(epochs)));
  }
}

TEST_CASE("averaged weights go on, and their model is kept, too") {
  const TemporaryFolder folder;
  const std::vector<std::string> averages = {"train.ema_decay=0.9"};
  static_cast<void>(train_quietly(plan_of(1, averages), folder / "run"));
  const auto averaged = read_bytes(folder / "run/model.ema.safetensors");
  static_cast<void>(train_quietly(plan_of(2, averages), folder / "run"));
  CHECK(read_bytes(folder / "run/model.ema.1.safetensors") == averaged);
  const TemporaryFolder other;
  static_cast<void>(train_quietly(plan_of(2, averages), other / "run"));
  CHECK(read_bytes(folder / "run/model.ema.safetensors") == read_bytes(other / "run/model.ema.safetensors"));
}

TEST_CASE("fewer epochs than are trained are refused, and nothing is changed") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  static_cast<void>(train_quietly(plan_of(3), run));
  const auto recipe = read_bytes(run / "recipe.toml");
  const auto model = read_bytes(run / "model.safetensors");
  const auto message = refusal(plan_of(2), run);
  CHECK(says(message, "belongs to another recipe"));
  CHECK(says(message, "\n  train.epochs: 3 there, 2 here"));
  CHECK(says(message, "\n3 epochs are trained already, more than train.epochs = 2"));
  CHECK(read_bytes(run / "recipe.toml") == recipe);
  CHECK(read_bytes(run / "model.safetensors") == model);
}

TEST_CASE("a schedule that would have given other learning rates refuses more epochs") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  const std::vector<std::string> to_zero = {"schedule={type='to_zero'}"};
  static_cast<void>(train_quietly(plan_of(2, to_zero), run));
  const auto recipe = read_bytes(run / "recipe.toml");
  const auto message = refusal(plan_of(4, to_zero), run);
  CHECK(says(message,
             "schedule 'to_zero' gives other learning rates than before, from epoch 2 on (a "
             "factor of "
             "0.5 then, 0.75 now)"));
  CHECK(says(message, "[weights] file"));
  CHECK(read_bytes(run / "recipe.toml") == recipe);
  CHECK(fs::exists(run / "model.safetensors"));
}

TEST_CASE("the schedule may change in epochs that are not trained yet, and in no other") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  const auto stepping_at = [](int epoch) {
    return std::vector<std::string>{"schedule={type='one_step',at=" + std::to_string(epoch) + "}"};
  };
  static_cast<void>(train_quietly(plan_of(2, stepping_at(9)), run));
  CHECK(says(refusal(plan_of(4, stepping_at(2)), run), "from epoch 2 on (a factor of 1 then, 0.1 now)"));
  CHECK(train_quietly(plan_of(4, stepping_at(3)), run).epochs_done == 4);
  CHECK(read_bytes(run / "model.safetensors") == undisturbed(plan_of(4, stepping_at(3))));
}

TEST_CASE("with anything else changed, a training does not go on") {
  const TemporaryFolder folder;
  static_cast<void>(train_quietly(plan_of(1), folder / "run"));
  const auto message = refusal(plan_of(2, {"seed=4"}), folder / "run");
  CHECK(says(message, "\n  seed: 3 there, 4 here"));
  CHECK_FALSE(says(message, "learning rates"));
}

TEST_CASE("without its checkpoint a training that has ended cannot go on, and the way to train on is said") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  static_cast<void>(train_quietly(plan_of(1), run));
  fs::remove(run / "checkpoint.safetensors");
  CHECK(says(
      refusal(plan_of(2), run),
      "its checkpoint is gone, so it cannot go on to other epochs; start a new training from its model with "
      "[weights] file"));
  CHECK(fs::exists(run / "model.safetensors"));
}
