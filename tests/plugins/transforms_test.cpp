#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <opencv2/core.hpp>
#include <string>
#include <utility>
#include <vector>

#include "golden/golden_model.h"
#include "horizontal_flip.h"
#include "kindred/core/error.h"
#include "normalize.h"
#include "pad_crop.h"
#include "pillow_resize.h"
#include "random_rotation.h"
#include "resize.h"

using namespace kindred;
using namespace kindred::test;
using namespace kindred::transforms;

namespace {

/// Pixel (y, x) is (y + 1, x + 1, 200): nowhere 0, and each place has a value of its own.
cv::Mat map_of_places(int height, int width) {
  cv::Mat image(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.at<cv::Vec3b>(y, x) =
          cv::Vec3b(static_cast<std::uint8_t>(y + 1), static_cast<std::uint8_t>(x + 1), 200);
    }
  }
  return image;
}

bool equal(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) == 0;
}

cv::Mat gray_row(std::initializer_list<int> values) {
  cv::Mat image(1, static_cast<int>(values.size()), CV_8UC3);
  int x = 0;
  for (const int value : values)
    image.at<cv::Vec3b>(0, x++) = cv::Vec3b::all(static_cast<std::uint8_t>(value));
  return image;
}

std::vector<int> reds(const cv::Mat& image) {
  std::vector<int> values;
  for (int x = 0; x < image.cols; ++x) values.push_back(image.at<cv::Vec3b>(0, x)[0]);
  return values;
}

std::string parse_error(const std::vector<double>& values, const std::string& key = "std") {
  Table table;
  Array numbers;
  for (const double number : values) numbers.emplace_back(number);
  table.set(key, Value(std::move(numbers)));
  Diagnostics diagnostics;
  (void)Normalize::schema().parse(Value(std::move(table)), "augmentation 'normalize'", diagnostics);
  return diagnostics.empty() ? "" : diagnostics.all().front().message;
}

}  // namespace

TEST_CASE("resize gives the asked size and keeps the type, for bytes and floats") {
  Resize::Params params;
  params.height = 12;
  params.width = 5;
  Resize resize(params, {});
  RandomStream random(1);
  cv::Mat image = map_of_places(7, 9);
  resize.apply(image, random);
  CHECK(image.size() == cv::Size(5, 12));
  CHECK(image.type() == CV_8UC3);
  cv::Mat floats(30, 30, CV_32FC3, cv::Scalar(0.25, 0.5, 1));
  resize.apply(floats, random);
  CHECK(equal(floats, cv::Mat(12, 5, CV_32FC3, cv::Scalar(0.25, 0.5, 1))));
}

TEST_CASE("resize interpolates between the centers of pixels") {
  RandomStream random(1);
  Resize::Params params;
  params.height = 1;
  params.width = 4;
  cv::Mat image = gray_row({0, 100});
  Resize(params, {}).apply(image, random);
  CHECK(reds(image) == std::vector<int>{0, 25, 75, 100});

  // Linear looks at the two nearest pixels even when it makes the image four times smaller; area at all.
  params.width = 2;
  const auto shrink = [&](Resize::Interpolation interpolation) {
    params.interpolation = interpolation;
    cv::Mat wide = gray_row({80, 0, 0, 0, 0, 200, 0, 80});
    Resize(params, {}).apply(wide, random);
    return reds(wide);
  };
  CHECK(shrink(Resize::Interpolation::linear) == std::vector<int>{0, 100});
  CHECK(shrink(Resize::Interpolation::area) == std::vector<int>{20, 70});
  CHECK(shrink(Resize::Interpolation::cubic) != shrink(Resize::Interpolation::linear));
}

TEST_CASE("resize with antialias gives Pillow's pixels, smaller and larger, linear and cubic") {
  RandomStream random(1);
  std::size_t cases = 0;
  for (const auto& golden : golden_json("pillow_resize.json")) {
    const auto from = golden["from"].get<std::vector<int>>();
    const auto to = golden["to"].get<std::vector<int>>();
    cv::Mat image(from[0], from[1], CV_8UC3);
    for (int y = 0; y < image.rows; ++y) {
      for (int x = 0; x < image.cols; ++x) {
        for (int c = 0; c < 3; ++c) {
          image.at<cv::Vec3b>(y, x)[c] =
              static_cast<std::uint8_t>((37 * y * y + 91 * x + 53 * c + 17 * x * y) % 256);
        }
      }
    }
    Resize::Params params;
    params.height = to[0];
    params.width = to[1];
    params.antialias = true;
    const auto name = golden["interpolation"].get<std::string>();
    params.interpolation = name == "cubic" ? Resize::Interpolation::cubic : Resize::Interpolation::linear;
    Resize(params, {}).apply(image, random);
    const auto pixels = golden["pixels"].get<std::vector<int>>();
    REQUIRE(image.total() * 3 == pixels.size());
    CHECK(std::equal(pixels.begin(), pixels.end(), image.ptr<std::uint8_t>()));
    ++cases;
  }
  CHECK(cases == 12);
}

TEST_CASE("antialias of many pixels at a time equals that of one channel after the other, to the last bit") {
  cv::theRNG().state = 3;
  for (const auto filter : {PillowFilter::bilinear, PillowFilter::bicubic}) {
    for (const cv::Size from :
         {cv::Size(1, 1), cv::Size(2, 3), cv::Size(7, 9), cv::Size(64, 128), cv::Size(131, 77)}) {
      for (const cv::Size to :
           {cv::Size(3, 5), cv::Size(6, 6), cv::Size(16, 33), cv::Size(128, 130), cv::Size(61, 1)}) {
        cv::Mat larger(from.height + 2, from.width + 3, CV_8UC3);
        cv::randu(larger, 0, 2);
        larger *= 255;  // black and white: sums beyond both ends
        const cv::Mat image = larger(cv::Rect(cv::Point(1, 1), from));  // with gaps between its rows
        std::vector<cv::Mat> channels;
        cv::split(image, channels);
        for (auto& channel : channels) channel = pillow_resize(channel, to, filter);
        cv::Mat expected;
        cv::merge(channels, expected);
        CAPTURE(from.width);
        CAPTURE(from.height);
        CAPTURE(to.width);
        CAPTURE(to.height);
        CHECK(equal(pillow_resize(image, to, filter), expected));
      }
    }
  }
}

TEST_CASE("resize with antialias filters floats without rounding, and refuses the area") {
  RandomStream random(1);
  Resize::Params params;
  params.height = 1;
  params.width = 2;
  params.antialias = true;
  // Each half is weighed by a triangle of twice the width, cut off at the edge: (3, 3, 1) / 7 and (1, 3, 3)
  // / 7.
  cv::Mat image(1, 4, CV_32FC3, cv::Scalar::all(0));
  image.at<cv::Vec3f>(0, 2) = cv::Vec3f::all(0.7F);
  Resize(params, {}).apply(image, random);
  CHECK(image.at<cv::Vec3f>(0, 0)[1] == doctest::Approx(0.1));
  CHECK(image.at<cv::Vec3f>(0, 1)[1] == doctest::Approx(0.3));
  Diagnostics diagnostics;
  Table table;
  table.set("antialias", Value(true));
  table.set("interpolation", Value(std::string("area")));
  static_cast<void>(Resize::schema().parse(Value(table), "augmentation 'resize'", diagnostics));
  REQUIRE(diagnostics.all().size() == 1);
  CHECK(diagnostics.all().front().message.find("antialias needs interpolation = 'linear' or 'cubic'") !=
        std::string::npos);
}

TEST_CASE("resize leaves an image of the right size untouched") {
  Resize::Params params;
  params.height = 4;
  params.width = 6;
  RandomStream random(1);
  cv::Mat image = map_of_places(4, 6);
  const auto* pixels = image.data;
  Resize(params, {}).apply(image, random);
  CHECK(image.data == pixels);
}

TEST_CASE("only resize and normalize run at test time, and no transform is ordered") {
  Resize resize({}, {});
  Normalize normalize({}, {});
  HorizontalFlip flip({}, {});
  PadCrop crop({}, {});
  RandomRotation rotation({}, {});
  CHECK(resize.at_test_time());
  CHECK(normalize.at_test_time());
  CHECK_FALSE(flip.at_test_time());
  CHECK_FALSE(crop.at_test_time());
  CHECK_FALSE(rotation.at_test_time());
  for (const Augmentation* step :
       std::initializer_list<const Augmentation*>{&resize, &normalize, &flip, &crop, &rotation}) {
    CHECK_FALSE(step->ordered());
  }
}

TEST_CASE("horizontal flip mirrors left to right with its probability") {
  RandomStream random(3);
  const cv::Mat image = map_of_places(3, 4);
  cv::Mat flipped = image.clone();
  HorizontalFlip::Params params;
  params.prob = 1;
  HorizontalFlip(params, {}).apply(flipped, random);
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 4; ++x) CHECK(flipped.at<cv::Vec3b>(y, x) == image.at<cv::Vec3b>(y, 3 - x));
  }
  params.prob = 0;
  HorizontalFlip(params, {}).apply(flipped, random);
  CHECK(flipped.at<cv::Vec3b>(0, 0) == image.at<cv::Vec3b>(0, 3));

  params.prob = 0.25;
  HorizontalFlip quarter(params, {});
  int count = 0;
  for (int i = 0; i < 4000; ++i) {
    cv::Mat copy = image.clone();
    quarter.apply(copy, random);
    count += equal(copy, image) ? 0 : 1;
  }
  CHECK(std::abs(count - 1000) < 140);  // five standard deviations
}

TEST_CASE("pad and crop shifts by every distance alike and moves in zeros") {
  const cv::Mat image = map_of_places(8, 6);
  PadCrop::Params params;
  params.padding = 2;
  PadCrop crop(params, {});
  RandomStream random(5);
  std::map<std::pair<int, int>, int> seen;
  for (int i = 0; i < 5000; ++i) {
    cv::Mat shifted = image.clone();
    crop.apply(shifted, random);
    REQUIRE(shifted.size() == image.size());
    REQUIRE(shifted.type() == image.type());
    // The center always stays inside and tells the shift.
    const auto center = shifted.at<cv::Vec3b>(4, 3);
    const int down = 4 - (center[0] - 1);
    const int right = 3 - (center[1] - 1);
    ++seen[{down, right}];
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 6; ++x) {
        const bool inside = y - down >= 0 && y - down < 8 && x - right >= 0 && x - right < 6;
        const auto expected = inside ? image.at<cv::Vec3b>(y - down, x - right) : cv::Vec3b(0, 0, 0);
        REQUIRE(shifted.at<cv::Vec3b>(y, x) == expected);
      }
    }
  }
  REQUIRE(seen.size() == 25);
  for (const auto& [shift, count] : seen) CHECK(std::abs(count - 200) < 70);  // five standard deviations
}

TEST_CASE("pad and crop works on floats, and padding 0 changes nothing") {
  RandomStream random(7);
  cv::Mat floats(20, 20, CV_32FC3, cv::Scalar(0.5, 0.5, 0.5));
  PadCrop({}, {}).apply(floats, random);
  CHECK(floats.type() == CV_32FC3);
  PadCrop::Params none;
  none.padding = 0;
  cv::Mat image = map_of_places(4, 4);
  PadCrop(none, {}).apply(image, random);
  CHECK(equal(image, map_of_places(4, 4)));
}

TEST_CASE("padding that could push the image out of itself is refused with what is allowed") {
  RandomStream random(7);
  cv::Mat image = map_of_places(20, 10);
  try {
    PadCrop({}, {}).apply(image, random);
    FAIL("nothing was thrown");
  } catch (const ComponentError& error) {
    const std::string message = error.what();
    CHECK(message.find("augmentation/pad_crop: error: padding = 10") == 0);
    CHECK(message.find("20 x 10") != std::string::npos);
    CHECK(message.find("less than 10") != std::string::npos);
  }
}

TEST_CASE("random rotation turns about the center by every angle of its range alike, either way") {
  RandomRotation::Params params;
  params.prob = 1;
  params.max_degrees = 20;
  RandomRotation rotation(params, {});
  RandomStream random(11);
  double lowest = 0;
  double highest = 0;
  double sum = 0;
  for (int i = 0; i < 2000; ++i) {
    // A spot 40 pixels to the right of the center; its center of mass tells the angle.
    cv::Mat image(101, 101, CV_8UC3, cv::Scalar::all(0));
    image(cv::Rect(89, 49, 3, 3)).setTo(cv::Scalar::all(240));
    rotation.apply(image, random);
    REQUIRE(image.size() == cv::Size(101, 101));
    double mass = 0;
    double right = 0;
    double up = 0;
    for (int y = 0; y < 101; ++y) {
      for (int x = 0; x < 101; ++x) {
        const double value = image.at<cv::Vec3b>(y, x)[0];
        mass += value;
        right += value * (x - 50);
        up += value * (50 - y);
      }
    }
    const double degrees = std::atan2(up, right) * 180 / CV_PI;
    CHECK(std::hypot(right, up) / mass == doctest::Approx(40).epsilon(0.01));
    lowest = std::min(lowest, degrees);
    highest = std::max(highest, degrees);
    sum += degrees;
  }
  CHECK(lowest == doctest::Approx(-20).epsilon(0.01));
  CHECK(highest == doctest::Approx(20).epsilon(0.01));
  CHECK(std::abs(sum / 2000) < 5 * 40 / std::sqrt(12.0 * 2000));
}

TEST_CASE("random rotation fills the corners, interpolates, and treats an image with its probability") {
  RandomRotation::Params params;
  params.fill = {10, 20, 30};
  params.max_degrees = 60;
  RandomRotation rotation(params, {});
  RandomStream random(12);
  int turned = 0;
  int filled = 0;
  bool between = false;
  for (int i = 0; i < 4000; ++i) {
    cv::Mat image(40, 20, CV_8UC3, cv::Scalar(210, 220, 230));
    rotation.apply(image, random);
    if (equal(image, cv::Mat(40, 20, CV_8UC3, cv::Scalar(210, 220, 230)))) continue;
    ++turned;
    filled += image.at<cv::Vec3b>(0, 0) == cv::Vec3b(10, 20, 30) ? 1 : 0;
    for (int x = 0; x < 20; ++x)
      between = between || (image.at<cv::Vec3b>(0, x)[0] > 30 && image.at<cv::Vec3b>(0, x)[0] < 190);
    CHECK(image.at<cv::Vec3b>(20, 10) == cv::Vec3b(210, 220, 230));
  }
  CHECK(std::abs(turned - 2000) < 160);  // five standard deviations
  CHECK(filled > turned / 2);
  CHECK(between);
}

TEST_CASE("random rotation refuses normalized images, whose corners it cannot fill") {
  RandomStream random(13);
  cv::Mat floats(20, 20, CV_32FC3, cv::Scalar::all(0.5));
  CHECK_THROWS_WITH_AS(RandomRotation({}, {}).apply(floats, random),
                       "augmentation/random_rotation: error: needs an image with 8 bits per channel; place "
                       "it before the augmentation that normalizes",
                       ComponentError);
}

TEST_CASE("normalize turns bytes into (x / 255 - mean) / std") {
  RandomStream random(1);
  cv::Mat image(2, 3, CV_8UC3, cv::Scalar(0, 128, 255));
  Normalize({}, {}).apply(image, random);
  REQUIRE(image.type() == CV_32FC3);
  REQUIRE(image.size() == cv::Size(3, 2));
  const auto pixel = image.at<cv::Vec3f>(1, 2);
  CHECK(pixel[0] == doctest::Approx(-2.1179039).epsilon(1e-6));
  CHECK(pixel[1] == doctest::Approx(0.2051821).epsilon(1e-6));
  CHECK(pixel[2] == doctest::Approx(2.6400000).epsilon(1e-6));
}

TEST_CASE("normalize takes floats as they are, with the same result as for bytes") {
  RandomStream random(1);
  Normalize normalize({}, {});
  cv::Mat bytes = map_of_places(40, 30);
  cv::Mat floats;
  bytes.convertTo(floats, CV_32F, 1.0 / 255);
  normalize.apply(bytes, random);
  normalize.apply(floats, random);
  CHECK(cv::norm(bytes, floats, cv::NORM_INF) < 2e-6);
}

TEST_CASE("a standard deviation of 0 or below is refused; a negative one points to the augmentation for it") {
  CHECK(parse_error({0.2, 0.2, 0.2}).empty());
  CHECK(parse_error({0.2, 0, 0.2}) ==
        "augmentation 'normalize': std contains 0; all three values must be above 0");
  CHECK(parse_error({0.229, -0.224, -0.225}) ==
        "augmentation 'normalize': std contains a negative number; all three values must be above 0 (to "
        "invert channels, use the augmentation 'variance_inversion')");
  CHECK_FALSE(parse_error({0.2, 0.2}).empty());
}

TEST_CASE("an image that is normalized already is refused") {
  RandomStream random(1);
  Normalize normalize({}, {});
  cv::Mat image(2, 3, CV_8UC3, cv::Scalar(0, 128, 255));
  normalize.apply(image, random);
  CHECK_THROWS_WITH_AS(normalize.apply(image, random),
                       "augmentation/normalize: error: cannot standardize floats from -2.12 to 2.64; they "
                       "must be in [0, 1]: normalize an image once, and divide values up to 255 by 255",
                       ComponentError);
}

TEST_CASE("means and standard deviations for values up to 255 are refused") {
  CHECK(parse_error({0, 0.5, 1}, "mean").empty());
  CHECK(parse_error({123.675, 116.28, 103.53}, "mean") ==
        "augmentation 'normalize': mean = [123.675, 116.28, 103.53]: 123.675 is outside [0, 1]");
  CHECK(parse_error({1.0 / 255, 1, 1}).empty());
  CHECK(parse_error({58.395, 57.12, 57.375}) ==
        "augmentation 'normalize': std = [58.395, 57.12, 57.375]: 58.395 must be at most 1");
}
