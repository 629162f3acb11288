#include "search_precision.h"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace kindred {
namespace {

using Clock = std::chrono::steady_clock;

/// Whether this processor multiplies bfloat16 and sums the products up in 32 bits, as the error bound takes
/// for granted: in bfloat16 a sum of ones would stop growing at 256.
bool sums_bfloat16_in_float(std::int64_t dim) {
  try {
    const auto terms = std::max<std::int64_t>(dim, 4096);
    const auto ones = torch::ones({64, terms}, torch::kBFloat16);
    const auto sums = torch::mm(ones, ones.t()).to(torch::kFloat);
    return sums.eq(static_cast<float>(at::BFloat16(static_cast<float>(terms)))).all().item<bool>();
  } catch (const c10::Error&) {
    return false;
  }
}

/// Tries both on a small product.
SearchPrecision faster_precision(const torch::Tensor& rows) {
  constexpr std::int64_t worth_trying = 4096;
  constexpr std::int64_t block = 512;
  if (rows.size(0) < worth_trying || rows.size(1) < 64) return SearchPrecision::float32;
  const auto time = [&](torch::ScalarType type) {
    const auto some = rows.slice(0, 0, block).to(type);
    auto out = torch::empty({block, block}, some.options());
    at::mm_out(out, some, some.t());
    const auto start = Clock::now();
    at::mm_out(out, some, some.t());
    return Clock::now() - start;
  };
  // More candidates are compared after a search in bfloat16: it must be clearly faster.
  return time(torch::kBFloat16) * 3 < time(torch::kFloat) * 2 ? SearchPrecision::bfloat16
                                                              : SearchPrecision::float32;
}

}  // namespace

SearchPrecision search_precision_of(const torch::Tensor& rows, const NearestOptions& options) {
  if (options.precision == SearchPrecision::float32 || !options.device.is_cpu() ||
      !sums_bfloat16_in_float(rows.size(1))) {
    return SearchPrecision::float32;
  }
  return options.precision == SearchPrecision::automatic ? faster_precision(rows) : options.precision;
}

}  // namespace kindred
