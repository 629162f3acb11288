#include "ranking/feature_evaluation.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "distance_ensemble.h"
#include "feature_ensemble.h"
#include "file/feature_files.h"
#include "kindred/core/catalog.h"
#include "kindred/core/error.h"
#include "real_metrics.h"
#include "recipe/recipe.h"
#include "retrieval.h"
#include "small_rankings.h"
#include "stage/match.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::ranking;
using namespace kindred::test;

namespace {

progress::SilentProgress silent;

class NotesOnly : public progress::ProgressSink {
 public:
  void update(const progress::Progress&) override {}
  void finish(const progress::Progress&) override {}
  void note(const std::string& text) override { notes.push_back(text); }
  std::vector<std::string> notes;
};

/// Directions in a plane: the angle decides the rank.
torch::Tensor directions(const std::vector<double>& degrees) {
  const auto angles = torch::tensor(degrees, torch::kDouble) * (M_PI / 180);
  return torch::stack({angles.cos(), angles.sin()}, 1).to(torch::kFloat);
}

}  // namespace

TEST_CASE("descriptors on disk are evaluated") {
  const TemporaryFolder folder;
  file::write_features(folder / "query", {directions({0, 90}) * 3, {person(1, 1), person(2, 1)}});
  file::write_features(folder / "gallery", {directions({10, 20, 80, 50}),
                                            {person(2, 2), person(1, 2), person(2, 3), person(1, 3)}});
  const auto scores =
      evaluate_features(folder / "query.npy", folder / "gallery", real_metrics(), torch::kCPU, silent);
  // Query 1: wrong, right, right, wrong. Query 2: right, wrong, wrong, right.
  CHECK(value_of(scores, "mAP") == doctest::Approx(((1.0 / 2 + 2.0 / 3) / 2 + (1.0 + 2.0 / 4) / 2) / 2));
  CHECK(value_of(scores, "rank1") == doctest::Approx(0.5));
  CHECK(scores.cameras_known);
  CHECK(scores.cosine);

  file::write_features(folder / "wide", {torch::ones({1, 3}), {person(1, 1)}});
  CHECK_THROWS_WITH_AS(static_cast<void>(evaluate_features(folder / "query", folder / "wide", real_metrics(),
                                                           torch::kCPU, silent)),
                       doctest::Contains("wide: error: its descriptors have 3 numbers"), DataError);
}

TEST_CASE("a pair is taken for one person where match would show a similarity above the threshold") {
  const file::Features query{directions({0}), {person(1, 1)}};
  const file::Features gallery{directions({20, 40, 60}), {person(1, 2), person(2, 2), person(3, 2)}};
  const auto scores = evaluate_features(query, gallery, real_metrics(), silent);
  // The nearest wrong image is 40 degrees away.
  CHECK(column_of(scores.tables, "thresholds", "similarity").at(0) ==
        doctest::Approx(std::cos(40 * M_PI / 180)));
  CHECK(value_of(scores, "TPR@FPR=0.0001") == 1);
}

TEST_CASE("queries of one identity and camera are merged when asked") {
  // Apart the first two are nearest to a wrong image each, together to the right one between them.
  const file::Features query{directions({0, 60}), {person(1, 1), person(1, 1)}};
  const file::Features gallery{directions({30, 5, 55}), {person(1, 2), person(2, 2), person(3, 2)}};
  const auto apart = evaluate_features(query, gallery, real_metrics(), silent);
  CHECK(apart.queries == 2);
  CHECK(value_of(apart, "rank1") == 0);
  CHECK_FALSE(apart.multi_query);
  const auto merged = evaluate_features(query, gallery, real_metrics({"evaluate.multi_query=true"}), silent);
  CHECK(merged.queries == 1);
  CHECK(value_of(merged, "rank1") == 1);
  CHECK(merged.multi_query);
  CHECK(merged.note == "2 query images merged by identity, camera and clothes");
}

TEST_CASE("where queries are merged, the other models of an ensemble merge theirs in the same way") {
  // A person of two images, whose mean alone is nearest to the right one, and one of another domain between
  // them.
  const TemporaryFolder folder;
  std::vector<Sample> query{person(1, 1), person(9, 1), person(1, 1)};
  std::vector<Sample> gallery{person(1, 2), person(2, 2), person(3, 2), person(9, 2), person(8, 2)};
  query[1].domain = gallery[3].domain = gallery[4].domain = "violet";
  file::write_features(folder / "a/query", {directions({0, 170, 60}), query});
  file::write_features(folder / "a/gallery", {directions({30, 5, 55, 160, 150}), gallery});
  // The same of another model: in another order, and with an image that is not looked for.
  file::write_features(folder / "b/query",
                       {directions({60, 45, 170, 0}) * 2, {query[2], person(1, 1), query[1], query[0]}});
  file::write_features(folder / "b/gallery", {directions({30, 5, 55, 160, 150}), gallery});
  Catalog catalog;
  catalog.add<metrics::Retrieval>("retrieval");
  catalog.add<ensemble::FeatureEnsemble>("feature_ensemble");
  catalog.add<ensemble::DistanceEnsemble>("distance_ensemble");
  const auto evaluated = [&](const std::string& post_processor, const std::vector<std::string>& overrides) {
    const auto plan =
        recipe::choose_ranking(recipe::parse_recipe(post_processor, "r.toml", overrides), catalog);
    return evaluate_features(folder / "a/query", folder / "a/gallery", plan, torch::kCPU, silent);
  };
  const auto ranks = [](const results::Evaluation& evaluation) {
    return column_of(evaluation.per_query.columns, "first_rank");
  };
  const auto joined =
      "[[post_processor]]\ntype = 'feature_ensemble'\nfeatures = ['" + (folder / "b").string() + "']\n";
  const std::string merges = "evaluate.multi_query=true";
  CHECK(ranks(evaluated("", {merges})) == std::vector<double>{1, 1});
  CHECK(ranks(evaluated(joined, {merges})) == std::vector<double>{1, 1});
  CHECK(ranks(evaluated(joined, {merges, "ranking.by_domain=true"})) == std::vector<double>{1, 1});
  CHECK(ranks(evaluated(joined, {})) == std::vector<double>{2, 1, 2});

  const auto distances = (folder / "b.npy").string();
  const auto averaged = "[[post_processor]]\ntype = 'distance_ensemble'\ndistances = ['" + distances + "']\n";
  const auto refusal =
      distances +
      ": error: holds the distances of single query images, but evaluate.multi_query merges "
      "queries, and distances cannot be merged; evaluate without multi_query, or combine the "
      "models by their descriptors instead of their distances";
  CHECK_THROWS_WITH_AS(static_cast<void>(evaluated(averaged, {merges})), refusal.c_str(), DataError);
}

TEST_CASE("descriptors written in 16 bits are evaluated to nearly the same scores") {
  const TemporaryFolder folder;
  torch::manual_seed(1);
  file::Features query{torch::empty({60, 128}), {}};
  file::Features gallery{torch::empty({300, 128}), {}};
  const auto persons = torch::randn({30, 128});
  for (std::int64_t i = 0; i < 60; ++i) {
    query.samples.push_back(person(i % 30, 1));
    query.descriptors[i] = torch::nn::functional::normalize(
        persons[i % 30] + 2.5 * torch::randn({128}), torch::nn::functional::NormalizeFuncOptions().dim(0));
  }
  for (std::int64_t i = 0; i < 300; ++i) {
    gallery.samples.push_back(person(i % 30, 2));
    gallery.descriptors[i] = torch::nn::functional::normalize(
        persons[i % 30] + 2.5 * torch::randn({128}), torch::nn::functional::NormalizeFuncOptions().dim(0));
  }
  const auto exact = evaluate_features(query, gallery, real_metrics(), silent);
  REQUIRE(value_of(exact, "mAP") > 0.2);  // neither perfect nor chance
  REQUIRE(value_of(exact, "mAP") < 0.9);
  for (const auto storage : {file::Storage::float16, file::Storage::bfloat16}) {
    const auto bound = file::write_features(folder / "query", query, storage).largest +
                       file::write_features(folder / "gallery", gallery, storage).largest;
    const auto scores =
        evaluate_features(folder / "query", folder / "gallery", real_metrics(), torch::kCPU, silent);
    CHECK(std::abs(value_of(scores, "mAP") - value_of(exact, "mAP")) < bound);
    const auto& thresholds = column_of(scores.tables, "thresholds", "distance");
    const auto& expected = column_of(exact.tables, "thresholds", "distance");
    for (std::size_t i = 0; i < 3; ++i) CHECK(std::abs(thresholds[i] - expected[i]) < bound);
  }
}

TEST_CASE("features on disk that are nearly equal are warned of once, whoever reads them") {
  const TemporaryFolder folder;
  const auto query = (folder / "query").string();
  const auto gallery = (folder / "gallery").string();
  file::write_features(query, {directions({40, 40}), {person(1, 1), person(2, 1)}});
  const std::vector<Sample> images{person(1, 2), person(2, 2), person(3, 2)};
  const auto plan = real_metrics();
  const auto by_domain = real_metrics({"ranking.by_domain=true"});
  const auto warnings = [&] {
    std::vector<std::vector<std::string>> all;
    const auto told = [&](const auto& read) {
      NotesOnly notes;
      read(notes);
      all.push_back(notes.notes);
    };
    for (const auto* of : {&plan, &by_domain}) {
      told([&](auto& sink) {
        static_cast<void>(evaluate_features(std::filesystem::path(query), gallery, *of, torch::kCPU, sink));
      });
      told([&](auto& sink) {
        static_cast<void>(
            stage::match_features(query, gallery, *of, 2, folder / "matches", torch::kCPU, sink));
      });
    }
    told([&](auto& sink) { static_cast<void>(read_folder_input(folder.path(), sink)); });
    return all;
  };
  const auto is_of = [](const std::string& note, const std::string& what) {
    return note.starts_with("warning: the descriptors of all " + what + " images are nearly equal");
  };
  const auto write_gallery = [&](const torch::Tensor& rows, bool in_arrays) {
    file::write_features(gallery, {rows, images});
    if (!in_arrays) return;
    std::filesystem::rename(gallery + ".npy", gallery + ".0000.npy");
    file::ShardList{{{"gallery.0000.npy", rows.size(0)}}, rows.size(1)}.write(file::shard_list_of(gallery));
  };
  for (const bool in_arrays : {false, true}) {
    CAPTURE(in_arrays);
    write_gallery(directions({70, 70, 70}), in_arrays);
    for (const auto& notes : warnings()) {
      REQUIRE(notes.size() == 2);
      CHECK(is_of(notes[0], "2 query"));
      CHECK(is_of(notes[1], "3 gallery"));
    }
    write_gallery(directions({70, 70, 71}), in_arrays);
    for (const auto& notes : warnings()) {
      REQUIRE(notes.size() == 1);
      CHECK(is_of(notes[0], "2 query"));
    }
    std::filesystem::remove(gallery + ".shards.csv");
  }
}

TEST_CASE("one query and one gallery image are enough") {
  const file::Features query{directions({0}), {person(1, 1)}};
  const file::Features gallery{directions({20}), {person(1, 2)}};
  const auto scores = evaluate_features(query, gallery, real_metrics(), silent);
  CHECK(value_of(scores, "mAP") == 1);
  CHECK(value_of(scores, "mINP") == 1);
}

TEST_CASE("descriptors that cannot be compared are refused with file and row") {
  const TemporaryFolder folder;
  const std::vector<Sample> two{person(1, 1), person(2, 1)};
  file::write_features(folder / "query", {directions({0, 90}), two});
  const auto refusal = [&](const torch::Tensor& gallery) {
    file::write_features(folder / "gallery", {gallery, two});
    try {
      static_cast<void>(
          evaluate_features(folder / "query", folder / "gallery", real_metrics(), torch::kCPU, silent));
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  auto zero = directions({0, 90});
  zero[1].zero_();
  CHECK(refusal(zero).find("gallery: error: row 1 (from 0) has length 0") != std::string::npos);
  auto infinite = directions({0, 90});
  infinite[1][0] = std::numeric_limits<float>::infinity();
  CHECK(refusal(infinite).find("gallery.npy: error: row 1 (from 0), the descriptor of '" + two[1].path +
                               "', contains a number that is not finite") != std::string::npos);
  write_bytes(folder / "gallery.npy", read_bytes(folder / "gallery.npy").substr(0, 130));
  CHECK_THROWS_WITH_AS(static_cast<void>(evaluate_features(folder / "query", folder / "gallery",
                                                           real_metrics(), torch::kCPU, silent)),
                       doctest::Contains("gallery.npy: error: is truncated"), DataError);
}

TEST_CASE("a query is in the gallery when path and descriptor are equal") {
  const TemporaryFolder folder;
  const auto same = person(1, unknown_camera);
  const auto named_alike = person(2, unknown_camera);
  auto other_image = person(2, unknown_camera);
  other_image.path = named_alike.path;
  const file::Features query{directions({0, 90}), {same, named_alike}};
  const file::Features gallery{directions({0, 30, 70, 20}) * 2,
                               {same, person(1, unknown_camera), other_image, person(3, unknown_camera)}};
  const auto scores = evaluate_features(query, gallery, real_metrics(), silent);
  // Query 1 loses itself: wrong, right. Query 2 keeps the image of its name.
  CHECK(column_of(scores.per_query.columns, "first_rank") == std::vector<double>{2, 1});
  CHECK(scores.note.find("1 query is also in the gallery, and this image itself is left out") !=
        std::string::npos);
  const auto all =
      evaluate_features(query, gallery, real_metrics({"evaluate.exclude_same_image=false"}), silent);
  CHECK(column_of(all.per_query.columns, "first_rank") == std::vector<double>{1, 1});

  // On disk in 16 bits, and post-processed, the same.
  file::write_features(folder / "query", query, file::Storage::bfloat16);
  file::write_features(folder / "gallery", gallery, file::Storage::bfloat16);
  const auto read =
      evaluate_features(folder / "query", folder / "gallery", real_metrics(), torch::kCPU, silent);
  CHECK(column_of(read.per_query.columns, "first_rank") == std::vector<double>{2, 1});
  auto by_domain = real_metrics({"ranking.by_domain=true"});
  REQUIRE(by_domain.post_processed());
  const auto processed =
      evaluate_features(folder / "query", folder / "gallery", by_domain, torch::kCPU, silent);
  CHECK(column_of(processed.per_query.columns, "first_rank") == std::vector<double>{2, 1});
}

TEST_CASE("merged queries do not find the images that they were made of") {
  auto first = person(1, unknown_camera);
  auto second = person(1, unknown_camera);
  const file::Features query{directions({0, 20}), {first, second}};
  const file::Features gallery{directions({0, 20, 40, 30}),
                               {first, second, person(1, unknown_camera), person(2, unknown_camera)}};
  const auto scores = evaluate_features(query, gallery, real_metrics({"evaluate.multi_query=true"}), silent);
  CHECK(scores.queries == 1);
  CHECK(column_of(scores.per_query.columns, "first_rank") == std::vector<double>{2});
}
