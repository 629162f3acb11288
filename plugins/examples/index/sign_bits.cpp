#include "sign_bits.h"

#include <torch/torch.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <numeric>
#include <string>

#include "kindred/core/random.h"

namespace my_plugins {
namespace {

constexpr std::int64_t bits_of_a_word = 64;

}  // namespace

kindred::Schema<SignBits::Params> SignBits::schema() {
  kindred::Schema<Params> s("Compares the signs of products with random directions.", "Charikar, STOC 2002");
  s.add("bits", &Params::bits, "directions, a multiple of 64; more find more, and take longer")
      .range(64, 65536);
  s.add("seed", &Params::seed, "of the directions").at_least(0);
  s.rule([](const Params& params) -> std::string {
    return params.bits % bits_of_a_word == 0 ? "" : "bits must be a multiple of 64";
  });
  return s;
}

SignBits::SignBits(const Params& params, const Context& context) : words_(params.bits / bits_of_a_word) {
  kindred::RandomStream random(static_cast<std::uint64_t>(params.seed));
  directions_ = torch::empty({context.dim, bits_of_a_word * words_}, torch::kFloat);
  auto* number = directions_.data_ptr<float>();
  for (std::int64_t i = 0; i < directions_.numel(); ++i) number[i] = static_cast<float>(random.normal());
}

std::vector<std::uint64_t> SignBits::codes(const torch::Tensor& rows) const {
  const auto products = rows.mm(directions_);
  const auto* product = products.data_ptr<float>();
  std::vector<std::uint64_t> codes(static_cast<std::size_t>(rows.size(0) * words_));
  for (auto& word : codes) {
    for (std::int64_t bit = 0; bit < bits_of_a_word; ++bit) {
      word |= static_cast<std::uint64_t>(*product++ > 0) << bit;
    }
  }
  return codes;
}

void SignBits::add(const torch::Tensor& rows) {
  const auto more = codes(rows);
  codes_.insert(codes_.end(), more.begin(), more.end());
}

torch::Tensor SignBits::search(const torch::Tensor& queries, std::int64_t count) const {
  const auto words = static_cast<std::size_t>(words_);
  const auto rows = codes_.size() / words;
  const auto asked = codes(queries);
  auto found = torch::full({queries.size(0), count}, -1, torch::kLong);
  const auto best = std::min(static_cast<std::size_t>(count), rows);
  std::vector<int> different(rows);
  std::vector<std::int64_t> order(rows);
  for (std::int64_t q = 0; q < queries.size(0); ++q) {
    const auto* query = asked.data() + static_cast<std::size_t>(q) * words;
    for (std::size_t row = 0; row < rows; ++row) {
      different[row] = 0;
      for (std::size_t word = 0; word < words; ++word) {
        different[row] += std::popcount(query[word] ^ codes_[row * words + word]);
      }
    }
    std::iota(order.begin(), order.end(), 0);
    const auto nearer = [&](std::int64_t a, std::int64_t b) {
      const auto left = different[static_cast<std::size_t>(a)];
      const auto right = different[static_cast<std::size_t>(b)];
      return left < right || (left == right && a < b);
    };
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(best), order.end(), nearer);
    std::copy_n(order.begin(), best, found.data_ptr<std::int64_t>() + q * count);
  }
  return found;
}

}  // namespace my_plugins
