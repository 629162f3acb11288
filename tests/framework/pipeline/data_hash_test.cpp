#include "pipeline/data_hash.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "file/sample_list.h"
#include "known_images.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::pipeline;
using namespace kindred::test;

namespace {

/// An image of a folder that nobody may decode.
class FolderImage final : public Dataset {
 public:
  struct Params {
    std::filesystem::path root;
  };
  static Schema<Params> schema() {
    Schema<Params> s("One image.");
    s.add("root", &Params::root, "its folder").required().location();
    return s;
  }
  FolderImage(const Params&, const Context&) {}
  [[nodiscard]] std::vector<Sample> samples() const override {
    return {{"a.png", unlabeled_identity, 1, "", Split::gallery}};
  }
  [[nodiscard]] cv::Mat image(const Sample&) const override { throw std::logic_error("decoded"); }
};

/// Images without files of their own, as those of an archive.
class PackedImages final : public Dataset {
 public:
  struct Params {
    std::filesystem::path archive;
    std::int64_t shade = 1;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Two images.");
    s.add("archive", &Params::archive, "where they are").required().location();
    s.add("shade", &Params::shade, "of the second").range(0, 255);
    return s;
  }
  PackedImages(Params params, const Context&) : params_(std::move(params)) {}
  [[nodiscard]] std::vector<Sample> samples() const override {
    return {{"1", 1, 1, "", Split::train}, {"2", 2, 1, "", Split::train}};
  }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override {
    return {16, 8, CV_8UC3, cv::Scalar(1, 1, sample.path == "2" ? static_cast<double>(params_.shade) : 1)};
  }

 private:
  Params params_;
};

/// A training image in one folder, and one of the same name to search in another.
class TwoFolders final : public Dataset {
 public:
  struct Params {
    std::vector<std::string> roots;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Two images.");
    s.add("roots", &Params::roots, "where they are").required().length(2).location();
    return s;
  }
  TwoFolders(Params params, const Context&) : params_(std::move(params)) {}
  [[nodiscard]] std::vector<Sample> samples() const override {
    return {{"a.png", 1, 1, "", Split::train}, {"a.png", 1, 2, "", Split::gallery}};
  }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override {
    const auto& root = params_.roots.at(sample.split == Split::train ? 0 : 1);
    const auto bytes = read_bytes(std::filesystem::path(root) / sample.path);
    return {16, 8, CV_8UC3, cv::Scalar::all(static_cast<double>(bytes.size()))};
  }

 private:
  Params params_;
};

std::string hash_of(const std::string& dataset, const std::vector<Split>& splits, bool pixels) {
  static const Catalog catalog = [] {
    Catalog whole = tiny_catalog();
    Catalog more;
    more.add<KnownImages>("known");
    more.add<PackedImages>("packed");
    more.add<TwoFolders>("two_folders");
    whole.merge(std::move(more), "more", "more.so");
    return whole;
  }();
  const auto plan = tiny_plan(catalog, {"dataset={ " + dataset + " }"});
  const TemporaryFolder folder;
  FileHashes files(folder / "memory");
  return data_hash({{plan, splits, pixels}}, files);
}

std::string hash_with(const std::string& parameter) {
  return hash_of("type = 'known'" + (parameter.empty() ? "" : ", " + parameter),
                 {Split::train, Split::query, Split::gallery}, /*pixels=*/false);
}

}  // namespace

TEST_CASE("the images of pseudo labels with a data set of their own count by their files") {
  Catalog catalog = tiny_catalog();
  Catalog more;
  more.add<KnownImages>("known");
  more.add<FolderImage>("one");
  catalog.merge(std::move(more), "more", "more.so");
  const TemporaryFolder folder;
  const auto labels = folder / "labels.csv";
  file::write_sample_list(labels, {{"a.png", 0, 1, "", Split::gallery}});
  const auto root = folder.write("images/a.png", "one").parent_path();
  const auto hash = [&] {
    const auto plan =
        tiny_plan(catalog, {"dataset={ type = 'known' }", "pseudo_labels=[{ file = '" + labels.string() +
                                                              "', dataset = { type = 'one', root = '" +
                                                              root.string() + "' } }]"});
    FileHashes files(folder / "memory");
    return data_hash({{plan, {Split::train}}}, files);
  };
  const auto before = hash();
  CHECK(hash() == before);
  folder.write("images/a.png", "other");
  CHECK(hash() != before);
}

TEST_CASE("the hash of a stage's images changes with everything that is known of one") {
  std::vector<std::string> hashes;
  for (const std::string parameter :
       {"", "path = 'b.png'", "identity = 2", "camera = 2", "domain = 'night'", "clothes = 0", "clothes = 1",
        "view = 0", "view = 1", "tracklet = '1'", "split = 'query'", "split = 'gallery'"}) {
    CAPTURE(parameter);
    const auto hash = hash_with(parameter);
    CHECK(hash.size() == 64);
    CHECK(hash == hash_with(parameter));
    CHECK(std::find(hashes.begin(), hashes.end(), hash) == hashes.end());
    hashes.push_back(hash);
  }
}

TEST_CASE("images without files of their own count by their pixels, where a stage looks at these") {
  const auto hash = [](const std::string& shade, bool pixels) {
    return hash_of("type = 'packed', archive = '/archive', shade = " + shade, {Split::train}, pixels);
  };
  CHECK(hash("1", true) == hash("1", true));
  CHECK(hash("2", true) != hash("1", true));
  CHECK(hash("2", false) == hash("1", false));
}

TEST_CASE("images of a data set with several folders count, whichever folder they are in") {
  const TemporaryFolder images;
  const auto hash = [&](Split split) {
    return hash_of("type = 'two_folders', roots = ['" + (images / "train").string() + "', '" +
                       (images / "gallery").string() + "']",
                   {split}, /*pixels=*/true);
  };
  images.write("train/a.png", "one");
  images.write("gallery/a.png", "one");
  const auto train = hash(Split::train);
  const auto gallery = hash(Split::gallery);
  images.write("gallery/a.png", "three");
  CHECK(hash(Split::train) == train);
  CHECK(hash(Split::gallery) != gallery);
}

TEST_CASE("images of a split that a stage does not read do not count") {
  const auto hash = [](const std::string& identity, Split split) {
    return hash_of("type = 'known', split = 'query', identity = " + identity, {Split::train, split}, false);
  };
  CHECK(hash("1", Split::gallery) == hash("2", Split::gallery));
  CHECK(hash("1", Split::query) != hash("2", Split::query));
}
