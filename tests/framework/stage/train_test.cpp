#include "stage/train.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "event_records.h"
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

/// Keeps the numbers that it draws, one for each image.
class RecordingAugmentation : public Augmentation {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Draws a number."); }
  RecordingAugmentation(const Params&, const Context&) {}
  void apply(cv::Mat&, RandomStream& random) override {
    const auto number = random();
    const std::lock_guard<std::mutex> lock(mutex);
    drawn.insert(number);
  }

  static inline std::mutex mutex;
  static inline std::multiset<std::uint64_t> drawn;
};

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
  CHECK(recipe::make_plan(model_file.recipe, catalog).resolved() == plan.resolved());
  CHECK(!model_file.model->is_training());
  const auto descriptors = model_file.model->describe(torch::rand({2, 3, 16, 8}));
  CHECK((descriptors.sizes() == torch::IntArrayRef({2, 16})));
}

TEST_CASE("an event file for TensorBoard is written unless the recipe says otherwise") {
  const auto catalog = tiny_catalog();
  for (const std::string value : {"true", "false"}) {
    CAPTURE(value);
    const TemporaryFolder folder;
    static_cast<void>(train_quietly(tiny_plan(catalog, {"train.tensorboard=" + value}), folder / "run"));
    const auto files = files_in(folder / "run");
    if (value == "true") {
      const auto steps = event_steps(folder / "run");
      CHECK(steps.at("epoch/loss") == std::vector<std::int64_t>{1, 2, 3});
      CHECK(steps.at("epoch/learning_rate") == std::vector<std::int64_t>{1, 2, 3});
      CHECK(files == 8);
    } else {
      CHECK(files == 7);
    }
  }
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
  // The last batch of an epoch has the other epochs before it.
  CHECK(sink.updates[4].done == 5);
  CHECK(sink.updates[4].remaining_seconds > 0);
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

TEST_CASE("augmentations draw other numbers for each image, epoch and seed, and the same ones again") {
  auto catalog = tiny_catalog();
  Catalog own;
  own.add<RecordingAugmentation>("recording");
  catalog.merge(std::move(own), "own", "own.so");
  const auto drawn = [&](const std::string& seed) {
    RecordingAugmentation::drawn.clear();
    const TemporaryFolder folder;
    static_cast<void>(train_quietly(
        tiny_plan(catalog, {"augmentation=[{type='recording'}]", "train.epochs=2", "seed=" + seed}),
        folder / "run"));
    return RecordingAugmentation::drawn;
  };
  const auto numbers = drawn("3");
  CHECK(numbers.size() == 40);  // 20 images in each epoch
  CHECK(std::set<std::uint64_t>(numbers.begin(), numbers.end()).size() == 40);
  CHECK(drawn("3") == numbers);
  const auto others = drawn("4");
  std::vector<std::uint64_t> common;
  std::set_intersection(numbers.begin(), numbers.end(), others.begin(), others.end(),
                        std::back_inserter(common));
  CHECK(common.empty());
}

TEST_CASE("the largest seed is trained with, and stands in the recipe of its model") {
  const auto catalog = tiny_catalog();
  const auto plan = tiny_plan(catalog, {"seed=9223372036854775807", "train.epochs=1"});
  const TemporaryFolder folder;
  static_cast<void>(train_quietly(plan, folder / "run"));
  const auto file = model::read_model_file(folder / "run/model.safetensors", catalog, {});
  CHECK(file.plan.seed == 9223372036854775807U);
  CHECK(undisturbed(plan) == read_bytes(folder / "run/model.safetensors"));
  const auto before = tiny_plan(catalog, {"seed=9223372036854775806", "train.epochs=1"});
  CHECK(tensors_of(undisturbed(before)) != tensors_of(undisturbed(plan)));
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
        "train.precision = \"fp16\": error: needs a CUDA GPU, but this run uses cpu; choose \"fp32\" or "
        "\"auto\"");
  CHECK(message_of<Error>([&] {
          static_cast<void>(train_quietly(
              tiny_plan(catalog, {"embed.precision=fp16", "train.evaluate_every=1", "dataset.tested=2"}),
              folder / "run"));
        }).rfind("embed.precision = \"fp16\": error: needs a CUDA GPU", 0) == 0);
  CHECK(!fs::exists(folder / "run/checkpoint.safetensors"));
}

TEST_CASE("a loss that is not a number stops training by name, before harm is done") {
  const auto catalog = tiny_catalog();
  const auto plan = tiny_plan(catalog, {"loss.scale.breaks_at=8"});
  const TemporaryFolder folder;
  const auto message = message_of<Error>([&] { static_cast<void>(train_quietly(plan, folder / "run")); });
  CHECK(
      message.rfind(
          "training: error: the loss is no longer finite in epoch 2, batch 3: 'scale(descriptor)'. Lower the "
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

TEST_CASE("a loss's own optimizer learns at a rate that does not depend on the loss's weight") {
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

TEST_CASE("a loss's parameters without an optimizer of their own are trained with the model's") {
  const auto catalog = tiny_catalog();
  const TemporaryFolder folder;
  static_cast<void>(train_quietly(tiny_plan(catalog), folder / "run"));
  const auto content = file::read_safetensors(folder / "run/checkpoint.safetensors");
  CHECK(content.find("loss.2.length")->item<float>() != 1.0F);
  CHECK(content.find("loss.2.steps")->item<std::int64_t>() == 15);
  CHECK(torch::equal(*content.find("model.head.unused"), torch::ones({3})));
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
  CHECK(message({"dataset.unlabeled=train/3_2"}) ==
        "dataset/tiny: error: training image 'train/3_2' has no identity; every training image needs an "
        "identity of 0 or more");
  CHECK(message({"sampler.batch_size=21"}) ==
        "sampler/shuffled: error: forms no batch from 20 images of 5 identities: too few for its parameters; "
        "choose fewer identities or images per batch, or add data");
  CHECK(
      message({"sampler.batch_size=1"}) ==
      "sampler/shuffled: error: batch 1 of epoch 1 has 1 images; training needs at least two in each batch");
}

TEST_CASE("images kept in memory change nothing but the log, and more than the machine has is refused") {
  const auto catalog = tiny_catalog();
  const TemporaryFolder folder;
  ActingSink sink;
  static_cast<void>(train(tiny_plan(catalog, {"loader.cache_mib=8"}), folder / "run", sink, never));
  CHECK(tensors_of(read_bytes(folder / "run/model.safetensors")) ==
        tensors_of(undisturbed(tiny_plan(catalog))));
  CHECK(sink.notes.find(" decoded images are kept in memory (1 of 8 MiB, loader.cache_mib)") !=
        std::string::npos);
  const auto too_large = message_of<RecipeError>([&] {
    static_cast<void>(train_quietly(tiny_plan(catalog, {"loader.cache_mib=1000000000"}), folder / "large"));
  });
  CHECK(too_large.starts_with(
      "--set loader.cache_mib=1000000000: error: loader.cache_mib = 1000000000, but this "
      "machine has "));
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

TEST_CASE("an epoch of which no image can be read is an error, also where bad images are skipped") {
  const auto catalog = tiny_catalog();
  std::string bad;
  for (int identity = 1; identity <= 5; ++identity) {
    for (int image = 0; image < 4; ++image) {
      bad += "'train/" + std::to_string(identity) + "_" + std::to_string(image) + "',";
    }
  }
  const TemporaryFolder folder;
  const auto plan = tiny_plan(catalog, {"dataset.bad=[" + bad + "]", "loader.skip_bad_images=true"});
  CHECK(message_of<ComponentError>([&] { static_cast<void>(train_quietly(plan, folder / "run")); }) ==
        "dataset/tiny: error: no batch of epoch 1 could be read");
  CHECK(!fs::exists(folder / "run/model.safetensors"));
}
