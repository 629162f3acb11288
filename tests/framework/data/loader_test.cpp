#include "data/loader.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <memory>
#include <mutex>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kindred/core/error.h"

// Sanitizers keep freed memory for a while.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KINDRED_TEST_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KINDRED_TEST_SANITIZED true
#endif
#endif
#ifndef KINDRED_TEST_SANITIZED
#define KINDRED_TEST_SANITIZED false
#endif

using namespace kindred;
using namespace kindred::data;

namespace {

using Batches = std::vector<std::vector<std::size_t>>;

/// Images in memory whose every pixel is (index, 2 index, 3 index) modulo 256.
class FakeDataset : public Dataset {
 public:
  explicit FakeDataset(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      Sample sample;
      sample.path = "image" + std::to_string(i) + ".png";
      sample.identity = static_cast<std::int64_t>(i);
      list.push_back(sample);
    }
  }
  [[nodiscard]] std::vector<Sample> samples() const override { return list; }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override {
    const auto index = sample.identity;
    ++decoded;
    // Later images of a group of four are quicker than earlier ones: workers finish out of order.
    if (uneven) std::this_thread::sleep_for(std::chrono::microseconds(200 * (3 - index % 4)));
    if (bad.count(index) > 0) throw DataError(sample.path, "is truncated");
    if (broken.count(index) > 0) throw std::runtime_error("broken " + sample.path);
    const cv::Size size = odd.count(index) > 0 ? cv::Size(6, 9) : cv::Size(4, 8);
    const auto value = [&](std::int64_t k) { return static_cast<double>(k * index % 256); };
    return {size, CV_8UC3, cv::Scalar(value(1), value(2), value(3))};
  }

  std::vector<Sample> list;
  std::set<std::int64_t> bad, broken, odd;
  bool uneven = false;
  mutable std::atomic<std::int64_t> decoded{0};
};

/// Adds a random number to the first pixel's red, green and blue.
class Noise : public Augmentation {
 public:
  void apply(cv::Mat& image, RandomStream& random) override {
    for (int c = 0; c < 3; ++c) {
      image.at<cv::Vec3b>(0, 0)[c] = static_cast<std::uint8_t>(random.integer(0, 255));
    }
  }
};

/// Replaces the second pixel by the sum of all images of the pass so far; notes who came when.
class RunningSum : public Augmentation {
 public:
  void apply(cv::Mat& image, RandomStream& random) override {
    if (inside.exchange(true)) overlapped = true;
    const auto pixel = image.at<cv::Vec3b>(1, 1);
    order.push_back(pixel[0]);
    sum += pixel[0] + random.integer(0, 3);
    if (fail_at == static_cast<std::int64_t>(order.size())) {
      inside = false;
      throw std::runtime_error("the sum is full");
    }
    image.at<cv::Vec3b>(0, 1) = cv::Vec3b(static_cast<std::uint8_t>(sum % 256), 0, 0);
    inside = false;
  }
  [[nodiscard]] bool ordered() const override { return true; }
  void start_pass() override {
    sum = 0;
    order.clear();
    ++passes;
  }

  std::atomic<bool> inside{false};
  std::atomic<bool> overlapped{false};
  std::vector<int> order;
  std::int64_t sum = 0;
  std::int64_t fail_at = 0;
  int passes = 0;
};

class Halve : public Augmentation {
 public:
  void apply(cv::Mat& image, RandomStream&) override { image.convertTo(image, CV_32F, 0.5); }
  [[nodiscard]] bool at_test_time() const override { return true; }
};

template <class... T>
std::vector<std::unique_ptr<Augmentation>> chain(std::unique_ptr<T>... steps) {
  std::vector<std::unique_ptr<Augmentation>> all;
  (all.push_back(std::move(steps)), ...);
  return all;
}

Batches in_order(std::size_t count, std::size_t size) {
  Batches batches;
  for (std::size_t i = 0; i < count; i += size) {
    auto& batch = batches.emplace_back(std::min(size, count - i));
    std::iota(batch.begin(), batch.end(), i);
  }
  return batches;
}

std::vector<Batch> drain(Loader& loader) {
  std::vector<Batch> all;
  while (auto batch = loader.next()) all.push_back(std::move(*batch));
  return all;
}

bool same(const std::vector<Batch>& a, const std::vector<Batch>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].samples != b[i].samples || a[i].index != b[i].index || !torch::equal(a[i].images, b[i].images)) {
      return false;
    }
  }
  return true;
}

template <class Exception>
std::string message_of(Loader& loader) {
  try {
    while (loader.next()) {
    }
  } catch (const Exception& error) {
    return error.what();
  }
  return "(nothing was thrown)";
}

LoaderOptions options(std::int64_t workers, std::int64_t prefetch = 4) {
  LoaderOptions o;
  o.workers = workers;
  o.prefetch = prefetch;
  return o;
}

}  // namespace

TEST_CASE("batches come in order with their samples and pixels, whoever decodes them") {
  FakeDataset data(43);
  data.uneven = true;
  const auto none = chain();
  for (const int workers : {1, 2, 5}) {
    Loader loader(data, data.list, none, options(workers), true);
    loader.start(in_order(43, 4), 1);
    const auto batches = drain(loader);
    REQUIRE(batches.size() == 11);
    CHECK(batches.back().samples == std::vector<std::size_t>{40, 41, 42});
    for (std::size_t b = 0; b < batches.size(); ++b) {
      const auto& batch = batches[b];
      CHECK(batch.index == b);
      REQUIRE(batch.images.sizes() ==
              torch::IntArrayRef({static_cast<std::int64_t>(batch.samples.size()), 3, 8, 4}));
      CHECK(batch.images.is_contiguous());
      for (std::size_t i = 0; i < batch.samples.size(); ++i) {
        for (int c = 0; c < 3; ++c) {
          const float expected =
              static_cast<float>(static_cast<std::size_t>(c + 1) * batch.samples[i] % 256) / 255.0F;
          CHECK((batch.images[static_cast<std::int64_t>(i)][c] == expected).all().item<bool>());
        }
      }
    }
  }
}

TEST_CASE("pixels keep their places, also those of an image with gaps between its rows") {
  struct Ramp : FakeDataset {
    Ramp() : FakeDataset(2) {}
    [[nodiscard]] cv::Mat image(const Sample& sample) const override {
      cv::Mat wide(5, 11, CV_8UC3);
      for (int y = 0; y < 5; ++y) {
        for (int x = 0; x < 11; ++x) wide.at<cv::Vec3b>(y, x) = cv::Vec3b(10 * y + x, 100 + 10 * y + x, 255);
      }
      cv::Mat part = wide(cv::Rect(2, 1, 7, 3));
      if (sample.identity == 1) part.convertTo(part, CV_32F, 1.0 / 255);
      return part;
    }
  } data;
  const auto none = chain();
  Loader loader(data, data.list, none, options(2), true);
  loader.start({{0, 1}}, 1);
  const auto images = loader.next()->images;
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 7; ++x) {
      const float red = static_cast<float>(10 * (y + 1) + x + 2);
      for (int i = 0; i < 2; ++i) {
        CHECK(images[i][0][y][x].item<float>() == doctest::Approx(red / 255));
        CHECK(images[i][1][y][x].item<float>() == doctest::Approx((100 + red) / 255));
        CHECK(images[i][2][y][x].item<float>() == 1.0F);
      }
    }
  }
}

TEST_CASE("random augmentation depends on seed, epoch and position, not on the number of workers") {
  FakeDataset data(30);
  data.uneven = true;
  const auto steps = chain(std::make_unique<Noise>());
  const auto pass = [&](std::int64_t workers, std::int64_t epoch, std::uint64_t seed, std::size_t first = 0) {
    auto o = options(workers);
    o.seed = seed;
    Loader loader(data, data.list, steps, o, true);
    loader.start(in_order(30, 7), epoch, first);
    return drain(loader);
  };
  const auto one = pass(1, 1, 1);
  CHECK(same(one, pass(2, 1, 1)));
  CHECK(same(one, pass(6, 1, 1)));
  CHECK_FALSE(same(one, pass(2, 2, 1)));
  CHECK_FALSE(same(one, pass(2, 1, 2)));
  // Two images of a pass draw different numbers.
  CHECK_FALSE(torch::equal(one[0].images[0].select(1, 0), one[0].images[1].select(1, 0)));

  SUBCASE("a pass that starts in the middle goes on as the whole one does, and decodes nothing else") {
    data.decoded = 0;
    auto resumed = pass(2, 1, 1, 2);
    CHECK(data.decoded == 16);
    CHECK(resumed.front().index == 2);
    CHECK(same(resumed, std::vector<Batch>(one.begin() + 2, one.end())));
    CHECK(pass(2, 1, 1, 5).empty());
  }
}

TEST_CASE("an ordered augmentation sees one image at a time, in the order of the pass") {
  FakeDataset data(40);
  data.uneven = true;
  const auto pass = [&](std::int64_t workers, std::size_t first = 0) {
    const auto steps = chain(std::make_unique<RunningSum>(), std::make_unique<Noise>(),
                             std::make_unique<RunningSum>(), std::make_unique<Halve>());
    Loader loader(data, data.list, steps, options(workers, 3), true);
    loader.start(in_order(40, 4), 1, first);
    auto batches = drain(loader);
    std::vector<int> expected(40);
    std::iota(expected.begin(), expected.end(), 0);
    for (const std::size_t i : {0U, 2U}) {
      const auto& sum = dynamic_cast<const RunningSum&>(*steps[i]);
      CHECK(sum.order == expected);
      CHECK_FALSE(sum.overlapped);
      CHECK(sum.passes == 1);
    }
    return batches;
  };
  const auto one = pass(1);
  CHECK(same(one, pass(2)));
  CHECK(same(one, pass(7)));
  const auto resumed = pass(3, 6);
  CHECK(same(resumed, std::vector<Batch>(one.begin() + 6, one.end())));
}

TEST_CASE("a second pass of a loader equals a first one of a new loader, also after an abandoned pass") {
  FakeDataset data(24);
  const auto steps = chain(std::make_unique<RunningSum>());
  Loader loader(data, data.list, steps, options(3), true);
  loader.start(in_order(24, 4), 1);
  (void)loader.next();
  loader.start(in_order(24, 4), 2);
  const auto second = drain(loader);
  const auto fresh_steps = chain(std::make_unique<RunningSum>());
  Loader fresh(data, data.list, fresh_steps, options(1), true);
  fresh.start(in_order(24, 4), 2);
  CHECK(same(second, drain(fresh)));
}

TEST_CASE("at test time only preprocessing is applied") {
  FakeDataset data(3);
  const auto steps =
      chain(std::make_unique<Noise>(), std::make_unique<Halve>(), std::make_unique<RunningSum>());
  Loader loader(data, data.list, steps, options(2), false);
  loader.start({{2}}, 1);
  const auto batch = loader.next();
  REQUIRE(batch);
  // Halve makes floats, which are taken as they are.
  CHECK((batch->images.select(1, 0) == 1.0F).all().item<bool>());
  CHECK((batch->images.select(1, 2) == 3.0F).all().item<bool>());
}

TEST_CASE("a bad image surfaces in its batch, after those before it, and the first in order is named") {
  FakeDataset data(40);
  data.uneven = true;
  data.bad = {14, 18};
  data.broken = {17};
  for (const int workers : {1, 4}) {
    const auto steps = chain(std::make_unique<RunningSum>());
    Loader loader(data, data.list, steps, options(workers, 8), true);
    loader.start(in_order(40, 4), 1);
    for (std::size_t b = 0; b < 3; ++b) CHECK(loader.next()->index == b);
    CHECK(message_of<DataError>(loader) == "image14.png: error: is truncated");
    CHECK_FALSE(loader.next());

    loader.start({{18, 0}, {17}}, 2);
    CHECK(message_of<DataError>(loader) == "image18.png: error: is truncated");
    loader.start({{0, 1}, {17, 14}}, 3);
    CHECK(message_of<std::runtime_error>(loader) == "broken image17.png");
    loader.start({{0, 1}}, 4);
    CHECK(drain(loader).size() == 1);
    CHECK(loader.skipped() == 0);
  }
}

TEST_CASE("bad images are skipped and counted when asked for, in the same way for any number of workers") {
  FakeDataset data(40);
  data.uneven = true;
  data.bad = {1, 2, 7, 12, 13, 14, 15};
  std::vector<Batch> one;
  for (const int workers : {1, 5}) {
    const auto steps = chain(std::make_unique<Noise>(), std::make_unique<RunningSum>());
    auto o = options(workers);
    o.skip_bad_images = true;
    Loader loader(data, data.list, steps, o, true);
    loader.start(in_order(40, 4), 1);
    const auto batches = drain(loader);
    REQUIRE(batches.size() == 9);
    CHECK(batches[0].samples == std::vector<std::size_t>{0, 3});
    CHECK(batches[0].images.size(0) == 2);
    CHECK(batches[0].images[1][0][5][2].item<float>() == 3.0F / 255.0F);
    CHECK(batches[0].images[1][2][5][2].item<float>() == 9.0F / 255.0F);
    CHECK(batches[1].samples == std::vector<std::size_t>{4, 5, 6});
    CHECK(batches[2].index == 2);
    CHECK(batches[3].index == 4);  // 12 to 15 are all bad
    CHECK(loader.skipped() == 7);
    REQUIRE(loader.skip_messages().size() == 7);
    CHECK(loader.skip_messages()[2] == "image7.png: error: is truncated");
    if (workers == 1) {
      one = batches;
    } else {
      CHECK(same(one, batches));
    }
    loader.start({{1, 2, 7, 12, 13}, {0}}, 2);
    CHECK(drain(loader).size() == 1);
    // The same images again are no further ones.
    CHECK(loader.skipped() == 7);
    CHECK(loader.skip_messages().size() == 7);
  }
}

TEST_CASE("only unreadable images are skipped, other errors are not") {
  FakeDataset data(8);
  data.broken = {3};
  auto o = options(2);
  o.skip_bad_images = true;
  const auto none = chain();
  Loader loader(data, data.list, none, o, true);
  loader.start(in_order(8, 4), 1);
  CHECK(message_of<std::runtime_error>(loader) == "broken image3.png");
}

TEST_CASE("an ordered augmentation that throws stops nobody for ever") {
  FakeDataset data(40);
  data.uneven = true;
  for (const int workers : {1, 6}) {
    const auto steps = chain(std::make_unique<RunningSum>(), std::make_unique<RunningSum>());
    dynamic_cast<RunningSum&>(*steps[0]).fail_at = 10;
    Loader loader(data, data.list, steps, options(workers), true);
    loader.start(in_order(40, 4), 1);
    CHECK(message_of<std::runtime_error>(loader) == "the sum is full");
    loader.start(in_order(9, 3), 2);
    CHECK(drain(loader).size() == 3);
  }
}

TEST_CASE("OpenCV's own errors name the image") {
  struct Crop : Augmentation {
    void apply(cv::Mat& image, RandomStream&) override { image = image(cv::Rect(0, 0, 100, 100)); }
  };
  FakeDataset data(4);
  const auto steps = chain(std::make_unique<Crop>());
  Loader loader(data, data.list, steps, options(2), true);
  loader.start({{2, 3}}, 1);
  const auto message = message_of<Error>(loader);
  CHECK(message.find("image2.png: error: OpenCV failed: ") == 0);
}

TEST_CASE("images of different sizes in a batch are refused with both names, whoever was first") {
  FakeDataset data(40);
  data.uneven = true;
  data.odd = {12, 14};
  const auto none = chain();
  for (const int workers : {1, 4}) {
    Loader loader(data, data.list, none, options(workers), true);
    loader.start(in_order(40, 4), 1);
    CHECK(
        message_of<DataError>(loader) ==
        "image13.png: error: is 8 x 4 pixels (height x width) after augmentation, but image12.png is "
        "9 x 6; all images of a batch must have the same size: add the augmentation 'resize' to the recipe");
    loader.start({{12, 14}, {0, 1}}, 2);
    CHECK(loader.next()->images.sizes() == torch::IntArrayRef({2, 3, 9, 6}));
    CHECK(loader.next()->images.sizes() == torch::IntArrayRef({2, 3, 8, 4}));
  }
}

TEST_CASE("an augmentation that breaks its promise on the image's type is named as our own mistake") {
  struct Gray : Augmentation {
    void apply(cv::Mat& image, RandomStream&) override { cv::extractChannel(image, image, 0); }
  };
  FakeDataset data(1);
  const auto steps = chain(std::make_unique<Gray>());
  Loader loader(data, data.list, steps, options(1), true);
  loader.start({{0}}, 1);
  CHECK(message_of<std::logic_error>(loader).find("image0.png") != std::string::npos);
}

TEST_CASE("a data set that keeps its images gets none of them changed") {
  struct Keeper : FakeDataset {
    Keeper() : FakeDataset(1), kept(8, 4, CV_8UC3, cv::Scalar(7, 7, 7)) {}
    [[nodiscard]] cv::Mat image(const Sample&) const override { return kept; }
    cv::Mat kept;
  } data;
  const auto steps = chain(std::make_unique<Noise>());
  Loader loader(data, data.list, steps, options(1), true);
  loader.start({{0, 0, 0}}, 1);
  const auto batch = loader.next();
  CHECK(cv::norm(data.kept, cv::Mat(8, 4, CV_8UC3, cv::Scalar(7, 7, 7)), cv::NORM_INF) == 0);
  CHECK_FALSE(torch::equal(batch->images[0], batch->images[1]));
}

TEST_CASE("workers go ahead by `prefetch` batches and no further") {
  FakeDataset data(200);
  const auto none = chain();
  Loader loader(data, data.list, none, options(3, 4), true);
  loader.start(in_order(200, 5), 1);
  for (std::int64_t taken = 0; taken < 10; ++taken) {
    const std::int64_t bound = (taken + 4) * 5;
    for (int i = 0; i < 20'000 && data.decoded < bound; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    CHECK(data.decoded == bound);
    REQUIRE(loader.next());
  }
}

TEST_CASE("a pass can be left at any point") {
  FakeDataset data(60);
  data.uneven = true;
  for (int taken = 0; taken < 12; ++taken) {
    const auto steps = chain(std::make_unique<RunningSum>(), std::make_unique<RunningSum>());
    Loader loader(data, data.list, steps, options(1 + taken % 5, 2), true);
    loader.start(in_order(60, 4), 1);
    for (int i = 0; i < taken; ++i) REQUIRE(loader.next());
    if (taken % 3 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  const auto none = chain();
  Loader never_started(data, data.list, none, options(2), true);
  CHECK_FALSE(never_started.next());
  never_started.start({}, 1);
  CHECK_FALSE(never_started.next());
}

TEST_CASE("a delivered batch outlives its loader") {
  FakeDataset data(4);
  const auto none = chain();
  Batch batch;
  {
    Loader loader(data, data.list, none, options(1), true);
    loader.start({{3}, {1}}, 1);
    batch = *loader.next();
  }
  CHECK(batch.images[0][0][0][0].item<float>() == 3.0F / 255.0F);
}

TEST_CASE("the memory of a batch is used again, but not while somebody looks at it") {
  FakeDataset data(64);
  const auto none = chain();
  Loader loader(data, data.list, none, options(2, 2), true);
  loader.start(in_order(63, 4), 1);
  std::vector<torch::Tensor> held;
  std::set<const void*> places;
  for (int b = 0; auto batch = loader.next(); ++b) {
    places.insert(batch->images.data_ptr());
    if (b % 4 == 0) held.push_back(batch->images.select(0, 1).select(0, 0));  // a view is enough
    for (std::size_t i = 0; i < held.size(); ++i) {
      CHECK((held[i] == static_cast<float>(16 * i + 1) / 255.0F).all().item<bool>());
    }
    for (std::size_t i = 0; i < batch->samples.size(); ++i) {
      const auto row = batch->images[static_cast<std::int64_t>(i)];
      CHECK((row[0] == static_cast<float>(batch->samples[i]) / 255.0F).all().item<bool>());
    }
  }
  CHECK(held.size() == 4);
  // 16 batches, of which four are held, and three at most are in the loader or just delivered.
  CHECK(places.size() <= 8);
}

TEST_CASE("the threads of a loader are kept over the epochs, and memory stays flat") {
  struct Large : FakeDataset {
    Large() : FakeDataset(64) {}
    [[nodiscard]] cv::Mat image(const Sample&) const override {
      {
        const std::lock_guard lock(mutex);
        threads.insert(std::this_thread::get_id());
      }
      return {128, 64, CV_8UC3, cv::Scalar(1, 2, 3)};
    }
    mutable std::mutex mutex;
    mutable std::set<std::thread::id> threads;
  } data;
  const auto resident = [] {
    std::ifstream file("/proc/self/statm");
    std::int64_t total = 0;
    std::int64_t pages = 0;
    file >> total >> pages;
    return pages * sysconf(_SC_PAGESIZE);
  };
  const auto none = chain();
  Loader loader(data, data.list, none, options(2, 3), true);
  const auto epochs = [&](int from, int to) {
    for (int epoch = from; epoch < to; ++epoch) {
      loader.start(in_order(64, 8), epoch);
      while (loader.next()) {
      }
    }
  };
  epochs(1, 20);
  const auto before = resident();
  epochs(20, 120);  // 6,400 images of 98 kB as floats: 630 MB
  if (!KINDRED_TEST_SANITIZED) CHECK(resident() - before < 16 << 20);
  CHECK(data.threads.size() <= 2);
}

TEST_CASE("what only a broken program asks for is refused") {
  FakeDataset data(4);
  const auto none = chain();
  CHECK_THROWS_AS(Loader(data, data.list, none, options(0), true), std::invalid_argument);
  CHECK_THROWS_AS(Loader(data, data.list, none, options(1, 0), true), std::invalid_argument);
  Loader loader(data, data.list, none, options(1), true);
  CHECK_THROWS_AS(loader.start({{4}}, 1), std::out_of_range);
  CHECK_THROWS_AS(loader.start({{0}, {}}, 1), std::invalid_argument);
  loader.start({{0}}, 1);
  CHECK(drain(loader).size() == 1);
}
