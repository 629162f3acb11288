#include "cuhk03.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "made_dataset.h"
#include "made_mat_file.h"

using namespace kindred;
using namespace kindred::cuhk03;
using namespace kindred::test;

namespace {

const std::vector<std::string> cuhk03_names{"1_001_1_01.png", "1_001_2_06.png", "1_002_1_01.png",
                                            "1_002_2_06.png", "2_001_1_01.png"};

std::vector<std::string> config_variables() {
  return {mat_numbers("camId", {1, 2, 1, 2, 1}),
          mat_texts("filelist", cuhk03_names),
          mat_numbers("labels", {1, 1, 2, 2, 844}),
          mat_numbers("query_idx", {3}),
          mat_numbers("gallery_idx", {4}),
          mat_numbers("train_idx", {1, 2, 5}),
          mat_array(6, 1, "half", mat_element(9, std::string("\0\0\0\0\0\0\xe0\x3f", 8)))};
}

std::string config_file(bool compressed) {
  auto text = mat_header();
  for (const auto& variable : config_variables()) text += compressed ? mat_compressed(variable) : variable;
  return text;
}

void write_extracted(const PictureFolder& folder, const std::string& images = "detected") {
  int seed = 0;
  for (const auto& name : cuhk03_names) folder.write_picture("images_" + images + "/" + name, ++seed);
}

Cuhk03 cuhk03_at(const std::filesystem::path& root, const std::string& images = "detected",
                 Protocol protocol = Protocol::new_767, std::int64_t split = 1) {
  return Cuhk03({root, images, protocol, split}, {});
}

std::string cuhk03_refusal(const TemporaryFolder& folder, Protocol protocol = Protocol::new_767,
                           std::int64_t split = 1) {
  return folder.without(
      error_of([&] { (void)cuhk03_at(folder.path(), "detected", protocol, split).samples(); }));
}

/// As one machine writes them, with paths of its own, and the people of training and of testing from 0 each.
const char* const two_splits = R"([
  {"train": [["/home/me/cuhk03/images_detected/1_001_1_01.png", 0, 0]], "num_train_pids": 1,
   "query": [["C:\\cuhk03\\images_detected\\1_002_1_01.png", 0, 0], ["x/1_002_2_06.png", 0, 1]],
   "gallery": [["1_002_1_01.png", 0, 0], ["x/1_002_2_06.png", 0, 1]]},
  {"train": [["1_002_1_01.png", 0, 0]], "query": [["1_001_1_01.png", 7, 0]],
   "gallery": [["1_001_2_06.png", 7, 1]]}])";

}  // namespace

TEST_CASE("CUHK03's new protocol is read from its MAT-file, compressed or not") {
  for (const bool compressed : {true, false}) {
    CAPTURE(compressed);
    const PictureFolder folder;
    write_extracted(folder);
    folder.write("cuhk03_new_protocol_config_detected.mat", config_file(compressed));
    const auto dataset = cuhk03_at(folder.path());
    const auto samples = dataset.samples();
    CHECK(facts_of(samples) == std::multiset<std::string>{"1 c1 train ", "1 c2 train ", "844 c1 train ",
                                                          "2 c1 query ", "2 c2 gallery "});
    REQUIRE(samples.size() == 5);
    CHECK(samples[2].path == "images_detected/2_001_1_01.png");
    CHECK(equal_pixels(dataset.image(samples[2]), picture(5)));
    CHECK(dataset.recognize() == Recognition::certain);
  }
}

TEST_CASE("CUHK03's splits are read from JSON files, whatever folders their paths name") {
  const PictureFolder folder;
  write_extracted(folder);
  folder.write("splits_classic_detected.json", two_splits);
  const auto first = cuhk03_at(folder.path(), "detected", Protocol::classic).samples();
  REQUIRE(first.size() == 5);
  // Those of testing follow those of training: no number stands for two people.
  CHECK(first[1].path == "images_detected/1_002_1_01.png");
  CHECK(facts_of(first) == std::multiset<std::string>{"0 c1 train ", "1 c1 query ", "1 c2 query ",
                                                      "1 c1 gallery ", "1 c2 gallery "});
  const auto second = cuhk03_at(folder.path(), "detected", Protocol::classic, 2).samples();
  CHECK(facts_of(second) == std::multiset<std::string>{"0 c1 train ", "8 c1 query ", "8 c2 gallery "});
  CHECK(contains(cuhk03_refusal(folder, Protocol::classic, 3), "has 2 splits, and split 3 is asked for"));
  CHECK(cuhk03_at(folder.path()).recognize() == Recognition::no);  // of the new protocol nothing is known

  folder.write("splits_new_detected.json", two_splits);
  folder.write("cuhk03_new_protocol_config_detected.mat", "not read");
  CHECK(cuhk03_at(folder.path()).samples().size() == 5);
}

TEST_CASE("CUHK03-NP's folders of detected and of labeled images are read") {
  const PictureFolder folder;
  for (const std::string images : {"detected", "labeled"}) {
    folder.write_picture(images + "/bounding_box_train/0001_c1_1.png", 1);
    folder.write_picture(images + "/query/0003_c1_21.png", 2);
    folder.write_picture(images + "/bounding_box_test/0003_c2_27.png", 3);
  }
  for (const std::string images : {"detected", "labeled"}) {
    const auto dataset = cuhk03_at(folder.path(), images);
    const auto samples = dataset.samples();
    CHECK(facts_of(samples) == std::multiset<std::string>{"1 c1 train ", "3 c1 query ", "3 c2 gallery "});
    CHECK(samples[0].path == images + "/bounding_box_train/0001_c1_1.png");
    CHECK(equal_pixels(dataset.image(samples[0]), picture(1)));
    CHECK(dataset.recognize() == Recognition::certain);
  }
  folder.write("detected/query/x.png", "");
  CHECK(contains(cuhk03_refusal(folder), "x.png: error: is not named IIII_cC_..."));
}

TEST_CASE("what is missing of CUHK03 is named") {
  const PictureFolder folder;
  CHECK(contains(cuhk03_refusal(folder),
                 "contains neither 'detected/bounding_box_train' nor 'images_detected'"));
  CHECK(contains(cuhk03_refusal(folder, Protocol::classic), "which the classic protocol needs"));
  CHECK(cuhk03_at(folder.path()).recognize() == Recognition::no);
  folder.write("cuhk03_release/cuhk-03.mat", "");
  CHECK(
      contains(cuhk03_refusal(folder), "holds the images inside of cuhk-03.mat, which is not read; extract"));
  write_extracted(folder);
  CHECK(contains(cuhk03_refusal(folder),
                 "but not 'splits_new_detected.json' or "
                 "'cuhk03_new_protocol_config_detected.mat', which say which images"));
  folder.write("cuhk03_new_protocol_config_detected.mat", config_file(true));
  std::filesystem::remove(folder / "images_detected/1_002_2_06.png");
  CHECK(contains(cuhk03_refusal(folder), "lists '1_002_2_06.png', which is not in 'images_detected'"));
  folder.write("splits_new_detected.json", "[{]");
  CHECK(contains(cuhk03_refusal(folder), "splits_new_detected.json: error: is not valid JSON"));
  folder.write("splits_new_detected.json", R"([{"train": [["1_001_1_01.png"]]}])");
  CHECK(contains(cuhk03_refusal(folder), "has another entry in 'train'; expected a list of splits"));
  folder.write("splits_new_detected.json", R"([{"train": []}])");
  CHECK(contains(cuhk03_refusal(folder), "split 1 has no list 'query'"));
}

TEST_CASE("lists of CUHK03 that contradict themselves are refused, and read nothing beyond their ends") {
  const PictureFolder folder;
  write_extracted(folder);
  const auto refusal_with = [&](std::size_t place, const std::string& variable) {
    auto variables = config_variables();
    variables.at(place) = variable;
    folder.write("cuhk03_new_protocol_config_detected.mat", mat_file(variables));
    return cuhk03_refusal(folder);
  };
  CHECK(contains(refusal_with(3, mat_numbers("query_idx", {6})), "'query_idx' names image 6 of 5; "));
  CHECK(contains(refusal_with(4, mat_numbers("gallery_idx", {0})), "'gallery_idx' names image 0 of 5; "));
  CHECK(contains(refusal_with(2, mat_numbers("labels", {1, 1, 2, 2})),
                 "has 5 images in 'filelist' and 4 'labels'; "));
  CHECK(contains(refusal_with(3, mat_numbers("query_idx", {3, 3})),
                 "lists '1_002_1_01.png' twice for 'query'; "));
  CHECK(contains(refusal_with(4, mat_numbers("gallery_idx", {4, 5})),
                 "lists '2_001_1_01.png' for training and for testing; "));
  auto names = cuhk03_names;
  names.back() = "other.png";
  folder.write_picture("images_detected/other.png", 1);
  CHECK(contains(refusal_with(1, mat_texts("filelist", names)),
                 "lists 'other.png' of identity 844; expected a name like 1_001_1_01.png"));
  folder.write("splits_new_detected.json",
               R"([{"train": [["1_001_1_01.png", -1]], "query": [], "gallery": []}])");
  CHECK(contains(cuhk03_refusal(folder), "lists '1_001_1_01.png' of identity -1; "));
  folder.write("splits_new_detected.json",
               R"([{"train": [["1_001_1_01.png", 9223372036854775807]], "query": [], "gallery": []}])");
  CHECK(contains(cuhk03_refusal(folder), "an identity from 0 to 4611686018427387903"));
  folder.write("splits_new_detected.json",
               R"([{"train": [["1_001_1_01.png", 4611686018427387903]],
                    "query": [["1_002_1_01.png", 0]], "gallery": []}])");
  CHECK(contains(cuhk03_refusal(folder), "numbers people up to 4611686018427387903 in 'train'"));
}

TEST_CASE("a split of the new protocol has no effect and is refused") {
  Table table;
  table.set("root", Value("cuhk03"));
  table.set("split", Value(std::int64_t{2}));
  Diagnostics diagnostics;
  static_cast<void>(Cuhk03::schema().parse(Value(std::move(table)), "dataset", diagnostics));
  REQUIRE_FALSE(diagnostics.empty());
  CHECK(contains(diagnostics.all().front().message, "split has an effect only with protocol = \"classic\""));
}
