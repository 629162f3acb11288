#include "data/combined_dataset.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <utility>
#include <vector>

#include "data/tracklets.h"
#include "made_dataset.h"

using namespace kindred;
using namespace kindred::data;
using namespace kindred::test;

namespace {

/// Two people, one of whom is in both splits; a distractor, junk, and what is not known.
std::unique_ptr<MadeDataset> small_set(int seed) {
  auto dataset = std::make_unique<MadeDataset>();
  dataset->add("train/1.png", 4, 1, Split::train, seed);
  dataset->add("train/2.png", 900, 3, Split::train, seed + 1);
  dataset->add("query/3.png", 4, 1, Split::query, seed + 2);
  dataset->add("gallery/4.png", 0, 3, Split::gallery, seed + 3);
  dataset->add("gallery/5.png", junk_identity, unknown_camera, Split::gallery, seed + 4);
  dataset->add("gallery/6.png", unlabeled_identity, 1, Split::gallery, seed + 5);
  return dataset;
}

CombinedDataset two_sets(bool second_is_trained_on = true, Cameras cameras = Cameras::of_each) {
  std::vector<CombinedDataset::Part> parts;
  parts.push_back({small_set(1), "a/", true});
  parts.push_back({small_set(50), "b/", second_is_trained_on});
  return CombinedDataset(std::move(parts), cameras);
}

std::vector<std::string> lines_of(const Dataset& dataset) {
  std::vector<std::string> lines;
  for (const auto& sample : dataset.samples()) {
    lines.push_back(sample.path + " " + std::to_string(sample.identity) + " c" +
                    std::to_string(sample.camera) + " " + split_name(sample.split));
  }
  return lines;
}

}  // namespace

TEST_CASE("two data sets with the same paths and identities have none in common when combined") {
  CHECK(lines_of(two_sets()) ==
        std::vector<std::string>{"a/train/1.png 0 c1 train", "a/train/2.png 1 c3 train",
                                 "a/query/3.png 0 c1 query", "a/gallery/4.png 4 c3 gallery",
                                 "a/gallery/5.png -1 c-1 gallery", "a/gallery/6.png -2 c1 gallery",
                                 "b/train/1.png 2 c1 train", "b/train/2.png 3 c3 train",
                                 "b/query/3.png 2 c1 query", "b/gallery/4.png 5 c3 gallery",
                                 "b/gallery/5.png -1 c-1 gallery", "b/gallery/6.png -2 c1 gallery"});
}

TEST_CASE("their cameras can be kept apart, too") {
  std::vector<std::int64_t> cameras;
  for (const auto& sample : two_sets(true, Cameras::apart).samples()) cameras.push_back(sample.camera);
  CHECK(cameras == std::vector<std::int64_t>{0, 1, 0, 1, -1, 0, 2, 3, 2, 3, -1, 2});
}

TEST_CASE(
    "a data set that is only tested on changes no identity of the training images, wherever it stands") {
  const auto training_lines = [](const std::vector<bool>& trained_on) {
    std::vector<CombinedDataset::Part> parts;
    for (std::size_t i = 0; i < trained_on.size(); ++i) {
      const auto number =
          std::count(trained_on.begin(), trained_on.begin() + static_cast<std::ptrdiff_t>(i), true);
      const auto prefix =
          trained_on[i] ? "trained" + std::to_string(number) + "/" : "tested" + std::to_string(i) + "/";
      parts.push_back({small_set(1), prefix, trained_on[i]});
    }
    auto lines = lines_of(CombinedDataset(std::move(parts)));
    std::erase_if(lines, [](const std::string& line) { return !line.ends_with(" train"); });
    return lines;
  };
  const auto expected = training_lines({true, true});
  CHECK(expected.size() == 4);
  CHECK(training_lines({false, true, true}) == expected);
  CHECK(training_lines({true, false, true, false}) == expected);
}

TEST_CASE("a combined image has the pixels of its own data set") {
  const auto combined = two_sets();
  const auto samples = combined.samples();
  const auto first = small_set(1);
  const auto second = small_set(50);
  const auto there = first->samples();
  for (std::size_t i = 0; i < there.size(); ++i) {
    CHECK(cv::norm(combined.image(samples[i]), first->image(there[i]), cv::NORM_INF) == 0);
    CHECK(cv::norm(combined.image(samples[i + there.size()]), second->image(there[i]), cv::NORM_INF) == 0);
  }
}

TEST_CASE("a data set that is not trained on has no training split and no identity of it") {
  const auto lines = lines_of(two_sets(/*second_is_trained_on=*/false));
  CHECK(lines.size() == 10);
  CHECK(lines[6] == "b/query/3.png 2 c1 query");
  CHECK(lines[7] == "b/gallery/4.png 4 c3 gallery");
}

TEST_CASE("two distractors of a data set are not one person when it is combined with others") {
  auto first = small_set(1);
  first->add("gallery/7.png", 0, 1, Split::gallery, 8);
  auto second = std::make_unique<MadeDataset>();
  second->add("query/1.png", 0, 1, Split::query, 9);
  second->add("gallery/2.png", 0, 2, Split::gallery, 10);
  std::vector<CombinedDataset::Part> parts;
  parts.push_back({std::move(first), "a/", true});
  parts.push_back({std::move(second), "b/", true});
  const auto lines = lines_of(CombinedDataset(std::move(parts)));
  CHECK(lines[3] == "a/gallery/4.png 3 c3 gallery");
  CHECK(lines[6] == "a/gallery/7.png 4 c1 gallery");
  CHECK(lines[7] == "b/query/1.png 2 c1 query");
  CHECK(lines[8] == "b/gallery/2.png 2 c2 gallery");
}

TEST_CASE("all frames of a distractor's tracklet show the same stranger in combined data, too") {
  std::vector<CombinedDataset::Part> parts;
  for (const std::string prefix : {"a/", "b/"}) {
    auto dataset = std::make_unique<MadeDataset>();
    dataset->add("1.png", 5, 1, Split::query);
    for (const std::string tracklet : {"s", "t"}) {
      dataset->add_frame(tracklet, tracklet + "1.png", 0, 2, Split::gallery);
      dataset->add_frame(tracklet, tracklet + "2.png", 0, 2, Split::gallery);
    }
    dataset->add("3.png", 0, 2, Split::gallery);
    parts.push_back({std::move(dataset), prefix, true});
  }
  const auto samples = CombinedDataset(std::move(parts)).samples();
  std::vector<std::int64_t> identities;
  for (const auto& sample : samples) identities.push_back(sample.identity);
  CHECK(identities == std::vector<std::int64_t>{0, 2, 2, 3, 3, 4, 1, 5, 5, 6, 6, 7});
  CHECK_NOTHROW(static_cast<void>(samples_of_tracklets(samples)));
}

TEST_CASE("a single data set keeps its numbers") {
  std::vector<CombinedDataset::Part> parts;
  parts.push_back({small_set(1), "a/", true});
  const auto lines = lines_of(CombinedDataset(std::move(parts)));
  CHECK(lines[1] == "a/train/2.png 900 c3 train");
}

TEST_CASE("tracklets of two data sets with one name stay apart when combined") {
  std::vector<CombinedDataset::Part> parts;
  for (const std::string prefix : {"a/", "b/"}) {
    auto dataset = std::make_unique<MadeDataset>();
    dataset->add_frame("t", "1.png", 1, 1, Split::gallery);
    dataset->add("2.png", 1, 1, Split::gallery);
    parts.push_back({std::move(dataset), prefix, true});
  }
  const auto samples = CombinedDataset(std::move(parts)).samples();
  REQUIRE(samples.size() == 4);
  CHECK(samples[0].tracklet == "a/t");
  CHECK(samples[1].tracklet.empty());
  CHECK(samples[2].tracklet == "b/t");
}
