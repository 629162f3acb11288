#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ilids_vid.h"
#include "made_dataset.h"
#include "made_mat_file.h"
#include "mars.h"

using namespace kindred;
using namespace kindred::test;
using namespace kindred::video;

namespace {

Mars mars_at(const std::filesystem::path& root) {
  return Mars({root}, {});
}

std::string mars_refusal(const TemporaryFolder& folder) {
  return folder.without(error_of([&] { (void)mars_at(folder.path()).samples(); }));
}

void write_frames(const PictureFolder& folder, const std::string& half, const std::string& list,
                  const std::vector<std::string>& names) {
  std::string text;
  int seed = 0;
  for (const auto& name : names) {
    folder.write_picture(half + "/" + name.substr(0, 4) + "/" + name, ++seed);
    text += name + "\n";
  }
  folder.write("info/" + list, text);
}

/// Two training tracklets; of testing a query, its match, junk and a distractor.
void write_mars(const PictureFolder& folder) {
  write_frames(folder, "bbox_train", "train_name.txt",
               {"0001C1T0001F001.jpg", "0001C1T0001F002.jpg", "0003C6T0012F010.jpg"});
  folder.write("info/tracks_train_info.mat",
               mat_file({mat_matrix("track_train_info", {{1, 2, 1, 1}, {3, 3, 3, 6}})}, true));
  write_frames(folder, "bbox_test", "test_name.txt",
               {"00-1C1T0001F001.jpg", "0000C2T0005F001.jpg", "0000C2T0005F002.jpg", "0002C1T0001F001.jpg",
                "0002C1T0001F002.jpg", "0002C4T0003F001.jpg"});
  folder.write(
      "info/tracks_test_info.mat",
      mat_file({mat_matrix("track_test_info", {{1, 1, -1, 1}, {2, 3, 0, 2}, {4, 5, 2, 1}, {6, 6, 2, 4}})}));
  folder.write("info/query_IDX.mat", mat_file({mat_numbers("query_IDX", {3})}));
}

IlidsVid ilids_at(const std::filesystem::path& root, std::int64_t split = 1) {
  return IlidsVid({root, split}, {});
}

/// Two frames of each of so many people before both cameras.
void write_ilids(const PictureFolder& folder, const std::string& below, int people) {
  int seed = 0;
  for (const std::string camera : {"cam1", "cam2"}) {
    for (int person = 1; person <= people; ++person) {
      const std::string name = "person00" + std::to_string(person);
      for (const std::string frame : {"00317", "00318"}) {
        folder.write_picture(below + camera + "/" + name + "/" + camera + "_" + name + "_" + frame + ".png",
                             ++seed);
      }
    }
  }
}

std::map<Split, std::set<std::int64_t>> people_of(const std::vector<Sample>& samples) {
  std::map<Split, std::set<std::int64_t>> people;
  for (const auto& sample : samples) people[sample.split].insert(sample.identity);
  return people;
}

}  // namespace

TEST_CASE("MARS's names give identity and camera, junk and distractors included") {
  const auto person = parse_mars_name("0065C3T0008F123.jpg");
  REQUIRE(person);
  CHECK(person->folder == "0065");
  CHECK(person->identity == 65);
  CHECK(person->camera == 3);
  const auto junk = parse_mars_name("00-1C2T0001F001.jpg");
  REQUIRE(junk);
  CHECK(junk->folder == "00-1");
  CHECK(junk->identity == junk_identity);
  CHECK(parse_mars_name("0000C1T0001F001.jpg")->identity == 0);
  for (const std::string name : {"0002_c1s1_000451_03.jpg", "1C1T0001F001.jpg", "00001C1T0001F001.jpg",
                                 "0001C1T0001.jpg", "0001C1T0001F001", ""}) {
    CAPTURE(name);
    CHECK_FALSE(parse_mars_name(name).has_value());
  }
}

TEST_CASE("MARS's tracklets are read, and its queries are not in the gallery") {
  const PictureFolder folder;
  write_mars(folder);
  const auto dataset = mars_at(folder.path());
  const auto samples = dataset.samples();
  CHECK(facts_of(samples) == std::multiset<std::string>{"1 c1 train ", "1 c1 train ", "3 c6 train ",
                                                        "2 c1 query ", "2 c1 query ", "-1 c1 gallery ",
                                                        "0 c2 gallery ", "0 c2 gallery ", "2 c4 gallery "});
  REQUIRE(samples.size() == 9);
  CHECK(samples[0].path == "bbox_train/0001/0001C1T0001F001.jpg");
  CHECK(samples[0].tracklet == "0001C1T0001F001");
  CHECK(samples[1].tracklet == "0001C1T0001F001");
  CHECK(samples[2].tracklet == "0003C6T0012F010");
  CHECK(samples[3].split == Split::query);
  CHECK(samples[4].path == "bbox_test/0002/0002C1T0001F002.jpg");
  CHECK(samples[5].path == "bbox_test/00-1/00-1C1T0001F001.jpg");
  CHECK(equal_pixels(dataset.image(samples[8]), read_image(folder / samples[8].path)));
  CHECK(dataset.recognize() == Recognition::certain);
  std::filesystem::remove_all(folder / "bbox_train");
  CHECK(mars_at(folder.path()).samples().size() == 6);
  CHECK(dataset.recognize() == Recognition::certain);
}

TEST_CASE("what is missing of MARS, or does not fit, is named") {
  const PictureFolder folder;
  CHECK(contains(mars_refusal(folder), "contains neither 'bbox_train' nor 'bbox_test'"));
  CHECK(mars_at(folder.path()).recognize() == Recognition::no);
  CHECK(contains(error_of([&] { (void)mars_at(folder / "none").samples(); }), "is not a folder"));
  write_mars(folder);
  std::filesystem::remove(folder / "bbox_train/0001/0001C1T0001F002.jpg");
  CHECK(contains(mars_refusal(folder),
                 "info/train_name.txt:2: error: image '0001/0001C1T0001F002.jpg' is not in bbox_train"));
  folder.write("info/train_name.txt", "\n" + read_bytes(folder / "info/train_name.txt"));
  CHECK(contains(mars_refusal(folder), "info/train_name.txt:3: error: image '0001/0001C1T0001F002.jpg'"));
  folder.write("info/train_name.txt", "0001C1T0001F001.jpg\n\n\n0001C1T0001_002.jpg\n0003C6T0012F010.jpg\n");
  CHECK(contains(mars_refusal(folder),
                 "info/train_name.txt:4: error: image '0001C1T0001_002.jpg' is not named"));
  write_mars(folder);
  std::filesystem::remove(folder / "info/query_IDX.mat");
  CHECK(contains(mars_refusal(folder), "info/query_IDX.mat: error: does not exist"));
  write_mars(folder);
  folder.write("info/query_IDX.mat", mat_file({mat_numbers("query_IDX", {5})}));
  CHECK(contains(mars_refusal(folder), "names test tracklet 5 of 4"));
  write_mars(folder);
  const auto train = [&](const std::vector<std::vector<double>>& rows) {
    folder.write("info/tracks_train_info.mat", mat_file({mat_matrix("track_train_info", rows)}));
    return mars_refusal(folder);
  };
  CHECK(contains(train({{1, 4, 1, 1}}), "tracklet 1 has the frames 1 to 4 of 3 in 'train_name.txt'"));
  CHECK(contains(train({{1, 2, 1, 1}, {3, 3, 3, 5}}),
                 "tracklet 2 is of identity 3 and camera 5, but its frame '0003C6T0012F010.jpg' is named for "
                 "others"));
  CHECK(contains(train({{1, 2, 1, 1}, {2, 2, 1, 1}}), "has 'bbox_train/0001/0001C1T0001F002.jpg' in two"));
  CHECK(contains(train({{1, 2, 1}}), "'track_train_info' has 3 columns; expected 4"));
  folder.write("info/tracks_train_info.mat", mat_file({mat_numbers("other", {1, 2})}));
  CHECK(contains(mars_refusal(folder), "has no variable 'track_train_info'"));
}

TEST_CASE("i-LIDS-VID's splits say who is tested: cam1 asks and cam2 is searched") {
  const PictureFolder folder;
  write_ilids(folder, "i-LIDS-VID/sequences/", 4);
  folder.write("train-test people splits/train_test_splits_ilidsvid.mat",
               mat_file({mat_matrix("ls_set", {{2, 3, 1, 4}, {4, 1, 2, 3}})}));
  const auto dataset = ilids_at(folder.path());
  const auto samples = dataset.samples();
  REQUIRE(samples.size() == 16);
  auto people = people_of(samples);
  CHECK(people[Split::train] == std::set<std::int64_t>{1, 4});
  CHECK(people[Split::query] == std::set<std::int64_t>{2, 3});
  CHECK(people[Split::gallery] == std::set<std::int64_t>{2, 3});
  for (const auto& sample : samples) {
    if (sample.split == Split::query) CHECK(sample.camera == 1);
    if (sample.split == Split::gallery) CHECK(sample.camera == 2);
  }
  CHECK(samples[0].path == "i-LIDS-VID/sequences/cam1/person001/cam1_person001_00317.png");
  CHECK(samples[0].tracklet == "cam1/person001");
  CHECK(samples[1].tracklet == "cam1/person001");
  CHECK(samples[2].tracklet == "cam1/person004");
  CHECK(equal_pixels(dataset.image(samples[0]), picture(1)));
  CHECK(dataset.recognize() == Recognition::certain);

  CHECK(people_of(ilids_at(folder.path(), 2).samples())[Split::query] == std::set<std::int64_t>{1, 4});
  // What is hidden is nobody.
  std::filesystem::create_directory(folder / "i-LIDS-VID/sequences/cam1/.thumbnails");
  CHECK(ilids_at(folder.path()).samples().size() == 16);
  // The folder of the images alone: the splits beside it count.
  CHECK(people_of(ilids_at(folder / "i-LIDS-VID", 2).samples())[Split::query] ==
        std::set<std::int64_t>{1, 4});
  CHECK(contains(error_of([&] { (void)ilids_at(folder.path(), 3).samples(); }),
                 "has 2 splits, and split 3 is asked for"));
  folder.write("train-test people splits/train_test_splits_ilidsvid.mat",
               mat_file({mat_matrix("ls_set", {{2, 2, 1, 4}})}));
  CHECK(contains(error_of([&] { (void)ilids_at(folder.path()).samples(); }),
                 "split 1 names person 2, who is not one of the 4 or is named twice"));
  folder.write("train-test people splits/train_test_splits_ilidsvid.mat",
               mat_file({mat_matrix("ls_set", {{2, 1}})}));
  CHECK(contains(error_of([&] { (void)ilids_at(folder.path()).samples(); }),
                 "is about 2 people, but there are 4 in the data set"));
}

TEST_CASE("i-LIDS-VID without its splits is halved by lot") {
  const PictureFolder folder;
  write_ilids(folder, "sequences/", 8);
  std::set<std::set<std::int64_t>> halves;
  for (std::int64_t split = 1; split <= 5; ++split) {
    auto people = people_of(ilids_at(folder.path(), split).samples());
    CHECK(people[Split::query].size() == 4);
    CHECK(people[Split::train].size() == 4);
    CHECK(people[Split::query] == people[Split::gallery]);
    for (const auto person : people[Split::query]) CHECK_FALSE(people[Split::train].contains(person));
    CHECK(people[Split::query] == people_of(ilids_at(folder.path(), split).samples())[Split::query]);
    halves.insert(people[Split::query]);
  }
  CHECK(halves.size() > 1);
  std::filesystem::create_directories(folder / "sequences/cam1/somebody");
  CHECK(contains(error_of([&] { (void)ilids_at(folder.path()).samples(); }), "somebody"));
  std::filesystem::remove_all(folder / "sequences/cam2");
  CHECK(contains(error_of([&] { (void)ilids_at(folder.path()).samples(); }),
                 "does not contain 'sequences/cam1' and 'sequences/cam2'"));
  CHECK(ilids_at(folder.path()).recognize() == Recognition::no);
}
