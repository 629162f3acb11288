#include "made_features.h"

#include <torch/torch.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

namespace kindred::bench {

std::string Size::text() const {
  return std::to_string(queries) + " x " + std::to_string(gallery) + " x " + std::to_string(dim);
}

Size parse_size(const std::string& text) {
  if (text == "market") return {3368, 15913, 2048};
  if (text == "naic") return {2900, 77000, 2048};
  std::vector<std::int64_t> numbers;
  const char* at = text.data();
  const char* end = text.data() + text.size();
  while (true) {
    std::int64_t number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc() || number < 1) break;
    numbers.push_back(number);
    at = next;
    if (at == end || *at != 'x') break;
    ++at;
  }
  if (at != end || numbers.size() != 3) {
    throw std::invalid_argument("the size '" + text + "' must be 'market', 'naic' or QUERIESxGALLERYxDIM");
  }
  return {numbers[0], numbers[1], numbers[2]};
}

ranking::SearchInput made_features(const Size& size) {
  torch::manual_seed(1);
  const auto rows = size.queries + size.gallery;
  const std::int64_t people = std::max<std::int64_t>(1, size.gallery / 25);
  constexpr std::int64_t dimensions = 24;
  constexpr double deviation = 0.7;
  constexpr double fine_deviation = 0.05;  // of every number by itself, so that the rows are of full rank
  const auto spread = torch::randn({dimensions, size.dim}) / std::sqrt(static_cast<double>(dimensions));
  const auto points = torch::randn({people, dimensions});
  const std::int64_t searched = std::max<std::int64_t>(1, people * 4 / 5);
  const auto of = torch::cat({torch::randint(searched, {size.queries}, torch::kLong),
                              torch::randint(people, {size.gallery}, torch::kLong)});
  ranking::SearchInput input;
  input.query_file = "query.npy";
  input.gallery_file = "gallery.npy";
  input.descriptors = torch::empty({rows, size.dim});
  constexpr std::int64_t block = 4096;
  for (std::int64_t first = 0; first < rows; first += block) {
    const auto last = std::min(first + block, rows);
    const auto latent = points.index_select(0, of.slice(0, first, last)) +
                        torch::randn({last - first, dimensions}) * deviation;
    const auto part = torch::mm(latent, spread) + torch::randn({last - first, size.dim}) * fine_deviation;
    input.descriptors.slice(0, first, last).copy_(torch::nn::functional::normalize(part));
  }
  const auto* identity = of.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < rows; ++i) {
    Sample sample;
    sample.split = i < size.queries ? Split::query : Split::gallery;
    sample.path = std::to_string(i) + ".jpg";
    sample.identity = identity[i];
    sample.camera = i % 6;
    (i < size.queries ? input.query : input.gallery).push_back(std::move(sample));
  }
  return input;
}

}  // namespace kindred::bench
