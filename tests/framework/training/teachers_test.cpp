#include "training/teachers.h"

#include <doctest/doctest.h>
#include <torch/utils.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <utility>
#include <vector>

#include "file/sha256.h"
#include "kindred/core/error.h"
#include "kindred/nn/tensor_module.h"
#include "model/model_file.h"
#include "model/population.h"
#include "temporary_folder.h"
#include "tiny_components.h"
#include "training/plan_check.h"
#include "training/trainer.h"
#include "weights/initial_weights.h"

using namespace kindred;
using namespace kindred::training;
using namespace kindred::test;

namespace {

/// What a loss on a teacher was given last.
LossBatch seen;

/// Mean squared difference to another model's descriptor.
class Following : public Loss {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Follows."); }
  Following(const Params&, const Context& context) {
    if (context.outputs.size() != 2 || context.outputs[0].dim != context.outputs[1].dim) {
      throw ComponentError("loss/following", "needs two outputs of one dim");
    }
  }
  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::feature, OutputKind::feature}; }
  [[nodiscard]] torch::Tensor compute(const LossBatch& batch) override {
    seen = batch;
    return (batch.outputs[0] - batch.outputs[1]).square().sum(1).mean();
  }
};

/// Sizes images, at test time too, and divides them.
class Preparing : public Augmentation {
 public:
  struct Params {
    std::int64_t height = 16;
    double divisor = 255;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Prepares images.");
    s.add("height", &Params::height, "pixels");
    s.add("divisor", &Params::divisor, "of all values");
    return s;
  }
  Preparing(const Params& params, const Context&) : params_(params) {}
  void apply(cv::Mat& image, RandomStream&) override {
    cv::resize(image, image, {8, static_cast<int>(params_.height)});
    image.convertTo(image, CV_32F, 1 / params_.divisor);
  }
  [[nodiscard]] bool at_test_time() const override { return true; }

 private:
  Params params_;
};

/// Adds the place of the camera to the map.
class CameraTrunk : public NetworkPart {
 public:
  CameraTrunk()
      : layer_(register_module("layer", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 16, 3).stride(2)))) {}
  Activations propagate(const Activations& input) override {
    return input.with(layer_(input.values) + 100 * input.cameras.to(torch::kFloat32).view({-1, 1, 1, 1}));
  }

 private:
  torch::nn::Conv2d layer_;
};

class CameraBackbone : public Backbone {
 public:
  struct Params {
    bool refuses = false;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Knows cameras.");
    s.add("refuses", &Params::refuses, "unknown ones");
    return s;
  }
  CameraBackbone(const Params& params, const Context&)
      : refuses_(params.refuses), trunk_(std::make_shared<CameraTrunk>()) {}
  [[nodiscard]] std::vector<std::string> blocks() const override { return {"all"}; }
  [[nodiscard]] std::int64_t channels() const override { return 16; }
  [[nodiscard]] SideInformation side_information() const override { return {true, false, refuses_}; }
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk(const std::string&) override { return trunk_; }
  [[nodiscard]] std::shared_ptr<NetworkPart> copy_rest(const std::string&, std::int64_t) const override {
    return nullptr;
  }

 private:
  bool refuses_;
  std::shared_ptr<CameraTrunk> trunk_;
};

const Catalog& catalog_with_followers() {
  static const Catalog catalog = [] {
    Catalog whole = tiny_catalog();
    Catalog own;
    own.add<Following>("following");
    own.add<Preparing>("preparing");
    own.add<CameraBackbone>("cameras");
    whole.merge(std::move(own), "own", "own.so");
    return whole;
  }();
  return catalog;
}

recipe::Plan followers_plan(const std::string& more, const std::vector<std::string>& overrides = {}) {
  return recipe::make_plan(recipe::parse_recipe(tiny_recipe + more, "tiny.toml", overrides),
                           catalog_with_followers());
}

std::string teacher(const std::string& settings) {
  return "[[teacher]]\nname = 'big'\n" + settings +
         "\n[[loss]]\ntype = 'following'\non = ['descriptor', 'big.descriptor']\n";
}

/// A tiny model of another seed.
std::filesystem::path write_teacher(const std::filesystem::path& file,
                                    std::vector<std::string> overrides = {},
                                    const model::Population& population = 5) {
  overrides.emplace_back("seed=9");
  const auto plan = followers_plan("", overrides);
  const auto model = model::build_model(plan, population);
  {
    // Statistics that differ from those of a new network.
    const torch::NoGradGuard no_gradients;
    model->train();
    Activations images(torch::rand({8, 3, 16, 8}));
    images.cameras = torch::zeros({8}, torch::kInt64);
    static_cast<void>(model->forward(images));
  }
  model::write_model_file(file, *model, plan);
  return file;
}

std::string weights_line(const std::filesystem::path& file) {
  return "weights = '" + file.string() + "'";
}

torch::Tensor noise(std::int64_t step) {
  return (torch::linspace(0, 1, 10 * 3 * 16 * 8) * static_cast<double>(step + 1) * 30)
      .sin()
      .reshape({10, 3, 16, 8});
}

std::unique_ptr<Trainer> trainer_of(const recipe::Plan& plan, const model::Population& population = 5) {
  auto trainer = std::make_unique<Trainer>(plan, model::build_model(plan, population), torch::kCPU);
  trainer->start_epoch(1);
  return trainer;
}

void learn(Trainer& trainer, std::int64_t first, std::int64_t end) {
  for (auto step = first; step < end; ++step) trainer.step(noise(step), torch::arange(10) % 5, 1, step, 1);
}

std::string error_with(const std::string& more, const std::vector<std::string>& overrides = {}) {
  return message_of<RecipeError>([&] { static_cast<void>(trainer_of(followers_plan(more, overrides))); });
}

}  // namespace

TEST_CASE("a teacher gives what its file gives at test time, gets no gradient and does not change") {
  const TemporaryFolder folder;
  const auto file = write_teacher(folder / "teacher.safetensors");
  const auto plan = followers_plan(teacher(weights_line(file)));
  const auto trainer = trainer_of(plan);
  learn(*trainer, 0, 1);
  const auto expected = model::read_model_file(file, catalog_with_followers(), {});
  {
    const torch::NoGradGuard no_gradients;
    const auto rows = expected.model->forward(noise(0)).back();
    REQUIRE(seen.outputs.size() == 2);
    CHECK(torch::allclose(seen.outputs[1], rows, 1e-5, 1e-6));
  }
  CHECK(seen.outputs[0].requires_grad());
  CHECK_FALSE(seen.outputs[1].requires_grad());
  learn(*trainer, 1, 4);
  learn(*trainer, 0, 1);
  const torch::NoGradGuard no_gradients;
  CHECK(torch::allclose(seen.outputs[1], expected.model->forward(noise(0)).back(), 1e-5, 1e-6));
  CHECK(trainer->notes() ==
        std::vector<std::string>{"teacher 'big': descriptors of " + file.string() + ", of dim 16"});
}

TEST_CASE("a student follows its teacher, with batches in parts as well") {
  const TemporaryFolder folder;
  const auto file = write_teacher(folder / "teacher.safetensors");
  for (const std::string parts : {"1", "3"}) {
    CAPTURE(parts);
    const auto trainer = trainer_of(
        followers_plan(teacher(weights_line(file)), {"train.accumulate=" + parts, "loss.entropy.weight=1e-6",
                                                     "loss.centers.weight=1e-6", "loss.scale.weight=1e-6"}));
    learn(*trainer, 0, 1);
    const auto first = trainer->meter().means().at("loss/following(descriptor,big.descriptor)");
    learn(*trainer, 1, 40);
    trainer->meter().flush();
    trainer->meter().clear();
    learn(*trainer, 40, 45);
    CHECK(trainer->meter().means().at("loss/following(descriptor,big.descriptor)") < 0.3 * first);
  }
}

TEST_CASE("a mean teacher is the student with its averaged weights at test time") {
  const auto plan = followers_plan(teacher("average = true") + R"(
[[optimizer.group]]
name = "statistics"
parameters = ["backbone.norm*"]
frozen_epochs = 9
)",
                                   {"train.ema_decay=0.9"});
  const auto trainer = trainer_of(plan);
  learn(*trainer, 0, 3);
  const auto statistics = trainer->model().named_buffers()["backbone.norm.running_mean"].clone();
  torch::Tensor expected;
  {
    const auto averaged = trainer->averaged_weights();
    const torch::NoGradGuard no_gradients;
    trainer->model().eval();
    expected = trainer->model().forward(noise(3)).back();
  }
  trainer->start_epoch(1);
  learn(*trainer, 3, 4);
  CHECK(torch::allclose(seen.outputs[1], expected, 1e-5, 1e-6));
  CHECK_FALSE(torch::allclose(seen.outputs[0], expected, 1e-3, 1e-4));
  CHECK_FALSE(seen.outputs[1].requires_grad());
  // What is frozen stays so after the model was borrowed.
  CHECK(torch::equal(trainer->model().named_buffers()["backbone.norm.running_mean"], statistics));
  CHECK(trainer->model().is_training());
}

TEST_CASE("a training with teachers that goes through a checkpoint ends with the same bits") {
  const TemporaryFolder folder;
  const auto file = write_teacher(folder / "teacher.safetensors");
  for (const auto& settings : {weights_line(file), std::string("average = true")}) {
    const auto plan = followers_plan(teacher(settings), {"train.ema_decay=0.9", "train.accumulate=2"});
    const auto whole = trainer_of(plan);
    learn(*whole, 0, 4);
    const auto first = trainer_of(plan);
    learn(*first, 0, 2);
    auto state = first->state();
    for (auto& entry : state.tensors) entry.second = entry.second.clone();
    const auto second = trainer_of(plan);
    second->restore(state, "checkpoint");
    second->start_epoch(1);
    learn(*second, 2, 4);
    const auto expected = whole->state();
    const auto found = second->state();
    for (std::size_t i = 0; i < found.tensors.size(); ++i) {
      CHECK_MESSAGE(torch::equal(found.tensors[i].second, expected.tensors[i].second),
                    found.tensors[i].first);
    }
  }
}

TEST_CASE("the file's SHA-256 tells trainings apart, its path does not, and another file is refused") {
  const TemporaryFolder folder;
  const auto one = write_teacher(folder / "one.safetensors");
  std::filesystem::copy(one, folder / "copy.safetensors");
  const auto other = write_teacher(folder / "other.safetensors", {"head={type='tiny'}"}, 6);
  const auto identity = [&](const std::filesystem::path& file) {
    return weights::settled(followers_plan(teacher(weights_line(file)))).identity();
  };
  CHECK(identity(one) == identity(folder / "copy.safetensors"));
  CHECK_FALSE(identity(one) == identity(other));
  const auto plan = followers_plan(teacher(weights_line(one)));
  // What is resolved gives the same plan again.
  const auto resolved = weights::settled(plan).resolved();
  CHECK(recipe::make_plan(resolved, catalog_with_followers()).resolved() == resolved);

  const auto expected = file::sha256_of_file(one);
  const auto refused = followers_plan(teacher(weights_line(other) + "\nweights_sha256 = '" + expected + "'"));
  CHECK(message_of<DataError>([&] {
          static_cast<void>(trainer_of(refused));
        }).find("other.safetensors: error: is not the file of the recipe: its SHA-256 is ") !=
        std::string::npos);
  CHECK(message_of<RecipeError>([&] {
          static_cast<void>(weights::settled(followers_plan(teacher("weights = 'nothing.safetensors'"))));
        }).find("tiny.toml:36:1: error: teacher 'big': nothing.safetensors: ") == 0);
}

TEST_CASE("what a teacher needs is said where the recipe names it") {
  CHECK(message_of<RecipeError>([] { static_cast<void>(followers_plan(teacher(""))); }) ==
        "tiny.toml:36:1: error: teacher 'big': needs weights, the model file of the teacher, or average = "
        "true");
  CHECK(message_of<RecipeError>([] { static_cast<void>(followers_plan(teacher("average = true"))); }) ==
        "tiny.toml:36:1: error: teacher 'big': average = true needs the moving average of the weights; set "
        "train.ema_decay, for instance to 0.999");
  CHECK(message_of<RecipeError>([] {
          static_cast<void>(
              followers_plan(teacher("average = true\nweights = 'x'"), {"train.ema_decay=0.9"}));
        }) == "tiny.toml:36:1: error: teacher 'big': weights and average = true exclude each other");
}

TEST_CASE("a teacher that no loss follows, and a loss on teachers alone, are refused") {
  const std::vector<std::string> decay{"train.ema_decay=0.9"};
  CHECK(error_with("[[teacher]]\nname = 'big'\naverage = true\n", decay) ==
        "tiny.toml:36:1: error: teacher 'big': no loss is on its output 'big.descriptor'; name it in `on` of "
        "one, such as distillation, or set enabled = false");
  CHECK_NOTHROW(
      trainer_of(followers_plan("[[teacher]]\nname = 'big'\naverage = true\nenabled = false\n", decay)));
  // One error for one cause: not also that the loss is on too few.
  CHECK(error_with("[[loss]]\ntype = 'following'\non = ['descriptor', 'big.descriptor']\n") ==
        "tiny.toml:38:6: error: loss 'following': the head has no output 'big.descriptor'; did you mean "
        "'descriptor'? It has features 'descriptor'; logits 'logits'");
  const auto alone = error_with(
      teacher("average = true") + "[[loss]]\ntype = 'scale'\nname = 'more'\non = ['big.descriptor']\n",
      decay);
  CHECK(alone.find("loss 'scale': is only on 'big.descriptor' of a teacher, from which nothing is learned; "
                   "name an output of the head as well") != std::string::npos);
}

TEST_CASE("'*' stands for outputs of the head alone, and a teacher can be followed by several losses") {
  const std::vector<std::string> decay{"train.ema_decay=0.9"};
  const auto trainer = trainer_of(followers_plan(
      teacher("average = true") + "[[loss]]\ntype = 'scale'\nname = 'more'\non = ['*descriptor']\n" +
          "[[loss]]\ntype = 'following'\nname = 'twice'\n"
          "on = ['descriptor', 'big.descriptor']\n",
      decay));
  std::vector<std::string> names;
  for (const auto& term : trainer->terms()) names.push_back(term.name);
  CHECK(names == std::vector<std::string>{"entropy(logits)", "centers(descriptor)", "scale(descriptor)",
                                          "following(descriptor,big.descriptor)", "more(descriptor)",
                                          "twice(descriptor,big.descriptor)"});
}

TEST_CASE("a teacher of another image size is refused, one of other preprocessing warned of") {
  const TemporaryFolder folder;
  const std::vector<std::string> prepared{"augmentation=[{type='preparing'}]"};
  const auto file = write_teacher(folder / "teacher.safetensors", prepared);
  CHECK(trainer_of(followers_plan(teacher(weights_line(file)), prepared))->notes().size() == 1);
  const auto larger =
      error_with(teacher(weights_line(file)), {"augmentation=[{type='preparing', height=32}]"});
  CHECK(
      folder.without(larger) ==
      "tiny.toml:36:1: error: teacher 'big': teacher.safetensors was trained with images of 16 x 8 pixels, "
      "but this recipe gives it images of 32 x 8 pixels (height x width); use a teacher of the same size, or "
      "train at its size");
  const auto notes = trainer_of(followers_plan(teacher(weights_line(file)),
                                               {"augmentation=[{type='preparing', divisor=128}]"}))
                         ->notes();
  REQUIRE(notes.size() == 2);
  CHECK(notes[0].find("was trained with images that were prepared otherwise") != std::string::npos);
  CHECK(notes[0].find("divisor = 255.0") != std::string::npos);
  CHECK(notes[0].find("divisor = 128.0") != std::string::npos);
}

TEST_CASE("a teacher is given its own places of the cameras, and refuses one that it must know") {
  const TemporaryFolder folder;
  model::Population there(5);
  there.cameras = {3, 5, 7};
  model::Population here(5);
  here.cameras = {5, 9};
  const auto run = [&](const std::string& refuses) {
    const auto file = write_teacher(folder / "teacher.safetensors",
                                    {"backbone={type='cameras', refuses=" + refuses + "}"}, there);
    const auto plan = followers_plan(teacher(weights_line(file)));
    auto trainer = trainer_of(plan, here);
    Activations images(noise(0));
    images.cameras = torch::tensor({0, 0, 1, 1, -1, 0, 0, 0, 0, 0}, torch::kInt64);
    trainer->step(images, torch::arange(10) % 5, 1, 0, 1);
    // The map's values are about 100 times the place.
    return (seen.outputs[1].mean(1) / 100).round().to(torch::kInt64);
  };
  CHECK(torch::equal(run("false"), torch::tensor({1, 1, -1, -1, -1, 1, 1, 1, 1, 1}, torch::kInt64)));
  const auto message = message_of<RecipeError>([&] { static_cast<void>(run("true")); });
  // Of several data sets the names count, too.
  there.cameras = {{"a", 5}, {"b", 5}};
  here.cameras = {{"b", 5}, {"c", 5}};
  CHECK(torch::equal(run("false"), torch::tensor({1, 1, -1, -1, -1, 1, 1, 1, 1, 1}, torch::kInt64)));
  CHECK(message_of<RecipeError>([&] {
          static_cast<void>(run("true"));
        }).find("does not know camera c/5 of") != std::string::npos);
  CHECK(folder.without(message) ==
        "tiny.toml:36:1: error: teacher 'big': teacher.safetensors uses the cameras of images, and does not "
        "know camera 9 of the training images; use a teacher trained with it, or one that uses no cameras");
}

TEST_CASE("a check, which looks at no images, refuses no teacher for the cameras that it knows") {
  const TemporaryFolder folder;
  model::Population there(5);
  there.cameras = {1, 2, 3};
  const auto file =
      write_teacher(folder / "teacher.safetensors", {"backbone={type='cameras', refuses=true}"}, there);
  const auto plan = followers_plan(teacher(weights_line(file)));
  CHECK(check_plan(plan).find("big.descriptor") != std::string::npos);
  model::Population here(5);
  here.cameras = {1, 3};
  CHECK_NOTHROW(trainer_of(plan, here));
}

TEST_CASE("a check builds what is there of teachers, and says what is not") {
  const TemporaryFolder folder;
  const auto file = write_teacher(folder / "teacher.safetensors");
  const auto text = check_plan(followers_plan(teacher(weights_line(file)), {"train.accumulate=2"}));
  CHECK(folder.without(text).find("big: teacher.safetensors (matches)\n") != std::string::npos);
  CHECK(text.find("in 2 parts\n") != std::string::npos);
  CHECK(text.find("big.descriptor") != std::string::npos);
  CHECK(check_plan(followers_plan(teacher("weights = 'nothing.safetensors'")))
            .find("big: nothing.safetensors (does not exist)") != std::string::npos);
  CHECK(message_of<RecipeError>(
            [] { static_cast<void>(check_plan(followers_plan("", {"train.accumulate=3"}))); }) ==
        "--set train.accumulate=3: error: train.accumulate = 3 leaves less than two images in each part, "
        "which batch normalization needs: the batches of sampler 'shuffled' have 4 images; set it to at most "
        "2, or use larger batches");
}
