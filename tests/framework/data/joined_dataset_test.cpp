#include "data/joined_dataset.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "kindred/text/name_numbers.h"
#include "made_dataset.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::data;
using namespace kindred::test;

namespace {

std::unique_ptr<MadeDataset> base() {
  auto dataset = std::make_unique<MadeDataset>();
  dataset->add("train/1.png", 4, 1, Split::train, 1);
  dataset->add("train/2.png", 7, 1, Split::train, 2);
  dataset->add("query/3.png", 50, 2, Split::query, 3);
  dataset->add("gallery/4.png", 50, 3, Split::gallery, 4);
  dataset->add("gallery/5.png", 51, 3, Split::gallery, 5);
  return dataset;
}

JoinedDataset::Part part(std::vector<Sample> samples, std::unique_ptr<Dataset> dataset = nullptr) {
  return {"labels.csv", std::move(samples), std::move(dataset)};
}

JoinedDataset joined(JoinedDataset::Part first) {
  std::vector<JoinedDataset::Part> parts;
  parts.push_back(std::move(first));
  return {base(), std::move(parts)};
}

std::vector<std::string> training(const Dataset& dataset) {
  std::vector<std::string> lines;
  for (const auto& sample : dataset.samples()) {
    if (sample.split == Split::train) lines.push_back(sample.path + " " + std::to_string(sample.identity));
  }
  return lines;
}

bool same_picture(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && cv::norm(a, b, cv::NORM_INF) == 0;
}

std::string refusal(Sample sample) {
  return message_of<DataError>([&] { static_cast<void>(joined(part({std::move(sample)}))); });
}

}  // namespace

TEST_CASE("labeled images join the training behind the largest identity and stay where they were") {
  const auto dataset = joined(part({{"query/3.png", 0, 2, "origin", Split::query},
                                    {"gallery/4.png", 0, 3, "origin", Split::gallery},
                                    {"gallery/5.png", 1, 3, "origin", Split::gallery}}));
  CHECK(training(dataset) == std::vector<std::string>{"train/1.png 4", "train/2.png 7", "query/3.png 8",
                                                      "gallery/4.png 8", "gallery/5.png 9"});
  CHECK(dataset.samples().size() == 8);
  const auto samples = dataset.samples();
  CHECK(samples[2].split == Split::query);
  CHECK(samples[5].domain == "origin");
  CHECK(same_picture(dataset.image(samples[5]), base()->image(samples[2])));
}

TEST_CASE("a labeled image has the camera that its data set says, whatever the label does") {
  auto other = std::make_unique<MadeDataset>();
  other->add("gallery/9.png", unlabeled_identity, 7, Split::gallery, 30);
  std::vector<JoinedDataset::Part> parts;
  parts.push_back(part({{"query/3.png", 0, 40, "", Split::query}}));
  parts.push_back(part({{"gallery/9.png", 0, 40, "", Split::gallery}}, std::move(other)));
  const auto samples = JoinedDataset(base(), std::move(parts)).samples();
  REQUIRE(samples.size() == 7);
  CHECK(samples[5].camera == 2);
  CHECK(samples[6].camera == 7);
}

TEST_CASE("identities of several parts are kept apart, and another data set's paths and pixels too") {
  auto other = std::make_unique<MadeDataset>();
  other->add("query/3.png", unlabeled_identity, 1, Split::query, 30);
  const auto picture = other->image(other->samples()[0]);
  std::vector<JoinedDataset::Part> parts;
  parts.push_back(part({{"query/3.png", 0, 2, "", Split::query}}));
  parts.push_back(part({{"query/3.png", 0, 2, "", Split::query}}, std::move(other)));
  const JoinedDataset dataset(base(), std::move(parts));
  CHECK(training(dataset) ==
        std::vector<std::string>{"train/1.png 4", "train/2.png 7", "query/3.png 8", "pseudo2/query/3.png 9"});
  const auto samples = dataset.samples();
  CHECK(same_picture(dataset.image(samples.back()), picture));
  CHECK_FALSE(same_picture(dataset.image(samples[5]), picture));
}

TEST_CASE("labels that do not fit the data are refused, with the image and a remedy") {
  CHECK(refusal({"gallery/9.png", 0, 1, "", Split::gallery}) ==
        "labels.csv: error: image 'gallery/9.png' is not in the data set: the labels are for other data, or "
        "the data has changed; label again");
  CHECK(
      refusal({"query/3.png", largest_whole_number, 1, "", Split::query}) ==
      "labels.csv: error: image 'query/3.png' has the identity 4611686018427387903, which is too large to be "
      "counted from 8; number the identities of the labels from 0");
  CHECK(refusal({"query/3.png", unlabeled_identity, 1, "", Split::query})
            .find("has no identity of 0 or more") != std::string::npos);
  CHECK(refusal({"train/1.png", 0, 1, "", Split::train}).find("is already in the training split") !=
        std::string::npos);
  CHECK(message_of<DataError>([] { static_cast<void>(joined(part({}))); }).find("contains no labels") !=
        std::string::npos);
  const Sample sample{"query/3.png", 0, 1, "", Split::query};
  CHECK(message_of<DataError>([&] {
          static_cast<void>(joined(part({sample, sample})));
        }).find("'query/3.png' is labeled twice") != std::string::npos);
}

namespace {

std::unique_ptr<MadeDataset> base_with_tracklets() {
  auto dataset = base();
  dataset->add_frame("a", "query/c.png", 60, 2, Split::query);
  dataset->add_frame("a", "query/b.png", 60, 2, Split::query);
  dataset->add_frame("a", "gallery/d.png", 60, 3, Split::gallery);
  dataset->add_frame("a", "gallery/e.png", 60, 3, Split::gallery);
  return dataset;
}

Sample label_of_tracklet(const std::string& path, const std::string& tracklet) {
  Sample sample;
  sample.path = path;
  sample.identity = 0;
  sample.tracklet = tracklet;
  return sample;
}

JoinedDataset joined_tracklets(std::vector<Sample> labels) {
  std::vector<JoinedDataset::Part> parts;
  parts.push_back(part(std::move(labels)));
  return {base_with_tracklets(), std::move(parts)};
}

}  // namespace

TEST_CASE("a label of a tracklet reaches all its frames, and tracklets of one name stay apart") {
  const auto dataset =
      joined_tracklets({label_of_tracklet("query/b.png", "a"), label_of_tracklet("gallery/d.png", "a")});
  CHECK(training(dataset) == std::vector<std::string>{"train/1.png 4", "train/2.png 7", "query/b.png 8",
                                                      "query/c.png 8", "gallery/d.png 8", "gallery/e.png 8"});
  const auto samples = dataset.samples();
  CHECK(samples[9].tracklet == "pseudo1/query/a");
  CHECK(samples[10].tracklet == "pseudo1/query/a");
  CHECK(samples[11].tracklet == "pseudo1/gallery/a");
  CHECK(same_picture(dataset.image(samples[10]), base_with_tracklets()->image(samples[5])));
}

TEST_CASE("a label without a tracklet is of one frame, and one of another tracklet is refused") {
  CHECK(training(joined_tracklets({label_of_tracklet("query/c.png", "")})).back() == "query/c.png 8");
  const auto refused = [](const std::string& path, const std::string& tracklet) {
    return message_of<DataError>([&] { (void)joined_tracklets({label_of_tracklet(path, tracklet)}); });
  };
  const std::string reason = "' is not the first frame of the tracklet '";
  CHECK(refused("query/c.png", "a").find("query/c.png" + reason + "a'") != std::string::npos);
  CHECK(refused("query/b.png", "z").find("query/b.png" + reason + "z'") != std::string::npos);
  CHECK(refused("query/3.png", "a").find("query/3.png" + reason + "a'") != std::string::npos);
  CHECK(
      message_of<DataError>([] {
        (void)joined_tracklets({label_of_tracklet("query/b.png", "a"), label_of_tracklet("query/c.png", "")});
      }).find("is labeled twice") != std::string::npos);
}
