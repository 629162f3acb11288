#include "agglomerative_search.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "average_linkage.h"
#include "fake_retrieval_host.h"
#include "product_watch.h"

using namespace kindred;
using namespace kindred::agglomerative_search;

namespace {

using Params = AgglomerativeSearch::Params;
using Conflicts = AgglomerativeSearch::Conflicts;
using Numbers = std::vector<std::int64_t>;

constexpr std::int64_t none = unlabeled_identity;

/// The definition: all pairs, the nearest two clusters first, until none are within the cut.
Numbers plain_linkage(const torch::Tensor& rows, double cut) {
  const auto exact = rows.to(torch::kDouble);
  const auto products = torch::mm(exact, exact.t());
  const auto product = products.accessor<double, 2>();
  std::vector<Numbers> clusters;
  for (std::int64_t i = 0; i < rows.size(0); ++i) clusters.push_back({i});
  while (true) {
    double nearest = std::numeric_limits<double>::infinity();
    std::size_t a = 0;
    std::size_t b = 0;
    for (std::size_t i = 0; i < clusters.size(); ++i) {
      for (std::size_t j = i + 1; j < clusters.size(); ++j) {
        double sum = 0;
        for (const auto x : clusters[i]) {
          for (const auto y : clusters[j]) sum += product[x][y];
        }
        const double distance =
            1 - sum / (static_cast<double>(clusters[i].size()) * static_cast<double>(clusters[j].size()));
        if (distance >= nearest) continue;  // of equal ones the first
        nearest = distance;
        a = i;
        b = j;
      }
    }
    if (!(nearest <= cut)) break;
    clusters[a].insert(clusters[a].end(), clusters[b].begin(), clusters[b].end());
    clusters.erase(clusters.begin() + static_cast<std::ptrdiff_t>(b));
  }
  Numbers lowest(static_cast<std::size_t>(rows.size(0)));
  for (const auto& cluster : clusters) {
    for (const auto row : cluster) lowest[static_cast<std::size_t>(row)] = cluster.front();
  }
  return lowest;
}

Numbers linkage(const torch::Tensor& rows, double cut) {
  LinkageOptions options;
  options.cut = cut;
  return average_linkage(rows.contiguous(), options);
}

std::size_t count(const Numbers& lowest) {
  return std::set<std::int64_t>(lowest.begin(), lowest.end()).size();
}

torch::Tensor unit(const torch::Tensor& rows) {
  return (rows / rows.norm(2, 1, true)).contiguous();
}

torch::Tensor people(std::int64_t images, std::int64_t dim, double noise) {
  const auto centers = torch::randn({std::max<std::int64_t>(2, images / 6), dim});
  return unit(centers.index_select(0, torch::randint(centers.size(0), {images}, torch::kLong)) +
              noise * torch::randn({images, dim}));
}

/// Directions in a plane.
torch::Tensor directions(const std::vector<double>& degrees) {
  const auto angles = torch::tensor(degrees, torch::kDouble) * (M_PI / 180);
  return torch::stack({angles.cos(), angles.sin()}, 1).to(torch::kFloat).contiguous();
}

PseudoLabels label(const torch::Tensor& query, const torch::Tensor& gallery, const Params& params) {
  test::FakeRetrievalHost host;
  return AgglomerativeSearch(params, {})
      .label(Retrieval{torch::cat({query, gallery}), query.size(0), {}}, host);
}

std::map<std::string, std::int64_t> left_out(const PseudoLabels& labels) {
  std::map<std::string, std::int64_t> result;
  for (const auto& part : labels.left_out) result[part.reason] = part.images;
  CHECK(result.size() == labels.left_out.size());
  std::int64_t sum = 0;
  for (const auto& [reason, images] : result) {
    CHECK(images > 0);
    sum += images;
  }
  CHECK(sum == std::count(labels.identities.begin(), labels.identities.end(), none));
  return result;
}

const std::string in_cluster = "queries in a cluster with an earlier query";
const std::string dropped = "queries dropped because an earlier query had taken one of their images";
const std::string of_dropped = "gallery images that a dropped query had taken first";
const std::string untaken =
    "gallery images that no query takes: below the threshold, or not among the nearest";

}  // namespace

TEST_CASE("clusters are those of joining the nearest two again and again") {
  torch::manual_seed(1);
  for (const auto images : {1, 2, 3, 17, 60}) {
    for (const double noise : {0.3, 0.7, 1.5}) {
      const auto rows = people(images, 12, noise);
      for (const double cut : {0.0, 0.1, 0.43, 0.8, 1.0, 2.0}) {
        CAPTURE(images);
        CAPTURE(noise);
        CAPTURE(cut);
        CHECK(linkage(rows, cut) == plain_linkage(rows, cut));
      }
    }
  }
}

TEST_CASE("of equally near clusters those with the lowest rows are joined first") {
  torch::manual_seed(2);
  // Entries 0, 1 and 1/2 in four dimensions: all products and their sums are exact, and many are equal.
  const auto axes = torch::eye(4);
  const auto halves = 0.5 * torch::tensor({{1.0F, 1.0F, 1.0F, 1.0F},
                                           {1.0F, 1.0F, -1.0F, -1.0F},
                                           {1.0F, -1.0F, 1.0F, -1.0F},
                                           {-1.0F, 1.0F, 1.0F, 1.0F}});
  const auto all = torch::cat({axes, halves});
  for (int trial = 0; trial < 40; ++trial) {
    const auto rows = all.index_select(0, torch::randint(8, {3 + trial % 15}, torch::kLong));
    for (const double cut : {0.0, 0.4, 0.5, 0.7, 1.0, 1.3}) {
      CAPTURE(trial);
      CAPTURE(cut);
      CHECK(linkage(rows, cut) == plain_linkage(rows, cut));
    }
  }
}

TEST_CASE("the mean of all pairs decides, not the nearest pair") {
  // The first two are joined, at 1 - cos 39 = 0.223. The third is then at 1 - (cos 41 + cos 80) / 2 = 0.536,
  // though it is at 1 - cos 41 = 0.245 from the second.
  const auto rows = directions({0, 39, 80});
  CHECK(linkage(rows, 0.22) == Numbers{0, 1, 2});
  CHECK(linkage(rows, 0.53) == Numbers{0, 0, 2});
  CHECK(linkage(rows, 0.54) == Numbers{0, 0, 0});
}

TEST_CASE("equal rows are one cluster, and so are all rows without a limit") {
  CHECK(count(linkage(torch::ones({300, 4}) / 2, 0)) == 1);
  torch::manual_seed(3);
  CHECK(count(linkage(unit(torch::randn({300, 8})), 2)) == 1);
}

TEST_CASE("clusters are found by products in 32 bits, whatever networks on a GPU may compute in") {
  torch::manual_seed(5);
  const auto rows = people(60, 16, 0.8);
  const test::ProductWatch watch;
  CHECK(count(linkage(rows, 0.43)) > 1);
  CHECK(watch.products() > 0);
  CHECK(watch.in_tf32() == 0);
}

TEST_CASE("clusters do not depend on the number of threads") {
  torch::manual_seed(4);
  const auto rows = people(700, 16, 0.8);
  const auto threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = linkage(rows, 0.43);
  at::set_num_threads(3);
  CHECK(linkage(rows, 0.43) == one);
  at::set_num_threads(threads);
  CHECK(count(one) > 10);
  CHECK(count(one) < 690);
}

TEST_CASE(
    "a query takes the images above the threshold, and a later query that wants one of them is dropped") {
  // The query at 20 degrees is in the cluster of the one at 0.
  const auto query = directions({0, 20, 100, 160});
  const auto gallery = directions({10, 30, 132, 170, -60});
  const auto labels = label(query, gallery, {});
  CHECK(labels.identities == Numbers{0, none, 1, none, 0, 0, 1, none, none});
  const auto out = left_out(labels);
  CHECK(out ==
        std::map<std::string, std::int64_t>{{in_cluster, 1}, {dropped, 1}, {of_dropped, 1}, {untaken, 1}});
}

TEST_CASE("an image that a dropped query has taken still drops a later one") {
  const auto labels = label(directions({0, 60, 120}), directions({30, 90, 140}), {});
  CHECK(labels.identities == Numbers{0, none, none, 0, none, none});
  CHECK(left_out(labels) == std::map<std::string, std::int64_t>{{dropped, 2}, {of_dropped, 2}});
}

TEST_CASE("an image can go to the nearest query instead, and nobody is dropped") {
  Params params;
  params.conflicts = Conflicts::nearest;
  const auto query = directions({0, 20, 100, 160});
  const auto gallery = directions({10, 30, 132, 170, -60});
  CHECK(label(query, gallery, params).identities == Numbers{0, none, 1, 2, 0, 0, 2, 2, none});
  params.min_images = 2;
  const auto labels = label(query, gallery, params);
  CHECK(labels.identities == Numbers{0, none, none, 1, 0, 0, 1, 1, none});
  CHECK(left_out(labels) == std::map<std::string, std::int64_t>{
                                {in_cluster, 1}, {"in identities of fewer than 2 images", 1}, {untaken, 1}});
}

TEST_CASE("of equally near queries the earlier one gets the image") {
  const auto query = torch::tensor({{0.6F, 0.8F}, {0.8F, 0.6F}});
  const auto gallery = unit(torch::ones({1, 2}));
  Params params;
  params.cut = 0;
  params.conflicts = Conflicts::nearest;
  CHECK(label(query, gallery, params).identities == Numbers{0, 1, 0});
  CHECK(label(query.flip(0), gallery, params).identities == Numbers{0, 1, 0});
}

TEST_CASE("a query looks at its best images alone, and a query without any is an identity of one image") {
  Params params;
  params.top = 2;
  const auto labels = label(directions({0, 90}), directions({9, 5, 7, 3}), params);
  CHECK(labels.identities == Numbers{0, 1, none, 0, none, 0});
  CHECK(left_out(labels) == std::map<std::string, std::int64_t>{{untaken, 2}});
}

TEST_CASE("the threshold itself is not above the threshold") {
  Params params;
  params.threshold = 0.5;
  params.cut = 0;
  const auto query = torch::tensor({{1.0F, 0.0F, 0.0F, 0.0F}});
  const auto gallery = torch::full({1, 4}, 0.5F);  // the cosine is exactly 1/2
  CHECK(label(query, gallery, params).identities == Numbers{0, none});
  params.threshold = 0.499;
  CHECK(label(query, gallery, params).identities == Numbers{0, 0});
}

TEST_CASE("queries without a gallery are identities of one image, and a gallery without queries has none") {
  const auto rows = directions({0, 90});
  CHECK(label(rows, torch::empty({0, 2}), {}).identities == Numbers{0, 1});
  const auto labels = label(torch::empty({0, 2}), rows, {});
  CHECK(labels.identities == Numbers{none, none});
  CHECK(left_out(labels) == std::map<std::string, std::int64_t>{{untaken, 2}});
}
