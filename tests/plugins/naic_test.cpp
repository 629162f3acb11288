#include "naic.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "command/convert.h"
#include "made_dataset.h"
#include "manifest.h"
#include "naic_layout.h"

using namespace kindred;
using namespace kindred::naic;
using namespace kindred::test;

namespace {

Naic dataset(const std::filesystem::path& root, const std::string& part = "",
             std::map<std::string, std::int64_t> corrections = {}) {
  return Naic({root, part, std::move(corrections)}, {});
}

std::string refusal(const Naic& naic) {
  return error_of([&] { (void)naic.samples(); });
}

constexpr const char* list_path = "train/label/train_list.txt";

/// Two images for training, and a list with the given content.
std::string list_refusal(const std::string& list) {
  const PictureFolder folder;
  folder.write("train/image/1.png", "");
  folder.write("train/image/2.png", "");
  const auto file = folder.write(list_path, list);
  const std::string text = refusal(dataset(folder.path()));
  REQUIRE(text.starts_with(file.string() + ':'));
  return text.substr(file.string().size() + 1);
}

void write_training(const PictureFolder& folder) {
  folder.write("train/image/1.png", "");
  folder.write("train/image/2.png", "");
  folder.write("train/image/a b.png", "");
  folder.write(list_path, "train/2.png 30\r\ntrain/1.png\t10\n\nother/folder/a b.png 0\n");
}

void write_part(const PictureFolder& folder, const std::string& part) {
  folder.write("query_" + part + "/q.png", "");
  folder.write("gallery_" + part + "/g2.png", "");
  folder.write("gallery_" + part + "/g1.png", "");
}

}  // namespace

TEST_CASE("training images carry the list's identities, test images none") {
  const PictureFolder folder;
  write_training(folder);
  write_part(folder, "b");
  const auto samples = dataset(folder.path()).samples();
  REQUIRE(samples.size() == 6);
  const auto check = [&](std::size_t i, const char* path, std::int64_t identity, Split split) {
    CHECK(samples[i].path == path);
    CHECK(samples[i].identity == identity);
    CHECK(samples[i].camera == unknown_camera);
    CHECK(samples[i].split == split);
  };
  check(0, "train/image/1.png", 10, Split::train);
  check(1, "train/image/2.png", 30, Split::train);
  check(2, "train/image/a b.png", 0, Split::train);
  check(3, "query_b/q.png", unlabeled_identity, Split::query);
  check(4, "gallery_b/g1.png", unlabeled_identity, Split::gallery);
  check(5, "gallery_b/g2.png", unlabeled_identity, Split::gallery);
}

TEST_CASE("list and images may lie in the other known places") {
  const PictureFolder inside;
  inside.write("train/1.png", "");
  inside.write("train/train_list.txt", "train/1.png 5\n");
  CHECK(dataset(inside.path()).samples().at(0).path == "train/1.png");

  const PictureFolder beside;
  beside.write("train/1.png", "");
  beside.write("train_list.txt", "\xEF\xBB\xBFtrain/1.png 5\n");
  CHECK(dataset(beside.path()).samples().at(0).identity == 5);
}

TEST_CASE("corrections replace identities by file name") {
  const PictureFolder folder;
  write_training(folder);
  const auto samples = dataset(folder.path(), "", {{"2.png", 77}, {"a b.png", 10}}).samples();
  CHECK(samples.at(0).identity == 10);
  CHECK(samples.at(1).identity == 77);
  CHECK(samples.at(2).identity == 10);
  CHECK(contains(refusal(dataset(folder.path(), "", {{"3.png", 1}})),
                 "does not list '3.png', which 'corrections'"));
}

TEST_CASE("corrections without a training list are refused") {
  const PictureFolder folder;
  write_part(folder, "a");
  CHECK(contains(refusal(dataset(folder.path(), "", {{"3.png", 1}})), "has no training list"));
}

TEST_CASE("a bad line of the list is named") {
  CHECK(contains(list_refusal("train/1.png 1\ntrain/2.png\n"),
                 "2: error: 'train/2.png' does not have the form"));
  CHECK(contains(list_refusal("train/1.png one\n"), "1: error: identity 'one' is not a whole number"));
  CHECK(contains(list_refusal("train/1.png 99999999999999999999\n"),
                 "1: error: identity '99999999999999999999' is too large"));
  CHECK(contains(list_refusal("train/1.png -1\n"), "1: error: identity '-1' is not a whole number from 0"));
  CHECK(contains(list_refusal("train/1.png 1\n\ntrain/3.png 1\n"), "3: error: image '3.png' is not in "));
  CHECK(contains(list_refusal("train/1.png 1\ntrain/2.png 1\ntest/1.png 2\n"),
                 "3: error: image '1.png' is already listed in line 1"));
  CHECK(contains(list_refusal("train/ 1\n"), "1: error: 'train/ 1' is the name of a folder"));
  CHECK(contains(list_refusal(" 1\n"), "1: error: ' 1' does not have the form"));
  CHECK(contains(list_refusal("\n \n"), " error: is empty"));
}

TEST_CASE("the test part is the one that is there, or the one that is asked for") {
  const PictureFolder folder;
  write_part(folder, "a");
  CHECK(dataset(folder.path()).samples().size() == 3);
  write_part(folder, "B");
  CHECK(contains(refusal(dataset(folder.path())), "contains the test parts 'a' and 'B'; choose one"));
  CHECK(dataset(folder.path(), "B").samples().at(0).path == "query_B/q.png");
  CHECK(contains(refusal(dataset(folder.path(), "A")),
                 "does not contain 'query_A' and 'gallery_A'; parts found: 'a' and 'B'"));
}

TEST_CASE("missing folders and lists are named") {
  const PictureFolder folder;
  CHECK(contains(refusal(dataset(folder.path() / "none")), "is not a folder"));
  CHECK(contains(refusal(dataset(folder.path())), "contains neither train/label/train_list.txt nor query_X"));
  folder.write("train/image/1.png", "");
  CHECK(contains(refusal(dataset(folder.path())), "has no training list; expected"));
  folder.write(list_path, "train/1.png 1\n");
  folder.write("query_a/q.png", "");
  CHECK(contains(refusal(dataset(folder.path())), "contains 'query_a', but not 'gallery_a'"));
  std::filesystem::create_directory(folder.path() / "gallery_a");
  CHECK(contains(refusal(dataset(folder.path())), "gallery_a: error: contains no images"));
}

TEST_CASE("a list and a test part are recognized for certain, one of them likely") {
  const PictureFolder folder;
  CHECK(dataset(folder.path()).recognize() == Recognition::no);
  write_training(folder);
  CHECK(dataset(folder.path()).recognize() == Recognition::likely);
  write_part(folder, "A");
  CHECK(dataset(folder.path()).recognize() == Recognition::certain);
}

TEST_CASE("the parameters check the part and the corrections") {
  const auto errors = [](const char* key, Value value) {
    Table table;
    table.set("root", Value(std::string("data")));
    table.set(key, std::move(value));
    Diagnostics diagnostics;
    (void)Naic::schema().parse(Value(std::move(table)), "dataset 'naic'", diagnostics);
    return diagnostics.all().size();
  };
  Table good;
  good.set("105180993.png", Value(std::int64_t{5721}));
  Table bad;
  bad.set("105180993.png", Value(std::int64_t{-1}));
  CHECK(errors("corrections", Value(good)) == 0);
  CHECK(errors("corrections", Value(bad)) == 1);
  CHECK(errors("part", Value(std::string("b"))) == 0);
  CHECK(errors("part", Value(std::string("c"))) == 1);
}

TEST_CASE("a sample's pixels come from its file") {
  const PictureFolder folder;
  folder.write_picture("train/image/1.png", 8);
  folder.write(list_path, "train/1.png 1\n");
  const auto naic = dataset(folder.path());
  CHECK(equal_pixels(naic.image(naic.samples().at(0)), picture(8)));
}

TEST_CASE("a data set written in the layout is recognized and read back, and its answers by manifest") {
  const TemporaryFolder folder;
  const auto out = folder / "out";
  const auto data = mixed_dataset();
  command::convert_dataset(data, NaicLayout({}, {}), {.out = out, .layout = "naic"});
  CHECK(files_below(out) == std::vector<std::string>{"answers.csv", "gallery_a/000000001.png",
                                                     "gallery_a/000000002.png", "gallery_a/000000003.png",
                                                     "query_a/000000001.png", "train/image/000000001.png",
                                                     "train/image/000000002.png", "train/image/000000003.png",
                                                     "train/label/train_list.txt"});
  CHECK(read_bytes(out / list_path) ==
        "train/000000001.png 3\ntrain/000000002.png 3\ntrain/000000003.png 12345\n");
  const auto naic = dataset(out);
  CHECK(naic.recognize() == Recognition::certain);
  const auto samples = naic.samples();
  REQUIRE(samples.size() == 7);
  CHECK(samples[2].identity == 12345);
  CHECK(samples[3].identity == unlabeled_identity);
  CHECK(equal_pixels(naic.image(samples[3]), picture(500)));

  const manifest::Manifest answers({out / "answers.csv"}, {});
  auto test = data.samples();
  test.erase(test.begin(), test.begin() + 3);
  CHECK(facts_of(answers.samples()) == facts_of(test));
  CHECK(equal_pixels(answers.image(answers.samples().at(0)), picture(500)));
}

TEST_CASE("a test set that nobody has labeled has no answers") {
  const auto files = NaicLayout({}, {}).files({{"q.png", unlabeled_identity, 1, "", Split::query},
                                               {"g.png", unlabeled_identity, 1, "", Split::gallery}},
                                              "png");
  CHECK(files.images == std::vector<std::string>{"query_a/000000001.png", "gallery_a/000000001.png"});
  CHECK(files.lists.empty());
}

TEST_CASE("the layout needs the identities of training images, and queries with a gallery") {
  const auto refusal_of = [](const std::vector<Sample>& samples) {
    return error_of([&] { (void)NaicLayout({}, {}).files(samples, "png"); });
  };
  for (const auto identity : {unlabeled_identity, junk_identity}) {
    CHECK(refusal_of({{"a.png", identity, 1, "", Split::train}}) ==
          "a.png: error: has no identity, but the training list of the layout 'naic' needs one; use the "
          "layout 'manifest'");
  }
  CHECK(refusal_of({{"q.png", 1, 1, "", Split::query}}) ==
        "layout 'naic': error: needs both queries and gallery or neither, but the data set has no gallery");
}
