#include "stage/embed.h"

#include <doctest/doctest.h>
#include <torch/torch.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "inference/feature_extraction.h"
#include "kindred/core/error.h"
#include "kindred/nn/activations.h"
#include "kindred/nn/tensor_module.h"
#include "system/precision.h"

using namespace kindred;
using namespace kindred::stage;

namespace {

/// Images of one colour: the sample's identity in red, twice that in green, 100 in blue.
class FakeDataset : public Dataset {
 public:
  FakeDataset(std::size_t train, std::size_t query, std::size_t gallery) {
    add(train, Split::train);
    add(query, Split::query);
    add(gallery, Split::gallery);
  }
  [[nodiscard]] std::vector<Sample> samples() const override { return list; }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override {
    if (bad.contains(sample.identity)) throw DataError(sample.path, "is truncated");
    const auto value = static_cast<double>(sample.identity);
    return {8, 4, CV_8UC3, cv::Scalar(value, 2 * value, 100)};
  }

  std::vector<Sample> list;
  std::set<std::int64_t> bad;

 private:
  void add(std::size_t count, Split split) {
    for (std::size_t i = 0; i < count; ++i) {
      Sample sample;
      sample.identity = static_cast<std::int64_t>(list.size()) + 1;
      sample.path = "image" + std::to_string(sample.identity) + ".png";
      sample.split = split;
      list.push_back(sample);
    }
  }
};

/// Halves all pixels, also at test time.
class Halve : public Augmentation {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Halves."); }
  Halve(const Params&, const Context&) {}
  void apply(cv::Mat& image, RandomStream&) override { image.convertTo(image, CV_32F, 0.5); }
  [[nodiscard]] bool at_test_time() const override { return true; }
};

/// For training alone.
class Spoil : public Augmentation {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Spoils."); }
  Spoil(const Params&, const Context&) {}
  void apply(cv::Mat&, RandomStream&) override { throw std::runtime_error("used at test time"); }
};

class Identity : public TensorModule {
 public:
  torch::Tensor forward(const torch::Tensor& input) override { return input; }
};

/// Describes an image by its mean red, green and blue; in training mode by something else.
class MeanColour : public Head {
 public:
  MeanColour() { scale = register_parameter("scale", torch::ones({1})); }
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk() const override { return nullptr; }
  [[nodiscard]] std::vector<OutputInfo> outputs() const override {
    return {{"descriptor", OutputKind::feature, 3}};
  }
  [[nodiscard]] std::vector<torch::Tensor> forward(const Activations& features) override {
    const auto map = features.map();
    largest_batch = std::max(largest_batch, map.size(0));
    if (is_training()) throw std::runtime_error("the model is in training mode");
    return {map.mean({2, 3}) * scale};
  }
  torch::Tensor scale;
  std::int64_t largest_batch = 0;
};

class RecordingSink : public progress::ProgressSink {
 public:
  void update(const progress::Progress& progress) override { updates.push_back(progress); }
  void finish(const progress::Progress& progress) override { finished.push_back(progress); }
  void note(const std::string& text) override { notes.push_back(text); }
  std::vector<progress::Progress> updates;
  std::vector<progress::Progress> finished;
  std::vector<std::string> notes;
};

struct Fixture {
  Catalog catalog;
  recipe::Plan plan;
  std::shared_ptr<MeanColour> head = std::make_shared<MeanColour>();
  model::Model model{std::make_shared<Identity>(), head};
  RecordingSink sink;
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("kindred_embed_test_" + std::to_string(::getpid()));

  Fixture() {
    catalog.add<Halve>("halve");
    catalog.add<Spoil>("spoil");
    for (const auto* name : {"spoil", "halve"}) {
      recipe::Choice<Augmentation> choice;
      choice.factory = catalog.find<Augmentation>(name);
      Diagnostics diagnostics;
      choice.params = choice.factory->parse(Value(), diagnostics, {});
      diagnostics.throw_if_any();
      plan.augmentations.push_back(choice);
    }
    plan.embed.batch_size = 4;
    plan.loader.workers = 2;
  }
  ~Fixture() { std::filesystem::remove_all(folder); }

  file::Features describe(const FakeDataset& dataset) {
    return inference::extract_features(model, plan, dataset, dataset.samples(), "gallery",
                                       {torch::kCPU, inference::inference_precision(plan, torch::kCPU)},
                                       sink);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "each image is described by a row of length 1, in the order of the samples") {
  const FakeDataset dataset(0, 0, 10);
  const auto features = describe(dataset);
  REQUIRE(features.descriptors.sizes().vec() == std::vector<std::int64_t>{10, 3});
  REQUIRE(features.samples.size() == 10);
  for (std::int64_t i = 0; i < 10; ++i) {
    CHECK(features.samples[static_cast<std::size_t>(i)].path == "image" + std::to_string(i + 1) + ".png");
    auto expected = torch::tensor({i + 1.0, 2 * (i + 1.0), 100.0}, torch::kFloat);
    expected = expected / expected.norm();
    CHECK(torch::allclose(features.descriptors[i], expected, 1e-5, 1e-6));
  }
  CHECK_FALSE(features.descriptors.requires_grad());
  CHECK(head->largest_batch == 4);
}

TEST_CASE_FIXTURE(Fixture, "descriptors depend neither on the workers nor on the number of runs") {
  const FakeDataset dataset(0, 0, 23);
  const auto first = describe(dataset).descriptors;
  plan.loader.workers = 1;
  CHECK(torch::equal(describe(dataset).descriptors, first));
  plan.loader.workers = 0;
  CHECK(torch::equal(describe(dataset).descriptors, first));
}

TEST_CASE_FIXTURE(Fixture, "the model is left in the mode it was in, also after an error") {
  FakeDataset dataset(0, 0, 3);
  model.train();
  static_cast<void>(describe(dataset));
  CHECK(model.is_training());
  CHECK(head->is_training());
  dataset.bad = {2};
  CHECK_THROWS_AS(static_cast<void>(describe(dataset)), DataError);
  CHECK(model.is_training());
  model.eval();
  dataset.bad.clear();
  static_cast<void>(describe(dataset));
  CHECK_FALSE(model.is_training());
}

TEST_CASE_FIXTURE(Fixture, "progress counts every image, also skipped ones, and ends with the whole") {
  FakeDataset dataset(0, 0, 10);
  dataset.bad = {2, 10};
  plan.loader.skip_bad_images = true;
  static_cast<void>(describe(dataset));
  REQUIRE(sink.updates.size() == 3);
  CHECK(sink.updates[0].stage == "embed gallery");
  CHECK(sink.updates[0].total == 10);
  CHECK(sink.updates[0].done == 4);
  CHECK(sink.updates[2].done == 10);
  REQUIRE(sink.finished.size() == 1);
  CHECK(sink.finished[0].done == 10);
}

TEST_CASE_FIXTURE(Fixture, "bad images are left out with a note, or stop the stage") {
  FakeDataset dataset(0, 0, 10);
  dataset.bad = {3, 7};
  CHECK_THROWS_WITH_AS(static_cast<void>(describe(dataset)), doctest::Contains("image3.png"), DataError);

  plan.loader.skip_bad_images = true;
  const auto features = describe(dataset);
  CHECK(features.descriptors.size(0) == 8);
  REQUIRE(features.samples.size() == 8);
  CHECK(features.samples[2].path == "image4.png");
  auto expected = torch::tensor({4.0, 8.0, 100.0}, torch::kFloat);
  CHECK(torch::allclose(features.descriptors[2], expected / expected.norm(), 1e-5, 1e-6));
  REQUIRE(sink.notes.size() == 1);
  CHECK(sink.notes[0].find("2 of 10 gallery images cannot be read and are skipped; the first: image3.png") ==
        0);

  dataset.bad = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  CHECK_THROWS_WITH_AS(static_cast<void>(describe(dataset)), doctest::Contains("no images can be read"),
                       DataError);
}

TEST_CASE_FIXTURE(Fixture, "a descriptor that cannot be compared is an error naming the image") {
  const FakeDataset dataset(0, 0, 5);
  const torch::NoGradGuard no_gradients;
  head->scale.fill_(std::numeric_limits<float>::quiet_NaN());
  CHECK_THROWS_WITH_AS(static_cast<void>(describe(dataset)),
                       doctest::Contains("image1.png: error: the descriptor of this image is not finite"),
                       DataError);
  head->scale.zero_();
  CHECK_THROWS_WITH_AS(static_cast<void>(describe(dataset)),
                       doctest::Contains("image1.png: error: the descriptor of this image is zero"),
                       DataError);
}

TEST_CASE_FIXTURE(Fixture,
                  "with flip_test a descriptor is that of the image and of its mirror image, added") {
  class Shaded : public FakeDataset {
   public:
    using FakeDataset::FakeDataset;
    [[nodiscard]] cv::Mat image(const Sample&) const override {
      cv::Mat image(8, 4, CV_8UC3, cv::Scalar(50, 0, 100));
      image.col(0).setTo(cv::Scalar(250, 120, 100));
      return image;
    }
  };
  /// Sees the left half alone.
  class LeftHalf : public MeanColour {
   public:
    [[nodiscard]] std::vector<torch::Tensor> forward(const Activations& features) override {
      const auto map = features.map();
      return {map.slice(3, 0, map.size(3) / 2).mean({2, 3}) * scale};
    }
  };
  model::Model sensitive{std::make_shared<Identity>(), std::make_shared<LeftHalf>()};
  const Shaded dataset(0, 0, 5);
  const auto described = [&] {
    return inference::extract_features(sensitive, plan, dataset, dataset.samples(), "gallery",
                                       {torch::kCPU, inference::inference_precision(plan, torch::kCPU)}, sink)
        .descriptors;
  };
  const auto unit = [](const torch::Tensor& row) { return row / row.norm(); };
  const auto left = unit(torch::tensor({150.0F, 60.0F, 100.0F}));
  const auto right = unit(torch::tensor({50.0F, 0.0F, 100.0F}));
  CHECK(torch::allclose(described()[4], left, 1e-5, 1e-6));
  plan.embed.flip_test = true;
  const auto both = described();
  for (std::int64_t i = 0; i < 5; ++i) CHECK(torch::allclose(both[i], unit(left + right), 1e-5, 1e-6));
}

TEST_CASE_FIXTURE(Fixture, "descriptors are stored as asked, and what that changes is said") {
  const FakeDataset dataset(0, 3, 5);
  const auto exact = describe(dataset).descriptors;
  CHECK(embed_dataset(model, plan, dataset, dataset.samples(), folder, torch::kCPU, sink)[0].storage ==
        "float32");
  CHECK(sink.notes.empty());
  plan.embed.storage = file::Storage::bfloat16;
  const auto written = embed_dataset(model, plan, dataset, dataset.samples(), folder, torch::kCPU, sink);
  REQUIRE(written.size() == 2);
  CHECK((file::NpyReader(folder / "query.npy").type() == torch::kBFloat16));
  const auto back = file::read_features(folder / "query.npy").descriptors;
  CHECK(torch::equal(back, exact.slice(0, 0, 3).to(torch::kBFloat16).to(torch::kFloat)));
  CHECK(written[0].loss.largest > 0);
  CHECK(written[0].loss.largest < 0.004);
  CHECK(written[0].storage.find("bfloat16, cosines to 0.00") == 0);
  REQUIRE(sink.notes.size() == 2);
  CHECK(sink.notes[1].find("gallery descriptors are stored as bfloat16: this changes them by 0.") == 0);
  CHECK(sink.notes[1].find("so cosines change by at most 0.00") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "no samples are an error") {
  CHECK_THROWS_WITH_AS(static_cast<void>(describe(FakeDataset(0, 0, 0))),
                       doctest::Contains("there are no images to extract features from"), DataError);
}

TEST_CASE_FIXTURE(Fixture, "a data set's query and gallery are written, its training images when asked") {
  const FakeDataset dataset(2, 3, 5);
  const auto written =
      embed_dataset(model, plan, dataset, dataset.samples(), folder / "run", torch::kCPU, sink);
  REQUIRE(written.size() == 2);
  CHECK(written[0].split == Split::query);
  CHECK(written[0].images == 3);
  CHECK(written[0].dim == 3);
  CHECK(written[1].stem == folder / "run" / "gallery");
  CHECK(written[1].images == 5);
  const auto gallery = file::read_features(folder / "run" / "gallery");
  REQUIRE(gallery.samples.size() == 5);
  CHECK(gallery.samples[0].path == "image6.png");
  CHECK(gallery.samples[0].split == Split::gallery);
  CHECK(torch::equal(
      gallery.descriptors,
      inference::extract_features(model, plan, dataset, gallery.samples, "again",
                                  {torch::kCPU, inference::inference_precision(plan, torch::kCPU)}, sink)
          .descriptors));
  CHECK_FALSE(std::filesystem::exists(folder / "run" / "train.npy"));

  const auto all =
      embed_dataset(model, plan, dataset, dataset.samples(), folder / "run", torch::kCPU, sink, true);
  REQUIRE(all.size() == 3);
  CHECK(file::read_features(folder / "run" / "train").samples.size() == 2);
}

TEST_CASE_FIXTURE(Fixture,
                  "features are extracted in the precision of the training unless another is asked for, "
                  "and that is said") {
  const FakeDataset dataset(0, 0, 2);
  const auto note = [&] {
    sink.notes.clear();
    static_cast<void>(embed_dataset(model, plan, dataset, dataset.samples(), folder, torch::kCPU, sink));
    return sink.notes.empty() ? std::string() : sink.notes.front();
  };
  CHECK(inference::inference_precision(plan, torch::kCPU) == system::Precision::fp32);
  CHECK(note().empty());
  plan.train.precision = system::Precision::fp16;
  CHECK(inference::inference_precision(plan, torch::kCPU) == system::Precision::fp32);
  CHECK(note() ==
        "features are extracted in fp32; the model was trained in fp16, which cpu does not support");
  plan.embed.precision = system::Precision::fp32;
  CHECK(note() == "features are extracted in fp32; the model was trained in fp16");
  plan.embed.precision = system::Precision::automatic;
  CHECK(inference::inference_precision(plan, torch::kCPU) == system::suitable_precision(torch::kCPU));
  plan.embed.precision = system::Precision::fp16;
  CHECK_THROWS_WITH_AS(static_cast<void>(describe(dataset)),
                       "embed.precision = \"fp16\" needs a CUDA GPU, but this run uses cpu; choose "
                       "\"fp32\" or \"auto\"",
                       Error);
}

TEST_CASE_FIXTURE(Fixture,
                  "a folder of unlabelled images gives the gallery alone, training images alone nothing") {
  const auto written = embed_dataset(model, plan, FakeDataset(0, 0, 2), FakeDataset(0, 0, 2).samples(),
                                     folder, torch::kCPU, sink);
  REQUIRE(written.size() == 1);
  CHECK(written[0].split == Split::gallery);
  CHECK_FALSE(std::filesystem::exists(folder / "query.npy"));
  CHECK_THROWS_WITH_AS(
      static_cast<void>(embed_dataset(model, plan, FakeDataset(2, 0, 0), FakeDataset(2, 0, 0).samples(),
                                      folder, torch::kCPU, sink)),
      doctest::Contains("neither query nor gallery images"), Error);
}
