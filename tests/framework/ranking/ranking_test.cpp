#include "ranking/ranking.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/torch.h>
#include <unistd.h>

#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "file/feature_files.h"
#include "kindred/core/error.h"
#include "kindred/text/csv.h"
#include "progress/progress.h"
#include "stage/match.h"

using namespace kindred;
using namespace kindred::ranking;

namespace {

struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("kindred_ranking_test_" + std::to_string(::getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};

std::vector<Sample> named(std::vector<std::string> names) {
  std::vector<Sample> samples;
  for (auto& name : names) samples.emplace_back().path = std::move(name);
  return samples;
}

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

RankingOptions top(std::int64_t count) {
  RankingOptions options;
  options.top = count;
  return options;
}

/// Small whole numbers: similarities of equal images are equal whatever the order of summation.
torch::Tensor few_directions(std::int64_t rows) {
  auto result = torch::randint(0, 2, {rows, 3}, torch::kFloat);
  result.select(1, 2).fill_(1);
  return result;
}

}  // namespace

TEST_CASE("the best images are those of a full stable sort, for any number of them") {
  torch::manual_seed(1);
  const auto query = torch::randn({13, 8});
  const auto gallery = torch::randn({57, 8});
  const auto similarities =
      torch::matmul(query / query.norm(2, {1}, true), (gallery / gallery.norm(2, {1}, true)).t());
  const auto sorted = similarities.sort(1, true);
  for (const std::int64_t count : {1, 2, 10, 56, 57}) {
    const auto ranking = rank_gallery(query, gallery, top(count));
    CHECK(torch::equal(ranking.images, std::get<1>(sorted).slice(1, 0, count)));
    CHECK(torch::allclose(ranking.similarities, std::get<0>(sorted).slice(1, 0, count), 1e-5, 1e-6));
  }
}

TEST_CASE("equal similarities keep the order of the gallery") {
  const auto ranking = rank_gallery(torch::ones({1, 3}), torch::ones({6, 3}), top(4));
  CHECK(torch::equal(ranking.images, torch::tensor({{0, 1, 2, 3}}, torch::kLong)));

  torch::manual_seed(2);
  const auto gallery = few_directions(200);
  const auto many = rank_gallery(few_directions(20), gallery, top(150));
  for (std::int64_t q = 0; q < 20; ++q) {
    for (std::int64_t i = 1; i < 150; ++i) {
      const auto before = many.similarities[q][i - 1].item<float>();
      const auto here = many.similarities[q][i].item<float>();
      CHECK(before >= here);
      if (before == here) {
        CHECK(many.images[q][i - 1].item<std::int64_t>() < many.images[q][i].item<std::int64_t>());
      }
    }
  }
}

TEST_CASE("a smaller gallery than asked for is ranked whole") {
  const auto ranking = rank_gallery(torch::randn({2, 3}), torch::randn({5, 3}), top(200));
  CHECK(ranking.images.sizes().vec() == std::vector<std::int64_t>{2, 5});
  const auto sorted = std::get<0>(ranking.images.sort(1));
  CHECK(torch::equal(sorted, torch::arange(5).expand({2, 5})));
}

TEST_CASE("images that are excluded are passed over, and where too few are left the rest is -1") {
  const auto query = torch::tensor({{1.0F, 0.0F}});
  const auto gallery = torch::tensor({{1.0F, 0.0F}, {0.8F, 0.6F}, {0.0F, 1.0F}, {-1.0F, 0.0F}});
  const std::vector<std::uint8_t> excluded{1, 0, 0, 1};
  auto options = top(3);
  options.excluded = excluded;
  for (const bool unit : {false, true}) {
    options.unit_gallery = unit;
    const auto ranking = rank_gallery(query, gallery, options);
    CHECK(torch::equal(ranking.images, torch::tensor({{1, 2, -1}}, torch::kLong)));
    CHECK(ranking.similarities[0][0].item<float>() == doctest::Approx(0.8));
  }
}

TEST_CASE("the gallery is read once, in order, in pieces, and the result is that of one piece") {
  torch::manual_seed(3);
  constexpr std::int64_t dim = 16384;  // a piece holds 256 rows
  const auto query = torch::randn({6, dim});
  const auto gallery = torch::randn({600, dim});
  std::vector<std::pair<std::int64_t, std::int64_t>> pieces;
  std::vector<std::int64_t> progress;
  auto options = top(25);
  options.progress = [&](std::int64_t done) { progress.push_back(done); };
  const auto ranking = rank_gallery(
      query, gallery.size(0), dim,
      [&](std::int64_t first, std::int64_t last) {
        pieces.emplace_back(first, last);
        return gallery.slice(0, first, last);
      },
      options);
  CHECK(pieces == decltype(pieces){{0, 256}, {256, 512}, {512, 600}});
  CHECK(progress == std::vector<std::int64_t>{256, 512, 600});
  const auto similarities =
      torch::matmul(query / query.norm(2, {1}, true), (gallery / gallery.norm(2, {1}, true)).t());
  CHECK(torch::equal(ranking.images, std::get<1>(similarities.topk(25, 1))));
}

TEST_CASE("the ranking does not depend on the number of threads") {
  torch::manual_seed(4);
  const auto query = few_directions(31);
  const auto gallery = few_directions(100);
  const auto before = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = rank_gallery(query, gallery, top(20));
  at::set_num_threads(5);
  const auto five = rank_gallery(query, gallery, top(20));
  at::set_num_threads(before);
  CHECK(torch::equal(one.images, five.images));
}

TEST_CASE("rows without a direction and unequal widths are refused by name") {
  auto gallery = torch::ones({10, 4});
  gallery[7].zero_();
  CHECK_THROWS_WITH_AS(static_cast<void>(rank_gallery(torch::ones({1, 4}), gallery, top(1))),
                       doctest::Contains("gallery: error: row 7 (from 0) has length 0"), DataError);
  CHECK_THROWS_WITH_AS(static_cast<void>(rank_gallery(torch::ones({1, 3}), gallery, top(1))),
                       doctest::Contains("gallery: error: its descriptors have 4 numbers, but those of query "
                                         "have 3; extract both with the same model"),
                       DataError);
  CHECK_THROWS_AS(static_cast<void>(rank_gallery(torch::ones({1, 4}), gallery, top(0))), std::logic_error);
}

TEST_CASE("of a long gallery the best are found wherever they stand, at any length of its rows") {
  torch::manual_seed(6);
  const auto query = torch::randn({3, 4});
  const auto gallery = torch::randn({20011, 4});  // no multiple of what is compared at once
  const auto lengths = torch::rand({20011, 1}).mul(20).sub(10).exp();
  const auto similarities =
      torch::matmul(query / query.norm(2, {1}, true), (gallery / gallery.norm(2, {1}, true)).t());
  const auto sorted = similarities.sort(1, true);
  const auto ranking = rank_gallery(query, gallery * lengths, top(300));
  CHECK(torch::allclose(ranking.similarities, std::get<0>(sorted).slice(1, 0, 300), 1e-5, 1e-6));
  CHECK((ranking.images == std::get<1>(sorted).slice(1, 0, 300)).to(torch::kFloat).mean().item<float>() >
        0.98);
}

TEST_CASE("what reading ahead throws comes when its turn has come") {
  const std::int64_t dim = 1 << 22;  // a row is a piece
  std::vector<std::int64_t> progress;
  auto options = top(1);
  options.progress = [&](std::int64_t done) { progress.push_back(done); };
  const auto read = [&](std::int64_t first, std::int64_t) -> torch::Tensor {
    if (first == 2) throw DataError("gallery", "piece 2 is broken");
    return torch::ones({1, dim});
  };
  CHECK_THROWS_WITH_AS(static_cast<void>(rank_gallery(torch::ones({1, dim}), 5, dim, read, options)),
                       doctest::Contains("piece 2 is broken"), DataError);
  CHECK(progress == std::vector<std::int64_t>{1, 2});
}

TEST_CASE("a ranking is written with the names of its images, and identities when any are known") {
  const Folder folder;
  const Ranking ranking{torch::tensor({{1, 0}, {0, 1}}, torch::kLong),
                        torch::tensor({{0.75F, -0.5F}, {1.0F, 0.1F}})};
  const auto query = named({"q,1.png", "q2.png"});
  auto gallery = named({"g1.png", "ä.png"});
  write_matches(folder.path, ranking, query, gallery);
  CHECK(content(folder.path / "matches.csv") ==
        "query_path,rank,gallery_path,similarity\n"
        "\"q,1.png\",1,ä.png,0.75\n\"q,1.png\",2,g1.png,-0.5\n"
        "q2.png,1,g1.png,1\nq2.png,2,ä.png,0.1\n");
  CHECK(content(folder.path / "matches.json") ==
        "{\n\"q,1.png\": [\"ä.png\", \"g1.png\"],\n\"q2.png\": [\"g1.png\", \"ä.png\"]\n}\n");
  gallery[1].identity = 9;
  write_matches(folder.path, ranking, query, gallery);
  CHECK(content(folder.path / "matches.csv") ==
        "query_path,rank,gallery_path,similarity,query_identity,gallery_identity\n"
        "\"q,1.png\",1,ä.png,0.75,,9\n\"q,1.png\",2,g1.png,-0.5,,\n"
        "q2.png,1,g1.png,1,,\nq2.png,2,ä.png,0.1,,9\n");
  CHECK_THROWS_AS(write_matches(folder.path, ranking, gallery, named({"one"})), std::exception);
  CHECK_THROWS_AS(write_matches(folder.path, ranking, named({"one"}), gallery), std::logic_error);
}

TEST_CASE("features on disk are matched, and names that stand twice are refused") {
  const Folder folder;
  torch::manual_seed(5);
  file::Features query{torch::randn({3, 4}), named({"q0", "q1", "q2"})};
  file::Features gallery{torch::randn({5, 4}), named({"g0", "g1", "g2", "g3", "g4"})};
  file::write_features(folder.path / "query", query);
  file::write_features(folder.path / "gallery", gallery);
  progress::SilentProgress silent;
  const auto outcome = stage::match_features(folder.path / "query", folder.path / "gallery.csv", {}, 2,
                                             folder.path / "run", torch::kCPU, silent);
  CHECK(outcome.queries == 3);
  CHECK(outcome.gallery == 5);
  CHECK(outcome.top == 2);
  const auto ranking = rank_gallery(query.descriptors, gallery.descriptors, top(2));
  const auto json = nlohmann::json::parse(content(outcome.json));
  const auto table = CsvTable::read(outcome.csv);
  REQUIRE(table.rows().size() == 6);
  for (std::int64_t q = 0; q < 3; ++q) {
    for (std::int64_t i = 0; i < 2; ++i) {
      const auto name = "g" + std::to_string(ranking.images[q][i].item<std::int64_t>());
      CHECK(json["q" + std::to_string(q)][static_cast<std::size_t>(i)] == name);
      CHECK(table.rows()[static_cast<std::size_t>(2 * q + i)].cells[2] == name);
    }
  }

  CHECK_THROWS_WITH_AS(
      static_cast<void>(stage::match_features(folder.path / "query", folder.path / "gallery", {}, 0,
                                              folder.path / "run", torch::kCPU, silent)),
      doctest::Contains("request at least 1"), Error);
  gallery.samples[4].path = "g1";
  file::write_features(folder.path / "gallery", gallery);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(stage::match_features(folder.path / "query", folder.path / "gallery", {}, 2,
                                              folder.path / "run", torch::kCPU, silent)),
      doctest::Contains("rows 1 and 4 (from 0) have the same name 'g1'"), DataError);
}
