#include "kindred/search/nearest_rows.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/search/nearest_share.h"

using namespace kindred;

namespace {

/// Clusters with noise, so that rows have near and far neighbors; on request with rows that occur
/// repeatedly.
torch::Tensor clusters(std::int64_t rows, std::int64_t dim, double noise, std::int64_t seed,
                       bool repeated = false) {
  torch::manual_seed(seed);
  const auto centers = torch::randn({std::max<std::int64_t>(1, rows / 7), dim});
  const auto of = torch::randint(centers.size(0), {rows}, torch::kLong);
  auto result = centers.index_select(0, of) + noise * torch::randn({rows, dim});
  if (repeated) {
    const auto from = torch::randint(rows, {rows / 2}, torch::kLong);
    const auto to = torch::randint(rows, {rows / 2}, torch::kLong);
    result.index_copy_(0, to, result.index_select(0, from));
  }
  return (result / result.norm(2, 1, true)).contiguous();
}

struct Expected {
  std::vector<std::int32_t> rows;
  std::vector<float> distances;
  std::vector<float> farthest;
};

/// By the definition: all distances, a stable sort.
Expected plain(const torch::Tensor& query, const torch::Tensor& gallery, std::int64_t count) {
  Expected expected;
  for (std::int64_t q = 0; q < query.size(0); ++q) {
    std::vector<std::pair<double, std::int32_t>> all;
    for (std::int64_t g = 0; g < gallery.size(0); ++g) {
      all.emplace_back(
          (query[q].to(torch::kDouble) - gallery[g].to(torch::kDouble)).square().sum().item<double>(),
          static_cast<std::int32_t>(g));
    }
    expected.farthest.push_back(static_cast<float>(std::max_element(all.begin(), all.end())->first));
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::int64_t k = 0; k < std::min<std::int64_t>(count, gallery.size(0)); ++k) {
      expected.rows.push_back(all[static_cast<std::size_t>(k)].second);
      expected.distances.push_back(static_cast<float>(all[static_cast<std::size_t>(k)].first));
    }
  }
  return expected;
}

void check_equal(const NearestRows& found, const Expected& expected) {
  CHECK(found.rows == expected.rows);
  REQUIRE(found.distances.size() == expected.distances.size());
  for (std::size_t i = 0; i < found.distances.size(); ++i) {
    CHECK(found.distances[i] == doctest::Approx(expected.distances[i]).epsilon(1e-6));
  }
  REQUIRE(found.farthest.size() == expected.farthest.size());
  for (std::size_t i = 0; i < found.farthest.size(); ++i) {
    CHECK(found.farthest[i] == doctest::Approx(expected.farthest[i]).epsilon(1e-6));
  }
}

NearestOptions options_of(std::int64_t count, SearchPrecision precision, std::int64_t block = 64) {
  NearestOptions options;
  options.count = count;
  options.farthest = true;
  options.precision = precision;
  options.block_rows = block;
  return options;
}

}  // namespace

TEST_CASE("the nearest of all rows are found as by the definition, in either precision") {
  for (const auto precision : {SearchPrecision::float32, SearchPrecision::bfloat16}) {
    for (const std::int64_t count : {1, 5, 40}) {
      const auto rows = clusters(230, 24, 0.3, count);
      check_equal(nearest_rows(rows, options_of(count, precision)), plain(rows, rows, count));
    }
  }
}

TEST_CASE("the nearest gallery rows of queries are found as by the definition") {
  for (const auto precision : {SearchPrecision::float32, SearchPrecision::bfloat16}) {
    const auto query = clusters(70, 19, 0.5, 1);
    const auto gallery = clusters(301, 19, 0.5, 2);
    check_equal(nearest_rows(query, gallery, options_of(7, precision)), plain(query, gallery, 7));
  }
}

TEST_CASE("whole rows of products, as on a GPU, give the same, also where the best to spare do not suffice") {
  for (const auto precision : {SearchPrecision::float32, SearchPrecision::bfloat16}) {
    auto options = options_of(6, precision);
    options.whole_rows = true;
    const auto rows = clusters(400, 24, 0.3, 11);
    check_equal(nearest_rows(rows, options), plain(rows, rows, 6));
    const auto query = clusters(20, 24, 0.3, 12);
    check_equal(nearest_rows(query, rows, options), plain(query, rows, 6));
    const auto repeated = clusters(300, 8, 0.2, 13, true);
    check_equal(nearest_rows(repeated, options), plain(repeated, repeated, 6));
  }
  // More equal rows than are handed over: they are compared one by one.
  auto options = options_of(4, SearchPrecision::float32);
  options.whole_rows = true;
  const auto found = nearest_rows((torch::ones({300, 8}) / 3).contiguous(), options);
  CHECK(std::vector<std::int32_t>(found.of(299).begin(), found.of(299).end()) ==
        std::vector<std::int32_t>{0, 1, 2, 3});
}

TEST_CASE("rows of any length are compared by their distance, not by their direction") {
  const auto rows = (clusters(150, 16, 0.5, 3) * torch::rand({150, 1}).mul(5).add(0.1)).contiguous();
  for (const auto precision : {SearchPrecision::float32, SearchPrecision::bfloat16}) {
    check_equal(nearest_rows(rows, options_of(9, precision)), plain(rows, rows, 9));
  }
  const auto tiny = (rows * 1e-20).contiguous();
  const auto found = nearest_rows(tiny, options_of(9, SearchPrecision::float32));
  CHECK(found.rows == plain(rows, rows, 9).rows);
}

TEST_CASE("of equal rows the lower comes first, also when more are equal than a list holds") {
  const auto repeated = clusters(200, 8, 0.2, 4, true);
  check_equal(nearest_rows(repeated, options_of(6, SearchPrecision::float32)), plain(repeated, repeated, 6));
  check_equal(nearest_rows(repeated, options_of(6, SearchPrecision::bfloat16)), plain(repeated, repeated, 6));

  const auto equal = torch::ones({500, 8}) / std::sqrt(8.0);
  const auto found = nearest_rows(equal, options_of(4, SearchPrecision::float32));
  for (std::int64_t row = 0; row < 500; ++row) {
    const auto of = found.of(row);
    CHECK(std::vector<std::int32_t>(of.begin(), of.end()) == std::vector<std::int32_t>{0, 1, 2, 3});
    CHECK(found.distances_of(row)[3] == 0);
    CHECK(found.farthest[static_cast<std::size_t>(row)] == 0);
  }
}

TEST_CASE("near ties that neither precision can tell apart are put in their true order") {
  // Steps of 1e-6, far below what bfloat16 and the sums of float32 resolve.
  torch::manual_seed(5);
  const auto base = torch::randn({1, 64});
  auto rows = (base.expand({300, 64}) + torch::randn({300, 64}) * 1e-6).contiguous();
  for (const auto precision : {SearchPrecision::float32, SearchPrecision::bfloat16}) {
    check_equal(nearest_rows(rows, options_of(5, precision)), plain(rows, rows, 5));
  }
}

TEST_CASE("more neighbors than rows are all rows, and one row has itself") {
  const auto rows = clusters(12, 8, 0.5, 6);
  check_equal(nearest_rows(rows, options_of(50, SearchPrecision::float32)), plain(rows, rows, 50));
  const auto one = rows.slice(0, 0, 1).contiguous();
  const auto found = nearest_rows(one, options_of(3, SearchPrecision::float32));
  CHECK(found.count == 1);
  CHECK(found.rows == std::vector<std::int32_t>{0});
}

TEST_CASE("neither the size of blocks nor the number of threads changes the result") {
  const auto rows = clusters(333, 32, 0.4, 7);
  const auto expected = nearest_rows(rows, options_of(8, SearchPrecision::float32, 2048));
  const auto threads = at::get_num_threads();
  for (const int count : {1, 3}) {
    at::set_num_threads(count);
    for (const std::int64_t block : {16, 100}) {
      const auto found = nearest_rows(rows, options_of(8, SearchPrecision::float32, block));
      CHECK(found.rows == expected.rows);
      CHECK(found.distances == expected.distances);
      CHECK(found.farthest == expected.farthest);
    }
  }
  at::set_num_threads(threads);
}

TEST_CASE("products of the first rows with the others are kept, in 32 bits and beside the same result") {
  const auto rows = clusters(210, 24, 0.3, 14);
  const std::int64_t first = 90;
  const auto nearest = plain(rows, rows, 6);
  const auto expected = torch::mm(rows.slice(0, 0, first), rows.slice(0, first).t());
  for (const auto precision : {SearchPrecision::float32, SearchPrecision::bfloat16}) {
    for (const bool whole_rows : {false, true}) {
      auto options = options_of(6, precision);
      options.whole_rows = whole_rows;
      options.products_of = first;
      const auto found = nearest_rows(rows, options);
      check_equal(found, nearest);
      REQUIRE(found.products.sizes() == expected.sizes());
      CHECK((found.products.scalar_type() == torch::kFloat));
      CHECK(torch::allclose(found.products, expected, 0, 1e-6));
    }
  }
  CHECK_FALSE(nearest_rows(rows, options_of(6, SearchPrecision::float32)).products.defined());
}

TEST_CASE("progress ends with the whole, and the farthest are left out unless asked for") {
  const auto rows = clusters(100, 8, 0.4, 8);
  NearestOptions options;
  options.block_rows = 30;
  std::int64_t last = 0;
  std::int64_t whole = 0;
  options.progress = [&](std::int64_t done, std::int64_t total) {
    CHECK(done > last);
    last = done;
    whole = total;
  };
  const auto found = nearest_rows(rows, options);
  CHECK(last == whole);
  CHECK(whole == 100);
  CHECK(found.farthest.empty());
}

TEST_CASE("rows that squares of 32 bits cannot hold are refused by number") {
  auto rows = clusters(10, 8, 0.4, 9);
  rows[3].mul_(1e20);
  CHECK_THROWS_WITH_AS(static_cast<void>(nearest_rows(rows, NearestOptions{})),
                       "nearest rows: error: row 3 (from 0) is longer than 1e15 or not finite; scale the "
                       "descriptors to length 1",
                       Error);
  rows[3].fill_(std::numeric_limits<float>::quiet_NaN());
  CHECK_THROWS_WITH_AS(static_cast<void>(nearest_rows(rows, NearestOptions{})), doctest::Contains("row 3"),
                       Error);
}

TEST_CASE("a squared distance is the same in both directions and 0 for equal rows") {
  torch::manual_seed(10);
  const auto a = torch::randn({75});
  const auto b = torch::randn({75});
  const auto* pa = a.data_ptr<float>();
  const auto* pb = b.data_ptr<float>();
  CHECK(squared_distance(pa, pa, 75) == 0);
  CHECK(squared_distance(pa, pb, 75) == squared_distance(pb, pa, 75));
  const auto expected = (a.to(torch::kDouble) - b.to(torch::kDouble)).square().sum().item<double>();
  CHECK(squared_distance(pa, pb, 75) == doctest::Approx(expected).epsilon(1e-12));
}

namespace {

NearestRows from_shares(const torch::Tensor& query, const torch::Tensor* gallery,
                        const NearestOptions& options, std::int64_t parts) {
  std::vector<NearestRows> shares;
  for (std::int64_t part = 0; part < parts; ++part) {
    shares.push_back(gallery == nullptr ? nearest_rows_of_share(query, options, {part, parts})
                                        : nearest_rows_of_share(query, *gallery, options, {part, parts}));
  }
  auto merged = merge_shares(query, gallery == nullptr ? query : *gallery, shares);
  for (const auto& share : shares) {
    if (!share.products.defined()) continue;
    merged.products = merged.products.defined() ? merged.products + share.products : share.products;
  }
  return merged;
}

void check_identical(const NearestRows& found, const NearestRows& expected) {
  CHECK(found.count == expected.count);
  CHECK(found.rows == expected.rows);
  CHECK(found.distances == expected.distances);
  CHECK(found.farthest == expected.farthest);
  REQUIRE(found.products.defined() == expected.products.defined());
  if (found.products.defined()) CHECK(torch::equal(found.products, expected.products));
}

}  // namespace

TEST_CASE("the shares of several processes merge to what one process finds, bit by bit") {
  for (const auto precision : {SearchPrecision::float32, SearchPrecision::bfloat16}) {
    for (const std::int64_t parts : {2, 3, 5}) {
      for (const bool repeated : {false, true}) {
        CAPTURE(parts);
        const auto rows = clusters(700, 24, 0.3, 20 + parts, repeated);
        auto options = options_of(9, precision);
        options.products_of = 210;
        check_identical(from_shares(rows, nullptr, options, parts), nearest_rows(rows, options));
        options.products_of = 0;
        options.whole_rows = true;
        check_identical(from_shares(rows, nullptr, options, parts), nearest_rows(rows, options));
        const auto query = clusters(130, 24, 0.3, 3, repeated);
        check_identical(from_shares(query, &rows, options, parts), nearest_rows(query, rows, options));
        options.whole_rows = false;
        check_identical(from_shares(query, &rows, options, parts), nearest_rows(query, rows, options));
      }
    }
  }
}

TEST_CASE("shares of fewer rows than there are shares merge, too") {
  const auto rows = clusters(3, 8, 0.3, 1);
  const auto options = options_of(9, SearchPrecision::float32);
  check_identical(from_shares(rows, nullptr, options, 4), nearest_rows(rows, options));
  const auto query = clusters(2, 8, 0.3, 2);
  check_identical(from_shares(query, &rows, options, 4), nearest_rows(query, rows, options));
  CHECK_THROWS_AS(static_cast<void>(nearest_rows_of_share(rows, options, {4, 4})), std::logic_error);
}

TEST_CASE("no pair of rows is compared by two shares, and shares are of about the same size") {
  // With one neighbor more than a share has, its lists show what it has compared.
  const auto rows = clusters(600, 4, 0.5, 7);
  constexpr std::int64_t parts = 3;
  std::int64_t all = 0;
  for (std::int64_t part = 0; part < parts; ++part) {
    const auto found = nearest_rows_of_share(rows, options_of(600, SearchPrecision::float32), {part, parts});
    const auto compared =
        std::count_if(found.rows.begin(), found.rows.end(), [](std::int32_t row) { return row >= 0; });
    CHECK(compared > 600 * 600 / parts * 8 / 10);
    CHECK(compared < 600 * 600 / parts * 12 / 10);
    all += compared;
  }
  CHECK(all == 600 * 600);
}
