#include "channel_kernels.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "kindred/core/kernel.h"

#define KINDRED_INLINED [[gnu::always_inline]] inline

namespace kindred {

namespace channels {

/// A piece of a map stays in the cache when it is read twice, and is so large that what is kept of all pieces
/// is small.
constexpr std::int64_t piece_bytes = 128 * 1024;
constexpr std::int64_t piece_rows = 64;

KINDRED_INLINED float loaded(float value) {
  return value;
}
KINDRED_INLINED float loaded(std::uint16_t value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16U);
}
KINDRED_INLINED void store(float value, float& place) {
  place = value;
}
// To the nearest, of two equally near ones to the even one.
KINDRED_INLINED void store(float value, std::uint16_t& place) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto rounded = (bits + 0x7fffU + ((bits >> 16U) & 1U)) >> 16U;
  place = static_cast<std::uint16_t>(value != value ? 0x7fc0U : rounded);
}

// Of rows of channels: their sum, and the sum of the squares of their distances from their mean.
template <class T>
KINDRED_INLINED void moments_of(const T* __restrict map, std::int64_t rows, std::int64_t channels,
                                float* __restrict sum, float* __restrict squares) {
  std::fill_n(sum, channels, 0.0F);
  std::fill_n(squares, channels, 0.0F);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t c = 0; c < channels; ++c) sum[c] += loaded(map[row * channels + c]);
  }
  const float share = 1.0F / static_cast<float>(rows);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float distance = loaded(map[row * channels + c]) - sum[c] * share;
      squares[c] += distance * distance;
    }
  }
}

template <bool with_shortcut, bool relu, class T>
KINDRED_INLINED void scale_rows(const T* __restrict map, const float* __restrict scale,
                                const float* __restrict shift, const T* __restrict shortcut,
                                T* __restrict output, std::int64_t rows, std::int64_t channels) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto at = row * channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      float value = loaded(map[at + c]) * scale[c] + shift[c];
      if (with_shortcut) value += loaded(shortcut[at + c]);
      if (relu) value = value < 0 ? 0 : value;
      store(value, output[at + c]);
    }
  }
}

template <class T>
KINDRED_INLINED void scale_any(const T* map, const float* scale, const float* shift, const T* shortcut,
                               bool relu, T* output, std::int64_t rows, std::int64_t channels) {
  if (shortcut != nullptr) {
    relu ? scale_rows<true, true>(map, scale, shift, shortcut, output, rows, channels)
         : scale_rows<true, false>(map, scale, shift, shortcut, output, rows, channels);
  } else {
    relu ? scale_rows<false, true>(map, scale, shift, shortcut, output, rows, channels)
         : scale_rows<false, false>(map, scale, shift, shortcut, output, rows, channels);
  }
}

template <bool relu, class T>
KINDRED_INLINED void sum_rows(const T* __restrict gradient, const T* __restrict map,
                              const T* __restrict output, const float* __restrict mean, std::int64_t rows,
                              std::int64_t channels, float* __restrict plain, float* __restrict times_map) {
  std::fill_n(plain, channels, 0.0F);
  std::fill_n(times_map, channels, 0.0F);
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto at = row * channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      float value = loaded(gradient[at + c]);
      if (relu) value = loaded(output[at + c]) <= 0 ? 0 : value;
      plain[c] += value;
      times_map[c] += value * (loaded(map[at + c]) - mean[c]);
    }
  }
}

template <bool relu, bool with_shortcut, class T>
KINDRED_INLINED void gradient_rows(const T* __restrict gradient, const T* __restrict map,
                                   const T* __restrict output, const float* __restrict scale,
                                   const float* __restrict slope, const float* __restrict shift,
                                   T* __restrict of_map, T* __restrict of_shortcut, std::int64_t rows,
                                   std::int64_t channels) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto at = row * channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      float value = loaded(gradient[at + c]);
      if (relu) value = loaded(output[at + c]) <= 0 ? 0 : value;
      if (with_shortcut) store(value, of_shortcut[at + c]);
      store(value * scale[c] + (loaded(map[at + c]) * slope[c] + shift[c]), of_map[at + c]);
    }
  }
}

template <class T>
KINDRED_INLINED void gradient_any(const T* gradient, const T* map, const T* output, const float* scale,
                                  const float* slope, const float* shift, T* of_map, T* of_shortcut,
                                  std::int64_t rows, std::int64_t channels) {
  if (output == nullptr) {
    gradient_rows<false, false>(gradient, map, output, scale, slope, shift, of_map, of_shortcut, rows,
                                channels);
  } else if (of_shortcut != nullptr) {
    gradient_rows<true, true>(gradient, map, output, scale, slope, shift, of_map, of_shortcut, rows,
                              channels);
  } else {
    gradient_rows<true, false>(gradient, map, output, scale, slope, shift, of_map, of_shortcut, rows,
                               channels);
  }
}

// Adds what a piece has of the sum of squares of distances from the mean of all: Chan, Golub, LeVeque,
// Updating formulae and a pairwise algorithm for computing sample variances, 1979.
KINDRED_FOR_EACH_PROCESSOR
void add_spread(double* __restrict spread, const double* __restrict mean, const float* __restrict sum,
                const float* __restrict squares, std::int64_t rows, std::int64_t channels) {
  const auto count = static_cast<double>(rows);
  const auto share = 1 / count;
  for (std::int64_t c = 0; c < channels; ++c) {
    const auto distance = static_cast<double>(sum[c]) * share - mean[c];
    spread[c] += static_cast<double>(squares[c]) + count * distance * distance;
  }
}
KINDRED_FOR_EACH_PROCESSOR
void add_row(double* __restrict sum, const float* __restrict row, std::int64_t channels) {
  for (std::int64_t c = 0; c < channels; ++c) sum[c] += static_cast<double>(row[c]);
}

// The same of either type: a template cannot be compiled for several processors.

KINDRED_FOR_EACH_PROCESSOR
void moments_float(const float* map, std::int64_t rows, std::int64_t channels, float* sum, float* squares) {
  moments_of(map, rows, channels, sum, squares);
}
KINDRED_FOR_EACH_PROCESSOR
void moments_bfloat16(const std::uint16_t* map, std::int64_t rows, std::int64_t channels, float* sum,
                      float* squares) {
  moments_of(map, rows, channels, sum, squares);
}
KINDRED_FOR_EACH_PROCESSOR
void scale_float(const float* map, const float* scale, const float* shift, const float* shortcut, bool relu,
                 float* output, std::int64_t rows, std::int64_t channels) {
  scale_any(map, scale, shift, shortcut, relu, output, rows, channels);
}
KINDRED_FOR_EACH_PROCESSOR
void scale_bfloat16(const std::uint16_t* map, const float* scale, const float* shift,
                    const std::uint16_t* shortcut, bool relu, std::uint16_t* output, std::int64_t rows,
                    std::int64_t channels) {
  scale_any(map, scale, shift, shortcut, relu, output, rows, channels);
}
KINDRED_FOR_EACH_PROCESSOR
void sums_float(const float* gradient, const float* map, const float* output, const float* mean,
                std::int64_t rows, std::int64_t channels, float* plain, float* times_map) {
  output == nullptr ? sum_rows<false>(gradient, map, output, mean, rows, channels, plain, times_map)
                    : sum_rows<true>(gradient, map, output, mean, rows, channels, plain, times_map);
}
KINDRED_FOR_EACH_PROCESSOR
void sums_bfloat16(const std::uint16_t* gradient, const std::uint16_t* map, const std::uint16_t* output,
                   const float* mean, std::int64_t rows, std::int64_t channels, float* plain,
                   float* times_map) {
  output == nullptr ? sum_rows<false>(gradient, map, output, mean, rows, channels, plain, times_map)
                    : sum_rows<true>(gradient, map, output, mean, rows, channels, plain, times_map);
}
KINDRED_FOR_EACH_PROCESSOR
void gradients_float(const float* gradient, const float* map, const float* output, const float* scale,
                     const float* slope, const float* shift, float* of_map, float* of_shortcut,
                     std::int64_t rows, std::int64_t channels) {
  gradient_any(gradient, map, output, scale, slope, shift, of_map, of_shortcut, rows, channels);
}
KINDRED_FOR_EACH_PROCESSOR
void gradients_bfloat16(const std::uint16_t* gradient, const std::uint16_t* map, const std::uint16_t* output,
                        const float* scale, const float* slope, const float* shift, std::uint16_t* of_map,
                        std::uint16_t* of_shortcut, std::int64_t rows, std::int64_t channels) {
  gradient_any(gradient, map, output, scale, slope, shift, of_map, of_shortcut, rows, channels);
}

struct FloatKernels {
  using Number = float;
  static constexpr auto moments = moments_float;
  static constexpr auto scale = scale_float;
  static constexpr auto sums = sums_float;
  static constexpr auto gradients = gradients_float;
};
struct Bfloat16Kernels {
  using Number = std::uint16_t;
  static constexpr auto moments = moments_bfloat16;
  static constexpr auto scale = scale_bfloat16;
  static constexpr auto sums = sums_bfloat16;
  static constexpr auto gradients = gradients_bfloat16;
};

template <class Work>
auto with_kernels_of(const torch::Tensor& map, Work&& work) {
  return map.scalar_type() == torch::kBFloat16 ? work(Bfloat16Kernels()) : work(FloatKernels());
}

// A map in pieces, each of consecutive pixels of one image.
struct Pieces {
  explicit Pieces(const torch::Tensor& map)
      : images(map.size(0)), channels(map.size(1)), pixels(map.size(2) * map.size(3)) {
    const auto row_bytes = channels * map.element_size();
    const auto most = std::max(piece_rows, piece_bytes / row_bytes);
    per_image = (pixels + most - 1) / most;
  }
  [[nodiscard]] std::int64_t count() const { return images * per_image; }
  [[nodiscard]] std::int64_t image(std::int64_t piece) const { return piece / per_image; }
  [[nodiscard]] std::int64_t begin(std::int64_t piece) const {
    return image(piece) * pixels + piece % per_image * pixels / per_image;
  }
  [[nodiscard]] std::int64_t rows(std::int64_t piece) const {
    return (piece % per_image + 1) * pixels / per_image - piece % per_image * pixels / per_image;
  }

  std::int64_t images;
  std::int64_t channels;
  std::int64_t pixels;
  std::int64_t per_image;
};

template <class Number>
Number* numbers(const torch::Tensor& tensor) {
  return tensor.defined() ? static_cast<Number*>(tensor.data_ptr()) : nullptr;
}

// [C] or [N, C]: what belongs to an image.
const float* of_image(const torch::Tensor& values, std::int64_t image) {
  return numbers<float>(values) + (values.dim() == 2 ? image * values.size(1) : 0);
}

std::vector<float> room_for(const Pieces& pieces) {
  return std::vector<float>(static_cast<std::size_t>(pieces.count() * pieces.channels));
}

// [N, C] of a row for each piece.
void add_up(const std::vector<float>& rows, const Pieces& pieces, float* sums) {
  std::vector<double> sum(static_cast<std::size_t>(pieces.channels));
  for (std::int64_t image = 0; image < pieces.images; ++image) {
    std::fill(sum.begin(), sum.end(), 0.0);
    const auto* row = rows.data() + image * pieces.per_image * pieces.channels;
    for (std::int64_t piece = 0; piece < pieces.per_image; ++piece, row += pieces.channels) {
      add_row(sum.data(), row, pieces.channels);
    }
    std::copy(sum.begin(), sum.end(), sums + image * pieces.channels);
  }
}

}  // namespace channels

bool has_channel_kernels(const torch::Tensor& map) {
  return map.dim() == 4 && map.device().is_cpu() && map.layout() == torch::kStrided &&
         (map.scalar_type() == torch::kFloat32 || map.scalar_type() == torch::kBFloat16) && map.numel() > 0 &&
         map.is_contiguous(torch::MemoryFormat::ChannelsLast);
}

ChannelMoments channel_moments(const torch::Tensor& map) {
  const channels::Pieces pieces(map);
  auto sums = channels::room_for(pieces);
  auto squares = channels::room_for(pieces);
  channels::with_kernels_of(map, [&](auto kernels) {
    const auto* data = channels::numbers<typename decltype(kernels)::Number>(map);
    parallel_kernel(pieces.count(), [&](std::int64_t first, std::int64_t last) {
      for (auto i = first; i < last; ++i) {
        kernels.moments(data + pieces.begin(i) * pieces.channels, pieces.rows(i), pieces.channels,
                        sums.data() + i * pieces.channels, squares.data() + i * pieces.channels);
      }
    });
  });
  const auto options = torch::TensorOptions().dtype(torch::kFloat32);
  ChannelMoments moments{torch::empty({pieces.images, pieces.channels}, options),
                         torch::empty({pieces.channels}, options), torch::empty({pieces.channels}, options)};
  auto* image_means = channels::numbers<float>(moments.image_means);
  channels::add_up(sums, pieces, image_means);
  const auto width = static_cast<std::size_t>(pieces.channels);
  std::vector<double> mean(width);
  std::vector<double> spread(width);
  for (std::int64_t image = 0; image < pieces.images; ++image) {
    auto* row = image_means + image * pieces.channels;
    for (std::size_t c = 0; c < width; ++c) {
      mean[c] += static_cast<double>(row[c]);
      row[c] /= static_cast<float>(pieces.pixels);
    }
  }
  const auto count = static_cast<double>(pieces.images * pieces.pixels);
  for (auto& value : mean) value /= count;
  for (std::int64_t i = 0; i < pieces.count(); ++i) {
    channels::add_spread(spread.data(), mean.data(), sums.data() + i * pieces.channels,
                         squares.data() + i * pieces.channels, pieces.rows(i), pieces.channels);
  }
  for (auto& value : spread) value /= count;
  std::copy(mean.begin(), mean.end(), channels::numbers<float>(moments.mean));
  std::copy(spread.begin(), spread.end(), channels::numbers<float>(moments.variance));
  return moments;
}

// What was read last is taken first: it may still be in the cache.
torch::Tensor scaled_map(const torch::Tensor& map, const torch::Tensor& scale, const torch::Tensor& shift,
                         const torch::Tensor& shortcut, bool relu) {
  const channels::Pieces pieces(map);
  auto output = torch::empty_like(map);
  channels::with_kernels_of(map, [&](auto kernels) {
    using Number = typename decltype(kernels)::Number;
    const auto* from = channels::numbers<Number>(map);
    const auto* added = channels::numbers<Number>(shortcut);
    auto* to = channels::numbers<Number>(output);
    parallel_kernel(pieces.count(), [&](std::int64_t first, std::int64_t last) {
      for (auto i = last; i-- > first;) {
        const auto at = pieces.begin(i) * pieces.channels;
        kernels.scale(from + at, channels::of_image(scale, pieces.image(i)),
                      channels::of_image(shift, pieces.image(i)), added == nullptr ? nullptr : added + at,
                      relu, to + at, pieces.rows(i), pieces.channels);
      }
    });
  });
  return output;
}

GradientSums gradient_sums(const torch::Tensor& gradient, const torch::Tensor& map,
                           const torch::Tensor& output, const torch::Tensor& mean) {
  const channels::Pieces pieces(map);
  auto plain = channels::room_for(pieces);
  auto times_map = channels::room_for(pieces);
  channels::with_kernels_of(map, [&](auto kernels) {
    using Number = typename decltype(kernels)::Number;
    const auto* gradients = channels::numbers<Number>(gradient);
    const auto* values = channels::numbers<Number>(map);
    const auto* mask = channels::numbers<Number>(output);
    parallel_kernel(pieces.count(), [&](std::int64_t first, std::int64_t last) {
      for (auto i = first; i < last; ++i) {
        const auto at = pieces.begin(i) * pieces.channels;
        kernels.sums(gradients + at, values + at, mask == nullptr ? nullptr : mask + at,
                     channels::numbers<float>(mean), pieces.rows(i), pieces.channels,
                     plain.data() + i * pieces.channels, times_map.data() + i * pieces.channels);
      }
    });
  });
  const auto options = torch::TensorOptions().dtype(torch::kFloat32);
  GradientSums sums{torch::empty({pieces.images, pieces.channels}, options),
                    torch::empty({pieces.images, pieces.channels}, options)};
  channels::add_up(plain, pieces, channels::numbers<float>(sums.plain));
  channels::add_up(times_map, pieces, channels::numbers<float>(sums.times_map));
  return sums;
}

MapGradients map_gradients(const torch::Tensor& gradient, const torch::Tensor& map,
                           const torch::Tensor& output, const torch::Tensor& scale,
                           const torch::Tensor& slope, const torch::Tensor& shift, bool shortcut) {
  const channels::Pieces pieces(map);
  MapGradients gradients{torch::empty_like(map), torch::Tensor()};
  if (shortcut) gradients.shortcut = output.defined() ? torch::empty_like(map) : gradient;
  channels::with_kernels_of(map, [&](auto kernels) {
    using Number = typename decltype(kernels)::Number;
    const auto* given = channels::numbers<Number>(gradient);
    const auto* values = channels::numbers<Number>(map);
    const auto* mask = channels::numbers<Number>(output);
    auto* of_map = channels::numbers<Number>(gradients.map);
    auto* of_shortcut = mask == nullptr ? nullptr : channels::numbers<Number>(gradients.shortcut);
    parallel_kernel(pieces.count(), [&](std::int64_t first, std::int64_t last) {
      for (auto i = last; i-- > first;) {
        const auto at = pieces.begin(i) * pieces.channels;
        kernels.gradients(given + at, values + at, mask == nullptr ? nullptr : mask + at,
                          channels::of_image(scale, pieces.image(i)), channels::numbers<float>(slope),
                          channels::of_image(shift, pieces.image(i)), of_map + at,
                          of_shortcut == nullptr ? nullptr : of_shortcut + at, pieces.rows(i),
                          pieces.channels);
      }
    });
  });
  return gradients;
}

}  // namespace kindred
