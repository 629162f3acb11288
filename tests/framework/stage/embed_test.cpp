#include "stage/embed.h"

#include <doctest/doctest.h>
#include <torch/torch.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
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
#include "kindred/core/random.h"
#include "kindred/nn/activations.h"
#include "kindred/nn/tensor_module.h"
#include "rank_threads.h"
#include "system/precision.h"

using namespace kindred;
using namespace kindred::stage;

namespace {

/// Images of one color: the sample's identity in red, twice that in green, 100 in blue.
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
class MeanColor : public Head {
 public:
  MeanColor() { scale = register_parameter("scale", torch::ones({1})); }
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
  std::shared_ptr<MeanColor> head = std::make_shared<MeanColor>();
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

TEST_CASE_FIXTURE(Fixture,
                  "sets that are described one after the other are as each alone, and leave the mode") {
  const FakeDataset dataset(0, 3, 10);
  std::vector<Sample> query;
  std::vector<Sample> gallery;
  for (const auto& sample : dataset.samples()) {
    if (sample.split == Split::query) query.push_back(sample);
    if (sample.split == Split::gallery) gallery.push_back(sample);
  }
  const system::Computing computing{torch::kCPU, system::Precision::fp32};
  model.train();
  std::vector<torch::Tensor> together;
  {
    inference::FeatureExtraction extraction(model, plan, computing, dataset.samples().size());
    CHECK_FALSE(model.is_training());
    together.push_back(extraction.extract(dataset, query, "query", sink).descriptors);
    together.push_back(extraction.extract(dataset, gallery, "gallery", sink).descriptors);
  }
  CHECK(model.is_training());
  const auto alone = [&](const std::vector<Sample>& samples) {
    return inference::extract_features(model, plan, dataset, samples, "set", computing, sink).descriptors;
  };
  CHECK(torch::equal(together[0], alone(query)));
  CHECK(torch::equal(together[1], alone(gallery)));
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
  class LeftHalf : public MeanColor {
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
                       "embed.precision = \"fp16\": error: needs a CUDA GPU, but this run uses cpu; choose "
                       "\"fp32\" or \"auto\"",
                       Error);
}

TEST_CASE_FIXTURE(Fixture,
                  "ranks extract in fp32 where the device of one lacks the precision of the training") {
  plan.train.precision = system::Precision::fp16;
  const std::array devices{torch::Device(torch::kCUDA, 0), torch::Device(torch::kCPU)};
  std::array<system::Precision, 2> found{};
  std::array<RecordingSink, 2> sinks;
  test::on_ranks(2, [&](const system::Ranks& ranks) {
    const auto rank = static_cast<std::size_t>(ranks.rank());
    found[rank] = inference::inference_precision(plan, devices[rank], ranks);
    inference::note_inference_precision(plan, {devices[rank], found[rank]}, sinks[rank], ranks);
  });
  CHECK(found[0] == system::Precision::fp32);
  CHECK(found[1] == system::Precision::fp32);
  REQUIRE(sinks[0].notes.size() == 1);
  CHECK(
      sinks[0].notes[0] ==
      "features are extracted in fp32; the model was trained in fp16, which the device of another rank does "
      "not support");
  REQUIRE(sinks[1].notes.size() == 1);
  CHECK(sinks[1].notes[0] ==
        "features are extracted in fp32; the model was trained in fp16, which cpu does not support");
}

TEST_CASE_FIXTURE(Fixture,
                  "a folder of unlabeled images gives the gallery alone, training images alone nothing") {
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

TEST_CASE_FIXTURE(Fixture, "a file of descriptors none of whose images can be read is left out of the list") {
  plan.embed.shard_images = 2;
  plan.loader.skip_bad_images = true;
  FakeDataset dataset(0, 0, 5);
  dataset.bad = {3, 4};
  const auto written = embed_dataset(model, plan, dataset, dataset.samples(), folder, torch::kCPU, sink);
  REQUIRE(written.size() == 1);
  CHECK(written[0].images == 3);
  CHECK(
      std::find(sink.notes.begin(), sink.notes.end(),
                "warning: gallery (file 2 of 3) is left out, as none of its 2 images can be read; the first: "
                "image3.png: error: is truncated") != sink.notes.end());
  const auto list = file::ShardList::read(folder / "gallery.shards.csv");
  REQUIRE(list.shards.size() == 2);
  CHECK(list.shards[0].file == "gallery.0000.npy");
  CHECK(list.shards[0].rows == 2);
  CHECK(list.shards[1].file == "gallery.0002.npy");
  CHECK(list.shards[1].rows == 1);
  CHECK_FALSE(std::filesystem::exists(folder / "gallery.0001.npy"));
  const auto features = file::read_features(folder / "gallery");
  std::vector<std::string> paths;
  for (const auto& sample : features.samples) paths.push_back(sample.path);
  CHECK(paths == std::vector<std::string>{"image1.png", "image2.png", "image5.png"});

  // Without any descriptor there is nothing to list, and what was there stays.
  dataset.bad = {1, 2, 3, 4, 5};
  CHECK_THROWS_WITH_AS(
      static_cast<void>(embed_dataset(model, plan, dataset, dataset.samples(), folder, torch::kCPU, sink)),
      "gallery: error: no images can be read; the first: image1.png: error: is truncated",
      inference::NoReadableImages);
  CHECK(file::read_features(folder / "gallery").samples.size() == 3);
}

namespace {

/// Images of a color by the number in their names; the frames of a tracklet share identity and camera.
class FramesDataset : public FakeDataset {
 public:
  /// @param tracklets of image1.png, image2.png, ...; "": a single image
  explicit FramesDataset(const std::vector<std::string>& tracklets, Split split = Split::gallery)
      : FakeDataset(0, split == Split::query ? tracklets.size() : 0,
                    split == Split::gallery ? tracklets.size() : 0) {
    for (std::size_t i = 0; i < tracklets.size(); ++i) {
      list[i].identity = 1;
      list[i].camera = 2;
      list[i].tracklet = tracklets[i];
    }
  }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override {
    auto numbered = sample;
    numbered.identity = std::stoll(sample.path.substr(5));
    return FakeDataset::image(numbered);
  }
};

torch::Tensor unit_color(const std::vector<double>& numbers) {
  auto sum = torch::zeros({3});
  for (const double number : numbers) {
    const auto row = torch::tensor({number, 2 * number, 100.0}, torch::kFloat);
    sum += row / row.norm();
  }
  return sum / sum.norm();
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "the descriptor of a tracklet is the mean of those of its frames, of length 1") {
  const FramesDataset dataset({"", "t", "", "t", "t", "u"});
  for (const std::int64_t batch_size : {1, 2, 3, 100}) {
    CAPTURE(batch_size);
    plan.embed.batch_size = batch_size;
    const auto features = describe(dataset);
    REQUIRE(features.descriptors.sizes().vec() == std::vector<std::int64_t>{4, 3});
    REQUIRE(features.samples.size() == 4);
    CHECK(torch::allclose(features.descriptors[0], unit_color({1}), 1e-5, 1e-6));
    CHECK(torch::allclose(features.descriptors[1], unit_color({2, 4, 5}), 1e-5, 1e-6));
    CHECK(torch::allclose(features.descriptors[2], unit_color({3}), 1e-5, 1e-6));
    CHECK(torch::allclose(features.descriptors[3], unit_color({6}), 1e-5, 1e-6));
    CHECK(features.samples[1].path == "image2.png");
    CHECK(features.samples[1].tracklet == "t");
    CHECK(features.samples[2].tracklet.empty());
    CHECK(features.samples[3].tracklet == "u");
  }
}

TEST_CASE_FIXTURE(Fixture, "of each tracklet as many frames are read as asked for, and the first names it") {
  const FramesDataset dataset({"t", "t", "t", "t", "t", ""});
  plan.embed.frames = 1;
  const auto middle = describe(dataset);
  REQUIRE(middle.descriptors.size(0) == 2);
  CHECK(torch::allclose(middle.descriptors[0], unit_color({3}), 1e-5, 1e-6));
  CHECK(middle.samples[0].path == "image1.png");
  CHECK(sink.finished.back().total == 2);
  plan.embed.frames = 2;
  CHECK(torch::allclose(describe(dataset).descriptors[0], unit_color({2, 4}), 1e-5, 1e-6));
  plan.embed.frames = 0;
  CHECK(torch::allclose(describe(dataset).descriptors[0], unit_color({1, 2, 3, 4, 5}), 1e-5, 1e-6));
  plan.embed.flip_test = true;  // images of one color are their own mirror images
  CHECK(torch::allclose(describe(dataset).descriptors[0], unit_color({1, 2, 3, 4, 5}), 1e-5, 1e-6));
}

TEST_CASE_FIXTURE(Fixture,
                  "a bad frame counts out of the mean, and a tracklet of bad frames alone is skipped") {
  FramesDataset dataset({"t", "", "t", "t", "u", "u"});
  dataset.bad = {1};
  CHECK_THROWS_WITH_AS(static_cast<void>(describe(dataset)), doctest::Contains("image1.png"), DataError);
  plan.loader.skip_bad_images = true;
  const auto without_first = describe(dataset);
  REQUIRE(without_first.descriptors.size(0) == 3);
  CHECK(torch::allclose(without_first.descriptors[0], unit_color({3, 4}), 1e-5, 1e-6));
  CHECK(without_first.samples[0].path == "image1.png");
  CHECK(sink.notes.back().find("1 of 6 gallery images cannot be read") == 0);

  dataset.bad = {1, 3, 4};
  const auto without_all = describe(dataset);
  REQUIRE(without_all.samples.size() == 2);
  CHECK(without_all.samples[0].path == "image2.png");
  CHECK(without_all.samples[1].tracklet == "u");
  CHECK(torch::allclose(without_all.descriptors[0], unit_color({2}), 1e-5, 1e-6));
  CHECK(torch::allclose(without_all.descriptors[1], unit_color({5, 6}), 1e-5, 1e-6));
}

TEST_CASE_FIXTURE(Fixture, "a tracklet of two people has no descriptor") {
  FramesDataset dataset({"t", "t"});
  dataset.list[1].identity = 2;
  CHECK_THROWS_WITH_AS(static_cast<void>(describe(dataset)),
                       doctest::Contains("image2.png: error: has another identity than 'image1.png'"),
                       DataError);
}

TEST_CASE_FIXTURE(Fixture, "tracklets are rows of the features' files, under their names, and it is said") {
  const FramesDataset dataset({"t", "t", "", "u"}, Split::query);
  const auto written = embed_dataset(model, plan, dataset, dataset.samples(), folder, torch::kCPU, sink);
  REQUIRE(written.size() == 1);
  CHECK(written[0].images == 3);
  REQUIRE_FALSE(sink.notes.empty());
  CHECK(sink.notes.front() == "query: 2 tracklets; features are extracted of 3 of 3 frames and averaged");
  const auto back = file::read_features(folder / "query").samples;
  REQUIRE(back.size() == 3);
  CHECK(back[0].path == "image1.png");
  CHECK(back[0].tracklet == "t");
  CHECK(back[1].tracklet.empty());
  CHECK(back[2].tracklet == "u");
}

TEST_CASE_FIXTURE(Fixture, "a number of frames without tracklets is said to have no effect") {
  const FakeDataset dataset(0, 0, 2);
  plan.embed.frames = 4;
  static_cast<void>(embed_dataset(model, plan, dataset, dataset.samples(), folder, torch::kCPU, sink));
  REQUIRE_FALSE(sink.notes.empty());
  CHECK(sink.notes.front() == "gallery: embed.frames has no effect: no image is a frame of a tracklet");
}

TEST_CASE_FIXTURE(Fixture, "people are found better by the mean of more frames") {
  static constexpr int people = 12;
  /// People of different colors; each frame has a cast of its own. Of each a tracklet of 16 frames before
  /// each of two cameras.
  class Casts : public FakeDataset {
   public:
    explicit Casts(Split split) : FakeDataset(0, 0, 0) {
      for (int person = 0; person < people; ++person) {
        for (int frame = 0; frame < 16; ++frame) {
          Sample sample;
          sample.identity = person;
          sample.camera = split == Split::query ? 1 : 2;
          sample.split = split;
          sample.tracklet = std::to_string(person);
          sample.path = sample.tracklet + "_" + std::to_string(10 + frame);
          list.push_back(sample);
        }
      }
    }
    [[nodiscard]] static std::uint64_t frame_of(const Sample& sample) {
      return std::stoull(sample.path.substr(sample.path.find('_') + 1));
    }
    [[nodiscard]] cv::Mat image(const Sample& sample) const override {
      RandomStream random(1, {static_cast<std::uint64_t>(sample.identity),
                              static_cast<std::uint64_t>(sample.camera), frame_of(sample)});
      const double angle = 6.2832 * static_cast<double>(sample.identity) / people;
      const auto channel = [&](double base) { return std::clamp(base + random.normal(0, 25), 0.0, 255.0); };
      return {
          8, 4, CV_8UC3,
          cv::Scalar(channel(128 + 40 * std::cos(angle)), channel(128 + 40 * std::sin(angle)), channel(128))};
    }
  };
  // Each query has one right tracklet, so its average precision is 1 / rank.
  const auto mean_average_precision = [&](std::int64_t frames) {
    plan.embed.frames = frames;
    const auto scores =
        describe(Casts(Split::query)).descriptors.matmul(describe(Casts(Split::gallery)).descriptors.t());
    const auto right = scores.diag().unsqueeze(1);
    return (1 / (scores >= right).sum(1).to(torch::kDouble)).mean().item<double>();
  };
  const double one = mean_average_precision(1);
  const double four = mean_average_precision(4);
  const double all = mean_average_precision(0);
  CAPTURE(one);
  CAPTURE(four);
  CAPTURE(all);
  CHECK(four > one + 0.05);
  CHECK(all > four + 0.05);
}
