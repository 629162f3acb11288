#include "inference/equal_descriptors.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

namespace kindred::inference {
namespace {

/// Numbers that are looked at together; mostly the first two rows decide.
constexpr std::int64_t numbers_at_a_time = 1 << 20;
constexpr std::int64_t most_rows_at_a_time = 4096;
/// Of the cosine distance of two rows, on average.
constexpr double least_distance = 1e-5;

}  // namespace

std::string warning_of_equal_descriptors(std::int64_t count, const DescriptorRows& rows,
                                         const std::string& what) {
  // Of rows of length 1 the squared length of their mean is their mean cosine. What the length of their sum
  // falls short of their number by never shrinks, so the first rows mostly decide.
  const double largest_gap = 1 - std::sqrt(1 - least_distance);
  const torch::NoGradGuard no_gradients;
  torch::Tensor sum;
  std::int64_t added = 0;
  std::int64_t rows_at_a_time = 2;
  for (std::int64_t first = 0, last = 0; first < count; first = last) {
    last = std::min(count, first + rows_at_a_time);
    const auto block = rows(first, last).to(torch::kFloat64);
    rows_at_a_time = std::clamp<std::int64_t>(numbers_at_a_time / std::max<std::int64_t>(1, block.size(1)), 1,
                                              most_rows_at_a_time);
    if (block.size(0) == 0) continue;
    const auto units = block / block.norm(2, 1, /*keepdim=*/true).clamp_min(1e-300);
    sum = sum.defined() ? sum + units.sum(0) : units.sum(0);
    added += block.size(0);
    const auto gap = static_cast<double>(added) - sum.norm().item<double>();
    if (!(gap < largest_gap * static_cast<double>(count))) return "";
  }
  if (added < 2) return "";
  const auto gap = static_cast<double>(added) - sum.norm().item<double>();
  if (!(gap < largest_gap * static_cast<double>(added))) return "";
  return "warning: the descriptors of all " + std::to_string(added) + " " + what +
         " images are nearly equal, so rankings of these are chance, and so are their figures: either the "
         "images are equal, too, or the model tells nobody apart, because it is untrained or its training "
         "collapsed (see the log of the training)";
}

void warn_of_equal_descriptors(std::int64_t count, const DescriptorRows& rows, const std::string& what,
                               progress::ProgressSink& progress) {
  if (const auto warning = warning_of_equal_descriptors(count, rows, what); !warning.empty()) {
    progress.note(warning);
  }
}

void warn_of_equal_descriptors(const torch::Tensor& rows, const std::string& what,
                               progress::ProgressSink& progress) {
  warn_of_equal_descriptors(
      rows.size(0), [&](std::int64_t first, std::int64_t last) { return rows.slice(0, first, last); }, what,
      progress);
}

}  // namespace kindred::inference
