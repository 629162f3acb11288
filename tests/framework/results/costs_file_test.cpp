#include "results/costs_file.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "data_files.h"

using namespace kindred;
using namespace kindred::results;
using namespace kindred::test;

namespace {

CostsFile costs() {
  CostsFile costs;
  costs.stages = {{"base", "train", {125, 1200, 512.4}},
                  {"features", "embed", {4, 10, 800}},
                  {"tidy", "submit", {0.25, 0, 300}}};
  return costs;
}

}  // namespace

TEST_CASE("costs are written with what follows from them, and read back") {
  const TemporaryFolder folder;
  const auto file = folder / "costs.json";
  costs().write(file);
  const auto json = nlohmann::json::parse(read_bytes(file));
  CHECK(json["stages"][0]["stage"] == "base");
  CHECK(json["stages"][0]["images_per_second"] == 9.6);
  CHECK(json["total"]["seconds"] == 129.25);
  CHECK(json["total"]["peak_memory_mib"] == 800);

  const auto read = CostsFile::read(file);
  REQUIRE(read.stages.size() == 3);
  CHECK(read.stages[1].name == "features");
  CHECK(read.stages[1].type == "embed");
  CHECK(read.stages[1].cost.seconds == 4);
  CHECK(read.stages[1].cost.images == 10);
  CHECK(read.stages[1].cost.peak_memory_mib == 800);
  CHECK(read.total().seconds == 129.25);
}

TEST_CASE("the table for people is also written as Markdown") {
  const TemporaryFolder folder;
  costs().write(folder / "costs.json");
  CHECK(read_bytes(folder / "costs.md") ==
        "| STAGE | TYPE | TIME | IMAGES | IMAGES/S | PEAK MEMORY |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| base | train | 2:05 | 1,200 | 9.6 | 512 MiB |\n"
        "| features | embed | 4.0 s | 10 | 2.5 | 800 MiB |\n"
        "| tidy | submit | 0.2 s | - | - | 300 MiB |\n"
        "| total |  | 2:09 |  |  | 800 MiB |\n");
  CHECK(contains(costs().table().str(), "base      train   2:05"));
}

TEST_CASE("damaged costs are refused with the key") {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& text) {
    const auto file = folder.write("costs.json", text);
    return error_of([&] { static_cast<void>(CostsFile::read(file)); });
  };
  CHECK(contains(refusal("{"), "costs.json:1: error: this is not JSON"));
  CHECK(contains(refusal(R"({"stages": [{"stage": "base"}]})"), "'stages[0].type' is missing"));
  CHECK(contains(refusal(R"({"stages": [{"stage": "a", "type": "b", "seconds": 1, "images": "x"}]})"),
                 "'stages[0].images' is of type string and must be a whole number"));
}
