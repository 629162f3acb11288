#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <opencv2/core.hpp>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "auto_contrast.h"
#include "color_jitter.h"
#include "colors.h"
#include "gaussian_blur.h"
#include "kindred/core/error.h"
#include "random_grayscale.h"

using namespace kindred;
using namespace kindred::photometric;

namespace {

using Color = std::array<double, 3>;

cv::Mat noise(std::uint64_t seed, cv::Size size = {75, 40}) {
  RandomStream random(seed);
  cv::Mat image(size, CV_8UC3);
  std::for_each(image.data, image.data + 3 * image.total(),
                [&](std::uint8_t& value) { value = static_cast<std::uint8_t>(random()); });
  return image;
}

cv::Mat pixel(int red, int green, int blue) {
  return {1, 1, CV_8UC3, cv::Scalar(red, green, blue)};
}

cv::Vec3b only(const cv::Mat& image) {
  return image.at<cv::Vec3b>(0, 0);
}

bool equal(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) == 0;
}

Color color(const cv::Mat& image, int y, int x) {
  const auto p = image.at<cv::Vec3b>(y, x);
  return {static_cast<double>(p[0]), static_cast<double>(p[1]), static_cast<double>(p[2])};
}

double gray(const Color& c) {
  return 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2];
}

/// The largest difference of a result from what a formula says of each pixel of the original, clamped.
double difference(const cv::Mat& original, const cv::Mat& result,
                  const std::function<Color(const Color&)>& formula) {
  REQUIRE(result.type() == CV_8UC3);
  double largest = 0;
  for (int y = 0; y < original.rows; ++y) {
    for (int x = 0; x < original.cols; ++x) {
      const Color expected = formula(color(original, y, x));
      const Color got = color(result, y, x);
      for (std::size_t c = 0; c < 3; ++c) {
        largest = std::max(largest, std::abs(got[c] - std::clamp(expected[c], 0.0, 255.0)));
      }
    }
  }
  return largest;
}

constexpr double rounding = 0.5 + 1e-3;

/// As the textbook turns a color: through hue, saturation and value.
Color turned(const Color& c, double turn) {
  const double value = *std::max_element(c.begin(), c.end()) / 255;
  const double range = value - *std::min_element(c.begin(), c.end()) / 255;
  if (range == 0) return c;
  const double saturation = range / value;
  double hue = 0;
  if (c[0] / 255 == value) {
    hue = (c[1] - c[2]) / 255 / range;
  } else if (c[1] / 255 == value) {
    hue = 2 + (c[2] - c[0]) / 255 / range;
  } else {
    hue = 4 + (c[0] - c[1]) / 255 / range;
  }
  hue = hue / 6 + turn;
  hue -= std::floor(hue);
  const int sector = static_cast<int>(std::floor(hue * 6)) % 6;
  const double f = hue * 6 - std::floor(hue * 6);
  const double p = 255 * value * (1 - saturation);
  const double q = 255 * value * (1 - saturation * f);
  const double t = 255 * value * (1 - saturation * (1 - f));
  const double v = 255 * value;
  const std::array<Color, 6> colors = {Color{v, t, p}, Color{q, v, p}, Color{p, v, t},
                                       Color{p, q, v}, Color{t, p, v}, Color{v, p, q}};
  return colors[static_cast<std::size_t>(sector)];
}

template <class Component>
std::string parse_error(const std::vector<std::pair<std::string, Value>>& values) {
  Table table;
  for (const auto& [key, value] : values) table.set(key, value);
  Diagnostics diagnostics;
  (void)Component::schema().parse(Value(std::move(table)), "it", diagnostics);
  return diagnostics.empty() ? "" : diagnostics.all().front().message;
}

/// How many of 4000 images are changed with probability 0.25.
template <class Component>
int changed(typename Component::Params params) {
  params.prob = 0.25;
  Component component(params, {});
  RandomStream random(11);
  const cv::Mat image = noise(1, {9, 9}) / 2 + cv::Scalar::all(20);
  int count = 0;
  for (int i = 0; i < 4000; ++i) {
    cv::Mat copy = image.clone();
    component.apply(copy, random);
    count += equal(copy, image) ? 0 : 1;
  }
  return count;
}

template <class Component>
std::string message_for_floats() {
  RandomStream random(1);
  cv::Mat floats(4, 4, CV_32FC3, cv::Scalar::all(0.5));
  try {
    Component({}, {}).apply(floats, random);
  } catch (const ComponentError& error) {
    return error.what();
  }
  return "(nothing was thrown)";
}

}  // namespace

TEST_CASE("brightness scales every value") {
  for (const double factor : {0.0, 0.5, 1.0, 1.37, 3.0}) {
    const cv::Mat image = noise(1);
    cv::Mat result = image.clone();
    adjust_brightness(result, factor);
    CHECK(difference(image, result, [&](const Color& c) {
            return Color{factor * c[0], factor * c[1], factor * c[2]};
          }) <= rounding);
  }
  cv::Mat one = pixel(100, 200, 3);
  adjust_brightness(one, 1.5);
  CHECK(only(one)[0] == 150);
  CHECK(only(one)[1] == 255);
}

TEST_CASE("contrast scales differences to the mean gray of the image") {
  for (const double factor : {0.0, 0.5, 1.0, 1.37, 3.0}) {
    const cv::Mat image = noise(2);
    double mean = 0;
    for (int y = 0; y < image.rows; ++y) {
      for (int x = 0; x < image.cols; ++x) mean += gray(color(image, y, x));
    }
    mean /= static_cast<double>(image.total());
    cv::Mat result = image.clone();
    adjust_contrast(result, factor);
    CHECK(difference(image, result, [&](const Color& c) {
            Color d{};
            for (std::size_t i = 0; i < 3; ++i) d[i] = factor * c[i] + (1 - factor) * mean;
            return d;
          }) <= rounding);
  }
}

TEST_CASE("saturation scales differences to the pixel's own gray") {
  for (const double factor : {0.0, 0.5, 1.0, 1.37, 3.0}) {
    const cv::Mat image = noise(3);
    cv::Mat result = image.clone();
    adjust_saturation(result, factor);
    // The gray is a whole number.
    const double bound = rounding + 0.51 * std::abs(1 - factor);
    CHECK(difference(image, result, [&](const Color& c) {
            Color d{};
            for (std::size_t i = 0; i < 3; ++i) d[i] = factor * c[i] + (1 - factor) * gray(c);
            return d;
          }) <= bound);
  }
  cv::Mat one = pixel(200, 100, 50);  // gray 59.8 + 58.7 + 5.7 = 124.2
  adjust_saturation(one, 0.5);
  CHECK(only(one) == cv::Vec3b(162, 112, 87));
}

TEST_CASE("hue turns colors around the circle, through real numbers") {
  for (const double turn : {-0.5, -0.2, -0.013, 0.0, 0.1, 1.0 / 3, 0.5}) {
    CAPTURE(turn);
    const cv::Mat image = noise(4, {131, 40});  // more than one stretch of 64 pixels, and a remainder
    cv::Mat result = image.clone();
    adjust_hue(result, turn);
    CHECK(difference(image, result, [&](const Color& c) { return turned(c, turn); }) <= rounding);
    if (turn == 0) CHECK(equal(result, image));
  }
}

TEST_CASE("hue moves red to green to blue, and leaves grays and the space around a part alone") {
  cv::Mat one = pixel(255, 0, 0);
  adjust_hue(one, 1.0 / 3);
  CHECK(only(one) == cv::Vec3b(0, 255, 0));
  adjust_hue(one, 1.0 / 3);
  CHECK(only(one) == cv::Vec3b(0, 0, 255));
  adjust_hue(one, -1.0 / 6);
  CHECK(only(one) == cv::Vec3b(0, 255, 255));
  for (const int value : {0, 1, 128, 255}) {
    cv::Mat same = pixel(value, value, value);
    adjust_hue(same, 0.2);
    CHECK(only(same) == cv::Vec3b::all(static_cast<std::uint8_t>(value)));
  }
  cv::Mat whole(5, 80, CV_8UC3, cv::Scalar(200, 100, 0));
  cv::Mat part = whole(cv::Rect(2, 1, 70, 3));
  adjust_hue(part, 0.5);
  for (int y = 0; y < 5; ++y) {
    for (int x = 0; x < 80; ++x) {
      const bool inside = x >= 2 && x < 72 && y >= 1 && y < 4;
      REQUIRE(whole.at<cv::Vec3b>(y, x) == (inside ? cv::Vec3b(0, 100, 200) : cv::Vec3b(200, 100, 0)));
    }
  }
}

TEST_CASE("gray is the luma of BT.601 in all three channels") {
  const auto luma = [](int red, int green, int blue) {
    cv::Mat one = pixel(red, green, blue);
    make_gray(one);
    REQUIRE(one.type() == CV_8UC3);
    CHECK(only(one)[0] == only(one)[1]);
    CHECK(only(one)[0] == only(one)[2]);
    return static_cast<int>(only(one)[0]);
  };
  // Pillow's convert("L") gives the same.
  CHECK(luma(255, 0, 0) == 76);
  CHECK(luma(0, 255, 0) == 150);
  CHECK(luma(0, 0, 255) == 29);
  CHECK(luma(255, 255, 255) == 255);
  CHECK(luma(10, 200, 30) == 124);  // 2.99 + 117.4 + 3.42 = 123.81
}

TEST_CASE("stretched contrast takes each channel from its lowest and highest value to 0 and 255") {
  cv::Mat image = noise(5) / 4 + cv::Scalar(10, 60, 0);
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) image.at<cv::Vec3b>(y, x)[2] = 77;
  }
  std::array<double, 3> low{255, 255, 255};
  std::array<double, 3> high{};
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        low[c] = std::min(low[c], color(image, y, x)[c]);
        high[c] = std::max(high[c], color(image, y, x)[c]);
      }
    }
  }
  cv::Mat result = image.clone();
  stretch_contrast(result);
  CHECK(difference(image, result, [&](const Color& c) {
          return Color{255 * (c[0] - low[0]) / (high[0] - low[0]), 255 * (c[1] - low[1]) / (high[1] - low[1]),
                       77};
        }) <= rounding);
}

TEST_CASE("color jitter draws factors from their whole ranges, and never below 0") {
  RandomStream random(6);
  const auto range = [&](double strength) {
    ColorJitter::Params params;
    params.prob = 1;
    params.brightness = strength;
    params.contrast = params.saturation = params.hue = 0;
    ColorJitter jitter(params, {});
    int lowest = 255;
    int highest = 0;
    double sum = 0;
    for (int i = 0; i < 4000; ++i) {
      cv::Mat image = pixel(80, 80, 80);
      jitter.apply(image, random);
      lowest = std::min<int>(lowest, only(image)[0]);
      highest = std::max<int>(highest, only(image)[0]);
      sum += only(image)[0];
    }
    return std::array{static_cast<double>(lowest), static_cast<double>(highest), sum / 4000};
  };
  const auto half = range(0.5);  // 40 to 120
  CHECK(half[0] == doctest::Approx(40).epsilon(0.02));
  CHECK(half[1] == doctest::Approx(120).epsilon(0.01));
  CHECK(std::abs(half[2] - 80) < 5 * 80 / std::sqrt(12.0 * 4000));
  const auto two = range(2);  // factors from 0 to 3
  CHECK(two[0] <= 1);
  CHECK(two[1] >= 239);
}

TEST_CASE("color jitter makes its four changes in a random order") {
  ColorJitter::Params params;
  params.prob = 1;
  ColorJitter jitter(params, {});
  std::set<std::array<int, 4>> orders;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const cv::Mat image = noise(seed, {8, 8});
    cv::Mat result = image.clone();
    RandomStream random(seed);
    jitter.apply(result, random);

    RandomStream same(seed);
    CHECK(same.chance(1));
    std::array<int, 4> order = {0, 1, 2, 3};
    same.shuffle(std::span<int>(order));
    cv::Mat expected = image.clone();
    for (const int change : order) {
      if (change == 0) adjust_brightness(expected, same.uniform(0.5, 1.5));
      if (change == 1) adjust_contrast(expected, same.uniform(0.5, 1.5));
      if (change == 2) adjust_saturation(expected, same.uniform(0.5, 1.5));
      if (change == 3) adjust_hue(expected, same.uniform(-0.2, 0.2));
    }
    CHECK(equal(result, expected));
    orders.insert(order);
  }
  CHECK(orders.size() == 24);
}

TEST_CASE("color jitter leaves out changes of strength 0, and refuses to make none") {
  ColorJitter::Params params;
  params.prob = 1;
  params.brightness = params.contrast = params.saturation = 0;
  params.hue = 0.5;
  cv::Mat image(4, 4, CV_8UC3, cv::Scalar::all(99));
  RandomStream random(7);
  ColorJitter(params, {}).apply(image, random);
  CHECK(equal(image, cv::Mat(4, 4, CV_8UC3, cv::Scalar::all(99))));

  const Value zero(0.0);
  CHECK(parse_error<ColorJitter>(
            {{"brightness", zero}, {"contrast", zero}, {"saturation", zero}, {"hue", zero}})
            .find("so nothing would change") != std::string::npos);
  CHECK(parse_error<ColorJitter>({{"brightness", zero}, {"contrast", zero}, {"saturation", zero}}).empty());
  CHECK_FALSE(parse_error<ColorJitter>({{"hue", Value(0.6)}}).empty());
}

TEST_CASE("a blur is a convolution with a Gaussian, mirrored at the border") {
  GaussianBlur::Params params;
  params.prob = 1;
  params.kernel_size = 7;
  params.min_sigma = params.max_sigma = 1.3;
  const cv::Mat image = noise(8, {12, 9});
  std::array<double, 7> kernel{};
  double sum = 0;
  for (int i = -3; i <= 3; ++i)
    sum += kernel[static_cast<std::size_t>(i + 3)] = std::exp(-i * i / (2 * 1.69));
  const auto mirrored = [](int i, int size) {
    if (i < 0) return -i;
    return i >= size ? 2 * size - 2 - i : i;
  };
  RandomStream random(8);
  cv::Mat bytes = image.clone();
  GaussianBlur(params, {}).apply(bytes, random);
  cv::Mat floats;
  image.convertTo(floats, CV_32F);
  GaussianBlur(params, {}).apply(floats, random);
  REQUIRE(bytes.type() == CV_8UC3);
  REQUIRE(floats.type() == CV_32FC3);
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) {
      double expected = 0;
      for (int dy = -3; dy <= 3; ++dy) {
        for (int dx = -3; dx <= 3; ++dx) {
          const double weight = kernel[static_cast<std::size_t>(dy + 3)] *
                                kernel[static_cast<std::size_t>(dx + 3)] / (sum * sum);
          expected += weight * image.at<cv::Vec3b>(mirrored(y + dy, 9), mirrored(x + dx, 12))[1];
        }
      }
      CHECK(std::abs(floats.at<cv::Vec3f>(y, x)[1] - expected) < 1e-3);
      CHECK(std::abs(bytes.at<cv::Vec3b>(y, x)[1] - expected) < 1.5);  // OpenCV's kernel for bytes is rounded
    }
  }
}

TEST_CASE("the blur's standard deviation fills its range") {
  GaussianBlur::Params params;
  params.prob = 1;
  params.min_sigma = 0.5;
  params.max_sigma = 2;
  GaussianBlur blur(params, {});
  RandomStream random(9);
  double lowest = 1;
  double highest = 0;
  for (int i = 0; i < 500; ++i) {
    cv::Mat image(31, 31, CV_32FC3, cv::Scalar::all(0));
    image.at<cv::Vec3f>(15, 15) = cv::Vec3f::all(1);
    blur.apply(image, random);
    const double center = image.at<cv::Vec3f>(15, 15)[0];
    lowest = std::min(lowest, center);
    highest = std::max(highest, center);
  }
  CHECK(lowest == doctest::Approx(0.0398).epsilon(0.03));  // about 1 / (2 pi 2^2)
  CHECK(highest == doctest::Approx(0.619).epsilon(0.03));
}

TEST_CASE("each augmentation treats an image with its probability") {
  const double five_deviations = 140;
  CHECK(std::abs(changed<ColorJitter>({}) - 1000) < five_deviations);
  CHECK(std::abs(changed<RandomGrayscale>({}) - 1000) < five_deviations);
  CHECK(std::abs(changed<AutoContrast>({}) - 1000) < five_deviations);
  GaussianBlur::Params blur;
  blur.min_sigma = 1;
  CHECK(std::abs(changed<GaussianBlur>(blur) - 1000) < five_deviations);
}

TEST_CASE("normalized images are refused where colors need bytes") {
  CHECK(message_for_floats<ColorJitter>() ==
        "augmentation/color_jitter: error: needs an image with 8 bits per channel; place it before the "
        "augmentation that normalizes");
  CHECK(message_for_floats<RandomGrayscale>().find("augmentation/random_grayscale: error: needs") == 0);
  CHECK(message_for_floats<AutoContrast>().find("augmentation/auto_contrast: error: needs") == 0);
}

TEST_CASE("a blur without a center or with crossed bounds is refused") {
  CHECK(parse_error<GaussianBlur>({{"kernel_size", Value(std::int64_t{4})}}) ==
        "it: kernel_size = 4 is even; choose an odd number");
  CHECK(parse_error<GaussianBlur>({{"min_sigma", Value(3.0)}}).find("min_sigma is larger") !=
        std::string::npos);
  CHECK(parse_error<GaussianBlur>({{"kernel_size", Value(std::int64_t{5})}}).empty());
}

TEST_CASE("none of them is needed at test time, and images do not wait for each other") {
  const ColorJitter jitter({}, {});
  const RandomGrayscale grayscale({}, {});
  const GaussianBlur blur({}, {});
  const AutoContrast contrast({}, {});
  for (const Augmentation* step :
       std::initializer_list<const Augmentation*>{&jitter, &grayscale, &blur, &contrast}) {
    CHECK_FALSE(step->at_test_time());
    CHECK_FALSE(step->ordered());
  }
}
