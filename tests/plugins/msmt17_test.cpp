#include "msmt17.h"

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

#include "made_dataset.h"

using namespace kindred;
using namespace kindred::msmt17;
using namespace kindred::test;

namespace {

Msmt17 msmt17_at(const std::filesystem::path& root) {
  return Msmt17({root, "", "", false}, {});
}

std::string msmt17_refusal(const TemporaryFolder& folder) {
  return folder.without(error_of([&] { (void)msmt17_at(folder.path()).samples(); }));
}

/// @param train, test the folders of one of the versions
void write_msmt17(const PictureFolder& folder, const std::string& train, const std::string& test) {
  folder.write_picture(train + "/0000/0000_000_01_0303morning_0008_0_ex.jpg", 1);
  folder.write_picture(train + "/0000/0000_001_14_0303noon_0008_0.jpg", 2);
  folder.write_picture(train + "/0001/0001_000_05_0303morning_0008_0.jpg", 3);
  folder.write_picture(test + "/0000/0000_000_02_0303morning_0008_0.jpg", 4);
  folder.write_picture(test + "/0000/0000_001_07_0303morning_0008_0.jpg", 5);
  folder.write("list_train.txt",
               "0000/0000_000_01_0303morning_0008_0_ex.jpg 0\n0000/0000_001_14_0303noon_0008_0.jpg 0\r\n");
  folder.write("list_val.txt", "0001/0001_000_05_0303morning_0008_0.jpg 1\n");
  folder.write("list_query.txt", "0000/0000_000_02_0303morning_0008_0.jpg 0\n");
  folder.write("list_gallery.txt", "0000/0000_001_07_0303morning_0008_0.jpg 0\n");
}

}  // namespace

TEST_CASE("MSMT17's lists give identity and split, and the names cameras, in both versions") {
  for (const bool second : {false, true}) {
    CAPTURE(second);
    const std::string train = second ? "mask_train_v2" : "train";
    const std::string test = second ? "mask_test_v2" : "test";
    const PictureFolder folder;
    write_msmt17(folder, train, test);
    const auto dataset = msmt17_at(folder.path());
    const auto samples = dataset.samples();
    REQUIRE(samples.size() == 4);
    CHECK(samples[0].path == train + "/0000/0000_000_01_0303morning_0008_0_ex.jpg");
    CHECK(facts_of(samples) ==
          std::multiset<std::string>{"0 c1 train ", "0 c14 train ", "1 c2 query ", "1 c7 gallery "});
    CHECK(equal_pixels(dataset.image(samples[3]), read_image(folder / samples[3].path)));
    CHECK(dataset.recognize() == Recognition::certain);
  }
}

TEST_CASE("MSMT17's people of testing are others than those of training, although both are numbered from 0") {
  const PictureFolder folder;
  write_msmt17(folder, "train", "test");
  std::set<std::int64_t> trained;
  std::set<std::int64_t> tested;
  for (const auto& sample : Msmt17({folder.path(), "", "", true}, {}).samples()) {
    (sample.split == Split::train ? trained : tested).insert(sample.identity);
  }
  CHECK(trained == std::set<std::int64_t>{0, 1});
  CHECK(tested == std::set<std::int64_t>{2});
  std::filesystem::remove(folder / "list_train.txt");
  CHECK(msmt17_at(folder.path()).samples().front().identity == 0);
}

TEST_CASE("MSMT17's validation images are for training only when asked") {
  const PictureFolder folder;
  write_msmt17(folder, "train", "test");
  const auto samples = Msmt17({folder.path(), "", "", true}, {}).samples();
  REQUIRE(samples.size() == 5);
  CHECK(samples[2].identity == 1);
  CHECK(samples[2].camera == 5);
  CHECK(samples[2].split == Split::train);
  std::filesystem::remove(folder / "list_train.txt");
  CHECK(contains(error_of([&] {
                   (void)Msmt17({folder.path(), "", "", true}, {}).samples();
                 }),
                 "has no 'list_train.txt', so use_validation has no effect; remove it"));
}

TEST_CASE("MSMT17's folders may be called otherwise") {
  const PictureFolder folder;
  write_msmt17(folder, "a/train", "a/test");
  CHECK(contains(msmt17_refusal(folder), "contains neither of the folders 'train' and 'mask_train_v2'"));
  CHECK(Msmt17({folder.path(), "a/train", "a/test", false}, {}).samples().size() == 4);
  CHECK(contains(error_of([&] {
                   (void)Msmt17({folder.path(), "b", "", false}, {}).samples();
                 }),
                 "does not contain the folder 'b' that 'train' names"));
}

TEST_CASE("MSMT17 without one of its halves is a data set, without one of its lists is not") {
  const PictureFolder folder;
  write_msmt17(folder, "train", "test");
  std::filesystem::remove(folder / "list_train.txt");
  CHECK(msmt17_at(folder.path()).samples().size() == 2);
  CHECK(msmt17_at(folder.path()).recognize() == Recognition::certain);
  std::filesystem::remove(folder / "list_gallery.txt");
  CHECK(contains(msmt17_refusal(folder), "contains 'list_query.txt', but not 'list_gallery.txt'"));
  std::filesystem::remove(folder / "list_query.txt");
  CHECK(contains(msmt17_refusal(folder), "contains none of the lists"));
  CHECK(msmt17_at(folder.path()).recognize() == Recognition::no);
  CHECK(contains(error_of([&] { (void)msmt17_at(folder / "none").samples(); }), "is not a folder"));
}

TEST_CASE("a wrong line of MSMT17's lists is named") {
  const PictureFolder folder;
  write_msmt17(folder, "train", "test");
  folder.write("list_query.txt", "0000/0000_000_02_0303morning_0008_0.jpg 0\n0000/gone.jpg 0\n");
  CHECK(msmt17_refusal(folder).starts_with("list_query.txt:2: error: image '0000/gone.jpg' is not in test"));
  folder.write("list_query.txt", "0000/0000_000_02_0303morning_0008_0.jpg\n");
  CHECK(contains(msmt17_refusal(folder),
                 "list_query.txt:1: error: '0000/0000_000_02_0303morning_0008_0.jpg' has "
                 "no number after the name"));
  folder.write("list_query.txt", "0000/0000_000_02_0303morning_0008_0.jpg x\n");
  CHECK(contains(msmt17_refusal(folder), "does not end in a whole number from 0"));
  folder.write("list_train.txt", "0000/0000_000_01_0303morning_0008_0_ex.jpg 9223372036854775807\n");
  CHECK(contains(
      msmt17_refusal(folder),
      "list_train.txt:1: error: '0000/0000_000_01_0303morning_0008_0_ex.jpg 9223372036854775807' ends "
      "in a number that is too large: whole numbers go up to 4611686018427387903"));
  folder.write("list_train.txt", "0000/0000_000_01_0303morning_0008_0_ex.jpg 4611686018427387903\n");
  folder.write("list_query.txt", "0000/0000_000_02_0303morning_0008_0.jpg 0\n");
  CHECK(msmt17_refusal(folder).starts_with(
      "list_train.txt: error: numbers people up to 4611686018427387903, so high that those of testing"));
  folder.write("list_train.txt", "0000/0000_000_01_0303morning_0008_0_ex.jpg 0\n");
  const std::string twice = "0000/0000_000_02_0303morning_0008_0.jpg 0\n";
  folder.write("list_query.txt", twice + "\n" + twice);
  CHECK(contains(msmt17_refusal(folder),
                 "list_query.txt:3: error: '0000/0000_000_02_0303morning_0008_0.jpg' is "
                 "already listed in line 1"));
  folder.write("list_query.txt", "\n");
  CHECK(contains(msmt17_refusal(folder), "list_query.txt: error: lists no images"));
  folder.write_picture("test/0000/photo.jpg", 7);
  folder.write("list_query.txt", "0000/photo.jpg 0\n");
  CHECK(contains(msmt17_refusal(folder), "is not named PPPP_NNN_CC_..."));
}
