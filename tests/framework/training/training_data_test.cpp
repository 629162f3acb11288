#include "training/training_data.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <opencv2/core.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "file/sample_list.h"
#include "known_images.h"
#include "system/memory.h"
#include "temporary_folder.h"
#include "tiny_components.h"
#include "training/shared_sampler.h"

using namespace kindred;
using namespace kindred::training;
using namespace kindred::test;

namespace {

/// A batch of the images of each camera: those of two data sets never see each other.
class CameraSampler : public Sampler {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Batches of a camera."); }
  CameraSampler(const Params&, const Context& context) {
    for (const auto& sample : context.samples) cameras_.push_back(sample.camera);
  }
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t, RandomStream&) const override {
    std::vector<std::vector<std::size_t>> batches;
    for (const auto camera : std::set<std::int64_t>(cameras_.begin(), cameras_.end())) {
      auto& batch = batches.emplace_back();
      for (std::size_t i = 0; i < cameras_.size(); ++i) {
        if (cameras_[i] == camera) batch.push_back(i);
      }
    }
    return batches;
  }

 private:
  std::vector<std::int64_t> cameras_;
};

const Catalog& catalog() {
  static const Catalog made = [] {
    auto whole = tiny_catalog();
    Catalog own;
    own.add<CameraSampler>("by_camera");
    own.add<KnownImages>("known");
    whole.merge(std::move(own), "own", "own.so");
    return whole;
  }();
  return made;
}

recipe::Plan plan_of(const std::string& datasets) {
  return tiny_plan(catalog(), {"dataset=[" + datasets + "]"});
}

}  // namespace

TEST_CASE(
    "data sets that are only evaluated on leave the training images what they are, wherever they stand") {
  const std::string trained = "{type='tiny', name='a', share=1}, {type='tiny', name='b', share=1, tested=2}";
  const std::string tested = "{type='tiny', name='c', share=0, tested=3}";
  const auto alone = load_training_data(plan_of(trained));
  for (const auto& datasets : {tested + ", " + trained, trained + ", " + tested}) {
    const auto data = load_training_data(plan_of(datasets));
    CHECK(data.fingerprint == alone.fingerprint);
    CHECK(data.labels == alone.labels);
    CHECK(data.identities == alone.identities);
  }
}

TEST_CASE("the fingerprint of training images changes with everything that is learned from of one") {
  std::set<std::string> fingerprints;
  std::size_t number = 0;
  for (const std::string parameter : {"", "path = 'b.png'", "identity = 2", "camera = 2", "domain = 'night'",
                                      "view = 0", "view = 1", "tracklet = '1'"}) {
    CAPTURE(parameter);
    const auto plan = tiny_plan(
        catalog(), {"dataset={ type = 'known'" + (parameter.empty() ? "" : ", " + parameter) + " }"});
    const auto fingerprint = load_training_data(plan).fingerprint;
    CHECK(fingerprint.starts_with("2 images, "));
    CHECK(load_training_data(plan).fingerprint == fingerprint);
    fingerprints.insert(fingerprint);
    CHECK(fingerprints.size() == ++number);
  }
}

TEST_CASE("images have the cameras that their data sets say, and samplers those of several apart") {
  const auto plan = tiny_plan(catalog(), {"dataset=[{type='tiny', name='a'}, {type='tiny', name='b'}]",
                                          "sampler={type='by_camera'}"});
  const auto data = load_training_data(plan);
  REQUIRE(data.samples.size() == 40);
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(data.samples[i].camera == data.samples[i + 20].camera);
    CHECK(data.samples[i].identity != data.samples[i + 20].identity);
  }
  RandomStream random(1);
  const auto batches = create_sampler(plan, data)->batches(1, random);
  REQUIRE(batches.size() == 8);
  for (const auto& batch : batches) {
    REQUIRE(batch.size() == 5);
    for (const auto image : batch) CHECK((image < 20) == (batch.front() < 20));
  }
}

TEST_CASE("the ranks of a machine may keep as many images in memory as it has room for, together") {
  const auto memory = system::machine_memory_mib();
  REQUIRE(memory > 0);
  auto plan = plan_of("{type='tiny', name='a'}");
  plan.loader.cache_mib = memory;
  CHECK(load_training_data(plan).cache != nullptr);
  CHECK_THROWS_WITH_AS(static_cast<void>(load_training_data(plan, 2)),
                       doctest::Contains(" for each of its 2 ranks, but this machine has "), RecipeError);
  plan.loader.cache_mib = memory / 2;
  CHECK(load_training_data(plan, 2).cache != nullptr);
}

TEST_CASE("images with pseudo labels have the cameras that their data set says") {
  const TemporaryFolder folder;
  const auto labels = folder / "labels.csv";
  // As a stage of the data set alone leaves them.
  file::write_sample_list(
      labels, {{"b/query/1_0", 0, 0, "", Split::query}, {"b/gallery/1_2", 0, 5, "", Split::gallery}});
  const auto plan =
      tiny_plan(catalog(), {"dataset=[{type='tiny', name='a'}, {type='tiny', name='b', tested=1}]",
                            "pseudo_labels=[{file='" + labels.string() + "'}]"});
  const auto data = load_training_data(plan);
  REQUIRE(data.samples.size() == 42);
  CHECK(data.samples[40].camera == 0);
  CHECK(data.samples[41].camera == 2);
}
