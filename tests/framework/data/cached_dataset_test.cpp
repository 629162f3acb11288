#include "data/cached_dataset.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <opencv2/core.hpp>

#include "data/loader.h"
#include "kindred/core/error.h"

using namespace kindred;
using namespace kindred::data;

namespace {

/// 20 images of 4 x 5 pixels, which are 60 bytes each; the last cannot be read.
class CountingDataset final : public Dataset {
 public:
  explicit CountingDataset(std::atomic<int>& decoded) : decoded_(decoded) {
    for (int i = 0; i < 20; ++i) {
      Sample sample;
      sample.path = "image" + std::to_string(i);
      sample.identity = i;
      list_.push_back(sample);
    }
  }
  [[nodiscard]] std::vector<Sample> samples() const override { return list_; }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override {
    ++decoded_;
    if (sample.identity == 19) throw DataError(sample.path, "is truncated");
    const cv::Mat wide(5, 9, CV_8UC3, cv::Scalar::all(static_cast<double>(sample.identity)));
    return wide(cv::Rect(1, 0, 4, 5));
  }

 private:
  std::atomic<int>& decoded_;
  std::vector<Sample> list_;
};

class Shift final : public Augmentation {
 public:
  void apply(cv::Mat& image, RandomStream& random) override {
    image += cv::Scalar::all(static_cast<double>(random.integer(1, 9)));
  }
};

/// Two epochs of all images that can be read, in another order each.
std::vector<torch::Tensor> two_epochs(const Dataset& dataset, std::int64_t workers) {
  const auto samples = dataset.samples();
  std::vector<std::unique_ptr<Augmentation>> steps;
  steps.push_back(std::make_unique<Shift>());
  LoaderOptions options;
  options.workers = workers;
  Loader loader(dataset, samples, steps, options, true);
  std::vector<torch::Tensor> batches;
  loader.start({{0, 1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}, {13, 14, 15, 16, 17, 18}}, 1);
  while (auto batch = loader.next()) batches.push_back(batch->images);
  loader.start({{18, 16, 14, 12, 10}, {8, 6, 4, 2, 0}, {17, 15, 13, 11, 9}, {7, 5, 3, 1, 1}}, 2);
  while (auto batch = loader.next()) batches.push_back(batch->images);
  return batches;
}

}  // namespace

TEST_CASE("images are the same with a cache and without, and with room for all none is decoded twice") {
  std::atomic<int> plain_count{0};
  const auto expected = two_epochs(CountingDataset(plain_count), 1);
  CHECK(plain_count == 39);
  for (const std::int64_t workers : {1, 4}) {
    for (const std::int64_t bytes : {0, 59, 60, 300, 5000}) {
      CAPTURE(bytes);
      std::atomic<int> count{0};
      const CachedDataset cached(std::make_unique<CountingDataset>(count), bytes);
      const auto batches = two_epochs(cached, workers);
      REQUIRE(batches.size() == expected.size());
      for (std::size_t i = 0; i < batches.size(); ++i) CHECK(torch::equal(batches[i], expected[i]));
      const auto kept = cached.kept();
      CHECK(kept.images == std::min<std::int64_t>(19, bytes / 60));
      CHECK(kept.bytes == 60 * kept.images);
      CHECK(kept.all == (bytes == 5000));
      if (bytes == 5000) CHECK(count == 19);
      if (bytes == 0) CHECK(count == 39);
    }
  }
}

TEST_CASE("what was asked for first is kept, and an image that cannot be read is asked for again") {
  std::atomic<int> count{0};
  const CachedDataset cached(std::make_unique<CountingDataset>(count), 130);
  const auto samples = cached.samples();
  for (const std::size_t i : {5U, 3U, 8U, 5U, 3U, 8U}) {
    CHECK(cached.image(samples[i]).at<cv::Vec3b>(4, 3) == cv::Vec3b::all(static_cast<std::uint8_t>(i)));
  }
  CHECK(count == 4);  // 8 twice
  CHECK(cached.kept().images == 2);
  CHECK_THROWS_AS(static_cast<void>(cached.image(samples[19])), DataError);
  CHECK_THROWS_AS(static_cast<void>(cached.image(samples[19])), DataError);
  CHECK(count == 6);
  CHECK(cached.kept().images == 2);
}

TEST_CASE("of a part of a larger image only the part takes memory") {
  std::atomic<int> count{0};
  const CachedDataset cached(std::make_unique<CountingDataset>(count), 1000);
  const auto image = cached.image(cached.samples().front());
  CHECK(image.size() == cv::Size(4, 5));
  CHECK(image.isContinuous());
  CHECK_FALSE(image.isSubmatrix());
}

TEST_CASE("many threads that want the same images get the same pixels, and count each once") {
  std::atomic<int> count{0};
  const CachedDataset cached(std::make_unique<CountingDataset>(count), 60 * 10);
  const auto samples = cached.samples();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        for (int i = 0; i < 19; ++i) {
          const auto image = cached.image(samples[static_cast<std::size_t>(i)]);
          wrong += image.at<cv::Vec3b>(2, 2) == cv::Vec3b::all(static_cast<std::uint8_t>(i)) ? 0 : 1;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(cached.kept().images == 10);
  CHECK(cached.kept().bytes == 600);
}
