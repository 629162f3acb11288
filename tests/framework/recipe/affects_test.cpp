#include "recipe/affects.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/catalog.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::recipe;
using namespace kindred::test;

namespace {

class FileReader final : public PostProcessor {
 public:
  struct Params {
    std::vector<std::string> files;
    std::string other;
    std::string pictures;
    std::int64_t k = 3;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Reads files.");
    s.add("files", &Params::files, "files that count").file();
    s.add("other", &Params::other, "one more").file();
    s.add("pictures", &Params::pictures, "where more lie").location();
    s.add("k", &Params::k, "a number");
    return s;
  }
  FileReader(const Params&, const Context&) {}
  [[nodiscard]] Step step() const override { return Step::descriptors; }
  void apply(Retrieval&, RetrievalHost&) const override {}
};

class ListedImages final : public Dataset {
 public:
  struct Params {
    std::string list;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Has no images.");
    s.add("list", &Params::list, "what is known of them").file();
    return s;
  }
  ListedImages(const Params&, const Context&) {}
  [[nodiscard]] std::vector<Sample> samples() const override { return {}; }
  [[nodiscard]] cv::Mat image(const Sample&) const override { return {}; }
};

Catalog catalog_with_files() {
  auto catalog = tiny_catalog();
  Catalog more;
  more.add<FileReader>("files");
  more.add<ListedImages>("listed");
  catalog.merge(std::move(more), "files", "files.so");
  return catalog;
}

bool has(const Value& recipe, const std::string& table, const std::string& key) {
  const auto* found = recipe.as<Table>()->find(table);
  return found != nullptr && found->as<Table>() != nullptr && found->as<Table>()->find(key) != nullptr;
}

TEST_CASE("each key affects one kind of result, by its own mark or by its table's") {
  const auto catalog = catalog_with_files();
  const auto resolved =
      tiny_plan(catalog, {"post_processor=[{type='files', files=['a.npy'], pictures='p', k=4}]",
                          "folds.fold=1", "folds.distractors='d'"})
          .resolved();
  const auto training = part_affecting(Affects::training, resolved, catalog);
  const auto features = part_affecting(Affects::features, resolved, catalog);
  const auto ranking = part_affecting(Affects::ranking, resolved, catalog);
  const auto nothing = part_affecting(Affects::nothing, resolved, catalog);

  CHECK(has(training, "train", "epochs"));
  CHECK_FALSE(has(training, "train", "evaluate_every"));
  CHECK(has(nothing, "train", "evaluate_every"));
  CHECK(has(training, "folds", "fold"));
  CHECK_FALSE(has(training, "folds", "min_images_for_query"));
  CHECK(has(features, "folds", "min_images_for_query"));
  CHECK(has(features, "embed", "flip_test"));
  CHECK(has(features, "loader", "skip_bad_images"));
  CHECK(has(nothing, "loader", "workers"));
  CHECK(has(nothing, "machine", "device"));
  CHECK(has(ranking, "evaluate", "cameras"));
  CHECK(training.as<Table>()->find("seed") != nullptr);
  CHECK(training.as<Table>()->find("name") == nullptr);
  CHECK(nothing.as<Table>()->find("name") != nullptr);
  for (const auto* part : {&training, &features, &nothing}) {
    CHECK(part->as<Table>()->find("post_processor") == nullptr);
  }
  const auto& entry = ranking.as<Table>()->find("post_processor")->as<Array>()->front();
  CHECK(entry.as<Table>()->find("k") != nullptr);
  CHECK(entry.as<Table>()->find("files") == nullptr);
  // What is found where a component looks is known from samples only of data sets and distractors.
  CHECK(entry.as<Table>()->find("pictures") != nullptr);
  CHECK_FALSE(has(features, "folds", "distractors"));
}

TEST_CASE("without a fold to validate the other keys of folds affect nothing") {
  const auto catalog = tiny_catalog();
  const auto one = tiny_plan(catalog, {"folds.count=4"});
  const auto other = tiny_plan(catalog, {"folds.count=7", "folds.seed=9"});
  CHECK(one.identity() == other.identity());
  CHECK_FALSE(tiny_plan(catalog, {"folds.fold=1"}).identity() ==
              tiny_plan(catalog, {"folds.fold=1", "folds.seed=9"}).identity());
}

TEST_CASE("files that count are named with the key that names them, empty ones are not") {
  const auto catalog = catalog_with_files();
  const auto plan = tiny_plan(
      catalog, {"post_processor=[{type='files', files=['a.npy', 'b']}]", "backbone.weights='w.pth'"});
  const auto ranking = files_affecting(Affects::ranking, plan.resolved(), catalog);
  REQUIRE(ranking.size() == 2);
  CHECK(ranking[0].key == "post_processor.files.files[0]");
  CHECK(ranking[1].path == "b");
  const auto training = files_affecting(Affects::training, plan.resolved(), catalog);
  REQUIRE(training.size() == 1);
  CHECK(training[0].key == "backbone.weights");
}

TEST_CASE("files of a data set of pseudo labels are named, too, for the training alone") {
  const auto catalog = catalog_with_files();
  const auto resolved =
      tiny_plan(catalog, {"pseudo_labels=[{file='l.csv', dataset={type='listed', list='x.csv'}}]"})
          .resolved();
  const auto training = files_affecting(Affects::training, resolved, catalog);
  REQUIRE(training.size() == 2);
  CHECK(training[0].key == "pseudo_labels.file");
  CHECK(training[1].key == "pseudo_labels.dataset.list");
  CHECK(training[1].path == "x.csv");
  CHECK(files_affecting(Affects::ranking, resolved, catalog).empty());
  CHECK(part_affecting(Affects::ranking, resolved, catalog).as<Table>()->find("pseudo_labels") == nullptr);
}

TEST_CASE("a key that no schema knows counts as its table's") {
  const auto catalog = tiny_catalog();
  const auto recipe = parse_recipe("[train]\nepochs = 1\nmystery = 2\n[embed]\nother = 3\n", "r.toml", {});
  CHECK(has(part_affecting(Affects::training, recipe, catalog), "train", "mystery"));
  CHECK(has(part_affecting(Affects::features, recipe, catalog), "embed", "other"));
}

}  // namespace
