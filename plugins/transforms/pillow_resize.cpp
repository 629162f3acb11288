#include "pillow_resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <opencv2/core.hpp>

#include "byte_passes.h"

namespace kindred::transforms {
namespace {

/// Bits behind the point of a coefficient: 8 are the pixel's, and two are left for sums beyond it.
constexpr int precision_bits = 32 - 8 - 2;

double bilinear(double x) {
  return std::max(0.0, 1.0 - std::abs(x));
}

/// Keys, "Cubic Convolution Interpolation for Digital Image Processing", 1981, with a = -0.5.
double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/// What each place of the result is made of.
template <class Weight>
struct Taps {
  int count;                    ///< coefficients of each place
  std::vector<int> first;       ///< the first place of the source, of each
  std::vector<int> length;      ///< how many of the coefficients count, of each
  std::vector<Weight> weights;  ///< places x count
};

/// Pillow's precompute_coeffs().
Taps<double> taps_of(int from, int to, PillowFilter filter) {
  const double scale = static_cast<double>(from) / to;
  const double widening = std::max(scale, 1.0);
  const double support = (filter == PillowFilter::bilinear ? 1.0 : 2.0) * widening;
  Taps<double> taps{static_cast<int>(std::ceil(support)) * 2 + 1, {}, {}, {}};
  taps.weights.assign(static_cast<std::size_t>(to) * static_cast<std::size_t>(taps.count), 0.0);
  for (int place = 0; place < to; ++place) {
    const double center = (place + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(center - support + 0.5));
    const int length = std::min(from, static_cast<int>(center + support + 0.5)) - first;
    auto* weights = taps.weights.data() + static_cast<std::ptrdiff_t>(place) * taps.count;
    double sum = 0;
    for (int i = 0; i < length; ++i) {
      const double x = (first + i - center + 0.5) / widening;
      weights[i] = filter == PillowFilter::bilinear ? bilinear(x) : bicubic(x);
      sum += weights[i];
    }
    for (int i = 0; i < length; ++i) weights[i] = sum == 0 ? weights[i] : weights[i] / sum;
    // Those at the ends are often 0, and then cost time for nothing.
    const auto* begin = std::find_if(weights, weights + length, [](double weight) { return weight != 0; });
    const auto skipped = static_cast<int>(begin - weights);
    auto used = length - skipped;
    while (used > 1 && begin[used - 1] == 0) --used;
    std::copy(begin, begin + used, weights);
    taps.first.push_back(first + skipped);
    taps.length.push_back(used);
  }
  return taps;
}

/// How pixels of a type are summed.
template <class Pixel>
struct Arithmetic;

template <>
struct Arithmetic<std::uint8_t> {
  using Weight = std::int32_t;
  static constexpr Weight start = 1 << (precision_bits - 1);
  static Weight weight(double value) {
    const double scaled = value * (1 << precision_bits);
    return static_cast<Weight>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  }
  static std::uint8_t pixel(Weight sum) {
    return static_cast<std::uint8_t>(std::clamp(sum >> precision_bits, 0, 255));
  }
};

template <>
struct Arithmetic<float> {
  using Weight = float;
  static constexpr Weight start = 0;
  static Weight weight(double value) { return static_cast<float>(value); }
  static float pixel(Weight sum) { return sum; }
};

template <class Pixel>
using WeightOf = typename Arithmetic<Pixel>::Weight;

template <class Pixel>
Taps<WeightOf<Pixel>> taps_for(int from, int to, PillowFilter filter) {
  auto exact = taps_of(from, to, filter);
  Taps<WeightOf<Pixel>> taps{exact.count, std::move(exact.first), std::move(exact.length), {}};
  taps.weights.reserve(exact.weights.size());
  for (const double weight : exact.weights) taps.weights.push_back(Arithmetic<Pixel>::weight(weight));
  return taps;
}

template <class Pixel, int channels>
cv::Mat columns(const cv::Mat& image, int width, PillowFilter filter) {
  using A = Arithmetic<Pixel>;
  const auto taps = taps_for<Pixel>(image.cols, width, filter);
  cv::Mat result(image.rows, width, image.type());
  for (int y = 0; y < image.rows; ++y) {
    const auto* source = image.ptr<Pixel>(y);
    auto* target = result.ptr<Pixel>(y);
    const auto* weights = taps.weights.data();
    for (int x = 0; x < width; ++x, weights += taps.count, target += channels) {
      const auto place = static_cast<std::size_t>(x);
      const auto* pixel = source + static_cast<std::ptrdiff_t>(taps.first[place]) * channels;
      std::array<WeightOf<Pixel>, channels> sums;
      sums.fill(A::start);
      for (int i = 0; i < taps.length[place]; ++i, pixel += channels) {
        for (int c = 0; c < channels; ++c) {
          sums[static_cast<std::size_t>(c)] += static_cast<WeightOf<Pixel>>(pixel[c]) * weights[i];
        }
      }
      for (int c = 0; c < channels; ++c) target[c] = A::pixel(sums[static_cast<std::size_t>(c)]);
    }
  }
  return result;
}

template <class Pixel, int channels>
cv::Mat rows(const cv::Mat& image, int height, PillowFilter filter) {
  using A = Arithmetic<Pixel>;
  const auto taps = taps_for<Pixel>(image.rows, height, filter);
  const auto length = static_cast<std::size_t>(image.cols) * channels;
  cv::Mat result(height, image.cols, image.type());
  std::vector<WeightOf<Pixel>> sums(length);
  for (int y = 0; y < height; ++y) {
    const auto place = static_cast<std::size_t>(y);
    const auto* weights = taps.weights.data() + static_cast<std::ptrdiff_t>(y) * taps.count;
    std::fill(sums.begin(), sums.end(), A::start);
    for (int i = 0; i < taps.length[place]; ++i) {
      const auto* source = image.ptr<Pixel>(taps.first[place] + i);
      const auto weight = weights[i];
      for (std::size_t x = 0; x < length; ++x) sums[x] += static_cast<WeightOf<Pixel>>(source[x]) * weight;
    }
    auto* target = result.ptr<Pixel>(y);
    for (std::size_t x = 0; x < length; ++x) target[x] = A::pixel(sums[x]);
  }
  return result;
}

template <class Pixel, int channels>
cv::Mat resized(const cv::Mat& image, cv::Size size, PillowFilter filter) {
  const auto wide = image.cols == size.width ? image : columns<Pixel, channels>(image, size.width, filter);
  return wide.rows == size.height ? wide : rows<Pixel, channels>(wide, size.height, filter);
}

/// Weights in two parts of 16 bits, two pixels at a time.
ByteTaps byte_taps(int from, int to, PillowFilter filter) {
  const auto whole = taps_for<std::uint8_t>(from, to, filter);
  const int pairs = (whole.count + 1) / 2;
  ByteTaps taps{pairs, whole.first, {}, {}, {}};
  const auto count = static_cast<std::size_t>(to) * static_cast<std::size_t>(pairs);
  taps.high.assign(count, 0);
  taps.low.assign(count, 0);
  for (int place = 0; place < to; ++place) {
    const int length = whole.length[static_cast<std::size_t>(place)];
    taps.length.push_back((length + 1) / 2);
    for (int i = 0; i < length; ++i) {
      constexpr std::int32_t low_bits = (1 << 11) - 1;
      const auto weight =
          whole.weights[static_cast<std::size_t>(place) * static_cast<std::size_t>(whole.count) +
                        static_cast<std::size_t>(i)];
      const int shift = i % 2 == 0 ? 0 : 16;
      const auto at =
          static_cast<std::size_t>(place) * static_cast<std::size_t>(pairs) + static_cast<std::size_t>(i / 2);
      const auto part = [&](std::int32_t value) {
        return static_cast<std::int32_t>((static_cast<std::uint32_t>(value) & 0xFFFFU) << shift);
      };
      taps.high[at] |= part(weight >> 11);
      taps.low[at] |= part(weight & low_bits);
    }
  }
  return taps;
}

/// The last ones of a thread are kept: images of a data set are often of one size, and making weights takes
/// as long as using them.
class KeptTaps {
 public:
  const ByteTaps& of(int from, int to, PillowFilter filter) {
    if (from != from_ || to != to_ || filter != filter_) {
      taps_ = byte_taps(from, to, filter);
      from_ = from;
      to_ = to;
      filter_ = filter;
    }
    return taps_;
  }

 private:
  int from_ = 0;
  int to_ = 0;
  PillowFilter filter_ = PillowFilter::bilinear;
  ByteTaps taps_{};
};

cv::Mat resized_bytes(const cv::Mat& image, cv::Size size, PillowFilter filter) {
  thread_local KeptTaps across;
  thread_local KeptTaps down;
  const auto wide =
      image.cols == size.width ? image : byte_columns(image, across.of(image.cols, size.width, filter));
  return wide.rows == size.height ? wide : byte_rows(wide, down.of(wide.rows, size.height, filter));
}

template <class Pixel>
cv::Mat of_channels(const cv::Mat& image, cv::Size size, PillowFilter filter) {
  return image.channels() == 1 ? resized<Pixel, 1>(image, size, filter)
                               : resized<Pixel, 3>(image, size, filter);
}

}  // namespace

cv::Mat pillow_resize(const cv::Mat& image, cv::Size size, PillowFilter filter) {
  CV_Assert(image.channels() == 1 || image.channels() == 3);
  CV_Assert(image.depth() == CV_8U || image.depth() == CV_32F);
  constexpr int narrowest = 6;  // pixels: byte_rows() needs 16 bytes
  if (image.type() == CV_8UC3 && size.width >= narrowest && has_byte_passes()) {
    return resized_bytes(image, size, filter);
  }
  return image.depth() == CV_8U ? of_channels<std::uint8_t>(image, size, filter)
                                : of_channels<float>(image, size, filter);
}

}  // namespace kindred::transforms
