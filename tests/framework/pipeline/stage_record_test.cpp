#include "pipeline/stage_record.h"

#include <doctest/doctest.h>

#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::pipeline;
using namespace kindred::test;

namespace {

StageKey key() {
  return {
      "train", "[train]\nepochs = 3\nclip = 1\n", {{"labels/labels.csv", "aa"}}, "dd", {{"kindred", "cc"}}};
}

std::string changed(const std::function<void(StageKey&)>& change, bool ignore_code = false) {
  auto other = key();
  change(other);
  return key_difference(key(), other, ignore_code);
}

}  // namespace

TEST_CASE("what a result no longer depends on alike is said by name") {
  CHECK(key_difference(key(), key(), false).empty());
  CHECK(changed([](StageKey& k) { k.settings = "[train]\nepochs = 5\nclip = 1\n"; }) ==
        "its recipe has changed: train.epochs: 3 there, 5 here");
  CHECK(changed([](StageKey& k) { k.settings = "[train]\nepochs = 5\nclip = 2\n"; }) ==
        "its recipe has changed: train.clip: 1 there, 2 here, and 1 more");
  CHECK(changed([](StageKey& k) { k.inputs["labels/labels.csv"] = "ab"; }) ==
        "labels/labels.csv has changed");
  CHECK(changed([](StageKey& k) { k.inputs["more/labels.csv"] = "ab"; }) == "more/labels.csv is new");
  CHECK(changed([](StageKey& k) { k.inputs.clear(); }) == "labels/labels.csv is no longer read");
  CHECK(changed([](StageKey& k) { k.data = "de"; }) == "the images or their labels have changed");
  CHECK(changed([](StageKey& k) { k.type = "embed"; }) == "it was a stage of type train");
}

TEST_CASE("the order and the spelling of a recipe's keys change nothing") {
  CHECK(changed([](StageKey& k) { k.settings = "[train]\nclip = 1\nepochs = 3\n"; }).empty());
}

TEST_CASE("another build of the program counts unless it is asked not to") {
  const auto change = [](StageKey& k) { k.code["kindred"] = "cd"; };
  CHECK(changed(change) == "kindred has changed (--ignore-code accepts its result)");
  CHECK(changed(change, true).empty());
}

TEST_CASE("a stage under way has a record that says so, and one that has ended another") {
  const TemporaryFolder folder;
  CHECK_FALSE(read_stage_record(folder.path()));
  StageRecord record;
  record.name = "final";
  record.key = key();
  record.inputs = {{"labels", {"labels", "more"}}};
  record.cost = {12.5, 100, 300};
  write_stage_record(folder.path(), record);
  auto read = read_stage_record(folder.path());
  REQUIRE(read);
  CHECK_FALSE(read->finished);
  CHECK(key_difference(read->key, key(), false).empty());
  CHECK(read->cost.seconds == 12.5);

  record.finished = true;
  record.ended = "2026-01-01T00:00:00Z";
  record.results = {{"model.safetensors", "ee"}};
  write_stage_record(folder.path(), record);
  read = read_stage_record(folder.path());
  REQUIRE(read);
  CHECK(read->finished);
  CHECK(read->results.at("model.safetensors") == "ee");
  CHECK(read->inputs.at("labels").size() == 2);
  CHECK(read->cost.images_per_second() == 8);
  CHECK_FALSE(std::filesystem::exists(folder / "started.json"));
}

TEST_CASE("a damaged record is as good as none") {
  const TemporaryFolder folder;
  for (const auto* text : {"", "{", "[]", "{\"name\": \"final\"}", "{\"name\": 3, \"type\": \"train\"}"}) {
    folder.write("stage.json", text);
    CHECK_FALSE(read_stage_record(folder.path()));
  }
}
