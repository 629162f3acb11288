#include "faiss_index.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <tuple>
#include <vector>

#include "kindred/core/error.h"

using namespace kindred;
using namespace kindred::faiss;

namespace {

/// Rows of length 1 in clusters, always the same.
torch::Tensor clustered(std::int64_t count, std::int64_t dim, std::int64_t clusters, std::uint64_t seed) {
  torch::manual_seed(4);
  const auto centers = torch::randn({clusters, dim});
  torch::manual_seed(seed);
  const auto rows = centers.index_select(0, torch::randint(clusters, {count}, torch::kLong)) +
                    0.7 * torch::randn({count, dim});
  return (rows / rows.norm(2, 1, true)).contiguous();
}

torch::Tensor exact(const torch::Tensor& queries, const torch::Tensor& rows, std::int64_t count) {
  return std::get<1>(queries.mm(rows.t()).topk(count, 1));
}

/// The share of the exact ones that were found.
double recall(const torch::Tensor& found, const torch::Tensor& right) {
  return (found.unsqueeze(2) == right.unsqueeze(1)).any(1).to(torch::kFloat).mean().item<double>();
}

struct Searched {
  double recall;
  torch::Tensor found;
};

Searched search(Index& index, std::int64_t rows = 3000) {
  const auto all = clustered(rows, 32, 40, 1);
  const auto queries = clustered(50, 32, 40, 2);
  if (const auto wanted = index.training_rows(); wanted > 0)
    index.train(all.slice(0, 0, wanted).contiguous());
  // In two parts: what is added later is found too.
  index.add(all.slice(0, 0, rows / 2).contiguous());
  index.add(all.slice(0, rows / 2).contiguous());
  auto found = index.search(queries, 10);
  return {recall(found, exact(queries, all, 10)), found};
}

}  // namespace

TEST_CASE("flat finds exactly the most similar rows, in order") {
  Flat index({}, {32, 3000});
  const auto searched = search(index);
  CHECK(torch::equal(searched.found, exact(clustered(50, 32, 40, 2), clustered(3000, 32, 40, 1), 10)));
}

TEST_CASE(
    "an inverted file is exact when a query looks at all lists, and loses little when it looks at some") {
  Ivf all({.lists = 20, .probes = 20}, {32, 3000});
  CHECK(search(all).recall == 1);
  Ivf some({.lists = 20, .probes = 5}, {32, 3000});
  const auto few = search(some).recall;
  CHECK(few > 0.9);
  Ivf one({.lists = 20, .probes = 1}, {32, 3000});
  CHECK(search(one).recall < few);
}

TEST_CASE("an inverted file chooses its lists by the number of rows, and takes fewer rows than lists") {
  CHECK(Ivf({}, {32, 10000}).training_rows() == 200 * 64);
  Ivf small({.lists = 100}, {32, 3});
  const auto rows = clustered(3, 32, 3, 1);
  small.train(rows);
  small.add(rows);
  CHECK(small.search(rows, 1).view({-1})[2].item<std::int64_t>() == 2);
}

TEST_CASE("an index of nothing takes rows later") {
  const auto rows = clustered(5, 32, 3, 1);
  std::vector<std::unique_ptr<Index>> indexes;
  indexes.push_back(std::make_unique<Flat>(Flat::Params{}, Index::Context{32, 0}));
  indexes.push_back(std::make_unique<Ivf>(Ivf::Params{}, Index::Context{32, 0}));
  indexes.push_back(std::make_unique<Hnsw>(Hnsw::Params{}, Index::Context{32, 0}));
  for (auto& index : indexes) {
    index->add(rows.slice(0, 0, 0).contiguous());
    index->add(rows);
    const auto found = index->search(rows, 8);
    for (std::int64_t i = 0; i < 5; ++i) CHECK(found[i][0].item<std::int64_t>() == i);
    // Fewer rows than asked for.
    CHECK(found[0][5].item<std::int64_t>() == -1);
    CHECK(found[0][7].item<std::int64_t>() == -1);
  }
}

TEST_CASE("a small world finds nearly all of the most similar rows, more with more candidates") {
  Hnsw good({}, {32, 3000});
  const auto recall = search(good).recall;
  CHECK(recall > 0.97);
  Hnsw poor({.neighbors = 4, .build = 8, .search = 1}, {32, 3000});
  CHECK(search(poor).recall < recall);
}
