#include "ranking/post_processing.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "file/feature_files.h"
#include "file/npy.h"
#include "file/staged_files.h"
#include "kindred/core/catalog.h"
#include "kindred/core/error.h"
#include "progress/progress.h"
#include "ranking/ranking.h"
#include "recipe/recipe.h"
#include "stage/match.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::ranking;

namespace {

class RecordingProgress : public progress::ProgressSink {
 public:
  void update(const progress::Progress& progress) override { last = progress; }
  void finish(const progress::Progress& progress) override { finished.push_back(progress); }
  void note(const std::string&) override {}
  progress::Progress last;
  std::vector<progress::Progress> finished;
};

/// Multiplies a column of the descriptors.
class Stretch : public PostProcessor {
 public:
  struct Params {
    double factor = 1;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Stretches the first number.");
    s.add("factor", &Params::factor, "by how much");
    return s;
  }
  Stretch(const Params& params, const Context&) : factor_(params.factor) {}
  [[nodiscard]] Step step() const override { return Step::descriptors; }
  void apply(Retrieval& retrieval, RetrievalHost& host) const override {
    host.progress("stretch", 1, 1);
    retrieval.descriptors.select(1, 0).mul_(factor_);
  }

 private:
  double factor_;
};

/// The absolute difference of the first numbers.
class Absolute : public PostProcessor {
 public:
  struct Params {
    bool fails = false;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Compares the first numbers.");
    s.add("fails", &Params::fails, "refuse");
    return s;
  }
  Absolute(const Params& params, const Context&) : fails_(params.fails) {}
  [[nodiscard]] Step step() const override { return Step::distances; }
  void apply(Retrieval& retrieval, RetrievalHost&) const override {
    if (fails_) throw ComponentError("post_processor/absolute", "does not fit");
    const auto query = retrieval.query().select(1, 0);
    const auto gallery = retrieval.gallery().select(1, 0);
    retrieval.distances = [query, gallery](std::int64_t first, std::int64_t last) {
      return (query.slice(0, first, last).unsqueeze(1) - gallery.unsqueeze(0)).abs();
    };
  }

 private:
  bool fails_;
};

/// Adds what a file holds.
class AddFile : public PostProcessor {
 public:
  struct Params {
    std::string file;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Adds distances of a file.");
    s.add("file", &Params::file, "which");
    return s;
  }
  AddFile(const Params& params, const Context&) : file_(params.file) {}
  [[nodiscard]] Step step() const override { return Step::changes_of_distances; }
  void apply(Retrieval& retrieval, RetrievalHost& host) const override {
    retrieval.distances = [before = retrieval.distances, more = host.distances_of(file_)](std::int64_t first,
                                                                                          std::int64_t last) {
      return before(first, last) + more(first, last);
    };
  }

 private:
  std::string file_;
};

/// Takes the descriptors of another model.
class Other : public PostProcessor {
 public:
  struct Params {
    std::string folder;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Takes other descriptors.");
    s.add("folder", &Params::folder, "whose");
    return s;
  }
  Other(const Params& params, const Context&) : folder_(params.folder) {}
  [[nodiscard]] Step step() const override { return Step::descriptors; }
  void apply(Retrieval& retrieval, RetrievalHost& host) const override {
    retrieval.descriptors = host.descriptors_of(folder_);
  }

 private:
  std::string folder_;
};

struct Fixture {
  Catalog catalog;
  RecordingProgress sink;
  SearchInput input;

  Fixture() {
    catalog.add<Stretch>("stretch");
    catalog.add<Absolute>("absolute");
    catalog.add<AddFile>("add_file");
    catalog.add<Other>("other");
    torch::manual_seed(3);
    input.descriptors = torch::randn({11, 4});
    for (int i = 0; i < 11; ++i) {
      Sample sample;
      sample.path = std::to_string(i) + ".jpg";
      sample.domain = i % 3 == 0 ? "violet" : "origin";
      (i < 4 ? input.query : input.gallery).push_back(sample);
    }
    input.query_file = "q.npy";
    input.gallery_file = "g.npy";
  }
  [[nodiscard]] recipe::RankingPlan plan(const std::string& recipe) const {
    return recipe::choose_ranking(recipe::parse_recipe(recipe, "r.toml", {}), catalog);
  }
  [[nodiscard]] torch::Tensor distances(const std::string& recipe) {
    auto copy = input;
    copy.descriptors = input.descriptors.clone();
    const auto made = plan(recipe);
    return post_process(made, copy, torch::kCPU, sink)(0, 4);
  }
  [[nodiscard]] torch::Tensor cosine(const torch::Tensor& rows) const {
    const auto unit = rows / rows.norm(2, 1, true);
    return 1 - torch::mm(unit.slice(0, 0, 4), unit.slice(0, 4).t());
  }
  [[nodiscard]] torch::Tensor absolute() const {
    const auto first = input.descriptors.select(1, 0);
    return (first.slice(0, 0, 4).unsqueeze(1) - first.slice(0, 4).unsqueeze(0)).abs();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "without post-processors the distance is the cosine's") {
  CHECK(torch::allclose(distances(""), cosine(input.descriptors), 1e-5, 1e-6));
}

TEST_CASE_FIXTURE(Fixture, "post-processors are applied in the order in which they are written") {
  auto stretched = input.descriptors.clone();
  stretched.select(1, 0).mul_(6);
  CHECK(torch::allclose(distances("[[post_processor]]\ntype = 'stretch'\nname = 'a'\nfactor = 2\n"
                                  "[[post_processor]]\ntype = 'stretch'\nname = 'b'\nfactor = 3\n"),
                        cosine(stretched), 1e-5, 1e-6));
  CHECK(torch::allclose(distances("[[post_processor]]\ntype = 'stretch'\nfactor = 3\n"
                                  "[[post_processor]]\ntype = 'absolute'\n"),
                        3 * absolute(), 1e-5, 1e-6));
  REQUIRE(sink.finished.size() == 3);
  CHECK(sink.finished[0].stage == "stretch");
}

TEST_CASE_FIXTURE(Fixture, "what works on descriptors is refused behind what has made distances") {
  const auto wrong = plan("[[post_processor]]\ntype = 'absolute'\n[[post_processor]]\ntype = 'stretch'\n");
  CHECK_THROWS_WITH_AS(
      static_cast<void>(create_post_processors(wrong)),
      "r.toml:3:1: error: post_processor 'stretch' works on descriptors, but 'absolute' before it has "
      "already computed distances; place it before that one, or remove one of them",
      RecipeError);
  const auto apart = plan(
      "ranking.by_domain = true\n"
      "[[post_processor]]\ntype = 'absolute'\ndomains = ['violet']\n"
      "[[post_processor]]\ntype = 'absolute'\nname = 'second'\ndomains = ['origin']\n");
  CHECK(create_post_processors(apart).size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "by domain, a query's own domain comes first and the others follow by cosine") {
  const auto result = distances(
      "ranking.by_domain = true\n"
      "[[post_processor]]\ntype = 'absolute'\ndomains = ['violet']\n");
  const auto plain = cosine(input.descriptors);
  for (std::int64_t q = 0; q < 4; ++q) {
    const bool violet = q % 3 == 0;
    const auto own_distances = violet ? absolute() : plain;
    float largest = 0;
    for (std::int64_t g = 0; g < 7; ++g) {
      if (((g + 4) % 3 == 0) != violet) continue;
      CHECK(result[q][g].item<float>() == doctest::Approx(own_distances[q][g].item<float>()).epsilon(1e-5));
      largest = std::max(largest, own_distances[q][g].item<float>());
    }
    for (std::int64_t g = 0; g < 7; ++g) {
      if (((g + 4) % 3 == 0) == violet) continue;
      CHECK(result[q][g].item<float>() ==
            doctest::Approx(largest + 1 + plain[q][g].item<float>()).epsilon(1e-5));
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "a block of queries is the same by itself as among all, by domain too") {
  for (const auto* recipe : {"", "ranking.by_domain = true\n", "[[post_processor]]\ntype = 'absolute'\n"}) {
    auto copy = input;
    copy.descriptors = input.descriptors.clone();
    const auto made = plan(recipe);
    const auto block = post_process(made, copy, torch::kCPU, sink);
    CHECK(torch::allclose(block(1, 3), block(0, 4).slice(0, 1, 3), 1e-5, 1e-6));
  }
}

TEST_CASE_FIXTURE(Fixture, "a domain for images that have none is refused with what to fill") {
  for (auto* samples : {&input.query, &input.gallery}) {
    for (auto& sample : *samples) sample.domain = "";
  }
  CHECK_THROWS_WITH_AS(
      static_cast<void>(distances("ranking.by_domain = true\n[[post_processor]]\ntype = "
                                  "'absolute'\ndomains = ['green']\n")),
      "r.toml:2:1: error: post_processor 'absolute': no image has the domain 'green'; the images have none: "
      "fill the column 'domain' of the CSV files beside the features",
      RecipeError);
}

TEST_CASE_FIXTURE(Fixture, "a domain that no image is of is refused with those that there are") {
  CHECK_THROWS_WITH_AS(
      static_cast<void>(distances("ranking.by_domain = true\n[[post_processor]]\ntype = "
                                  "'absolute'\ndomains = ['green']\n")),
      "r.toml:2:1: error: post_processor 'absolute': no image has the domain 'green'; the domains are "
      "'origin' and 'violet'",
      RecipeError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(plan("[[post_processor]]\ntype = 'absolute'\ndomains = ['violet']\n")),
      "r.toml:3:11: error: post_processor 'absolute': domains works only with [ranking] by_domain = true",
      RecipeError);
}

TEST_CASE_FIXTURE(Fixture, "what a post-processor finds wrong is said at its place in the recipe") {
  CHECK_THROWS_WITH_AS(static_cast<void>(distances("[[post_processor]]\ntype = 'absolute'\nfails = true\n")),
                       "r.toml:1:1: error: post_processor 'absolute': does not fit", RecipeError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(distances("[[post_processor]]\ntype = 'stretch'\nname = 'a'\nfactor = 1e30\n"
                                  "[[post_processor]]\ntype = 'stretch'\nname = 'b'\nfactor = 1e30\n")),
      "error: post_processor 'stretch' gave a descriptor that is not finite, row 0 (from 0, the queries "
      "first); check for very long or very short descriptors",
      recipe::ComponentFault);
}

TEST_CASE_FIXTURE(Fixture, "rows without a direction are named before anything is done") {
  input.descriptors[6].zero_();
  CHECK_THROWS_WITH_AS(static_cast<void>(distances("")), doctest::Contains("g.npy: error: row 2 (from 0)"),
                       DataError);
  input.descriptors[1].fill_(std::numeric_limits<float>::infinity());
  CHECK_THROWS_WITH_AS(static_cast<void>(distances("")), doctest::Contains("q.npy: error: row 1 (from 0)"),
                       DataError);
}

TEST_CASE_FIXTURE(Fixture, "distances on disk are added, by domain those of its images") {
  const test::TemporaryFolder folder;
  const auto file = folder / "more.npy";
  const auto more = torch::rand({4, 7});
  file::write_npy(file, more);
  const auto recipe = "[[post_processor]]\ntype = 'add_file'\nfile = '" + file.string() + "'\n";
  CHECK(torch::allclose(distances(recipe), cosine(input.descriptors) + more, 1e-5, 1e-6));
  const auto by_domain = distances("ranking.by_domain = true\n" + recipe);
  for (std::int64_t q = 0; q < 4; ++q) {
    for (std::int64_t g = 0; g < 7; ++g) {
      if ((q % 3 == 0) != ((g + 4) % 3 == 0)) continue;
      CHECK(by_domain[q][g].item<float>() ==
            doctest::Approx((cosine(input.descriptors) + more)[q][g].item<float>()).epsilon(1e-5));
    }
  }
  file::write_npy(file, torch::rand({4, 8}));
  CHECK_THROWS_WITH_AS(static_cast<void>(distances(recipe)),
                       doctest::Contains("must contain distances of 4 queries x 7 gallery images"),
                       DataError);
}

TEST_CASE_FIXTURE(Fixture, "other descriptors are found by the images' names, in any order") {
  const test::TemporaryFolder folder;
  const auto other = torch::randn({11, 6});
  file::Features query{other.slice(0, 0, 4).flip(0).contiguous(), {input.query.rbegin(), input.query.rend()}};
  file::Features gallery{torch::cat({torch::randn({1, 6}), other.slice(0, 4)}), {Sample{}}};
  gallery.samples[0].path = "unknown.jpg";
  gallery.samples.insert(gallery.samples.end(), input.gallery.begin(), input.gallery.end());
  file::write_features(folder / "query", query);
  file::write_features(folder / "gallery", gallery);
  const auto recipe = "[[post_processor]]\ntype = 'other'\nfolder = '" + folder.path().string() + "'\n";
  CHECK(torch::allclose(distances(recipe), cosine(other), 1e-5, 1e-6));

  query.samples[2].path = "x.jpg";
  file::write_features(folder / "query", query);
  CHECK_THROWS_WITH_AS(static_cast<void>(distances(recipe)),
                       doctest::Contains("has no descriptor of '1.jpg'"), DataError);

  // Twice, of which the first would be taken for both.
  query.samples[2].path = query.samples[1].path;
  file::write_features(folder / "query", query);
  input.query[1].path = query.samples[1].path;
  CHECK_THROWS_WITH_AS(
      static_cast<void>(distances(recipe)),
      doctest::Contains("has several descriptors of '2.jpg', and does not tell which is whose"), DataError);
}

TEST_CASE_FIXTURE(Fixture,
                  "ranking by distances agrees with ranking by cosine, and distances are written whole") {
  const test::TemporaryFolder folder;
  auto copy = input;
  copy.descriptors = input.descriptors.clone();
  const auto made = plan("");
  const auto block = post_process(made, copy, torch::kCPU, sink);
  const auto by_distance = rank_by_distances(block, 4, 7, {.top = 5});
  const auto by_cosine =
      rank_gallery(input.descriptors.slice(0, 0, 4), input.descriptors.slice(0, 4), {.top = 5});
  CHECK(torch::equal(by_distance.images, by_cosine.images));
  CHECK(torch::allclose(by_distance.similarities, by_cosine.similarities, 1e-5, 1e-6));
  stage::write_distances(folder / "d.npy", copy, block, sink);
  CHECK(torch::equal(file::read_npy(folder / "d.npy"), block(0, 4)));
}

TEST_CASE("equal distances keep the gallery's order, and what is not a number is named") {
  auto distances = torch::tensor({{0.5F, 0.1F, 0.5F, 0.7F, 0.1F}});
  const auto block = [&](std::int64_t, std::int64_t) { return distances; };
  const auto ranking = rank_by_distances(block, 1, 5, {.top = 9});
  CHECK(torch::equal(ranking.images, torch::tensor({{1, 4, 0, 2, 3}}, torch::kLong)));
  // 1 - distance in 32 bits is the same for all of them.
  distances = torch::tensor({{3e-9F, 2e-9F, 1e-9F, 5e-9F, 4e-9F}});
  const auto near = rank_by_distances(block, 1, 5, {.top = 3});
  CHECK(torch::equal(near.images, torch::tensor({{2, 1, 0}}, torch::kLong)));
  CHECK(torch::equal(near.similarities, torch::ones({1, 3})));
  distances[0][3] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(
      static_cast<void>(rank_by_distances(block, 1, 5, {.top = 9})),
      "query: error: the distance of query 0 to gallery image 3 is not a number (rows from 0)", DataError);
}

TEST_CASE("features that are replaced while they are read are an error, and never those of two models") {
  const test::TemporaryFolder folder;
  // The list of the queries takes a while to read, so that the gallery is opened long after it.
  const auto write = [&](const std::string& model, float number) {
    for (const auto* side : {"query", "gallery"}) {
      const std::int64_t rows = side == std::string("query") ? 20'000 : 2;
      file::Features features{torch::full({rows, 2}, number), {}};
      for (std::int64_t row = 0; row < rows; ++row)
        features.samples.emplace_back().path = std::to_string(row) + ".png";
      file::write_features(folder / model / side, features);
    }
  };
  write("one", 1);
  write("two", 2);
  const auto names = {"query.npy", "query.csv", "gallery.npy", "gallery.csv"};
  const auto replace_by = [&](const std::string& model) {
    file::StagedFiles staged(folder / "features");
    for (const auto* name : names) std::filesystem::copy_file(folder / model / name, staged.path() / name);
    staged.take_place({names.begin(), names.end()});
  };
  const auto read = [&] {
    progress::SilentProgress silent;
    return read_search_input(folder / "features/query.npy", folder / "features/gallery.npy", silent)
        .descriptors;
  };

  replace_by("one");
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) replace_by(i % 2 == 0 ? "two" : "one");
  });
  int refused = 0;
  for (int i = 0; i < 40; ++i) {
    try {
      const auto descriptors = read();
      CHECK(descriptors.min().item<float>() == descriptors.max().item<float>());
    } catch (const DataError&) {
      ++refused;
    }
  }
  stop = true;
  writer.join();
  CHECK(refused > 0);
  const auto descriptors = read();
  CHECK(descriptors.size(0) == 20'002);
  CHECK(descriptors.min().item<float>() == descriptors.max().item<float>());
}
