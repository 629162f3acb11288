#include "colors.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "kindred/core/error.h"

namespace kindred::photometric {
namespace {

constexpr std::size_t channels = 3;

/// Each pixel's gray in three channels.
cv::Mat gray_of(const cv::Mat& image) {
  cv::Mat gray;
  cv::Mat spread;
  cv::cvtColor(image, gray, cv::COLOR_RGB2GRAY);
  cv::cvtColor(gray, spread, cv::COLOR_GRAY2RGB);
  return spread;
}

/// A channel of a color, from its hue (in sixths of the circle, [0, 6]), its largest channel and how far
/// that is above the smallest. `sector` is 5 for R, 3 for G and 1 for B.
float channel_of(float sector, float hue, float largest, float range) {
  float k = sector + hue;
  k = k >= 6.0F ? k - 6.0F : k;
  const float falling = 4.0F - k;
  float below = k < falling ? k : falling;
  below = below < 0.0F ? 0.0F : below;
  below = below > 1.0F ? 1.0F : below;
  return largest - range * below;
}

/// Up to this many pixels, channel by channel: a loop over them becomes vector instructions.
struct Planes {
  static constexpr int size = 64;
  std::array<float, size> red{};
  std::array<float, size> green{};
  std::array<float, size> blue{};
};

void turn_hue(Planes& planes, float sixths) {
  for (std::size_t i = 0; i < Planes::size; ++i) {
    const float r = planes.red[i];
    const float g = planes.green[i];
    const float b = planes.blue[i];
    const float high = g > b ? g : b;
    const float low = g < b ? g : b;
    const float largest = r > high ? r : high;
    const float range = largest - (r < low ? r : low);
    // Whole numbers: the range of a color is at least 1, and grays have hue 0.
    const float scale = 1.0F / (range > 1.0F ? range : 1.0F);
    const float from_green = (b - r) * scale + 2.0F;
    const float from_blue = (r - g) * scale + 4.0F;
    float hue = largest == g ? from_green : from_blue;
    hue = largest == r ? (g - b) * scale : hue;
    hue += sixths;
    hue = hue < 0.0F ? hue + 6.0F : hue;
    hue = hue >= 6.0F ? hue - 6.0F : hue;
    planes.red[i] = channel_of(5.0F, hue, largest, range);
    planes.green[i] = channel_of(3.0F, hue, largest, range);
    planes.blue[i] = channel_of(1.0F, hue, largest, range);
  }
}

std::uint8_t nearest(float value) {
  return static_cast<std::uint8_t>(static_cast<int>(value + 0.5F));
}

}  // namespace

void require_bytes(const cv::Mat& image, const std::string& component) {
  if (image.type() == CV_8UC3) return;
  throw ComponentError(
      component, "needs an image with 8 bits per channel; place it before the augmentation that normalizes");
}

void adjust_brightness(cv::Mat& image, double factor) {
  image.convertTo(image, -1, factor);
}

void adjust_contrast(cv::Mat& image, double factor) {
  const auto mean = cv::mean(image);
  const double gray = 0.299 * mean[0] + 0.587 * mean[1] + 0.114 * mean[2];
  image.convertTo(image, -1, factor, (1.0 - factor) * gray);
}

void adjust_saturation(cv::Mat& image, double factor) {
  cv::addWeighted(image, factor, gray_of(image), 1.0 - factor, 0.0, image);
}

void adjust_hue(cv::Mat& image, double turn) {
  const auto sixths = static_cast<float>(6.0 * turn);
  Planes planes;
  for (int y = 0; y < image.rows; ++y) {
    for (int from = 0; from < image.cols; from += Planes::size) {
      auto* const pixels = image.ptr<std::uint8_t>(y, from);
      const auto count = static_cast<std::size_t>(std::min(Planes::size, image.cols - from));
      for (std::size_t i = 0; i < count; ++i) {
        planes.red[i] = pixels[channels * i];
        planes.green[i] = pixels[channels * i + 1];
        planes.blue[i] = pixels[channels * i + 2];
      }
      turn_hue(planes, sixths);
      for (std::size_t i = 0; i < count; ++i) {
        pixels[channels * i] = nearest(planes.red[i]);
        pixels[channels * i + 1] = nearest(planes.green[i]);
        pixels[channels * i + 2] = nearest(planes.blue[i]);
      }
    }
  }
}

void make_gray(cv::Mat& image) {
  image = gray_of(image);
}

void stretch_contrast(cv::Mat& image) {
  // Column by column first: a loop over a whole row becomes vector instructions.
  const std::size_t width = static_cast<std::size_t>(image.cols) * channels;
  std::vector<std::uint8_t> lowest(width, 255);
  std::vector<std::uint8_t> highest(width, 0);
  for (int y = 0; y < image.rows; ++y) {
    const auto* row = image.ptr<std::uint8_t>(y);
    for (std::size_t i = 0; i < width; ++i) {
      lowest[i] = std::min(lowest[i], row[i]);
      highest[i] = std::max(highest[i], row[i]);
    }
  }
  std::array<int, channels> low{255, 255, 255};
  std::array<int, channels> high{};
  for (std::size_t i = 0; i < width; ++i) {
    low[i % channels] = std::min<int>(low[i % channels], lowest[i]);
    high[i % channels] = std::max<int>(high[i % channels], highest[i]);
  }
  cv::Mat table(1, 256, CV_8UC3);
  for (int value = 0; value < 256; ++value) {
    for (std::size_t c = 0; c < channels; ++c) {
      const bool flat = high[c] <= low[c];
      const double stretched = flat ? value : 255.0 * (value - low[c]) / (high[c] - low[c]);
      table.at<cv::Vec3b>(0, value)[static_cast<int>(c)] = cv::saturate_cast<std::uint8_t>(stretched);
    }
  }
  cv::LUT(image, table, image);
}

}  // namespace kindred::photometric
