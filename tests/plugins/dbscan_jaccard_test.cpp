#include "dbscan_jaccard.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "fake_retrieval_host.h"
#include "kindred/core/error.h"
#include "neighbor_encoding.h"

using namespace kindred;
using namespace kindred::k_reciprocal;

namespace {

using Params = DbscanJaccard::Params;
using Numbers = std::vector<std::int64_t>;

PseudoLabels label(const torch::Tensor& rows, const Params& params) {
  test::FakeRetrievalHost host;
  return DbscanJaccard(params, {}).label(Retrieval{rows.contiguous(), rows.size(0) / 3, {}}, host);
}

/// The whole matrix of Jaccard distances, 0 from each row to itself.
std::vector<std::vector<double>> jaccard(const torch::Tensor& rows, const Params& params) {
  NearestOptions options;
  options.count = std::max(params.k1 + 1, params.k2);
  options.farthest = true;
  const auto v = encode_neighbors(rows, nearest_rows(rows, options), params.k1, params.k2);
  const auto n = static_cast<std::size_t>(rows.size(0));
  std::vector<std::vector<float>> dense(n, std::vector<float>(n));
  for (std::size_t i = 0; i < n; ++i) {
    for (const auto& entry : v.row(static_cast<std::int64_t>(i))) {
      dense[i][static_cast<std::size_t>(entry.column)] = entry.value;
    }
  }
  std::vector<std::vector<double>> result(n, std::vector<double>(n));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      double s = 0;
      for (std::size_t c = 0; c < n; ++c) s += std::min(dense[i][c], dense[j][c]);
      result[i][j] = i == j ? 0 : 1 - s / (2 - s);
    }
  }
  return result;
}

/// DBSCAN as it is written down: clusters grow one after the other from the first core that has none.
Numbers plain_dbscan(const std::vector<std::vector<double>>& distances, double eps,
                     std::int64_t min_samples) {
  const auto n = distances.size();
  const auto neighbors = [&](std::size_t i) {
    std::vector<std::size_t> result;
    for (std::size_t j = 0; j < n; ++j) {
      if (distances[i][j] <= eps) result.push_back(j);
    }
    return result;
  };
  const auto is_core = [&](std::size_t i) {
    return static_cast<std::int64_t>(neighbors(i).size()) >= min_samples;
  };
  Numbers labels(n, unlabeled_identity);
  std::int64_t cluster = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (labels[i] != unlabeled_identity || !is_core(i)) continue;
    std::deque<std::size_t> queue{i};
    labels[i] = cluster;
    while (!queue.empty()) {
      const auto at = queue.front();
      queue.pop_front();
      if (!is_core(at)) continue;
      for (const auto j : neighbors(at)) {
        if (labels[j] != unlabeled_identity) continue;
        labels[j] = cluster;
        queue.push_back(j);
      }
    }
    ++cluster;
  }
  std::map<std::int64_t, std::int64_t> numbers;  // in the order of first rows
  for (auto& number : labels) {
    if (number == unlabeled_identity) continue;
    number = numbers.emplace(number, static_cast<std::int64_t>(numbers.size())).first->second;
  }
  return labels;
}

torch::Tensor unit(const torch::Tensor& rows) {
  return (rows / rows.norm(2, 1, true)).contiguous();
}

torch::Tensor people(std::int64_t images, std::int64_t dim, double noise) {
  const auto centers = torch::randn({std::max<std::int64_t>(2, images / 8), dim});
  return unit(centers.index_select(0, torch::randint(centers.size(0), {images}, torch::kLong)) +
              noise * torch::randn({images, dim}));
}

void check_against_plain(const torch::Tensor& rows, Params params) {
  const auto distances = jaccard(rows, params);
  for (const double eps : {0.0, 0.3, 0.6, 0.9}) {
    for (const std::int64_t min_samples : {1, 2, 4, 9}) {
      CAPTURE(eps);
      CAPTURE(min_samples);
      params.eps = eps;
      params.min_samples = min_samples;
      CHECK(label(rows, params).identities == plain_dbscan(distances, eps, min_samples));
    }
  }
}

}  // namespace

TEST_CASE("clusters are those of the plain algorithm on the whole matrix") {
  torch::manual_seed(1);
  for (const auto images : {9, 60, 150}) {
    for (const double noise : {0.2, 0.6, 1.2}) {
      for (const std::int64_t k1 : {3, 10, 30}) {
        CAPTURE(images);
        CAPTURE(noise);
        CAPTURE(k1);
        Params params;
        params.k1 = k1;
        params.k2 = k1 == 3 ? 1 : 6;
        check_against_plain(people(images, 10, noise), params);
      }
    }
  }
}

TEST_CASE("equal images and equal distances are treated as the plain algorithm treats them") {
  torch::manual_seed(2);
  Params params;
  params.k1 = 5;
  params.k2 = 2;
  check_against_plain(torch::ones({25, 4}) / 2, params);  // the last of them have no reciprocal neighbors
  const auto axes = torch::eye(5);
  for (int trial = 0; trial < 10; ++trial) {
    check_against_plain(axes.index_select(0, torch::randint(5, {12 + trial}, torch::kLong)), params);
  }
}

TEST_CASE("the test has images that touch two clusters, and those go to the first") {
  // What the comparison above rests on: in some case a border point has cores of two clusters as neighbors.
  torch::manual_seed(1);
  Params params;
  params.k1 = 10;
  int torn = 0;
  for (int trial = 0; trial < 20; ++trial) {
    const auto rows = people(150, 10, 0.9);
    const auto distances = jaccard(rows, params);
    params.eps = 0.6;
    const auto labels = label(rows, params).identities;
    CHECK(labels == plain_dbscan(distances, params.eps, params.min_samples));
    for (std::size_t i = 0; i < distances.size(); ++i) {
      std::set<std::int64_t> touched;
      std::int64_t own = 0;
      for (std::size_t j = 0; j < distances.size(); ++j) {
        if (distances[i][j] > params.eps) continue;
        ++own;
        const auto near = std::count_if(distances[j].begin(), distances[j].end(),
                                        [&](double distance) { return distance <= params.eps; });
        if (j != i && near >= params.min_samples) touched.insert(labels[j]);
      }
      if (own < params.min_samples && touched.size() > 1) ++torn;
    }
  }
  CHECK(torn > 0);
}

TEST_CASE("persons far apart are found, and a stranger is in no cluster") {
  torch::manual_seed(3);
  const auto centers = torch::eye(6);
  std::vector<torch::Tensor> rows;
  for (int person = 0; person < 5; ++person) {
    rows.push_back(centers[person].expand({12, 6}) + 0.02 * torch::randn({12, 6}));
  }
  rows.push_back(-torch::ones({1, 6}));
  Params params;
  params.k1 = 8;
  const auto labels = label(unit(torch::cat(rows)), params);
  for (std::size_t i = 0; i < 60; ++i) CHECK(labels.identities[i] == static_cast<std::int64_t>(i / 12));
  CHECK(labels.identities[60] == unlabeled_identity);
  REQUIRE(labels.left_out.size() == 1);
  CHECK(labels.left_out[0].reason == "in no cluster");
  CHECK(labels.left_out[0].images == 1);
}

TEST_CASE("the result depends neither on threads nor on the precision of the search") {
  torch::manual_seed(4);
  const auto rows = people(9000, 8, 0.4);  // more than one block
  Params params;
  params.search = SearchPrecision::float32;
  const auto threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = label(rows, params).identities;
  at::set_num_threads(3);
  params.search = SearchPrecision::bfloat16;
  CHECK(label(rows, params).identities == one);
  at::set_num_threads(threads);
}

TEST_CASE("too little memory is an error that says what would do") {
  Params params;
  params.memory_mib = 16;
  CHECK_THROWS_WITH_AS(static_cast<void>(label(torch::rand({20000, 4}), params)),
                       doctest::Contains("labeler/dbscan_jaccard: error: memory_mib = 16 is too small for "
                                         "20000 descriptors of 4 numbers; allowed are "),
                       ComponentError);
}

TEST_CASE("more samples than images are refused, and neighbors that are half of them are warned of") {
  Params params;
  params.min_samples = 8;
  CHECK_THROWS_WITH_AS(
      static_cast<void>(label(torch::rand({7, 4}), params)),
      "labeler/dbscan_jaccard: error: min_samples = 8 is more than the 7 images, so no image "
      "could be the core of a cluster; choose a smaller one",
      ComponentError);
  test::FakeRetrievalHost host;
  params.min_samples = 2;
  params.k1 = 6;
  params.k2 = 2;
  static_cast<void>(DbscanJaccard(params, {}).label({torch::rand({10, 4}), 2, {}}, host));
  REQUIRE(host.warnings.size() == 1);
  CHECK(host.warnings[0].find("k1 = 6 is more than half of the 10 images") == 0);
}
