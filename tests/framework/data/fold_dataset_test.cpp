#include "data/fold_dataset.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <opencv2/core.hpp>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "data/open_dataset.h"
#include "folder.h"
#include "made_dataset.h"
#include "naic.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::data;
using namespace kindred::folder;
using namespace kindred::naic;
using namespace kindred::test;

namespace {

const SourceLocation location{"r.toml", 3, 1};

/// Identity -> camera -> number of images.
using People = std::map<std::int64_t, std::map<std::int64_t, int>>;

std::string name_of(std::int64_t identity, std::int64_t camera, int number) {
  return "train/" + std::to_string(identity) + "_" + std::to_string(camera) + "_" + std::to_string(number);
}

std::unique_ptr<MadeDataset> made(const People& people, bool backwards = false) {
  std::vector<std::tuple<std::string, std::int64_t, std::int64_t>> images;
  for (const auto& [identity, cameras] : people) {
    for (const auto& [camera, count] : cameras) {
      for (int i = 0; i < count; ++i) images.emplace_back(name_of(identity, camera, i), identity, camera);
    }
  }
  if (backwards) std::reverse(images.begin(), images.end());
  auto data = std::make_unique<MadeDataset>();
  for (const auto& [path, identity, camera] : images) data->add(path, identity, camera, Split::train);
  return data;
}

/// 1 + i % 7 images of person i under each of two cameras.
People crowd(std::int64_t size) {
  People people;
  for (std::int64_t i = 0; i < size; ++i) {
    const int images = 1 + static_cast<int>(i % 7);
    people[100 + i] = {{1, images}, {2, images}};
  }
  return people;
}

recipe::FoldsSettings fold(std::int64_t number, std::int64_t count = 4) {
  recipe::FoldsSettings folds;
  folds.count = count;
  folds.fold = number;
  return folds;
}

std::vector<Sample> samples_of(const People& people, const recipe::FoldsSettings& folds) {
  return FoldDataset(made(people), folds, location).samples();
}

std::vector<Sample> of_split(const std::vector<Sample>& samples, Split split) {
  std::vector<Sample> result;
  std::copy_if(samples.begin(), samples.end(), std::back_inserter(result),
               [split](const Sample& sample) { return sample.split == split; });
  return result;
}

std::set<std::int64_t> identities_in(const std::vector<Sample>& samples) {
  std::set<std::int64_t> identities;
  for (const auto& sample : samples) identities.insert(sample.identity);
  return identities;
}

std::set<std::int64_t> validated(const std::vector<Sample>& samples) {
  auto all = samples;
  std::erase_if(all, [](const Sample& sample) { return sample.split == Split::train; });
  return identities_in(all);
}

std::vector<std::string> queries_of(const People& people, const recipe::FoldsSettings& folds) {
  std::vector<std::string> paths;
  for (const auto& sample : of_split(samples_of(people, folds), Split::query)) paths.push_back(sample.path);
  return paths;
}

std::string error_of(const People& people, const recipe::FoldsSettings& folds) {
  return message_of<RecipeError>([&] { static_cast<void>(samples_of(people, folds)); });
}

TEST_CASE("each identity is validated in exactly one fold and trained on in all others") {
  const auto people = crowd(42);
  std::map<std::int64_t, int> times;
  for (std::int64_t number = 1; number <= 4; ++number) {
    const auto samples = samples_of(people, fold(number));
    const auto test = validated(samples);
    const auto train = identities_in(of_split(samples, Split::train));
    for (const auto identity : test) {
      ++times[identity];
      CHECK(train.count(identity) == 0);
    }
    CHECK(test.size() + train.size() == people.size());
    CHECK(samples.size() == made(people)->samples().size());
  }
  CHECK(times.size() == people.size());
  CHECK(std::all_of(times.begin(), times.end(), [](const auto& entry) { return entry.second == 1; }));
}

TEST_CASE("folds differ by one identity at most, and in images by no more than the largest has") {
  for (const std::int64_t size : {8, 9, 42, 43}) {
    for (const std::int64_t count : {2, 3, 4, 8}) {
      CAPTURE(size);
      CAPTURE(count);
      std::set<std::size_t> identities;
      std::set<std::size_t> images;
      for (std::int64_t number = 1; number <= count; ++number) {
        const auto samples = samples_of(crowd(size), fold(number, count));
        identities.insert(validated(samples).size());
        images.insert(samples.size() - of_split(samples, Split::train).size());
      }
      CHECK(*identities.rbegin() - *identities.begin() <= 1);
      CHECK(*images.rbegin() - *images.begin() <= 14);
    }
  }
}

TEST_CASE("rounds give the fold with the fewest images the largest identity") {
  // 9 and 8 images go to two folds; 7 joins the 8, and 1 the 9.
  const People people = {{1, {{-1, 7}}}, {2, {{-1, 9}}}, {3, {{-1, 1}}}, {4, {{-1, 8}}}};
  std::set<std::set<std::int64_t>> folds;
  for (const std::int64_t number : {1, 2}) folds.insert(validated(samples_of(people, fold(number, 2))));
  CHECK(folds == std::set<std::set<std::int64_t>>{{2, 3}, {1, 4}});
}

TEST_CASE("the split depends on the images and the seed alone, not on their order") {
  const auto listed = [](const recipe::FoldsSettings& folds, bool backwards) {
    std::vector<std::string> result;
    for (const auto& sample : FoldDataset(made(crowd(30), backwards), folds, location).samples()) {
      result.push_back(sample.path + " " + split_name(sample.split));
    }
    return result;
  };
  const auto folds = fold(2);
  CHECK(listed(folds, false) == listed(folds, false));
  CHECK(listed(folds, false) == listed(folds, true));
  auto other = folds;
  other.seed = 2;
  CHECK(validated(samples_of(crowd(30), other)) != validated(samples_of(crowd(30), folds)));
}

TEST_CASE(
    "with cameras there is a query for each identity and camera, and each has a right image elsewhere") {
  for (std::int64_t number = 1; number <= 4; ++number) {
    const auto samples = samples_of(crowd(42), fold(number));
    std::map<std::int64_t, std::set<std::int64_t>> cameras_in_gallery;
    for (const auto& sample : of_split(samples, Split::gallery)) {
      cameras_in_gallery[sample.identity].insert(sample.camera);
    }
    std::set<std::pair<std::int64_t, std::int64_t>> asked;
    for (const auto& query : of_split(samples, Split::query)) {
      CHECK(asked.emplace(query.identity, query.camera).second);
      auto elsewhere = cameras_in_gallery[query.identity];
      elsewhere.erase(query.camera);
      CHECK_FALSE(elsewhere.empty());
    }
    for (const auto identity : validated(samples)) {
      // One image under each of two cameras: one of the two stays as the other's right image.
      const bool single = (identity - 100) % 7 == 0;
      CHECK(asked.count({identity, 2}) == 1);
      CHECK(asked.count({identity, 1}) == (single ? 0 : 1));
    }
  }
}

TEST_CASE("the camera with most images gives no query where nothing but it would stay in the gallery") {
  const People people = {{1, {{1, 1}, {2, 3}, {3, 1}}}, {2, {{1, 1}, {2, 3}, {3, 1}}}};
  CHECK(queries_of(people, fold(1, 2)).size() == 2);
  for (const auto& sample : of_split(samples_of(people, fold(1, 2)), Split::query)) {
    CHECK(sample.camera != 2);
  }
}

TEST_CASE("an identity that only one camera shows gives no query where cameras are known") {
  const People people = {{1, {{1, 5}}}, {2, {{1, 5}}}, {3, {{1, 2}, {2, 2}}}, {4, {{1, 2}, {2, 2}}}};
  const auto samples = samples_of(people, fold(1, 2));
  CHECK(validated(samples).size() == 2);
  for (const auto& query : of_split(samples, Split::query)) CHECK(query.identity > 2);
  CHECK(of_split(samples, Split::query).size() == 2);
}

TEST_CASE("without cameras one image of each identity is a query") {
  for (const std::int64_t camera : {-1, 3}) {
    CAPTURE(camera);
    People people;
    for (std::int64_t i = 1; i <= 8; ++i) people[i] = {{camera, 3}};
    const auto samples = samples_of(people, fold(1));
    CHECK(of_split(samples, Split::query).size() == 2);
    CHECK(of_split(samples, Split::gallery).size() == 4);
  }
}

TEST_CASE("identities with few images give no query and are in the gallery all the same") {
  People people;
  for (std::int64_t i = 1; i <= 8; ++i) people[i] = {{-1, i <= 4 ? 2 : 5}};
  auto folds = fold(1);
  CHECK(of_split(samples_of(people, folds), Split::query).size() == 2);
  folds.min_images_for_query = 3;
  const auto samples = samples_of(people, folds);
  const auto queries = of_split(samples, Split::query);
  REQUIRE(queries.size() == 1);
  CHECK(people[queries[0].identity][-1] == 5);
  CHECK(identities_in(of_split(samples, Split::gallery)).size() == 2);
}

TEST_CASE("the data set's own queries and gallery are left out, unlabeled training images are not") {
  auto data = made(crowd(8));
  data->add("query/1", 1, 1, Split::query);
  data->add("gallery/1", 1, 2, Split::gallery);
  data->add("train/unknown", unlabeled_identity, 1, Split::train);
  const auto samples = FoldDataset(std::move(data), fold(1), location).samples();
  for (const auto& sample : samples) CHECK(sample.path.rfind("train/", 0) == 0);
  CHECK(std::count_if(samples.begin(), samples.end(), [](const Sample& sample) {
          return sample.path == "train/unknown" && sample.split == Split::train;
        }) == 1);
}

TEST_CASE("distractors join the gallery without identity, camera, junk and training images") {
  auto folds = fold(1);
  folds.distractors = "data/others";
  auto others = std::make_unique<MadeDataset>();
  others->add(name_of(100, 1, 0), 7, 1, Split::query, 5, "violet");  // a path that the data set has too
  others->add("g", 7, 2, Split::gallery);
  others->add("t", 7, 2, Split::train);
  others->add("j", junk_identity, 2, Split::gallery);
  const auto picture = others->image({.path = name_of(100, 1, 0)});
  const FoldDataset data(made(crowd(8)), folds, location, std::move(others));
  const auto without = samples_of(crowd(8), fold(1));
  const auto samples = data.samples();
  REQUIRE(samples.size() == without.size() + 2);
  const auto& first = samples[without.size()];
  CHECK(first.path == "data/others/" + name_of(100, 1, 0));
  CHECK(first.identity == unlabeled_identity);
  CHECK(first.camera == unknown_camera);
  CHECK(first.domain == "violet");
  CHECK(first.split == Split::gallery);
  CHECK(samples.back().path == "data/others/g");
  CHECK(cv::norm(data.image(first), picture, cv::NORM_INF) == 0);
}

TEST_CASE("images are those of the data set, whatever split they are in now") {
  const auto whole = made(crowd(8));
  const FoldDataset data(made(crowd(8)), fold(1), location);
  for (const auto& sample : data.samples()) {
    CHECK(cv::norm(data.image(sample), whole->image(sample), cv::NORM_INF) == 0);
  }
}

TEST_CASE("what cannot be divided is an error with a remedy, at the place of the table") {
  CHECK(error_of(crowd(3), fold(1)) ==
        "r.toml:3:1: error: [folds]: cannot split the 3 identities of the training split into count = 4 "
        "folds; lower count, or set fold = 0");
  CHECK(error_of({}, fold(1)) ==
        "r.toml:3:1: error: [folds]: cannot split the 0 identities of the training split into count = 4 "
        "folds; choose a data set with labeled training images");
  People people;
  for (std::int64_t i = 1; i <= 8; ++i) people[i] = {{-1, 1}};
  CHECK(error_of(people, fold(3)) ==
        "r.toml:3:1: error: [folds]: no identity of fold 3 has a query, which needs 2 images; lower "
        "min_images_for_query or count, or choose data with more images per person");
  for (std::int64_t i = 1; i <= 8; ++i) people[i] = {{i % 2, 4}};
  auto folds = fold(1, 2);
  folds.min_images_for_query = 3;
  CHECK(error_of(people, folds).find("which needs two cameras and at least 3 images") != std::string::npos);
  folds = fold(1);
  folds.distractors = "data/none";
  CHECK(message_of<RecipeError>([&] {
          const FoldDataset data(made(crowd(8)), folds, location, std::make_unique<MadeDataset>());
        }).find("distractors = \"data/none\" has no images outside of its training split") !=
        std::string::npos);
  folds.distractors = "train";
  CHECK(message_of<RecipeError>([&] {
          auto others = std::make_unique<MadeDataset>();
          others->add("100_1_0", 7, 1, Split::gallery);
          const FoldDataset data(made(crowd(8)), folds, location, std::move(others));
        }).find("[folds]: image 'train/100_1_0' is in both the data set and the distractors") !=
        std::string::npos);
}

TEST_CASE("a plan with a fold opens it, with distractors of any layout that is known") {
  auto catalog = tiny_catalog();
  Catalog layouts;
  layouts.add<Folder>("folder");
  layouts.add<Naic>("naic");
  catalog.merge(std::move(layouts), "layouts", "layouts.so");
  const PictureFolder folder;
  folder.write_picture("plain/a.png", 1);
  folder.write_picture("naic/train/image/t.png", 2);
  folder.write("naic/train/label/train_list.txt", "train/t.png 3\n");
  folder.write_picture("naic/query_a/q.png", 3);
  folder.write_picture("naic/gallery_a/g.png", 4);
  const std::vector<std::string> one = {"dataset.identities=8", "folds.fold=1"};
  CHECK(open_dataset(tiny_plan(catalog, {"dataset.identities=8"}))->samples().size() == 32);
  CHECK(open_dataset(tiny_plan(catalog, one))->samples().size() == 32);
  const auto with = [&](const std::string& name) {
    auto overrides = one;
    overrides.push_back("folds.distractors='" + (folder / name).string() + "'");
    return open_dataset(tiny_plan(catalog, overrides));
  };
  CHECK(with("plain")->samples().size() == 33);
  const auto joined = with("naic");
  const auto samples = joined->samples();
  REQUIRE(samples.size() == 34);
  CHECK(joined->image(samples.back()).rows == 32);
  const auto text = message_of<RecipeError>([&] { static_cast<void>(with("nowhere")); });
  CHECK(text.find("--set folds.fold=1: error: [folds] distractors: ") == 0);
  CHECK(text.find("nowhere: error: does not exist; name another folder") != std::string::npos);
}

}  // namespace

TEST_CASE("a tracklet is a query of a fold with all its frames, or with none") {
  auto data = std::make_unique<MadeDataset>();
  for (std::int64_t identity = 1; identity <= 8; ++identity) {
    for (std::int64_t camera = 1; camera <= 2; ++camera) {
      for (int tracklet = 0; tracklet < 3; ++tracklet) {
        const auto name = name_of(identity, camera, tracklet);
        for (int frame = 0; frame < 4; ++frame) {
          data->add_frame(name, name + "_" + std::to_string(frame), identity, camera, Split::train);
        }
      }
    }
  }
  const auto samples = FoldDataset(std::move(data), fold(1), location).samples();
  std::map<std::string, std::set<Split>> splits;
  std::map<std::string, int> queries;
  for (const auto& sample : samples) {
    splits[sample.tracklet].insert(sample.split);
    if (sample.split == Split::query) ++queries[sample.tracklet];
  }
  for (const auto& [tracklet, in] : splits) CHECK(in.size() == 1);
  CHECK(queries.size() == 4);  // two people, two cameras
  for (const auto& [tracklet, frames] : queries) CHECK(frames == 4);
}
