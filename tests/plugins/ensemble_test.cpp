#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "distance_ensemble.h"
#include "fake_retrieval_host.h"
#include "feature_ensemble.h"
#include "kindred/core/error.h"
#include "kindred/core/value.h"
#include "tensor_checks.h"

using namespace kindred;
using namespace kindred::ensemble;
using kindred::test::largest_difference;

namespace {

torch::Tensor cosines(const torch::Tensor& rows) {
  const auto unit = torch::nn::functional::normalize(rows.to(torch::kDouble));
  return torch::mm(unit, unit.t());
}

DistanceBlock block_of(const torch::Tensor& all) {
  return [all](std::int64_t first, std::int64_t last) { return all.slice(0, first, last).clone(); };
}

torch::Tensor mixed(const torch::Tensor& own, test::FakeRetrievalHost& host,
                    const DistanceEnsemble::Params& params) {
  Retrieval retrieval{torch::ones({own.size(0) + own.size(1), 2}), own.size(0), block_of(own)};
  DistanceEnsemble(params, {}).apply(retrieval, host);
  return retrieval.distances(0, own.size(0));
}

/// What a recipe's table is told.
template <class Component>
std::string complaint(std::vector<std::pair<std::string, Value>> entries) {
  Table table;
  for (auto& [key, value] : entries) table.set(key, std::move(value));
  Diagnostics diagnostics;
  static_cast<void>(Component::schema().parse(Value(std::move(table)), "post_processor 'e'", diagnostics));
  return diagnostics.empty() ? "" : diagnostics.all().front().message;
}

Value texts(const std::vector<std::string>& items) {
  Array array;
  for (const auto& item : items) array.emplace_back(item);
  return Value(std::move(array));
}

Value numbers(const std::vector<double>& items) {
  Array array;
  for (const auto item : items) array.emplace_back(item);
  return Value(std::move(array));
}

}  // namespace

TEST_CASE("the cosine of joined descriptors is the weighted mean of the models' cosines") {
  torch::manual_seed(1);
  const auto own = torch::randn({9, 5}) * 3;
  test::FakeRetrievalHost host;
  host.descriptors["b"] = torch::randn({9, 7}) * torch::rand({9, 1}).add(0.1);
  host.descriptors["c"] = torch::randn({9, 2});
  FeatureEnsemble::Params params;
  params.features = {"b", "c"};
  const auto joined = [&] {
    Retrieval retrieval{own.clone(), 3, {}};
    FeatureEnsemble(params, {}).apply(retrieval, host);
    CHECK(retrieval.descriptors.is_contiguous());
    return retrieval.descriptors;
  };
  const auto equal = joined();
  CHECK(equal.size(1) == 14);
  CHECK(largest_difference(equal.norm(2, 1), torch::ones({9})) < 1e-6);
  const auto a = cosines(own);
  const auto b = cosines(host.descriptors["b"]);
  const auto c = cosines(host.descriptors["c"]);
  CHECK(largest_difference(cosines(equal), (a + b + c) / 3) < 1e-6);
  params.weights = {2, 1, 0.5};
  CHECK(largest_difference(cosines(joined()), (2 * a + b + 0.5 * c) / 3.5) < 1e-6);
}

TEST_CASE("a descriptor of another model without a direction is named") {
  test::FakeRetrievalHost host;
  host.descriptors["b"] = torch::ones({4, 3});
  FeatureEnsemble::Params params;
  params.features = {"b"};
  const auto apply = [&] {
    Retrieval retrieval{torch::ones({4, 2}), 1, {}};
    FeatureEnsemble(params, {}).apply(retrieval, host);
  };
  host.descriptors["b"][2].zero_();
  CHECK_THROWS_WITH_AS(apply(),
                       "b: error: its descriptor of gallery image 1 of this search (from 0) has length 0 or "
                       "is not finite; extract the features again",
                       DataError);
  host.descriptors["b"][0][1] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(apply(), doctest::Contains("b: error: its descriptor of query 0 of this search"),
                       DataError);
}

TEST_CASE("distances are averaged by weight, block by block") {
  const auto own = torch::tensor({{0.1F, 0.5F, 0.9F}, {0.4F, 0.2F, 0.0F}});
  test::FakeRetrievalHost host;
  host.distances["b.npy"] = torch::tensor({{0.3F, 0.1F, 0.5F}, {1.0F, 0.0F, 0.2F}});
  host.distances["c.npy"] = torch::tensor({{0.0F, 1.0F, 1.0F}, {0.0F, 1.0F, 0.0F}});
  DistanceEnsemble::Params params;
  params.distances = {"b.npy"};
  CHECK(largest_difference(mixed(own, host, params),
                           torch::tensor({{0.2F, 0.3F, 0.7F}, {0.7F, 0.1F, 0.1F}})) < 1e-6);
  params.distances = {"b.npy", "c.npy"};
  params.weights = {1, 2, 1};
  const auto expected = (own + 2 * host.distances["b.npy"] + host.distances["c.npy"]) / 4;
  CHECK(largest_difference(mixed(own, host, params), expected) < 1e-6);

  Retrieval retrieval{torch::ones({5, 2}), 2, block_of(own)};
  DistanceEnsemble(params, {}).apply(retrieval, host);
  CHECK(largest_difference(retrieval.distances(1, 2), expected.slice(0, 1, 2)) < 1e-6);
}

TEST_CASE("scaled by row each query's distances count from its smallest to its largest") {
  const auto own = torch::tensor({{1.0F, 3.0F, 2.0F}, {5.0F, 5.0F, 5.0F}});
  test::FakeRetrievalHost host;
  host.distances["b.npy"] = torch::tensor({{100.0F, 0.0F, 200.0F}, {10.0F, 30.0F, 20.0F}});
  DistanceEnsemble::Params params;
  params.distances = {"b.npy"};
  params.scale = DistanceEnsemble::Scale::row;
  // (0 + 0.5) / 2, (1 + 0) / 2, (0.5 + 1) / 2; equal distances are all 0.
  CHECK(largest_difference(mixed(own, host, params),
                           torch::tensor({{0.25F, 0.5F, 0.75F}, {0.0F, 0.5F, 0.25F}})) < 1e-6);
}

TEST_CASE("a distance of a file that is not finite is named") {
  test::FakeRetrievalHost host;
  host.distances["b.npy"] = torch::zeros({3, 2});
  host.distances["b.npy"][2][1] = std::numeric_limits<float>::infinity();
  DistanceEnsemble::Params params;
  params.distances = {"b.npy"};
  CHECK_THROWS_WITH_AS(
      static_cast<void>(mixed(torch::zeros({3, 2}), host, params)),
      "b.npy: error: a distance of query 2 of this search (from 0) is not finite; write the file again",
      DataError);
}

TEST_CASE("members and weights must fit each other") {
  CHECK(complaint<FeatureEnsemble>({{"features", texts({"b"})}}).empty());
  CHECK(complaint<FeatureEnsemble>({{"features", texts({"b"})}, {"weights", numbers({1, 2})}}).empty());
  CHECK(complaint<FeatureEnsemble>({{"features", texts({})}}) ==
        "post_processor 'e': features is empty; name at least one member besides this search");
  CHECK(complaint<FeatureEnsemble>({{"features", texts({"b", "c"})}, {"weights", numbers({1})}}) ==
        "post_processor 'e': weights has 1 number, but needs 3: one for this search, then one for each entry "
        "of features");
  CHECK(complaint<DistanceEnsemble>({{"distances", texts({"b"})}, {"weights", numbers({1, 1, 1})}}) ==
        "post_processor 'e': weights has 3 numbers, but needs 2: one for this search, then one for each "
        "entry of distances");
  CHECK(complaint<DistanceEnsemble>({{"distances", texts({"b"})}, {"weights", numbers({1, 0})}}) ==
        "post_processor 'e': weights = [1.0, 0.0]: 0.0 must be above 0");
  CHECK(complaint<DistanceEnsemble>({}) ==
        "post_processor 'e' needs the parameter 'distances': .npy files of the other distances, as `kindred "
        "match --distances` writes them");
}
