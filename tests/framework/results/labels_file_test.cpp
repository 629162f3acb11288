#include "results/labels_file.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "data_files.h"

using namespace kindred;
using namespace kindred::results;
using namespace kindred::test;

TEST_CASE("labels are written as a list of samples, read back, and counted by identity") {
  const TemporaryFolder folder;
  const auto file = folder / "labels.csv";
  LabelsFile labels;
  labels.samples = {{"q/1.png", 0, 2, "day", Split::query},
                    {"g/1.png", 1, unknown_camera, "", Split::gallery},
                    {"g/2.png", 0, 3, "day", Split::gallery}};
  labels.write(file);
  CHECK(read_bytes(file) ==
        "path,identity,camera,domain,split\n"
        "q/1.png,0,2,day,query\n"
        "g/1.png,1,,,gallery\n"
        "g/2.png,0,3,day,gallery\n");
  const auto read = LabelsFile::read(file);
  REQUIRE(read.samples.size() == 3);
  CHECK(read.samples[1].path == "g/1.png");
  CHECK(read.samples[1].identity == 1);
  CHECK(read.samples[1].camera == unknown_camera);
  CHECK(read.samples[2].split == Split::gallery);
  CHECK(read.sizes() == std::map<std::int64_t, std::int64_t>{{0, 2}, {1, 1}});
}

TEST_CASE("a list of labels that is wrong is refused with the line") {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& text) {
    const auto file = folder.write("labels.csv", text);
    return error_of([&] { static_cast<void>(LabelsFile::read(file)); });
  };
  CHECK(contains(refusal("path,identity\na,0\nb,\n"), "labels.csv:3: error: 'b' has no identity"));
  CHECK(contains(refusal("path,identity\na,0\na,1\n"), "labels.csv:3: error: image 'a' is listed twice"));
  CHECK(contains(refusal("path,identity\na,-3\n"), "labels.csv:2: error: "));
}

TEST_CASE("figures of labels are written with null for what is not known, and read back") {
  const TemporaryFolder folder;
  const auto file = folder / "labels.json";
  LabelFiguresFile figures;
  figures.all_images = 5;
  figures.left_out = {{"in no cluster", 5}};
  figures.write(file);
  CHECK(contains(read_bytes(file), "\"images_per_identity\": null"));
  CHECK(contains(read_bytes(file), "\"truth\": null"));
  auto read = LabelFiguresFile::read(file);
  CHECK(read.identities == 0);
  CHECK(read.all_images == 5);
  CHECK(read.left_out.at(0).reason == "in no cluster");
  CHECK_FALSE(read.images_per_identity);
  CHECK_FALSE(read.truth);

  figures.identities = 1;
  figures.images = 3;
  figures.images_per_identity = LabelFiguresFile::Sizes{3, 3, 3};
  figures.truth = LabelFiguresFile::Truth{4, 3, 2, 1.0 / 3, 0.25, std::nullopt, 2.0 / 3};
  figures.write(file);
  CHECK(contains(read_bytes(file), "\"recall\": 0.25,\n    \"f1\": null,"));
  read = LabelFiguresFile::read(file);
  CHECK(read.identities == 1);
  CHECK(read.images == 3);
  CHECK(read.images_per_identity->mean == 3);
  CHECK(read.truth->images == 4);
  CHECK(read.truth->labeled == 3);
  CHECK(read.truth->persons == 2);
  CHECK(read.truth->precision == 1.0 / 3);
  CHECK(read.truth->recall == 0.25);
  CHECK_FALSE(read.truth->f1);
  CHECK(read.truth->purity == 2.0 / 3);
}

TEST_CASE("damaged figures of labels are refused with the key") {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& text) {
    const auto file = folder.write("labels.json", text);
    return error_of([&] { static_cast<void>(LabelFiguresFile::read(file)); });
  };
  const std::string begin = R"({"identities": 1, "images": 3, "all_images": 5, "left_out": )";
  CHECK(contains(refusal("{}"), "labels.json: error: 'identities' is missing"));
  CHECK(contains(refusal(R"({"identities": 1.5})"),
                 "'identities' is of type number and must be a whole number"));
  CHECK(contains(refusal(begin + "3}"), "'left_out' is of type number and must be a list"));
  CHECK(contains(refusal(begin + R"([{"reason": "x"}]})"), "'left_out[0].images' is missing"));
  CHECK(contains(refusal(begin + "[7]}"), "'left_out[0]' is of type number and must be an object"));
  CHECK(contains(
      refusal(begin + R"([], "truth": {"images": 4, "labeled": 3, "persons": 2, "precision": "x"}})"),
      "'truth.precision' is of type string and must be a number"));
}
