#include "random_patch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "data/loader.h"
#include "kindred/core/error.h"
#include "kindred/role/dataset.h"
#include "patch_pool.h"

using namespace kindred;
using namespace kindred::random_patch;

namespace {

/// No mirroring and no rotation: a patch is pasted as it was cut.
RandomPatch::Params plain() {
  RandomPatch::Params params;
  params.prob = 1;
  params.flip_prob = 0;
  params.rotate_prob = 0;
  return params;
}

cv::Mat flat(int value, cv::Size size = {64, 128}) {
  return {size, CV_8UC3, cv::Scalar::all(value)};
}

/// Every pixel is another one.
cv::Mat noise(std::uint64_t seed, cv::Size size = {32, 64}) {
  RandomStream random(seed);
  cv::Mat image(size, CV_8UC3);
  std::for_each(image.data, image.data + 3 * image.total(),
                [&](std::uint8_t& value) { value = static_cast<std::uint8_t>(random()); });
  return image;
}

bool equal(const cv::Mat& a, const cv::Mat& b) {
  return cv::norm(a, b, cv::NORM_INF) == 0;
}

/// The rectangle of an image of one value that has become another; empty when none has.
cv::Rect pasted(const cv::Mat& image, int background) {
  cv::Mat channel;
  cv::extractChannel(image, channel, 0);
  return cv::boundingRect(channel != background);
}

std::string parse_error(const std::string& key, Value value) {
  Table table;
  table.set(key, std::move(value));
  Diagnostics diagnostics;
  (void)RandomPatch::schema().parse(Value(std::move(table)), "augmentation 'random_patch'", diagnostics);
  return diagnostics.empty() ? "" : diagnostics.all().front().message;
}

template <class Work>
std::string message_of(Work work) {
  try {
    work();
  } catch (const ComponentError& error) {
    return error.what();
  }
  return "(nothing was thrown)";
}

/// Images of noise, each with a seed of its own.
class NoiseDataset : public Dataset {
 public:
  explicit NoiseDataset(std::size_t count) : list(count) {
    for (std::size_t i = 0; i < count; ++i) list[i].identity = static_cast<std::int64_t>(i);
  }
  [[nodiscard]] std::vector<Sample> samples() const override { return list; }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override {
    return noise(static_cast<std::uint64_t>(sample.identity));
  }

  std::vector<Sample> list;
};

}  // namespace

TEST_CASE("the pool owns the pixels of its patches") {
  PatchPool pool(10, 1000000);
  cv::Mat image = noise(1);
  const cv::Mat before = image.clone();
  const cv::Rect place(3, 5, 7, 11);
  pool.push(image(place));
  image.setTo(0);
  REQUIRE(pool.size() == 1);
  CHECK(equal(pool[0], before(place)));
  CHECK(pool[0].isContinuous());
  CHECK(static_cast<std::size_t>(pool[0].dataend - pool[0].datastart) == 7 * 11 * 3);
  CHECK(pool.bytes() == 7 * 11 * 3);
}

TEST_CASE("the pool grows to its number of patches and then the oldest goes") {
  PatchPool pool(3, 1000000);
  for (int i = 0; i < 10; ++i) {
    pool.push(flat(i, {4, 5}));
    CHECK(pool.size() == static_cast<std::size_t>(std::min(i + 1, 3)));
    CHECK(pool.bytes() == pool.size() * 60);
    CHECK(pool[pool.size() - 1].at<cv::Vec3b>(0, 0)[0] == i);
    CHECK(pool[0].at<cv::Vec3b>(0, 0)[0] == std::max(i - 2, 0));
  }
  pool.clear();
  CHECK(pool.size() == 0);
  CHECK(pool.bytes() == 0);
}

TEST_CASE("the pool never takes more bytes than it may, and the oldest patches make room") {
  PatchPool pool(1000, 200);
  pool.push(flat(1, {4, 5}));   // 60
  pool.push(flat(2, {4, 5}));   // 120
  pool.push(flat(3, {2, 10}));  // 180
  CHECK(pool.bytes() == 180);
  pool.push(flat(4, {6, 5}));  // 270: two must go
  CHECK(pool.size() == 2);
  CHECK(pool.bytes() == 150);
  CHECK(pool[0].at<cv::Vec3b>(0, 0)[0] == 3);
  pool.push(cv::Mat(1, 1, CV_32FC3));  // floats take four times as much
  CHECK(pool.bytes() == 162);
  pool.push(flat(5, {20, 20}));  // larger than the pool
  CHECK(pool.size() == 0);
  CHECK(pool.bytes() == 0);
}

TEST_CASE("nothing is pasted until min_sample_size patches are gathered, and an image's own counts") {
  auto params = plain();
  params.min_sample_size = 20;
  RandomPatch patch(params, {});
  RandomStream random(1);
  patch.start_pass();
  int changed = 0;
  for (int i = 1; i <= 60; ++i) {
    const cv::Mat image = noise(static_cast<std::uint64_t>(i));
    cv::Mat result = image.clone();
    patch.apply(result, random);
    if (i < 20) CHECK(equal(result, image));
    changed += equal(result, image) ? 0 : 1;
  }
  CHECK(changed >= 40);  // but for a patch pasted where it was cut

  SUBCASE("a new pass begins with none") {
    patch.start_pass();
    for (int i = 1; i < 20; ++i) {
      cv::Mat image = noise(static_cast<std::uint64_t>(i));
      patch.apply(image, random);
      CHECK(equal(image, noise(static_cast<std::uint64_t>(i))));
    }
  }
}

TEST_CASE("images are patched with the given probability") {
  RandomPatch::Params params;
  params.min_sample_size = 1;
  RandomPatch patch(params, {});
  RandomStream random(2);
  patch.start_pass();
  int changed = 0;
  for (int i = 0; i < 4000; ++i) {
    const cv::Mat image = noise(static_cast<std::uint64_t>(i));
    cv::Mat result = image.clone();
    patch.apply(result, random);
    changed += equal(result, image) ? 0 : 1;
  }
  CHECK(std::abs(changed - 1200) < 5 * 29);  // five standard deviations
}

TEST_CASE("a patch is a whole rectangle of an earlier image, with an area and an aspect from their ranges") {
  auto params = plain();
  params.min_sample_size = 100;
  RandomPatch patch(params, {});
  RandomStream random(3);
  const cv::Size size(64, 128);
  double smallest = 1;
  double largest = 0;
  double lowest = 100;
  double highest = 0;
  std::set<int> sources;
  for (int i = 0; i < 3000; ++i) {
    const int value = i % 250;
    cv::Mat image = flat(value, size);
    patch.apply(image, random);
    const auto place = pasted(image, value);
    if (place.empty()) continue;  // the patch was of an image of the same value
    const int source = image.at<cv::Vec3b>(place.y, place.x)[0];
    REQUIRE(equal(image(place), flat(source, place.size())));
    if (i < 250) CHECK(source < value);
    sources.insert(source);
    const double area = place.area() / static_cast<double>(size.area());
    const double aspect = static_cast<double>(place.height) / place.width;
    smallest = std::min(smallest, area);
    largest = std::max(largest, area);
    lowest = std::min(lowest, aspect);
    highest = std::max(highest, aspect);
  }
  CHECK(sources.size() == 250);
  // Whole pixels: a side of 3 stands for anything from 2.5 to 3.5.
  CHECK(smallest > 0.0075);
  CHECK(smallest < 0.0125);
  CHECK(largest > 0.16);
  CHECK(largest < 0.18);
  CHECK(lowest > 0.08);
  CHECK(lowest < 0.3);
  CHECK(highest > 8);
  CHECK(highest < 13);
}

TEST_CASE("only patches that the queue still holds are pasted, each as often as another") {
  auto params = plain();
  params.pool_capacity = 5;
  params.min_sample_size = 5;
  RandomPatch patch(params, {});
  RandomStream random(4);
  std::array<int, 5> age{};
  int others = 0;
  for (int i = 0; i < 5000; ++i) {
    const int value = i % 250;
    cv::Mat image = flat(value);
    patch.apply(image, random);
    const auto place = pasted(image, value);
    if (place.empty()) {
      ++age[0];
      continue;
    }
    const int difference = (value - image.at<cv::Vec3b>(place.y, place.x)[0] + 250) % 250;
    if (difference < 5) {
      ++age[static_cast<std::size_t>(difference)];
    } else {
      ++others;
    }
  }
  CHECK(others == 0);
  for (const int count : age) CHECK(std::abs(count - 1000) < 5 * 29);
}

TEST_CASE("a patch is mirrored left to right with its probability") {
  // Values rise by 1 from left to right, and so they do in a patch that is not mirrored.
  const auto ramp = [] {
    cv::Mat image(128, 64, CV_8UC3);
    for (int x = 0; x < 64; ++x) image.col(x).setTo(cv::Scalar::all(100 + x));
    return image;
  };
  auto params = plain();
  params.pool_capacity = 1;
  params.min_sample_size = 1;
  params.flip_prob = 0.25;
  RandomPatch patch(params, {});
  RandomStream random(5);
  int mirrored = 0;
  int count = 0;
  for (int i = 0; i < 3000; ++i) {
    cv::Mat image = ramp();
    patch.apply(image, random);
    const cv::Mat changed = image.reshape(1) != ramp().reshape(1);
    if (cv::countNonZero(changed) == 0) continue;  // straight above or below where it was cut
    const cv::Rect place = cv::boundingRect(changed);
    const int x = place.x / 3;
    const int right = (place.x + place.width) / 3 - 1;
    if (right - x < 2) continue;
    ++count;
    // A mirrored patch may have kept a value: look at its two ends.
    mirrored += image.at<cv::Vec3b>(place.y, x)[0] > image.at<cv::Vec3b>(place.y, right)[0] ? 1 : 0;
  }
  REQUIRE(count > 2000);
  CHECK(std::abs(mirrored - 0.25 * count) < 5 * std::sqrt(count * 0.25 * 0.75) + 0.03 * count);
}

TEST_CASE("a rotated patch keeps its size, turns by whole degrees and has black corners") {
  auto params = plain();
  params.pool_capacity = 1;
  params.min_sample_size = 1;
  params.rotate_prob = 1;
  params.min_area = 0.1;
  params.max_area = 0.1;
  params.min_aspect = 1;
  RandomPatch patch(params, {});
  RandomStream random(6);
  // The patch is always 31 x 31 (0.1 x 96 x 100 = 960 pixels) and white, on white.
  const cv::Size size(31, 31);
  std::array<int, 21> turns{};
  for (int i = 0; i < 2100; ++i) {
    cv::Mat image(96, 100, CV_8UC3, cv::Scalar::all(255));
    patch.apply(image, random);
    const auto place = pasted(image, 255);
    if (place.empty()) {
      ++turns[10];
      continue;
    }
    REQUIRE(place.size() == size);
    int found = 0;
    for (int degrees = -10; degrees <= 10; ++degrees) {
      cv::Mat turned;
      cv::warpAffine(flat(255, size), turned, cv::getRotationMatrix2D(cv::Point2f(15, 15), degrees, 1), size);
      if (!equal(turned, image(place))) continue;
      ++found;
      ++turns[static_cast<std::size_t>(degrees + 10)];
    }
    CHECK(found == 1);
  }
  for (const int count : turns) CHECK(std::abs(count - 100) < 50);  // five standard deviations
}

TEST_CASE("patches are exchanged between normalized images too") {
  auto params = plain();
  params.min_sample_size = 2;
  RandomPatch patch(params, {});
  RandomStream random(7);
  cv::Mat first(64, 32, CV_32FC3, cv::Scalar::all(-1.5));
  patch.apply(first, random);
  int from_first = 0;
  for (int i = 0; i < 20; ++i) {
    cv::Mat image(64, 32, CV_32FC3, cv::Scalar::all(2.25));
    patch.apply(image, random);
    REQUIRE(image.type() == CV_32FC3);
    double low = 0;
    cv::minMaxLoc(image.reshape(1), &low);
    from_first += low == -1.5 ? 1 : 0;
  }
  CHECK(from_first > 0);
}

TEST_CASE("the images of a pass are the same for any number of workers, and when it goes on in the middle") {
  NoiseDataset data(600);
  std::vector<std::vector<std::size_t>> batches;
  for (std::size_t i = 0; i < 600; i += 8) {
    auto& batch = batches.emplace_back(8);
    std::iota(batch.begin(), batch.end(), i);
  }
  const auto pass = [&](std::int64_t workers, std::size_t first_batch) {
    RandomPatch::Params params;
    params.min_sample_size = 50;
    params.pool_capacity = 80;
    std::vector<std::unique_ptr<Augmentation>> steps;
    steps.push_back(std::make_unique<RandomPatch>(params, RandomPatch::Context{}));
    data::LoaderOptions options;
    options.workers = workers;
    data::Loader loader(data, data.list, steps, options, true);
    // What an earlier pass has gathered is forgotten.
    loader.start(batches, 1);
    for (int i = 0; i < 20; ++i) (void)loader.next();
    loader.start(batches, 2, first_batch);
    std::vector<torch::Tensor> images;
    while (auto batch = loader.next()) images.push_back(batch->images);
    return images;
  };
  const auto one = pass(1, 0);
  REQUIRE(one.size() == 75);
  const auto same = [&](const std::vector<torch::Tensor>& images, std::size_t from) {
    if (images.size() + from != one.size()) return false;
    for (std::size_t i = 0; i < images.size(); ++i) {
      if (!torch::equal(images[i], one[from + i])) return false;
    }
    return true;
  };
  CHECK(same(pass(4, 0), 0));
  CHECK(same(pass(1, 30), 30));
  CHECK(same(pass(4, 30), 30));
}

TEST_CASE("random patch is ordered and for training alone") {
  CHECK(RandomPatch({}, {}).ordered());
  CHECK_FALSE(RandomPatch({}, {}).at_test_time());
}

TEST_CASE("images that cannot exchange patches are refused with what to do") {
  RandomPatch patch({}, {});
  RandomStream random(8);
  cv::Mat first = flat(1);
  patch.apply(first, random);
  CHECK(message_of([&] {
          cv::Mat other = flat(1, {32, 128});
          patch.apply(other, random);
        }) ==
        "augmentation/random_patch: error: received an image of 128 x 32 pixels (height x width) of bytes "
        "after one "
        "of 128 x 64 pixels (height x width) of bytes; all images must have the same size and type: place "
        "random_patch after the augmentation 'resize'");
  CHECK(message_of([&] {
          cv::Mat floats(first.size(), CV_32FC3, cv::Scalar::all(1));
          patch.apply(floats, random);
        }).find("128 x 64 pixels (height x width) of floats after one") != std::string::npos);
  patch.start_pass();
  cv::Mat other = flat(1, {32, 128});
  CHECK_NOTHROW(patch.apply(other, random));
}

TEST_CASE("a pool that is too small for what it must gather is refused with what it needs") {
  RandomPatch::Params params;
  params.pool_mib = 1;
  RandomPatch patch(params, {});
  RandomStream random(9);
  cv::Mat image = flat(1, {128, 384});
  // 100 x 0.1677 x 384 x 128 x 3 bytes are 2.36 MiB.
  CHECK(message_of([&] { patch.apply(image, random); }) ==
        "augmentation/random_patch: error: pool_mib = 1 is too small for min_sample_size = 100 patches cut "
        "from images of 384 x 128 pixels (height x width) of bytes; set pool_mib to 3 or more");
  params.pool_mib = 3;
  CHECK_NOTHROW(RandomPatch(params, {}).apply(image, random));

  CHECK(parse_error("pool_capacity", Value(std::int64_t{99})) ==
        "augmentation 'random_patch': min_sample_size = 100 is more than pool_capacity = 99; lower "
        "min_sample_size or raise pool_capacity");
  CHECK(parse_error("pool_capacity", Value(std::int64_t{100})).empty());
  CHECK(parse_error("min_area", Value(0.2)).find("min_area is larger than max_area") != std::string::npos);
  CHECK_FALSE(parse_error("min_aspect", Value(0.0)).empty());
}

TEST_CASE("an image into which no patch fits is left alone") {
  auto params = plain();
  params.min_sample_size = 1;
  RandomPatch patch(params, {});
  RandomStream random(10);
  cv::Mat line = noise(1, {1, 50});
  patch.apply(line, random);
  CHECK(equal(line, noise(1, {1, 50})));
}
