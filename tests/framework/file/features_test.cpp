#include <doctest/doctest.h>
#include <torch/torch.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "file/feature_files.h"
#include "kindred/core/error.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::file;

namespace {

struct Fixture {
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("kindred_features_test_" + std::to_string(::getpid()));
  std::filesystem::path stem = folder / "gallery.v2";
  std::filesystem::path array = folder / "gallery.v2.npy";
  std::filesystem::path table = folder / "gallery.v2.csv";

  Fixture() { std::filesystem::create_directories(folder); }
  ~Fixture() { std::filesystem::remove_all(folder); }

  [[nodiscard]] std::string read_text() const {
    std::ifstream stream(table, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void write_table(const std::string& text) const { std::ofstream(table, std::ios::binary) << text; }

  /// What reading says is wrong.
  [[nodiscard]] std::string refusal() const {
    try {
      static_cast<void>(read_features(stem));
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }
  [[nodiscard]] std::string refusal_of_table(const std::string& text) const {
    write_npy(array, torch::ones({2, 3}));
    write_table(text);
    return refusal();
  }
};

Features some_features() {
  Features features{torch::rand({4, 3}), {}};
  features.samples = {{"a, \"quoted\".png", 7, 2, "violet", Split::query},
                      {"folder/b.png", 0, 0, "", Split::gallery},
                      {"c.png", junk_identity, 1, "", Split::train},
                      {"d.png", unlabeled_identity, unknown_camera, "", Split::gallery}};
  return features;
}

bool contains(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) MESSAGE("'" << part << "' is not in: " << text);
  return found;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "written features are read back, with either ending or none") {
  const auto features = some_features();
  write_features(stem, features);
  for (const auto& name : {stem, array, table}) {
    const auto back = read_features(name);
    CHECK(torch::equal(back.descriptors, features.descriptors));
    REQUIRE(back.samples.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(back.samples[i].path == features.samples[i].path);
      CHECK(back.samples[i].identity == features.samples[i].identity);
      CHECK(back.samples[i].camera == features.samples[i].camera);
      CHECK(back.samples[i].domain == features.samples[i].domain);
      CHECK(back.samples[i].split == features.samples[i].split);
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "what nobody knows is written as an empty cell") {
  write_features(stem, some_features());
  std::ifstream in(table);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  CHECK(text ==
        "path,identity,camera,domain,split\n"
        "\"a, \"\"quoted\"\".png\",7,2,violet,query\n"
        "folder/b.png,0,0,,gallery\n"
        "c.png,-1,1,,train\n"
        "d.png,,,,gallery\n");
}

TEST_CASE_FIXTURE(Fixture, "another program's files need path and identity alone, in any order and type") {
  write_table("identity,path\r\n3,x.jpg\r\n,y.jpg\r\n");
  const auto values = torch::tensor({{1.5, -2.0, 0.25}, {0.0, 4.0, 8.0}}, torch::kDouble);
  for (const auto type : {torch::kHalf, torch::kFloat, torch::kDouble, torch::kBFloat16}) {
    write_npy(array, values.to(type));
    const auto features = read_features(stem);
    CHECK((features.descriptors.scalar_type() == torch::kFloat));
    CHECK(torch::equal(features.descriptors, values.to(torch::kFloat)));
    CHECK(features.samples[0].identity == 3);
    CHECK(features.samples[0].camera == unknown_camera);
    CHECK(features.samples[1].identity == unlabeled_identity);
  }
}

TEST_CASE_FIXTURE(Fixture, "a table as pandas and people write it has the same numbers in every file") {
  write_npy(array, torch::ones({2, 3}));
  write_table("path;identity;camera\r\nx.jpg;2.0;c3\r\ny.jpg;7.0;c1\r\n");
  auto features = read_features(stem);
  CHECK(features.samples[0].identity == 2);
  CHECK(features.samples[0].camera == 3);
  CHECK(features.samples[1].camera == 1);
  write_table("path,identity\nx.jpg,alice\ny.jpg,bob\n");
  const auto bob = read_features(stem).samples[1].identity;
  write_table("path,identity\nx.jpg,bob\ny.jpg,carol\n");
  features = read_features(stem);
  CHECK(features.samples[0].identity == bob);
  CHECK(features.samples[1].identity != bob);
}

TEST_CASE_FIXTURE(Fixture, "the reader gives any range of rows") {
  Features features{torch::rand({10, 4}), std::vector<Sample>(10)};
  for (std::size_t i = 0; i < 10; ++i) features.samples[i].path = std::to_string(i);
  write_features(stem, features);
  const FeatureReader reader(stem);
  CHECK(reader.size() == 10);
  CHECK(reader.dim() == 4);
  CHECK(reader.samples().size() == 10);
  CHECK(torch::equal(reader.rows(3, 7), features.descriptors.slice(0, 3, 7)));
}

TEST_CASE_FIXTURE(
    Fixture, "16 bits change directions by no more than is said, and cosines by no more than that allows") {
  torch::manual_seed(1);
  const auto rows =
      torch::nn::functional::normalize(torch::randn({5000, 96}));  // more than are compared at once
  Features features{rows, std::vector<Sample>(5000)};
  for (std::size_t i = 0; i < 5000; ++i) features.samples[i].path = std::to_string(i);
  CHECK(write_features(stem, features).largest == 0);
  CHECK(torch::equal(read_features(stem).descriptors, rows));
  // A number is rounded by at most 2^-11 or 2^-8 of itself.
  for (const auto& [storage, type, rounding] :
       {std::tuple(file::Storage::float16, torch::kHalf, std::pow(2, -11)),
        std::tuple(file::Storage::bfloat16, torch::kBFloat16, std::pow(2, -8))}) {
    const auto loss = write_features(stem, features, storage);
    CHECK(std::filesystem::file_size(array) == 128 + 5000 * 96 * 2);
    CHECK((NpyReader(array).type() == type));
    const auto back = read_features(stem).descriptors;
    CHECK(torch::equal(back, rows.to(type).to(torch::kFloat)));
    const auto changes =
        (back.to(torch::kDouble) - rows.to(torch::kDouble)).norm(2, 1) / rows.to(torch::kDouble).norm(2, 1);
    CHECK(loss.largest == doctest::Approx(changes.max().item<double>()));
    CHECK(loss.mean == doctest::Approx(changes.mean().item<double>()));
    CHECK(loss.largest <= rounding);
    CHECK(loss.largest > rounding / 8);
    const auto cosines = [](const torch::Tensor& all) {
      const auto units = torch::nn::functional::normalize(all.slice(0, 0, 300).to(torch::kDouble));
      return torch::matmul(units, units.t());
    };
    CHECK((cosines(back) - cosines(rows)).abs().max().item<double>() <= loss.cosine_bound());
  }
}

TEST_CASE_FIXTURE(Fixture, "every finite number of 16 bits is read as what it is") {
  for (const auto type : {torch::kHalf, torch::kBFloat16}) {
    const auto all = torch::arange(-32768, 32768, torch::kShort).view(type);
    const auto finite = all.index({torch::isfinite(all.to(torch::kFloat))}).view({-1, 4});
    REQUIRE(finite.size(0) > 15000);
    std::string text = "path,identity\n";
    for (std::int64_t i = 0; i < finite.size(0); ++i) text += std::to_string(i) + ",1\n";
    write_table(text);
    write_npy(array, finite);
    const auto back = read_features(stem).descriptors;
    CHECK(torch::equal(back.view(torch::kInt), finite.to(torch::kFloat).view(torch::kInt)));  // also -0
    for (const double bad :
         {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
      auto broken = finite.clone();
      broken[77][3] = bad;
      write_npy(array, broken);
      CHECK(contains(refusal(),
                     "row 77 (from 0), the descriptor of '77', contains a number that is not finite"));
    }
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "a number too large for 16 bits is refused with the image, and nothing is written") {
  Features features{torch::ones({3, 2}), std::vector<Sample>(3)};
  features.samples[2].path = "c";
  features.descriptors[2][1] = 1e5F;
  CHECK_THROWS_WITH_AS(
      write_features(stem, features, file::Storage::float16),
      doctest::Contains(
          "gallery.v2.npy: error: the descriptor of 'c' has a number that is too large for 16 bits"),
      DataError);
  CHECK_FALSE(std::filesystem::exists(array));
  CHECK(write_features(stem, features, file::Storage::bfloat16).largest < 0.01);
}

TEST_CASE_FIXTURE(Fixture, "numbers of rows that do not fit are refused with both numbers") {
  const auto message = refusal_of_table("path,identity\na,1\nb,2\nc,3\n");
  CHECK(contains(message, "gallery.v2.csv: error: has 3 rows after its header, but gallery.v2.npy has 2"));
}

TEST_CASE_FIXTURE(Fixture, "a descriptor that is not finite is named by row and image") {
  constexpr std::int64_t rows = 5000;  // more than are checked at a time
  std::string text = "path,identity\n";
  for (std::int64_t i = 0; i < rows; ++i) text += "image" + std::to_string(i) + ",1\n";
  write_table(text);
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                           1e300 /* too large for 32 bits */}) {
    auto descriptors = torch::ones({rows, 2}, torch::kDouble);
    descriptors[4321][1] = bad;
    write_npy(array, descriptors);
    CHECK(
        contains(refusal(),
                 "gallery.v2.npy: error: row 4321 (from 0), the descriptor of 'image4321', contains a number "
                 "that is not finite"));
  }
}

TEST_CASE_FIXTURE(Fixture, "arrays that are no descriptors are refused with what they are") {
  write_table("path,identity\na,1\nb,2\n");
  write_npy(array, torch::ones({2, 3, 4}));
  CHECK(contains(refusal(), "this one is 2 x 3 x 4"));
  write_npy(array, torch::ones({2}));
  CHECK(contains(refusal(), "this one is 2"));
  write_npy(array, torch::ones({}));
  CHECK(contains(refusal(), "is a single number"));
  write_npy(array, torch::ones({2, 0}));
  CHECK(contains(refusal(), "this one is 2 x 0"));
  write_npy(array, torch::ones({2, 3}, torch::kLong));
  CHECK(contains(refusal(), "not integers"));
}

TEST_CASE_FIXTURE(Fixture, "missing files are refused with what they are for") {
  CHECK(contains(refusal(), "gallery.v2.npy: error: cannot be opened"));
  write_npy(array, torch::ones({2, 3}));
  CHECK(contains(refusal(),
                 "gallery.v2.csv: error: is missing: it must list the image of each row of gallery.v2.npy"));
}

TEST_CASE_FIXTURE(Fixture, "a wrong table is refused with file and line") {
  CHECK(contains(refusal_of_table("path,identity\na,1\n,2\n"),
                 "gallery.v2.csv:3: error: the path is empty; name the image"));
  CHECK(
      contains(refusal_of_table("path,identity\na,1\nb,-3\n"),
               "gallery.v2.csv:3: error: identity -3; allowed are whole numbers from 0, names, -1 for junk"));
  CHECK(contains(refusal_of_table("path,identity,camera\na,1,-2\nb,1,1\n"),
                 "gallery.v2.csv:2: error: camera -2"));
  CHECK(contains(refusal_of_table("path,identity\na,1\nb,one\n"),
                 "gallery.v2.csv:3: error: column 'identity': 'one' is not a whole number, but '1' is"));
  CHECK(contains(refusal_of_table("path,identity\na,99999999999999999999\nb,1\n"),
                 "gallery.v2.csv:2: error: column 'identity': '99999999999999999999' is too large"));
  CHECK(contains(refusal_of_table("path,identity,split\na,1,test\nb,1,query\n"),
                 "gallery.v2.csv:2: error: split 'test'; allowed are 'train', 'query' and 'gallery'"));
  CHECK(contains(refusal_of_table("path,identiy\na,1\nb,1\n"), "identity"));
  CHECK(contains(refusal_of_table("path,camera\na,1\nb,1\n"), "identity"));
}

TEST_CASE_FIXTURE(Fixture, "features whose parts do not fit are a mistake of the program") {
  auto features = some_features();
  features.samples.pop_back();
  CHECK_THROWS_AS(write_features(stem, features), std::logic_error);
  CHECK_FALSE(std::filesystem::exists(array));
}

TEST_CASE_FIXTURE(Fixture, "tracklets, views and clothes are columns where there are some") {
  auto features = some_features();
  write_features(stem, features);
  CHECK(read_text().starts_with("path,identity,camera,domain,split\n"));
  features.samples[1].tracklet = "0001C1T0001";
  features.samples[2].view = 0;
  write_features(stem, features);
  CHECK(read_text().starts_with("path,identity,camera,domain,split,view,tracklet\n"));
  const auto back = read_features(stem).samples;
  CHECK(back[0].tracklet.empty());
  CHECK(back[0].view == unknown_view);
  CHECK(back[1].tracklet == "0001C1T0001");
  CHECK(back[2].view == 0);
  CHECK(back[2].clothes == unknown_clothes);
}

namespace {

/// Rows [first, last) of 10 as an array of a list.
torch::Tensor sharded_rows() {
  return torch::arange(30, torch::kFloat).view({10, 3});
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "descriptors in several arrays are read as one") {
  write_npy(shard_file(stem, 0), sharded_rows().slice(0, 0, 4));
  write_npy(folder / "elsewhere.npy", sharded_rows().slice(0, 4, 5).to(torch::kHalf));
  write_npy(shard_file(stem, 1), sharded_rows().slice(0, 5, 10));
  ShardList list{{{"gallery.v2.0000.npy", 4}, {folder / "elsewhere.npy", 1}, {"gallery.v2.0001.npy", 5}}, 3};
  list.write(shard_list_of(stem));
  std::string names = "path,identity\n";
  for (int i = 0; i < 10; ++i) names += std::to_string(i) + ".png," + std::to_string(i) + "\n";
  write_table(names);
  for (const auto& name : {stem, array, table}) {
    CHECK(has_features(name));
    CHECK(has_sharded_features(name));
    CHECK(torch::equal(read_features(name).descriptors, sharded_rows()));
  }
  const FeatureReader reader(stem);
  CHECK(reader.size() == 10);
  CHECK(reader.dim() == 3);
  for (std::int64_t first = 0; first <= 10; ++first) {
    for (auto last = first; last <= 10; ++last) {
      CHECK(torch::equal(reader.rows(first, last), sharded_rows().slice(0, first, last)));
    }
  }

  // Only arrays whose rows are asked for need to be there.
  std::filesystem::remove(folder / "elsewhere.npy");
  const FeatureReader partly(stem);
  CHECK(torch::equal(partly.rows(5, 10), sharded_rows().slice(0, 5, 10)));
  CHECK_THROWS_WITH_AS(static_cast<void>(partly.rows(3, 5)), doctest::Contains("elsewhere.npy"), DataError);

  // One array in their place is what counts; the names are those of all that is there.
  write_npy(array, torch::ones({10, 3}));
  CHECK(!has_sharded_features(stem));
  CHECK(read_features(stem).descriptors.sum().item<float>() == 30);
  // What is somebody else's is not among them, though it is called nearly so.
  const auto name = stem.filename().string();
  const std::vector<std::string> others = {name + "..npy", name + ".2.npy", name + ".00002.npy",
                                           name + ".two.npy"};
  for (const auto& other : others) write_npy(folder / other, torch::ones({1, 3}));
  for (const auto& own : names_of_features(stem)) std::filesystem::remove(folder / own);
  CHECK(!has_features(stem));
  CHECK(test::files_in(folder) == others.size());
}

TEST_CASE_FIXTURE(Fixture,
                  "a list of arrays that is replaced while it is read is not mixed with its successor") {
  const auto write = [&](float number) {
    write_npy(shard_file(stem, 0), torch::full({2, 3}, number));
    write_npy(shard_file(stem, 1), torch::full({2, 3}, number));
    ShardList{{{"gallery.v2.0000.npy", 2}, {"gallery.v2.0001.npy", 2}}, 3}.write(shard_list_of(stem));
  };
  write(1);
  write_table("path,identity\na,1\nb,2\nc,3\nd,4\n");
  const FeatureReader reader(stem);
  CHECK(reader.rows(0, 2).sum().item<float>() == 6);
  write(2);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(reader.rows(2, 4)),
      doctest::Contains("gallery.v2.shards.csv: error: was replaced or written while it was read"),
      DataError);
  CHECK(read_features(stem).descriptors.sum().item<float>() == 24);
}

TEST_CASE_FIXTURE(Fixture, "a file that is replaced, written, removed or made is another version") {
  const auto unchanged = [](const FileVersion& version) {
    try {
      version.require_unchanged();
    } catch (const DataError&) {
      return false;
    }
    return true;
  };
  const FileVersion none(table);
  CHECK(unchanged(none));
  write_table("text");
  CHECK_FALSE(unchanged(none));
  const FileVersion first(table);
  CHECK(unchanged(first));
  std::filesystem::copy_file(table, array);
  std::filesystem::rename(array, table);
  CHECK_FALSE(unchanged(first));
  const FileVersion second(table);
  write_table("longer text");
  CHECK_FALSE(unchanged(second));
  const FileVersion third(table);
  CHECK(unchanged(third));
  std::filesystem::remove(table);
  CHECK_FALSE(unchanged(third));
}

TEST_CASE_FIXTURE(Fixture,
                  "a list of arrays that is wrong, or whose arrays are others, is refused with the place") {
  write_table("path,identity\na.png,1\nb.png,2\n");
  const auto refused = [&](const std::string& text) {
    std::ofstream(shard_list_of(stem), std::ios::binary) << text;
    return refusal();
  };
  write_npy(shard_file(stem, 0), torch::ones({2, 3}));
  CHECK(refused("file,rows,dim\ngallery.v2.0000.npy,2,3\n").empty());
  CHECK(contains(refused("file,rows,dim\n"), "lists no arrays"));
  CHECK(contains(refused("file,rows,dim\ngallery.v2.0000.npy,0,3\n"), "rows = 0 must be a whole number"));
  CHECK(contains(refused("file,rows,dim\n,2,3\n"), "the name of the file is empty"));
  CHECK(
      contains(refused("file,rows,dim\ngallery.v2.0000.npy,2,3\nb.npy,1,4\n"), "dim = 4, but 3 in the rows"));
  CHECK(contains(refused("file,rows,dim\ngallery.v2.0000.npy,3,3\n"), "has 2 rows after its header, but"));
  CHECK(
      contains(refused("file,rows,dim\ngallery.v2.0000.npy,2,4\n"),
               "gallery.v2.shards.csv says that it holds 2 x 4 floating-point numbers, but it holds 2 x 3"));
  CHECK(contains(
      refused("file,rows,dim\na.npy,1099511627776,3\ngallery.v2.0000.npy,1,3\n"),
      "gallery.v2.shards.csv:3: error: rows = 1, with which all arrays would have more than 1099511627776 "
      "rows together"));
  // 134 GB that are not there: that is found before memory is made for them.
  std::string many = "path,identity\n";
  for (int i = 0; i < 2000; ++i) many += std::to_string(i) + ".png,1\n";
  write_table(many);
  CHECK(contains(refused("file,rows,dim\ngallery.v2.0000.npy,2000,16777216\n"),
                 "says that it holds 2000 x 16777216"));
  write_table("path,identity\na.png,1\nb.png,2\n");
  CHECK(contains(refused("file,rows\ngallery.v2.0000.npy,2\n"), "dim"));
  write_npy(shard_file(stem, 0), torch::ones({2, 3}, torch::kInt));
  CHECK(contains(refused("file,rows,dim\ngallery.v2.0000.npy,2,3\n"), "but it holds 2 x 3 integers"));
  auto rows = torch::ones({2, 3});
  rows[1][2] = std::numeric_limits<float>::quiet_NaN();
  write_npy(shard_file(stem, 0), rows);
  CHECK(contains(refused("file,rows,dim\ngallery.v2.0000.npy,2,3\n"),
                 "row 1 (from 0), the descriptor of 'b.png'"));
}
