#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <map>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "appearance.h"
#include "camera.h"
#include "canvas.h"
#include "figure.h"
#include "kindred/core/error.h"
#include "kindred/core/value.h"
#include "optics.h"
#include "synthetic_dataset.h"

namespace kindred::synthetic {
namespace {

SyntheticDataset::Params small() {
  SyntheticDataset::Params p;
  p.train_identities = 12;
  p.test_identities = 10;
  p.distractors = 8;
  return p;
}

bool same_bytes(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && a.isContinuous() && b.isContinuous() &&
         std::memcmp(a.data, b.data, a.total() * a.elemSize()) == 0;
}

/// The rule that tells the two domains apart, as whoever splits a test set computes it.
int sum_of_means(const cv::Mat& image) {
  const cv::Scalar mean = cv::mean(image);
  return static_cast<int>(mean[0]) + static_cast<int>(mean[1]) + static_cast<int>(mean[2]);
}

double coarse_distance(const cv::Mat& a, const cv::Mat& b) {
  cv::Mat x;
  cv::Mat y;
  cv::resize(a, x, {8, 16}, 0, 0, cv::INTER_AREA);
  cv::resize(b, y, {8, 16}, 0, 0, cv::INTER_AREA);
  return cv::norm(x, y, cv::NORM_L1) / static_cast<double>(x.total() * 3);
}

Diagnostics problems(std::initializer_list<std::pair<const char*, Value::Data>> values) {
  Table table;
  for (const auto& [key, value] : values) table.set(key, Value(value));
  Diagnostics diagnostics;
  (void)SyntheticDataset::schema().parse(Value(table), "dataset 'synthetic'", diagnostics);
  return diagnostics;
}

std::string first_problem(std::initializer_list<std::pair<const char*, Value::Data>> values) {
  const auto found = problems(values);
  return found.empty() ? "" : found.all().front().message;
}

TEST_CASE("the same parameters draw the same bytes") {
  const SyntheticDataset first(small(), {});
  const SyntheticDataset second(small(), {});
  const auto samples = first.samples();
  const auto again = second.samples();
  REQUIRE(samples.size() == again.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    REQUIRE(samples[i].path == again[i].path);
    CHECK(samples[i].identity == again[i].identity);
    CHECK(samples[i].domain == again[i].domain);
    CHECK(same_bytes(first.image(samples[i]), second.image(again[i])));
  }
}

TEST_CASE("an image does not depend on what was drawn before it") {
  const SyntheticDataset dataset(small(), {});
  const auto samples = dataset.samples();
  const cv::Mat alone = dataset.image(samples.back());
  for (const auto& sample : samples) (void)dataset.image(sample);
  CHECK(same_bytes(alone, dataset.image(samples.back())));
}

TEST_CASE("another seed is another data set") {
  auto params = small();
  const SyntheticDataset first(params, {});
  params.seed = 2;
  const SyntheticDataset second(params, {});
  const auto samples = first.samples();
  std::set<std::string> paths;
  for (const auto& sample : second.samples()) paths.insert(sample.path);
  int compared = 0;
  for (const auto& sample : samples) {
    if (!paths.contains(sample.path)) continue;
    ++compared;
    CHECK(coarse_distance(first.image(sample), second.image(sample)) > 2.0);
  }
  CHECK(compared > 20);
}

TEST_CASE("the default data set keeps its look") {
  // Pinned loosely: resizing may differ by a step of brightness from one OpenCV to the next.
  const SyntheticDataset dataset({}, {});
  const auto samples = dataset.samples();
  cv::Scalar mean;
  for (std::size_t i = 0; i < 64; ++i) mean += cv::mean(dataset.image(samples[i * 7]));
  mean *= 1.0 / 64;
  CHECK(mean[0] == doctest::Approx(74.5).epsilon(0.02));
  CHECK(mean[1] == doctest::Approx(71.3).epsilon(0.02));
  CHECK(mean[2] == doctest::Approx(70.7).epsilon(0.02));
}

TEST_CASE("random numbers are drawn in the order in which they are written, with every compiler") {
  // The ends of a scene whose things lie elsewhere, in another size, where a call draws from its last
  // argument to its first.
  const cv::Mat scene = make_camera(1, 1, 128, 0.6).scene;
  const int quarter = scene.cols / 4;
  CHECK(cv::mean(scene.colRange(0, quarter))[0] == doctest::Approx(108.1).epsilon(0.01));
  CHECK(cv::mean(scene.colRange(3 * quarter, 4 * quarter))[1] == doctest::Approx(128.7).epsilon(0.01));
}

TEST_CASE("splits, identities and cameras are as the parameters say") {
  SyntheticDataset::Params params;
  params.train_identities = 30;
  params.test_identities = 20;
  params.min_images = 5;
  params.max_images = 9;
  params.cameras = 5;
  params.cameras_per_identity = 3;
  params.distractors = 17;
  const SyntheticDataset dataset(params, {});

  std::map<std::int64_t, int> images;
  std::map<std::int64_t, std::set<std::int64_t>> cameras;
  std::set<std::int64_t> train;
  std::set<std::int64_t> test;
  std::set<std::int64_t> used_cameras;
  std::set<std::string> paths;
  int distractors = 0;
  auto previous = Split::train;
  for (const auto& sample : dataset.samples()) {
    CHECK(sample.split >= previous);
    previous = sample.split;
    CHECK(paths.insert(sample.path).second);
    CHECK(sample.camera >= 1);
    CHECK(sample.camera <= 5);
    used_cameras.insert(sample.camera);
    if (sample.identity == 0) {
      CHECK(sample.split == Split::gallery);
      ++distractors;
      continue;
    }
    ++images[sample.identity];
    cameras[sample.identity].insert(sample.camera);
    (sample.split == Split::train ? train : test).insert(sample.identity);
  }
  CHECK(distractors == 17);
  CHECK(train.size() == 30);
  CHECK(*train.begin() == 1);
  CHECK(*train.rbegin() == 30);
  CHECK(test.size() == 20);
  CHECK(*test.begin() == 31);
  CHECK(*test.rbegin() == 50);
  CHECK(used_cameras.size() == 5);
  std::set<int> counts;
  for (const auto& [identity, count] : images) {
    CHECK(count >= 5);
    CHECK(count <= 9);
    counts.insert(count);
    CHECK(cameras[identity].size() >= 2);
    CHECK(cameras[identity].size() <= 3);
  }
  CHECK(counts.size() == 5);
}

TEST_CASE("paths read as Market-1501's names") {
  const SyntheticDataset dataset(small(), {});
  for (const auto& sample : dataset.samples()) {
    char split[16];
    long long identity = 0;
    long long camera = 0;
    long long number = 0;
    REQUIRE(std::sscanf(sample.path.c_str(), "%15[a-z]/%lld_c%lld_%lld.png", split, &identity, &camera,
                        &number) == 4);
    CHECK(split == std::string(split_name(sample.split)));
    CHECK(identity == sample.identity);
    CHECK(camera == sample.camera);
    CHECK(number >= 1);
  }
}

TEST_CASE("every query has a match by another camera, and one query by each camera of its identity") {
  for (const std::int64_t most_cameras : {2, 3, 6}) {
    CAPTURE(most_cameras);
    auto params = small();
    params.test_identities = 40;
    params.min_images = 4;
    params.max_images = 9;
    params.cameras_per_identity = most_cameras;
    const SyntheticDataset dataset(params, {});
    const auto samples = dataset.samples();
    std::set<std::pair<std::int64_t, std::int64_t>> asked;
    for (const auto& query : samples) {
      if (query.split != Split::query) continue;
      CHECK(asked.insert({query.identity, query.camera}).second);
      CHECK(std::any_of(samples.begin(), samples.end(), [&query](const Sample& other) {
        return other.split == Split::gallery && other.identity == query.identity &&
               other.camera != query.camera;
      }));
    }
    for (const auto& sample : samples) {
      if (sample.split == Split::gallery && sample.identity > 0) {
        CHECK(asked.contains({sample.identity, sample.camera}));
      }
    }
  }
}

TEST_CASE("a violet image is above 300 and every other is not, at any difficulty") {
  for (const double difficulty : {0.0, 0.5, 1.0}) {
    CAPTURE(difficulty);
    SyntheticDataset::Params params;
    params.train_identities = 20;
    params.test_identities = 30;
    params.violet_share = 0.5;
    params.difficulty = difficulty;
    const SyntheticDataset dataset(params, {});
    int violet = 0;
    for (const auto& sample : dataset.samples()) {
      const int sum = sum_of_means(dataset.image(sample));
      if (sample.domain == "violet") {
        ++violet;
        CHECK(sample.split != Split::train);
        CHECK(sum > 300);
      } else {
        CHECK(sample.domain == "origin");
        CHECK(sum <= 300);
      }
    }
    CHECK(violet > 150);
  }
}

TEST_CASE("violet images are violet: less green than red and blue") {
  auto params = small();
  params.violet_share = 1;
  const SyntheticDataset dataset(params, {});
  cv::Scalar mean;
  for (const auto& sample : dataset.samples()) {
    if (sample.split != Split::train) mean += cv::mean(dataset.image(sample));
  }
  CHECK(mean[1] < 0.92 * mean[0]);
  CHECK(mean[1] < 0.85 * mean[2]);
}

TEST_CASE("the violet share counts identities and distractors exactly") {
  struct Case {
    double share;
    std::size_t people;
    int strangers;
  };
  for (const auto& expected : {Case{0.0, 0, 0}, Case{0.25, 10, 5}, Case{1.0, 40, 20}}) {
    CAPTURE(expected.share);
    auto params = small();
    params.test_identities = 40;
    params.distractors = 20;
    params.violet_share = expected.share;
    std::set<std::int64_t> violet;
    std::set<std::int64_t> origin;
    int violet_strangers = 0;
    for (const auto& sample : SyntheticDataset(params, {}).samples()) {
      if (sample.split == Split::train) continue;
      if (sample.identity == 0) {
        violet_strangers += sample.domain == "violet" ? 1 : 0;
      } else {
        (sample.domain == "violet" ? violet : origin).insert(sample.identity);
      }
    }
    CHECK(violet.size() == expected.people);
    CHECK(violet.size() + origin.size() == 40);
    CHECK(violet_strangers == expected.strangers);
  }
}

TEST_CASE("any picture is brought to its domain's side, and left alone when it is there") {
  cv::Mat noisy(16, 8, CV_8UC3);
  RandomStream random(3);
  for (auto& byte : cv::Mat_<std::uint8_t>(noisy.reshape(1))) {
    byte = static_cast<std::uint8_t>(random.integer(0, 255));
  }
  const std::vector<cv::Mat> pictures{
      cv::Mat(16, 8, CV_8UC3, cv::Scalar(0, 0, 0)),       cv::Mat(16, 8, CV_8UC3, cv::Scalar(255, 255, 255)),
      cv::Mat(16, 8, CV_8UC3, cv::Scalar(100, 100, 101)), cv::Mat(16, 8, CV_8UC3, cv::Scalar(255, 0, 45)),
      cv::Mat(16, 8, CV_8UC3, cv::Scalar(100, 100, 100)), noisy};
  for (const auto& picture : pictures) {
    cv::Mat origin = picture.clone();
    synthetic::hold_domain(origin, synthetic::Domain::origin);
    CHECK(sum_of_means(origin) <= 300);
    cv::Mat violet = picture.clone();
    synthetic::hold_domain(violet, synthetic::Domain::violet);
    CHECK(sum_of_means(violet) > 300);
  }
  cv::Mat dark(16, 8, CV_8UC3, cv::Scalar(90, 80, 70));
  cv::Mat bright(16, 8, CV_8UC3, cv::Scalar(150, 120, 160));
  const cv::Mat dark_before = dark.clone();
  const cv::Mat bright_before = bright.clone();
  synthetic::hold_domain(dark, synthetic::Domain::origin);
  synthetic::hold_domain(bright, synthetic::Domain::violet);
  CHECK(same_bytes(dark, dark_before));
  CHECK(same_bytes(bright, bright_before));
}

TEST_CASE("four threads draw what one thread draws") {
  const SyntheticDataset dataset(small(), {});
  const auto samples = dataset.samples();
  std::vector<cv::Mat> alone;
  for (const auto& sample : samples) alone.push_back(dataset.image(sample));
  std::array<std::vector<cv::Mat>, 4> together;
  std::vector<std::thread> threads;
  for (auto& images : together) {
    threads.emplace_back([&dataset, &samples, &images] {
      for (const auto& sample : samples) images.push_back(dataset.image(sample));
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& images : together) {
    REQUIRE(images.size() == alone.size());
    for (std::size_t i = 0; i < images.size(); ++i) CHECK(same_bytes(images[i], alone[i]));
  }
}

TEST_CASE("images have the asked size, 8 bits and three channels") {
  for (const auto& [height, width] : {std::pair{32, 16}, std::pair{128, 64}, std::pair{384, 128},
                                      std::pair{37, 53}, std::pair{40, 400}, std::pair{1024, 512}}) {
    auto params = small();
    params.height = height;
    params.width = width;
    params.violet_share = 1;
    const SyntheticDataset dataset(params, {});
    const auto samples = dataset.samples();
    for (const auto& sample : {samples.front(), samples.back()}) {
      const cv::Mat image = dataset.image(sample);
      CHECK(image.rows == height);
      CHECK(image.cols == width);
      CHECK(image.type() == CV_8UC3);
      CHECK((sum_of_means(image) > 300) == (sample.domain == "violet"));
    }
  }
}

TEST_CASE("people differ more than one person does under one camera") {
  for (const double difficulty : {0.0, 0.5}) {
    CAPTURE(difficulty);
    SyntheticDataset::Params params;
    params.train_identities = 60;
    params.test_identities = 1;
    params.difficulty = difficulty;
    const SyntheticDataset dataset(params, {});
    std::map<std::int64_t, std::vector<std::pair<std::int64_t, cv::Mat>>> by_camera;
    for (const auto& sample : dataset.samples()) {
      if (sample.split != Split::train) continue;
      by_camera[sample.camera].emplace_back(sample.identity, dataset.image(sample));
    }
    double same = 0;
    double other = 0;
    int same_pairs = 0;
    int other_pairs = 0;
    for (const auto& [camera, images] : by_camera) {
      for (std::size_t i = 0; i < images.size(); ++i) {
        for (std::size_t j = i + 1; j < std::min(images.size(), i + 12); ++j) {
          const double distance = coarse_distance(images[i].second, images[j].second);
          const bool match = images[i].first == images[j].first;
          (match ? same : other) += distance;
          ++(match ? same_pairs : other_pairs);
        }
      }
    }
    REQUIRE(same_pairs > 100);
    REQUIRE(other_pairs > 100);
    CHECK(other / other_pairs > 1.08 * same / same_pairs);
  }
}

TEST_CASE("lookalikes share what their family wears, others do not") {
  const auto alike = [](double likeness) {
    int shared = 0;
    for (std::uint64_t family = 0; family < 100; ++family) {
      const auto a = synthetic::draw_appearance(1, family, 2 * family, likeness);
      const auto b = synthetic::draw_appearance(1, family, 2 * family + 1, likeness);
      shared += a.upper == b.upper && a.lower == b.lower ? 1 : 0;
    }
    return shared;
  };
  CHECK(alike(1) > 3 * alike(0));
  CHECK(alike(0) > 0);
}

TEST_CASE("lookalikes can be told apart by a thing that shows") {
  const auto far = [](const synthetic::Color& a, const synthetic::Color& b) {
    return std::max({std::abs(a.r - b.r), std::abs(a.g - b.g), std::abs(a.b - b.b)}) > 24;
  };
  int confusable = 0;
  int pairs = 0;
  for (std::uint64_t family = 0; family < 200; ++family) {
    for (std::uint64_t i = 0; i < 4; ++i) {
      for (std::uint64_t j = 0; j < i; ++j) {
        const auto a = synthetic::draw_appearance(1, family, 4 * family + i, 1);
        const auto b = synthetic::draw_appearance(1, family, 4 * family + j, 1);
        const bool differ = a.hair != b.hair || a.pattern != b.pattern || a.bag != b.bag ||
                            a.upper != b.upper || a.lower != b.lower || far(a.upper_color, b.upper_color) ||
                            far(a.lower_color, b.lower_color);
        confusable += differ ? 0 : 1;
        ++pairs;
      }
    }
  }
  CHECK(confusable * 200 < pairs);
}

int count_red(float yaw, const synthetic::Appearance& who) {
  cv::Mat raster(256, 128, CV_8UC3, cv::Scalar(255, 255, 255));
  synthetic::Canvas canvas(raster);
  synthetic::Pose pose;
  pose.yaw = yaw;
  pose.stride = 0;
  synthetic::draw_figure(canvas, who, pose, {}, {});
  int red = 0;
  for (const auto& pixel : cv::Mat_<cv::Vec3b>(raster)) {
    red += pixel[0] > 120 && pixel[1] < 40 && pixel[2] < 40 ? 1 : 0;
  }
  return red;
}

TEST_CASE("a logo shows in front, a back print and a backpack behind") {
  constexpr float behind = 3.14159265F;
  synthetic::Appearance who;
  who.skin = who.hair_color = {90, 90, 90};
  who.upper_color = who.lower_color = who.inner = {60, 60, 60};
  who.accent = {220, 20, 20};
  who.pattern = synthetic::Pattern::chest_logo;
  CHECK(count_red(0, who) > 100);
  CHECK(count_red(behind, who) == 0);
  who.pattern = synthetic::Pattern::back_print;
  CHECK(count_red(0, who) == 0);
  CHECK(count_red(behind, who) > 100);
  who.pattern = synthetic::Pattern::plain;
  who.bag = synthetic::Bag::backpack;
  who.bag_color = {220, 20, 20};
  CHECK(count_red(behind, who) > 3 * count_red(0, who));
  CHECK(count_red(0, who) > 0);
}

TEST_CASE("a person who stands outside the picture leaves it as it is") {
  for (const auto& [x, y] :
       {std::pair{-3.0F, 0.9F}, std::pair{4.0F, 0.9F}, std::pair{0.25F, -2.0F}, std::pair{0.25F, 5.0F}}) {
    cv::Mat raster(64, 32, CV_8UC3, cv::Scalar(7, 8, 9));
    const cv::Mat before = raster.clone();
    synthetic::Canvas canvas(raster);
    synthetic::draw_figure(canvas, synthetic::draw_appearance(1, 1, 1, 0), {}, {x, y, 0.9F, 0.1F}, {});
    CHECK(same_bytes(raster, before));
  }
}

TEST_CASE("a sample is known by its path, whatever has been said of it since") {
  const SyntheticDataset dataset(small(), {});
  auto sample = dataset.samples().back();
  const cv::Mat before = dataset.image(sample);
  sample.identity = 40'000;
  sample.split = Split::train;
  CHECK(same_bytes(before, dataset.image(sample)));
}

TEST_CASE("a path that is not of this data set is refused by name") {
  const SyntheticDataset dataset(small(), {});
  Sample sample;
  sample.path = "train/9999_c1_0001.png";
  CHECK_THROWS_WITH_AS((void)dataset.image(sample), doctest::Contains("train/9999_c1_0001.png"), DataError);
  CHECK_THROWS_WITH_AS((void)dataset.image(sample), doctest::Contains("train/0001_c"), DataError);
}

TEST_CASE("the default parameters are allowed") {
  CHECK(first_problem({}) == "");
}

TEST_CASE("parameters outside their bounds are refused by name") {
  CHECK(first_problem({{"cameras", std::int64_t{1}}}).find("cameras") != std::string::npos);
  CHECK(first_problem({{"min_images", std::int64_t{3}}}).find("min_images") != std::string::npos);
  CHECK(first_problem({{"violet_share", 1.5}}).find("violet_share") != std::string::npos);
  CHECK(first_problem({{"difficulty", -0.1}}).find("difficulty") != std::string::npos);
  CHECK(first_problem({{"height", std::int64_t{8}}}).find("height") != std::string::npos);
  CHECK(first_problem({{"seed", std::int64_t{-1}}}).find("seed") != std::string::npos);
  CHECK(first_problem({{"train_identities", std::int64_t{0}}}).find("train_identities") != std::string::npos);
}

TEST_CASE("parameters that contradict each other are refused") {
  const auto images = first_problem({{"min_images", std::int64_t{20}}, {"max_images", std::int64_t{10}}});
  CHECK(images.find("min_images = 20 is above max_images = 10") != std::string::npos);
  const auto cameras =
      first_problem({{"cameras", std::int64_t{3}}, {"cameras_per_identity", std::int64_t{4}}});
  CHECK(cameras.find("cameras_per_identity = 4 is above cameras = 3") != std::string::npos);

  auto params = small();
  params.cameras_per_identity = 9;
  CHECK_THROWS_AS(SyntheticDataset(params, {}), ComponentError);
}

}  // namespace
}  // namespace kindred::synthetic

namespace kindred::synthetic {
namespace {

SyntheticDataset::Params walks() {
  auto params = small();
  params.frames = 5;
  return params;
}

}  // namespace

TEST_CASE("with frames each image becomes a tracklet that begins with it") {
  const SyntheticDataset images(small(), {});
  const SyntheticDataset tracklets(walks(), {});
  const auto single = images.samples();
  const auto frames = tracklets.samples();
  REQUIRE(frames.size() == 5 * single.size());
  for (std::size_t i = 0; i < single.size(); i += 11) {
    const auto& image = single[i];
    const auto& frame = frames[5 * i];
    CHECK(image.tracklet.empty());
    CHECK(frame.tracklet == image.path.substr(image.path.find('/') + 1, frame.tracklet.size()));
    CHECK(frame.path == split_name(frame.split) + ("/" + frame.tracklet) + "_001.png");
    CHECK(frames[5 * i + 4].tracklet == frame.tracklet);
    CHECK(frames[5 * i + 4].identity == image.identity);
    CHECK(frames[5 * i + 4].camera == image.camera);
    CHECK(frames[5 * i + 4].domain == image.domain);
    CHECK(same_bytes(tracklets.image(frame), images.image(image)));
    CHECK_FALSE(same_bytes(tracklets.image(frames[5 * i + 1]), tracklets.image(frame)));
  }
}

TEST_CASE("frames of a tracklet resemble each other more than other images of the person by the camera") {
  const SyntheticDataset dataset(walks(), {});
  const auto samples = dataset.samples();
  double within = 0;
  double between = 0;
  int pairs = 0;
  for (std::size_t i = 0; i + 5 < samples.size(); i += 5) {
    const auto& next = samples[i + 5];
    if (next.identity == 0 || next.identity != samples[i].identity || next.camera != samples[i].camera)
      continue;
    const auto first = dataset.image(samples[i]);
    within += coarse_distance(first, dataset.image(samples[i + 3]));
    between += coarse_distance(first, dataset.image(next));
    ++pairs;
  }
  REQUIRE(pairs > 10);
  CHECK(within < 0.9 * between);
}

}  // namespace kindred::synthetic
