#include "stage/label_sheet.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "made_dataset.h"

using namespace kindred;
using namespace kindred::stage;
using namespace kindred::test;

namespace {

/// A label for an image of a data set, which is added to it.
Sample labeled(MadeDataset& dataset, std::int64_t identity, std::int64_t person, Split split) {
  const auto number = dataset.samples().size();
  const auto path = std::to_string(number) + ".png";
  dataset.add(path, person, 1, split);
  return {path, identity, 1, "", split};
}

/// Pixels of one color.
int count(const cv::Mat& image, const cv::Vec3b& color) {
  int found = 0;
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) found += image.at<cv::Vec3b>(y, x) == color ? 1 : 0;
  }
  return found;
}

const cv::Vec3b red(220, 20, 20);
const cv::Vec3b blue(30, 90, 230);

}  // namespace

TEST_CASE("queries are framed blue, and images of another person red when persons are known") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  for (const bool known : {true, false}) {
    CAPTURE(known);
    MadeDataset dataset;
    std::vector<Sample> labels;
    const auto person = [&](std::int64_t identity) { return known ? identity : unlabeled_identity; };
    labels.push_back(labeled(dataset, 0, person(5), Split::query));
    labels.push_back(labeled(dataset, 0, person(5), Split::gallery));
    labels.push_back(labeled(dataset, 0, person(6), Split::gallery));
    labels.push_back(labeled(dataset, 1, person(6), Split::query));  // of one image: not drawn
    const auto file = folder / "sheet/labels.png";
    const auto drawn = draw_label_sheet(labels, dataset, file, silent);
    REQUIRE(drawn == file);
    const auto sheet = read_image(file);
    const int frame = 70 * 134 - 64 * 128;  // of the image itself a corner may stay free
    CHECK(count(sheet, blue) >= frame);
    CHECK(count(sheet, blue) < 2 * frame);
    CHECK((count(sheet, red) >= frame) == known);
    CHECK(count(sheet, red) < 2 * frame);
    CHECK(std::filesystem::file_size(file) <= 1000000);
  }
}

TEST_CASE("of many identities a dozen are drawn, and of many images ten, in a file that is not too large") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  MadeDataset dataset;
  std::vector<Sample> labels;
  for (std::int64_t identity = 0; identity < 30; ++identity) {
    for (std::int64_t i = 0; i < 2 + identity; ++i) {
      const auto path = std::to_string(labels.size()) + ".png";
      labels.push_back({path, identity, unknown_camera, "", i < 12 ? Split::query : Split::gallery});
      dataset.add(path, unlabeled_identity, 1, labels.back().split, static_cast<int>(labels.size()), "",
                  {64, 128});
    }
  }
  draw_label_sheet(labels, dataset, folder / "labels.png", silent);
  const auto sheet = read_image(folder / "labels.png");
  const int height = (sheet.rows - 50) / 12 - 30;
  CHECK(sheet.rows == 50 + 12 * (height + 30));
  CHECK(std::filesystem::file_size(folder / "labels.png") <= 1000000);
  const auto once = read_bytes(folder / "labels.png");
  draw_label_sheet(labels, dataset, folder / "labels.png", silent);
  CHECK(read_bytes(folder / "labels.png") == once);
}

TEST_CASE("nothing is drawn when no identity has two images") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  MadeDataset dataset;
  const std::vector<Sample> labels = {labeled(dataset, 0, 1, Split::query),
                                      labeled(dataset, 1, 2, Split::query)};
  CHECK_FALSE(draw_label_sheet(labels, dataset, folder / "labels.png", silent).has_value());
  CHECK_FALSE(draw_label_sheet({}, dataset, folder / "labels.png", silent).has_value());
  CHECK(files_in(folder.path()) == 0);
}

TEST_CASE("a label of an image that the data set lacks or cannot read is an error naming it") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  MadeDataset dataset;
  std::vector<Sample> labels = {labeled(dataset, 0, 1, Split::query), labeled(dataset, 0, 1, Split::query)};
  const auto run = [&] { draw_label_sheet(labels, dataset, folder / "labels.png", silent); };
  labels.push_back({"other.png", 0, 1, "", Split::gallery});
  CHECK(contains(error_of(run), "other.png: error: has a pseudo label, but is not in the data set"));
  dataset.add_unreadable("other.png", 1, 1, Split::gallery);
  CHECK(error_of(run) == "other.png: error: is empty (0 bytes)");
  CHECK(files_in(folder.path()) == 0);
}
