#include "results/stage_record.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "data_files.h"
#include "no_more_files.h"

using namespace kindred;
using namespace kindred::results;
using namespace kindred::test;

TEST_CASE("a stage under way has a record that says so, and one that has ended another") {
  const TemporaryFolder folder;
  CHECK_FALSE(read_stage_record(folder.path()));
  StageRecord record;
  record.name = "final";
  record.key = {"train", "epochs = 3\n", {{"labels/labels.csv", "aa"}}, "dd", {{"kindred", "cc"}}};
  record.key.reads = {{"labels", {"labels", "more"}}};
  record.cost = {12.5, 100, 300};
  write_stage_record(folder.path(), record);
  auto read = read_stage_record(folder.path());
  REQUIRE(read);
  CHECK_FALSE(read->finished);
  CHECK(read->key.type == "train");
  CHECK(read->key.settings == "epochs = 3\n");
  CHECK(read->key.inputs == record.key.inputs);
  CHECK(read->key.data == "dd");
  CHECK(read->key.code == record.key.code);
  CHECK(read->cost.seconds == 12.5);

  record.finished = true;
  record.ended = "2026-01-01T00:00:00Z";
  record.results = {{"model.safetensors", "ee"}};
  write_stage_record(folder.path(), record);
  read = read_stage_record(folder.path());
  REQUIRE(read);
  CHECK(read->finished);
  CHECK(read->results.at("model.safetensors") == "ee");
  CHECK(read->key.reads == record.key.reads);
  CHECK(read->cost.images_per_second() == 8);
  CHECK_FALSE(std::filesystem::exists(folder / "started.json"));
}

TEST_CASE("a damaged record says what is wrong, and is as good as none for what asks for a stage") {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& text) {
    const auto file = folder.write("stage.json", text);
    CHECK_FALSE(read_stage_record(folder.path()));
    CHECK(has_stage_record(folder.path()));
    return error_of([&] { static_cast<void>(StageRecord::read(file)); });
  };
  CHECK(contains(refusal(""), "stage.json:1: error: this is not JSON"));
  CHECK(contains(refusal("{\n\"name\":"), "stage.json:2: error: this is not JSON"));
  CHECK(contains(refusal("[]"), "stage.json: error: the JSON is of type array and must be an object"));
  CHECK(contains(refusal(R"({"name": "final"})"), "stage.json: error: 'type' is missing"));
  CHECK(
      contains(refusal(R"({"name": 3, "type": "train"})"), "'name' is of type number and must be a string"));
  CHECK(contains(refusal(R"({"name": "f", "type": "train", "inputs": {"model": "base"}})"),
                 "'inputs' is of type object and must be an object of lists of strings"));
  CHECK(contains(refusal(R"({"name": "f", "type": "train", "inputs": {}, "finished": "", "cost": {}})"),
                 "'cost.seconds' is missing"));
  CHECK(contains(refusal(R"({"cost": {"seconds": 1e999}})"),
                 "stage.json: error: is damaged: it holds a number that is too large"));
  // What copies or writes such a tree would call itself until the stack is used up.
  std::string deep = "{\"name\": ";
  for (int i = 0; i < 200'000; ++i) deep += "{\"a\": [";
  CHECK(contains(refusal(deep),
                 "stage.json: error: is not a file of Kindred, or is damaged: its JSON is nested "
                 "more than 64 levels deep"));
}

TEST_CASE("a record that cannot be read is an error, and no stage that has not run") {
  const TemporaryFolder folder;
  StageRecord record;
  record.finished = true;
  write_stage_record(folder.path(), record);
  const NoMoreFiles limit;
  CHECK(contains(error_of([&] { static_cast<void>(read_stage_record(folder.path())); }),
                 "stage.json: error: cannot be read: Too many open files"));
}

TEST_CASE("a stage that goes on after it had ended has not ended any more") {
  const TemporaryFolder folder;
  StageRecord record;
  record.name = "model";
  record.key.type = "train";
  record.finished = true;
  record.ended = "2026-01-01T00:00:00Z";
  write_stage_record(folder.path(), record);
  record.finished = false;
  record.ended = "";
  write_stage_record(folder.path(), record);
  const auto read = read_stage_record(folder.path());
  REQUIRE(read);
  CHECK_FALSE(read->finished);
  CHECK_FALSE(std::filesystem::exists(folder / "stage.json"));
}

TEST_CASE("a result is outdated once what it was made of is another one, and so is what was made of it") {
  const auto record = [](const std::string& name, const std::string& read, const std::string& then) {
    StageRecord made;
    made.name = name;
    made.results = {{"result", "of " + name}};
    if (!read.empty()) {
      made.key.reads = {{"input", {read}}};
      made.key.inputs = {{read + "/result", then}};
    }
    return made;
  };
  const auto reads = [](const StageRecord& one) {
    const auto found = one.key.reads.find("input");
    return found == one.key.reads.end() ? std::vector<std::string>() : found->second;
  };
  std::vector<StageRecord> records = {record("ranking", "features", "of features"), record("model", "", ""),
                                      record("features", "model", "of model"),
                                      record("labels", "removed", "of removed")};
  CHECK(outdated_stages(records, reads).empty());
  records[1].results["result"] = "of a later model";
  CHECK(outdated_stages(records, reads) == std::vector<std::string>{"ranking", "features"});
  records[1].results = {{"result", "of model"}, {"averaged", "of model, too"}};
  CHECK(outdated_stages(records, reads) == std::vector<std::string>{"ranking", "features"});
  CHECK(outdated_stages(records, [](const StageRecord&) { return std::vector<std::string>(); }).empty());
}
