#include "optics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <opencv2/imgproc.hpp>

namespace kindred::synthetic {
namespace {

// The nearest that a picture comes to the threshold, so that rounding a mean differently changes nothing.
constexpr double margin = 12;

std::array<double, 3> channel_means(const cv::Mat& picture) {
  std::array<std::int64_t, 3> sums{};
  for (int row = 0; row < picture.rows; ++row) {
    const auto* pixel = picture.ptr<std::uint8_t>(row);
    for (int column = 0; column < picture.cols; ++column, pixel += 3) {
      for (std::size_t c = 0; c < 3; ++c) sums[c] += pixel[c];
    }
  }
  const auto pixels = static_cast<double>(picture.total());
  return {static_cast<double>(sums[0]) / pixels, static_cast<double>(sums[1]) / pixels,
          static_cast<double>(sums[2]) / pixels};
}

double sum(const std::array<double, 3>& values) {
  return values[0] + values[1] + values[2];
}

float luminance(const std::array<float, 3>& c) {
  return 0.299F * c[0] + 0.587F * c[1] + 0.114F * c[2];
}

/// The sum of four bytes, about normal with standard deviation 1.
float bell(std::uint32_t bytes) {
  const std::uint32_t total =
      (bytes & 255U) + ((bytes >> 8U) & 255U) + ((bytes >> 16U) & 255U) + (bytes >> 24U);
  return (static_cast<float>(total) - 510.0F) * (1.0F / 147.8F);
}

void blur(cv::Mat& picture, RandomStream& random, const Camera& camera, double difficulty) {
  const double sigma = (camera.blur + random.uniform(0, 0.001 + 0.005 * difficulty)) * picture.rows;
  if (sigma > 0.3) {
    const int size = 2 * static_cast<int>(std::ceil(2 * sigma)) + 1;
    cv::GaussianBlur(picture, picture, {size, size}, sigma, sigma, cv::BORDER_REPLICATE);
  }
  // Somebody in a hurry.
  if (random.chance(0.2 * difficulty)) {
    const int length = 1 + 2 * static_cast<int>(std::lround(0.01 * picture.rows));
    cv::blur(picture, picture, {length, 1}, {-1, -1}, cv::BORDER_REPLICATE);
  }
}

/// The half of the picture that lies in a shadow, if any: the side where a * x + b * y > c.
struct Shade {
  float a = 0, b = 0, c = 1, keep = 1;
};

Shade cast_shade(RandomStream& random, double difficulty) {
  Shade shade;
  if (!random.chance(0.4 * difficulty)) return shade;
  const double angle = random.uniform(0, 6.283185307);
  shade.a = static_cast<float>(std::cos(angle));
  shade.b = static_cast<float>(std::sin(angle));
  shade.c = static_cast<float>(random.uniform(-0.3, 0.5));
  shade.keep = static_cast<float>(random.uniform(0.5, 0.8));
  return shade;
}

}  // namespace

void hold_domain(cv::Mat& picture, Domain domain) {
  const double total = sum(channel_means(picture));
  const double highest = violet_threshold - margin;
  // Each mean is rounded down: up to 3 are lost.
  const double lowest = violet_threshold + 3 + margin;
  std::array<std::uint8_t, 256> table{};
  if (domain == Domain::origin) {
    if (total <= highest) return;
    const double scale = highest / total;
    for (std::size_t i = 0; i < table.size(); ++i) {
      table[i] = static_cast<std::uint8_t>(static_cast<double>(i) * scale);
    }
  } else {
    if (total >= lowest) return;
    const double scale = (765 - lowest) / (765 - total);
    for (std::size_t i = 0; i < table.size(); ++i) {
      table[i] = static_cast<std::uint8_t>(255 - static_cast<int>(static_cast<double>(255 - i) * scale));
    }
  }
  for (int row = 0; row < picture.rows; ++row) {
    auto* byte = picture.ptr<std::uint8_t>(row);
    std::transform(byte, byte + 3 * static_cast<std::ptrdiff_t>(picture.cols), byte,
                   [&table](std::uint8_t v) { return table[v]; });
  }
}

void develop(cv::Mat& picture, RandomStream& random, const Camera& camera, const Moment& moment) {
  const double d = moment.difficulty;
  blur(picture, random, camera, d);

  const bool violet = moment.domain == Domain::violet;
  const auto drift = [&](double width) { return 1 + static_cast<float>(random.normal(0, width)); };
  double exposure = camera.exposure * drift(0.03 + 0.12 * d);
  std::array<float, 3> cast = camera.cast;
  for (auto& channel : cast) channel *= drift(0.01 + 0.05 * d);
  float saturation = camera.saturation;
  float contrast = camera.contrast;
  if (violet) {
    exposure = 345 + 0.35 * (exposure - 130);
    cast[0] *= 1.06F;
    cast[1] *= 0.84F;
    cast[2] *= 1.26F;
    saturation *= 0.9F;
    contrast *= 0.92F;
  }
  const Shade shade = cast_shade(random, d);

  // Automatic exposure: the mean of the tinted picture comes to what the camera aims at.
  const auto means = channel_means(picture);
  double tinted = 0;
  for (std::size_t c = 0; c < 3; ++c) tinted += means[c] * cast[c];
  const auto gain = static_cast<float>(std::clamp(exposure / std::max(tinted, 1.0), 0.2, 5.0));
  for (auto& channel : cast) channel *= gain;
  const auto middle = static_cast<float>(exposure / 3);

  for (int row = 0; row < picture.rows; ++row) {
    auto* pixel = picture.ptr<std::uint8_t>(row);
    const float y = (2 * static_cast<float>(row) + 1) / static_cast<float>(picture.rows) - 1;
    for (int column = 0; column < picture.cols; ++column, pixel += 3) {
      const float x = (2 * static_cast<float>(column) + 1) / static_cast<float>(picture.cols) - 1;
      float light = 1 + camera.falloff[0] * x + camera.falloff[1] * y;
      // A soft edge, a quarter of the picture wide.
      light *= 1 - (1 - shade.keep) * std::clamp((shade.a * x + shade.b * y - shade.c) * 4, 0.0F, 1.0F);
      const std::array<float, 3> in{static_cast<float>(pixel[0]), static_cast<float>(pixel[1]),
                                    static_cast<float>(pixel[2])};
      const float gray = luminance(in);
      const std::uint64_t dice = random();
      const float common = camera.noise * bell(static_cast<std::uint32_t>(dice));
      const std::uint64_t color_dice = dice >> 32U;
      for (std::size_t c = 0; c < 3; ++c) {
        // Three further numbers from 32 bits, uniform: the color noise is the smaller part.
        const auto own = static_cast<float>((color_dice >> (10U * c)) & 1023U) * (1.0F / 512.0F) - 1.0F;
        const float v = (gray + saturation * (in[c] - gray)) * cast[c] * light;
        const float out = (v - middle) * contrast + middle + common + 0.6F * camera.noise * own;
        pixel[c] = static_cast<std::uint8_t>(std::clamp(out + 0.5F, 0.0F, 255.0F));
      }
    }
  }
  hold_domain(picture, moment.domain);
}

}  // namespace kindred::synthetic
