#include "recipe/guarded.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <limits>
#include <memory>
#include <new>
#include <opencv2/core.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "fake_retrieval_host.h"
#include "kindred/core/error.h"
#include "kindred/role/augmentation.h"
#include "kindred/role/backbone.h"
#include "kindred/role/dataset.h"
#include "kindred/role/index.h"
#include "kindred/role/labeler.h"
#include "kindred/role/layout.h"
#include "kindred/role/optimizer.h"
#include "kindred/role/partitioner.h"
#include "kindred/role/post_processor.h"
#include "kindred/role/sampler.h"
#include "kindred/role/schedule.h"
#include "kindred/role/writer.h"
#include "system/out_of_memory.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::recipe;
using namespace kindred::test;

namespace {

ComponentInfo odd_info(const std::string& role) {
  ComponentInfo info;
  info.role = role;
  info.name = "odd";
  info.plugin = "heap";
  return info;
}

/// Each role does what the test says.
struct OddAugmentation : Augmentation {
  std::function<void(cv::Mat&)> action;
  void apply(cv::Mat& image, RandomStream&) override { action(image); }
};
/// Draws a number for each image.
struct DrawingAugmentation : Augmentation {
  explicit DrawingAugmentation(bool always) : always_(always) {}
  void apply(cv::Mat&, RandomStream& random) override { random(); }
  [[nodiscard]] bool at_test_time() const override { return always_; }
  bool always_;
};
struct OddBackbone : Backbone {
  std::vector<std::string> names;
  [[nodiscard]] std::vector<std::string> blocks() const override { return names; }
  [[nodiscard]] std::int64_t channels() const override { return 1; }
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk(const std::string&) override { return nullptr; }
  [[nodiscard]] std::shared_ptr<NetworkPart> copy_rest(const std::string&, std::int64_t) const override {
    return nullptr;
  }
};
struct OddDataset : Dataset {
  std::vector<Sample> list;
  cv::Mat pixels;
  [[nodiscard]] std::vector<Sample> samples() const override { return list; }
  [[nodiscard]] cv::Mat image(const Sample&) const override { return pixels; }
  [[nodiscard]] Recognition recognize() const override {
    throw DataError("closed", "cannot be read: Permission denied");
  }
};
struct OddSampler : Sampler {
  std::vector<std::vector<std::size_t>> list;
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t, RandomStream&) const override {
    return list;
  }
};
struct OddSchedule : Schedule {
  double value = 1;
  [[nodiscard]] double factor(std::int64_t, double) const override { return value; }
};
struct OddPartitioner : Partitioner {
  std::string name;
  [[nodiscard]] bool needs_pixels() const override { return false; }
  [[nodiscard]] std::string domain(const Sample&, const cv::Mat&) const override { return name; }
};
struct OddIndex : Index {
  void add(const torch::Tensor&) override {}
  [[nodiscard]] torch::Tensor search(const torch::Tensor&, std::int64_t) const override { return found; }
  torch::Tensor found;
};

struct OddLabeler : Labeler {
  PseudoLabels labels;
  [[nodiscard]] PseudoLabels label(const Retrieval&, RetrievalHost& host) const override {
    host.warn("k is large");
    return labels;
  }
};
struct OddLayout : Layout {
  std::string path;
  [[nodiscard]] LayoutFiles files(const std::vector<Sample>&, const std::string&) const override {
    return {{path}, {}};
  }
};
struct OddPostProcessor : PostProcessor {
  Step kind = Step::descriptors;
  std::function<void(Retrieval&)> action;
  [[nodiscard]] Step step() const override { return kind; }
  void apply(Retrieval& retrieval, RetrievalHost& host) const override {
    host.warn("k is large");
    action(retrieval);
  }
};
struct OddOptimizer : Optimizer {
  std::vector<std::vector<torch::Tensor>> taken;  // none: no optimizer
  [[nodiscard]] std::unique_ptr<torch::optim::Optimizer> build(
      const std::vector<ParameterGroup>&) const override {
    if (taken.empty()) return nullptr;
    const std::vector<torch::optim::OptimizerParamGroup> groups(taken.begin(), taken.end());
    return std::make_unique<torch::optim::SGD>(groups, torch::optim::SGDOptions(0.1));
  }
  [[nodiscard]] double learning_rate() const override { return -1; }
};
struct OddWriter : Writer {
  [[nodiscard]] std::string file_name() const override { return "../x"; }
  [[nodiscard]] std::int64_t top() const override { return 0; }
  [[nodiscard]] std::string name_of(const std::string& path) const override { return path; }
  void write(const std::vector<RankedQuery>&, std::ostream&) const override { throw 'x'; }
  [[nodiscard]] std::vector<RankedQuery> read(std::istream&) const override { return {}; }
};

Sample sample_named(const std::string& path) {
  Sample sample;
  sample.path = path;
  return sample;
}

std::string odd_fault(const std::function<void()>& action) {
  return message_of<ComponentFault>(action);
}

/// What is said of an image that an augmentation makes.
std::string said_of_image(const std::function<void(cv::Mat&)>& action) {
  auto odd = std::make_unique<OddAugmentation>();
  odd->action = action;
  const auto guarded_one = guard(std::unique_ptr<Augmentation>(std::move(odd)), odd_info("augmentation"));
  return odd_fault([&] {
    cv::Mat image(4, 2, CV_8UC3, cv::Scalar::all(9));
    RandomStream random(1, {1});
    guarded_one->apply(image, random);
  });
}

std::string said_of_samples(std::vector<Sample> samples) {
  auto odd = std::make_unique<OddDataset>();
  odd->list = std::move(samples);
  const auto guarded_one = guard(std::unique_ptr<Dataset>(std::move(odd)), odd_info("dataset"));
  return odd_fault([&] { static_cast<void>(guarded_one->samples()); });
}

/// What is said of two queries and three gallery images after a step; of their distances where it sets them.
std::string said_of_step(PostProcessor::Step kind, const std::function<void(Retrieval&)>& action) {
  auto odd = std::make_unique<OddPostProcessor>();
  odd->kind = kind;
  odd->action = action;
  const auto guarded_one = guard(std::unique_ptr<PostProcessor>(std::move(odd)), odd_info("post_processor"));
  return odd_fault([&] {
    FakeRetrievalHost host;
    Retrieval retrieval{torch::ones({5, 4}), 2, {}};
    guarded_one->apply(retrieval, host);
    CHECK(host.warnings == std::vector<std::string>{"post_processor 'odd': k is large"});
    if (retrieval.distances) static_cast<void>(retrieval.distances(0, 2));
  });
}

DistanceBlock always_these(const torch::Tensor& distances) {
  return [distances](std::int64_t, std::int64_t) { return distances; };
}

}  // namespace

TEST_CASE("whatever a component throws becomes an error that names it, and places stay") {
  const std::string who = "loss 'odd' of plugin 'heap'";
  const auto said = [&](const std::function<void()>& action) {
    return message_of<Error>([&] { guarded(who, action); });
  };
  CHECK(said([] { throw std::runtime_error("no table"); }) == "error: " + who + " failed: no table");
  CHECK(said([] { throw Error("no table"); }) == "error: " + who + " failed: no table");
  CHECK(said([] { throw 7; }).find("error: " + who + " failed: it threw a value of type 'int'") == 0);
  CHECK(said([] {
          static_cast<void>(torch::ones({2, 3}).mm(torch::ones({2, 3})));
        }).find("error: " + who + " failed: LibTorch: ") == 0);
  CHECK(said([] { throw DataError("a.jpg", "is cut off"); }) == "a.jpg: error: is cut off");
  CHECK(said([] { throw ComponentError("loss/odd", "does not fit"); }) == "loss/odd: error: does not fit");
  CHECK(said([] { throw ComponentFault("head 'inner'", "gave nothing"); }) ==
        "error: head 'inner' gave nothing");
  CHECK(guarded(who, [] { return 3; }) == 3);
}

TEST_CASE("an exception without a message is told by its type") {
  struct Silent : std::exception {
    [[nodiscard]] const char* what() const noexcept override { return ""; }
  };
  const auto said = message_of<Error>([] { guarded("loss 'odd'", [] { throw Silent(); }); });
  CAPTURE(said);
  CHECK(said.starts_with("error: loss 'odd' failed: it threw an exception of type '"));
  CHECK(said.ends_with("Silent' without a message"));
}

TEST_CASE("lack of memory is an error of its own kind, of LibTorch's CPU too") {
  const auto said = [](const std::function<void()>& action) {
    return message_of<system::OutOfMemory>([&] { guarded("head 'odd'", action); });
  };
  CHECK(said([] { throw std::bad_alloc(); }).find("head 'odd' needs more memory than there is") == 0);
  CHECK(said([] {
          static_cast<void>(torch::empty({std::int64_t{1} << 60}));
        }).find("head 'odd' needs more memory than there is") == 0);
  CHECK_THROWS_AS(guarded("head 'odd'", [] { throw std::runtime_error("no"); }), ComponentFault);
}

TEST_CASE("an image has three channels of bytes or floats that are numbers") {
  const std::string start = "error: augmentation 'odd' of plugin 'heap' gave ";
  CHECK(said_of_image([](cv::Mat&) {}).empty());
  CHECK(said_of_image([](cv::Mat& image) { image.convertTo(image, CV_32F); }).empty());
  CHECK(said_of_image([](cv::Mat& image) {
          image = cv::Mat(4, 2, CV_32FC1);
        }).find(start + "an image of 4 x 2 pixels with 1 channel (CV_32FC1); an image has the three") == 0);
  CHECK(said_of_image([](cv::Mat& image) { image = cv::Mat(4, 2, CV_8UC1); }).find("(CV_8UC1)") !=
        std::string::npos);
  CHECK(said_of_image([](cv::Mat& image) { image = cv::Mat(4, 2, CV_64FC3); }).find("(CV_64FC3)") !=
        std::string::npos);
  CHECK(said_of_image([](cv::Mat& image) { image = cv::Mat(); }).find(start + "an empty image") == 0);
  for (const auto bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    CHECK(said_of_image([bad](cv::Mat& image) {
            image.convertTo(image, CV_32F);
            image.at<cv::Vec3f>(3, 1)[2] = bad;
          }) == start + "an image with values that are not finite");
  }
}

TEST_CASE("pixels that an augmentation keeps stay as they are, whatever becomes of the image") {
  std::vector<cv::Mat> kept;
  cv::Mat drawn(4, 2, CV_8UC3, cv::Scalar::all(7));
  std::vector<unsigned char> buffer(4 * 2 * 3, 5);
  const auto overwrite_what = [](const std::function<void(cv::Mat&)>& action) {
    auto odd = std::make_unique<OddAugmentation>();
    odd->action = action;
    const auto guarded_one = guard(std::unique_ptr<Augmentation>(std::move(odd)), odd_info("augmentation"));
    cv::Mat image(4, 2, CV_8UC3, cv::Scalar::all(9));
    RandomStream random(1, {1});
    guarded_one->apply(image, random);
    image.setTo(cv::Scalar::all(1));
  };
  overwrite_what([&](cv::Mat& image) { kept.push_back(image); });
  overwrite_what([&](cv::Mat& image) { kept.push_back(image(cv::Rect(0, 0, 1, 1))); });
  overwrite_what([&](cv::Mat& image) { image = drawn; });
  overwrite_what([&](cv::Mat& image) { image = cv::Mat(4, 2, CV_8UC3, buffer.data()); });
  CHECK(kept.at(0).at<cv::Vec3b>(3, 1) == cv::Vec3b(9, 9, 9));
  CHECK(kept.at(1).at<cv::Vec3b>(0, 0) == cv::Vec3b(9, 9, 9));
  CHECK(drawn.at<cv::Vec3b>(0, 0) == cv::Vec3b(7, 7, 7));
  CHECK(buffer.front() == 5);

  // Nobody else has them: they are not copied.
  const unsigned char* made = nullptr;
  auto odd = std::make_unique<OddAugmentation>();
  odd->action = [&](cv::Mat& image) {
    image = cv::Mat(5, 3, CV_8UC3, cv::Scalar::all(2));
    made = image.data;
  };
  const auto guarded_one = guard(std::unique_ptr<Augmentation>(std::move(odd)), odd_info("augmentation"));
  cv::Mat image(4, 2, CV_8UC3, cv::Scalar::all(9));
  RandomStream random(1, {1});
  guarded_one->apply(image, random);
  CHECK(image.data == made);
}

TEST_CASE("what prepares images at test time, too, draws no random numbers") {
  const auto said = [](bool always) {
    const auto guarded_one =
        guard(std::unique_ptr<Augmentation>(std::make_unique<DrawingAugmentation>(always)),
              odd_info("augmentation"));
    return odd_fault([&] {
      cv::Mat image(4, 2, CV_8UC3, cv::Scalar::all(9));
      RandomStream random(1, {1});
      guarded_one->apply(image, random);
    });
  };
  CHECK(said(false).empty());
  CHECK(said(true).find(
            "error: augmentation 'odd' of plugin 'heap' drew random numbers, but prepares images at "
            "test time, too") == 0);
}

TEST_CASE("the blocks of a backbone have names of their own") {
  const auto said = [](std::vector<std::string> names) {
    auto odd = std::make_unique<OddBackbone>();
    odd->names = std::move(names);
    const auto guarded_one = guard(std::unique_ptr<Backbone>(std::move(odd)), odd_info("backbone"));
    return odd_fault([&] { static_cast<void>(guarded_one->blocks()); });
  };
  const std::string start = "error: backbone 'odd' of plugin 'heap' gave ";
  CHECK(said({"stem", "tail"}).empty());
  CHECK(said({}).find(start + "no names of blocks") == 0);
  CHECK(said({"stem", ""}) == start + "a block without a name");
  CHECK(said({"stem", "tail", "stem"}) == start + "two blocks the name 'stem'; a cut is found by its name");
}

TEST_CASE("a data set that cannot look at its root has not recognized it") {
  const auto guarded_one =
      guard(std::unique_ptr<Dataset>(std::make_unique<OddDataset>()), odd_info("dataset"));
  CHECK(guarded_one->recognize() == Recognition::no);
}

TEST_CASE("samples have a path of their own, and identities and cameras that mean something") {
  const std::string start = "error: dataset 'odd' of plugin 'heap' gave a sample ";
  CHECK(said_of_samples({{"a", 0, 0, "", Split::train}, {"a", -1, -1, "", Split::query}}).empty());
  CHECK(said_of_samples({{"a", 0, 0, "", Split::train}, {"a", 1, 0, "", Split::train}}) ==
        start + "twice in the split 'train': sample 1 (from 0), 'a'");
  CHECK(said_of_samples({{"", 0, 0, "", Split::train}}).find(start + "without a path") == 0);
  CHECK_THROWS_WITH_AS(static_cast<void>(said_of_samples({{"a\xE9.jpg", 3, 2, "", Split::train}})),
                       doctest::Contains("a\\xE9.jpg: error: is not a name in UTF-8; rename it (from "),
                       DataError);
  CHECK_THROWS_WITH_AS(static_cast<void>(said_of_samples({{std::string("a\0b", 3), 3, 2, "", Split::train}})),
                       doctest::Contains("a\\x00b: error: is not a name in UTF-8"), DataError);
  CHECK(said_of_samples({{"a", -3, 0, "", Split::train}}).find(start + "with the identity -3") == 0);
  CHECK(said_of_samples({{"a", INT64_MAX, 0, "", Split::train}})
            .find(start + "with the identity 9223372036854775807; identities go up to 4611686018427387903") ==
        0);
  CHECK(said_of_samples({{"a", 3, -2, "", Split::train}}).find(start + "with the camera -2") == 0);
  // A list of them could be written, and not be read again.
  CHECK(said_of_samples({{"a", 3, INT64_MAX, "", Split::train}})
            .find(start + "with the camera 9223372036854775807; cameras go up to 4611686018427387903") == 0);
  Sample dressed{"a", 3, 2, "", Split::train};
  dressed.clothes = -2;
  CHECK(said_of_samples({dressed}).find(start + "with the clothes -2") == 0);
  dressed.clothes = INT64_MAX;
  CHECK(said_of_samples({dressed}).find(start + "with the clothes 9223372036854775807; clothes go up to") ==
        0);
  Sample viewed{"a", 3, 2, "", Split::train};
  viewed.view = -2;
  CHECK(said_of_samples({viewed}).find(start + "with the view -2") == 0);
  viewed.view = INT64_MAX;
  CHECK(said_of_samples({viewed}).find(start + "with the view 9223372036854775807; views go up to") == 0);
  Sample tracked{"a", 3, 2, "", Split::train};
  tracked.tracklet = "\xE9";
  CHECK_THROWS_WITH_AS(static_cast<void>(said_of_samples({tracked})),
                       doctest::Contains("\\xE9: error: is not a name in UTF-8"), DataError);

  auto odd = std::make_unique<OddDataset>();
  odd->pixels = cv::Mat(5, 3, CV_32FC3);
  const auto guarded_one = guard(std::unique_ptr<Dataset>(std::move(odd)), odd_info("dataset"));
  CHECK(odd_fault([&] {
          static_cast<void>(guarded_one->image(sample_named("a.jpg")));
        }).find("gave an image of 5 x 3 pixels with 3 channels (CV_32FC3) for 'a.jpg'; a data set") !=
        std::string::npos);
}

TEST_CASE("batches hold images that exist, and factors are numbers") {
  auto sampler = std::make_unique<OddSampler>();
  sampler->list = {{0, 1}, {2, 9}};
  RandomStream random(1, {1});
  const auto few = guard(std::unique_ptr<Sampler>(std::move(sampler)), odd_info("sampler"), 3);
  CHECK(
      odd_fault([&] { static_cast<void>(few->batches(4, random)); }) ==
      "error: sampler 'odd' of plugin 'heap' gave image 9 in batch 2 of epoch 4, but there are only 3 images "
      "(counted from 0)");
  auto empty = std::make_unique<OddSampler>();
  empty->list = {{0}, {}};
  const auto with_empty = guard(std::unique_ptr<Sampler>(std::move(empty)), odd_info("sampler"), 3);
  CHECK(odd_fault([&] { static_cast<void>(with_empty->batches(1, random)); }) ==
        "error: sampler 'odd' of plugin 'heap' gave an empty batch: batch 2 of epoch 1");
  for (const double bad : {-1.0, std::numeric_limits<double>::quiet_NaN()}) {
    auto schedule = std::make_unique<OddSchedule>();
    schedule->value = bad;
    const auto guarded_one = guard(std::unique_ptr<Schedule>(std::move(schedule)), odd_info("schedule"));
    CHECK(odd_fault([&] { static_cast<void>(guarded_one->factor(1, 0)); }).find("gave the factor") !=
          std::string::npos);
  }
}

TEST_CASE("what a post-processor hands back is checked, also when it is asked for later") {
  using Step = PostProcessor::Step;
  const std::string start = "error: post_processor 'odd' of plugin 'heap' gave ";
  CHECK(said_of_step(Step::descriptors, [](Retrieval&) {}).empty());
  CHECK(said_of_step(Step::descriptors, [](Retrieval& r) {
          r.descriptors = torch::ones({4, 4});
        }).find(start + "a tensor [4, 4] of type Float on cpu as descriptors; they must be [5, dim]") == 0);
  CHECK(said_of_step(Step::descriptors, [](Retrieval& r) {
          r.descriptors = torch::Tensor();
        }).find(start + "nothing as descriptors") == 0);
  CHECK(said_of_step(Step::descriptors, [](Retrieval& r) {
          r.descriptors[3][1] = NAN;
        }).find(start + "a descriptor that is not finite, row 3") == 0);
  CHECK(said_of_step(Step::descriptors, [](Retrieval& r) {
          r.descriptors[4].zero_();
        }).find(start + "a descriptor of length 0, row 4") == 0);
  CHECK(said_of_step(Step::descriptors, [](Retrieval& r) {
          r.distances = always_these(torch::ones({2, 3}));
        }).find(start + "distances, but its step() says that it changes descriptors") == 0);
  CHECK(said_of_step(Step::descriptors, [](Retrieval& r) { r.queries = 3; }).find("number of queries") !=
        std::string::npos);
  CHECK(said_of_step(Step::distances, [](Retrieval&) {}) ==
        start + "no distances, which a step of this kind must set");
  const auto said_of_distances = [](const torch::Tensor& distances) {
    return said_of_step(Step::distances, [&](Retrieval& r) { r.distances = always_these(distances); });
  };
  CHECK(said_of_distances(torch::ones({2, 3})).empty());
  CHECK(said_of_distances(torch::ones({2, 4})).find(start + "a tensor [2, 4] of type Float") == 0);
  CHECK(said_of_distances(torch::ones({2, 3}, torch::kDouble)).find("of type Double") != std::string::npos);
  CHECK(said_of_distances(torch::tensor({{1.0F, 2.0F, 3.0F}, {1.0F, INFINITY, 1.0F}}))
            .find(start + "query 1 (from 0) a distance that is not finite") == 0);
}

TEST_CASE("a labeler gives every image an identity in order, or a reason") {
  const auto said = [](PseudoLabels labels) {
    auto odd = std::make_unique<OddLabeler>();
    odd->labels = std::move(labels);
    const auto guarded_one = guard(std::unique_ptr<Labeler>(std::move(odd)), odd_info("labeler"));
    return odd_fault([&] {
      FakeRetrievalHost host;
      static_cast<void>(guarded_one->label({torch::ones({4, 2}), 1, {}}, host));
      CHECK(host.warnings == std::vector<std::string>{"labeler 'odd': k is large"});
    });
  };
  constexpr auto no = unlabeled_identity;
  const std::string start = "error: labeler 'odd' of plugin 'heap' gave ";
  CHECK(said({{0, no, 1, 0}, {{"x", 1}}}).empty());
  CHECK(said({{1, 0, no, no}, {{"x", 2}}}).find(start + "the identity 1 to image 0 (from 0)") == 0);
  CHECK(said({{0, 2, no, no}, {{"x", 2}}}).find(start + "the identity 2 to image 1") == 0);
  CHECK(said({{0, 1, no, no}, {{"x", 1}}}) ==
        start + "reasons for 1 images without an identity, but left out 2");
  CHECK(said({{0, 1}, {}}) == start + "2 identities for 4 images");
}

TEST_CASE("an index finds rows that it was given, as many as were asked for") {
  const auto said = [](torch::Tensor found) {
    auto odd = std::make_unique<OddIndex>();
    odd->found = std::move(found);
    const auto guarded_one = guard(std::unique_ptr<Index>(std::move(odd)), odd_info("index"));
    guarded_one->add(torch::ones({3, 2}));
    return odd_fault([&] { static_cast<void>(guarded_one->search(torch::ones({1, 2}), 2)); });
  };
  const std::string start = "error: index 'odd' of plugin 'heap' gave ";
  CHECK(said(torch::tensor({{2, -1}}, torch::kLong)).empty());
  CHECK(said(torch::tensor({{3, 0}}, torch::kLong)) == start + "row 3 of 3");
  CHECK(said(torch::tensor({{-2, 0}}, torch::kLong)) == start + "row -2 of 3");
  const auto other = start + "something else than [1, 2] row numbers of 64 bits on the CPU";
  CHECK(said(torch::zeros({1, 3}, torch::kLong)) == other);
  CHECK(said(torch::zeros({1, 2})) == other);
  CHECK(said({}) == other);
}

TEST_CASE("an optimizer has the groups that it was given, each with its parameters") {
  const auto a = torch::ones({2}, torch::requires_grad());
  const auto b = torch::ones({2}, torch::requires_grad());
  const auto c = torch::ones({2}, torch::requires_grad());
  const auto said = [&](const std::vector<std::vector<torch::Tensor>>& taken) {
    auto odd = std::make_unique<OddOptimizer>();
    odd->taken = taken;
    const auto optimizer = guard(std::unique_ptr<Optimizer>(std::move(odd)), odd_info("optimizer"));
    return odd_fault([&] { static_cast<void>(optimizer->build({{{a, b}}, {{c}}})); });
  };
  CHECK(said({{b, a}, {c}}).empty());
  CHECK(said({{a, b, c}}).find("gave 1 groups of parameters instead of 2") != std::string::npos);
  const std::string others = " other parameters than those that it was given";
  CHECK(said({{a}, {c}}).find("gave group 1" + others) != std::string::npos);
  CHECK(said({{a, b}, {}}).find("gave group 2" + others) != std::string::npos);
}

TEST_CASE("partitioners, layouts, optimizers and writers are held to their contracts") {
  const auto said_of_domain = [](const std::string& name) {
    auto odd = std::make_unique<OddPartitioner>();
    odd->name = name;
    const auto partitioner = guard(std::unique_ptr<Partitioner>(std::move(odd)), odd_info("partitioner"));
    return odd_fault([&] { static_cast<void>(partitioner->domain(sample_named("a.jpg"), {})); });
  };
  CHECK(said_of_domain("n\xC3\xA4he").empty());
  CHECK(said_of_domain("").find("gave no domain to 'a.jpg'") != std::string::npos);
  // A list with either could be written, and not be read again.
  CHECK(said_of_domain("n\xE4he").find(
            "gave the domain 'n\\xE4he' to 'a.jpg', which is not a name in UTF-8") != std::string::npos);
  CHECK(said_of_domain(std::string("a\0b", 3)).find("gave the domain 'a\\x00b'") != std::string::npos);

  for (const auto* path : {"../a.jpg", "/a.jpg", ""}) {
    auto odd = std::make_unique<OddLayout>();
    odd->path = path;
    const auto layout = guard(std::unique_ptr<Layout>(std::move(odd)), odd_info("layout"));
    CHECK(odd_fault([&] {
            static_cast<void>(layout->files({sample_named("a.jpg")}, "jpg"));
          }).find("stay inside it") != std::string::npos);
    CHECK(odd_fault([&] {
            static_cast<void>(layout->files({}, "jpg"));
          }).find("gave 1 names of files for 0 images") != std::string::npos);
  }

  const auto optimizer =
      guard(std::unique_ptr<Optimizer>(std::make_unique<OddOptimizer>()), odd_info("optimizer"));
  CHECK(odd_fault([&] { static_cast<void>(optimizer->build({})); }).find("gave no optimizer") !=
        std::string::npos);
  CHECK(odd_fault([&] { static_cast<void>(optimizer->learning_rate()); }).find("as learning rate") !=
        std::string::npos);

  const auto writer = guard(std::unique_ptr<Writer>(std::make_unique<OddWriter>()), odd_info("writer"));
  CHECK(odd_fault([&] { static_cast<void>(writer->file_name()); }).find("gave '../x' as the name") !=
        std::string::npos);
  CHECK(odd_fault([&] { static_cast<void>(writer->top()); }).find("gave 0 as the number") !=
        std::string::npos);
  CHECK(odd_fault([&] { writer->write({}, std::cout); }).find("a value of type 'char'") != std::string::npos);
}
