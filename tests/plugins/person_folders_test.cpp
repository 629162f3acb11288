#include "person_folders.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "camera_pattern.h"
#include "data_files.h"

using namespace kindred;
using namespace kindred::person_folders;
using namespace kindred::test;

namespace {

PersonFolders people_in(const TemporaryFolder& folder, PersonFolders::Params params = {}) {
  params.root = folder.path();
  return PersonFolders(params, {});
}

void write_images(const TemporaryFolder& folder, std::initializer_list<const char*> names) {
  for (const char* name : names) folder.write(name, "");
}

std::string refusal_of_people(const TemporaryFolder& folder, const PersonFolders::Params& params = {}) {
  return folder.without(error_of([&] { (void)people_in(folder, params).samples(); }));
}

std::string text_of(const std::vector<Sample>& samples) {
  std::string text;
  for (const auto& sample : samples) {
    text += std::string(split_name(sample.split)) + ' ' + sample.path + ' ' +
            std::to_string(sample.identity) + ' ' + std::to_string(sample.camera) + '\n';
  }
  return text;
}

std::string schema_errors(Table table) {
  table.set("root", Value("x"));
  Diagnostics diagnostics;
  static_cast<void>(PersonFolders::schema().parse(Value(std::move(table)), "dataset", diagnostics));
  return diagnostics.empty() ? "" : diagnostics.all().front().message;
}

}  // namespace

TEST_CASE("train, query and gallery are read as they are split") {
  const TemporaryFolder folder;
  write_images(folder, {"train/0002/b.jpg", "train/0002/a.jpg", "train/0010/a.png", "query/0001/x.jpg",
                        "gallery/0001/y.jpg", "gallery/-1/z.jpg", "gallery/0000/w.jpg", "train/readme.txt"});
  CHECK(text_of(people_in(folder).samples()) ==
        "train train/0002/a.jpg 2 -1\n"
        "train train/0002/b.jpg 2 -1\n"
        "train train/0010/a.png 10 -1\n"
        "query query/0001/x.jpg 1 -1\n"
        "gallery gallery/-1/z.jpg -1 -1\n"
        "gallery gallery/0000/w.jpg 0 -1\n"
        "gallery gallery/0001/y.jpg 1 -1\n");
  CHECK(people_in(folder).recognize() == Recognition::likely);
}

TEST_CASE("people called by names keep their identity across the parts") {
  const TemporaryFolder folder;
  write_images(folder, {"Train/carol/a.jpg", "Train/dave/a.jpg", "Query/alice/x.jpg", "Gallery/alice/y.jpg",
                        "Gallery/bob/y.jpg"});
  const auto samples = people_in(folder).samples();
  REQUIRE(samples.size() == 5);
  CHECK(samples[2].path == "Query/alice/x.jpg");
  CHECK(samples[2].identity == samples[3].identity);
  CHECK(samples[3].identity != samples[4].identity);
  CHECK(samples[0].identity != samples[1].identity);
}

TEST_CASE("cameras come from the names of files where all have one") {
  const TemporaryFolder folder;
  write_images(folder, {"train/1/0001_c1s1_01.jpg", "train/1/cam_2-7.jpg", "train/2/Camera3.jpg"});
  const auto cameras = [&](const PersonFolders::Params& params = {}) {
    std::vector<std::int64_t> result;
    for (const auto& sample : people_in(folder, params).samples()) result.push_back(sample.camera);
    return result;
  };
  using Cameras = std::vector<std::int64_t>;
  CHECK(cameras() == Cameras{1, 2, 3});
  CHECK(cameras({.camera = ""}) == Cameras(3, unknown_camera));
  folder.write("train/2/abc1.jpg", "");
  CHECK(cameras() == Cameras(4, unknown_camera));
  CHECK(contains(refusal_of_people(folder, {.camera = "c[a-z]*_?([0-9])[.]"}),
                 "names no camera: camera = 'c[a-z]*_?([0-9])[.]' is found nowhere in '"));
}

TEST_CASE("folders of cameras within a person's folder are read, other folders are refused") {
  const TemporaryFolder folder;
  write_images(folder, {"train/1/cam1/a.jpg", "train/1/cam2/a.jpg", "train/2/cam1/a.jpg"});
  CHECK(text_of(people_in(folder).samples()) ==
        "train train/1/cam1/a.jpg 1 1\n"
        "train train/1/cam2/a.jpg 1 2\n"
        "train train/2/cam1/a.jpg 2 1\n");
  CHECK(contains(refusal_of_people(folder, {.camera = ""}),
                 "train/1/cam1/a.jpg: error: lies deeper than in a person's folder"));
  folder.write("train/2/deep/c1.jpg", "");
  CHECK(contains(refusal_of_people(folder),
                 "train/2/deep/c1.jpg: error: lies deeper than in a person's folder"));
}

TEST_CASE("a pattern may name cameras instead of numbering them") {
  const TemporaryFolder folder;
  write_images(folder, {"train/1/door-1.jpg", "train/1/hall-1.jpg", "train/2/hall-2.jpg"});
  const auto samples = people_in(folder, {.camera = "^([a-z]+)-"}).samples();
  CHECK(samples[0].camera != samples[1].camera);
  CHECK(samples[1].camera == samples[2].camera);
}

TEST_CASE("queries are chosen from test, one for each person and camera, with an answer left") {
  const TemporaryFolder folder;
  write_images(folder, {"train/9/c1_1.jpg", "test/1/c1_1.jpg", "test/1/c1_2.jpg", "test/1/c2_1.jpg",
                        "test/1/c2_2.jpg", "test/2/c1_1.jpg", "test/2/c2_1.jpg", "test/3/c1_1.jpg",
                        "test/3/c1_2.jpg", "test/-1/c1_1.jpg", "test/-1/c2_1.jpg"});
  const auto samples = people_in(folder).samples();
  std::map<std::int64_t, std::multiset<std::int64_t>> cameras;
  for (const auto& sample : samples) {
    if (sample.split == Split::query) cameras[sample.identity].insert(sample.camera);
  }
  CHECK((cameras == decltype(cameras){{1, {1, 2}}, {2, {1}}}));
  CHECK(text_of(people_in(folder).samples()) == text_of(samples));
  CHECK(samples.size() == 11);
}

TEST_CASE("without cameras each person of the test with two images has one query") {
  const TemporaryFolder folder;
  write_images(folder, {"test/1/a.jpg", "test/1/b.jpg", "test/1/c.jpg", "test/2/a.jpg"});
  const auto samples = people_in(folder).samples();
  REQUIRE(samples.size() == 4);
  CHECK(samples[0].split == Split::query);
  CHECK(samples[0].identity == 1);
  CHECK(std::count_if(samples.begin(), samples.end(),
                      [](const Sample& sample) { return sample.split == Split::gallery; }) == 3);
}

TEST_CASE("a single tree is split by people as the recipe says") {
  const TemporaryFolder folder;
  for (int person = 1; person <= 10; ++person) {
    for (const char* image : {"a.jpg", "b.jpg", "c.jpg"})
      folder.write("p" + std::to_string(person) + '/' + image, "");
  }
  const auto people = [&](double share, std::int64_t seed = 1) {
    std::map<Split, std::set<std::int64_t>> parts;
    for (const auto& sample : people_in(folder, {.test_share = share, .seed = seed}).samples()) {
      parts[sample.split].insert(sample.identity);
    }
    return parts;
  };
  const auto half = people(0.5);
  CHECK(half.at(Split::train).size() == 5);
  CHECK(half.at(Split::query).size() == 5);
  CHECK(half.at(Split::query) == half.at(Split::gallery));
  for (const auto person : half.at(Split::train)) CHECK_FALSE(half.at(Split::query).contains(person));
  CHECK((people(0.5) == half));
  CHECK((people(0.5, 2) != half));
  CHECK(people(0).at(Split::train).size() == 10);
  CHECK(people(0).size() == 1);
  CHECK(people(1).at(Split::query).size() == 10);
  CHECK(people(0.01).at(Split::query).size() == 1);
  CHECK(people(0.99).at(Split::train).size() == 1);
}

TEST_CASE("what is not in the layout is refused with what to do") {
  {
    const TemporaryFolder folder;
    write_images(folder, {"query/1/a.jpg"});
    CHECK(contains(refusal_of_people(folder), "contains 'query', but not 'gallery'; add the folder"));
    CHECK(people_in(folder).recognize() == Recognition::no);
    folder.write("gallery/1/b.jpg", "");
    folder.write("test/2/a.jpg", "");
    CHECK(contains(refusal_of_people(folder), "contains 'test' as well as 'query' and 'gallery'"));
  }
  {
    const TemporaryFolder folder;
    write_images(folder, {"train/1/a.jpg", "train/2/a.jpg", "val/3/a.jpg"});
    CHECK(refusal_of_people(folder).starts_with("val: error: has images and stands beside the parts"));
    CHECK(people_in(folder, {.test = "val"}).samples().size() == 3);
    folder.write("train/x.jpg", "");
    CHECK(contains(
        refusal_of_people(folder, {.test = "val"}),
        "train/x.jpg: error: lies in no person's folder; each image belongs into a folder that is called "
        "as the person is, such as train/0001/x.jpg"));
  }
  {
    const TemporaryFolder folder;
    write_images(folder, {"train/1/a.jpg", "train/01/a.jpg"});
    CHECK(contains(refusal_of_people(folder), "is the person of the folder '01', too; join the folders"));
  }
  {
    const TemporaryFolder folder;
    write_images(folder, {"1/a.jpg", "misc/a.jpg"});
    CHECK(contains(refusal_of_people(folder),
                   "misc: error: the name 'misc' is not a whole number, but '1' is"));
  }
  {
    const TemporaryFolder folder;
    folder.write("train/notes.txt", "");
    CHECK(contains(refusal_of_people(folder),
                   "train: error: contains no images: it holds other things: 'notes.txt'"));
    CHECK(
        contains(error_of([&] { (void)PersonFolders({folder / "none"}, {}).samples(); }), "is not a folder"));
  }
}

TEST_CASE("a tree is recognized by the names of its folders, and only with images in them") {
  const auto recognized = [](std::initializer_list<const char*> names) {
    const TemporaryFolder folder;
    write_images(folder, names);
    return people_in(folder).recognize();
  };
  CHECK(recognized({"0001/a.jpg", "0002/a.jpg"}) == Recognition::likely);
  CHECK(recognized({"person_1/a.jpg", "Person_2/a.jpg"}) == Recognition::likely);
  CHECK(recognized({"0001/a.jpg"}) == Recognition::no);
  CHECK(recognized({"0001/a.jpg", "0002/a.txt"}) == Recognition::no);
  CHECK(recognized({"0001/a.jpg", "0002/a.jpg", "b.jpg"}) == Recognition::no);
  CHECK(recognized({"cam1/a.jpg", "cam2/a.jpg"}) == Recognition::no);
  CHECK(recognized({"alice/a.jpg", "bob/a.jpg"}) == Recognition::no);
  CHECK(recognized({"train/a.jpg", "query/1/a.jpg", "gallery/1/a.jpg"}) == Recognition::no);
  CHECK(recognized({"train/A/1/a.jpg", "train/B/1/a.jpg"}) == Recognition::no);
  CHECK(recognized({"train/1/a.jpg", "test/1/a.jpg"}) == Recognition::likely);
  CHECK(recognized({"0017/cam2/a.jpg", "0018/cam1/a.jpg"}) == Recognition::likely);
  CHECK(recognized({"train/1/c1/a.jpg", "test/1/c2/a.jpg"}) == Recognition::likely);
  CHECK(recognized({"0017/cam2/a.jpg", "0018/left/a.jpg"}) == Recognition::no);
}

TEST_CASE("parameters that cannot be meant are refused") {
  const auto with = [](const std::string& key, const std::string& value) {
    Table table;
    table.set(key, Value(value));
    return schema_errors(std::move(table));
  };
  CHECK(with("camera", "auto").empty());
  CHECK(with("camera", "cam([0-9])").empty());
  CHECK(contains(with("camera", "cam[0-9]"), "is not 'auto', '' or a regular expression with a group"));
  CHECK(contains(with("camera", "cam([0-9]"), "is not 'auto', ''"));
  CHECK(contains(with("train", ""), "'' is not the name of a folder in root"));
  CHECK(contains(with("train", "a/b"), "'a/b' is not the name of a folder in root"));
  CHECK(contains(with("train", "query"), "two parts have the folder 'query'"));
}

TEST_CASE("a person's pixels come from the file") {
  const PictureFolder folder;
  folder.write_picture("train/1/a.png", 4);
  folder.write_picture("train/2/a.png", 5);
  const auto people = people_in(folder);
  CHECK(equal_pixels(people.image(people.samples().at(1)), picture(5)));
}
