#include "pipeline/stage_folders.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "kindred/core/error.h"
#include "results/stage_record.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::test;
using pipeline::StageFolders;

namespace fs = std::filesystem;

namespace {

/// What a stage has left: its record, and a file that says which attempt it was.
void leave(const fs::path& folder, bool finished, const std::string& attempt) {
  fs::create_directories(folder);
  results::StageRecord record;
  record.name = folder.filename().string();
  record.key.type = "train";
  record.finished = finished;
  results::write_stage_record(folder, record);
  write_bytes(folder / "model", attempt);
}

std::string left_in(const fs::path& folder) {
  return fs::exists(folder / "model") ? read_bytes(folder / "model") : "";
}

TEST_CASE("what a stage has made is kept when it begins anew, and may come back") {
  const TemporaryFolder run;
  const StageFolders folders(run.path());
  folders.begin_anew("base");
  CHECK(fs::is_empty(run / "base"));
  CHECK_FALSE(fs::exists(folders.replaced("base")));
  leave(folders.of("base"), true, "first");
  folders.begin_anew("base");
  CHECK(fs::is_empty(run / "base"));
  CHECK(left_in(folders.replaced("base")) == "first");
  leave(folders.of("base"), true, "second");
  folders.exchange("base");
  CHECK(left_in(folders.of("base")) == "first");
  CHECK(left_in(folders.replaced("base")) == "second");
  folders.forget_replaced("base");
  CHECK(left_in(folders.of("base")) == "first");
  CHECK_FALSE(fs::exists(folders.replaced("base")));
}

TEST_CASE("what is kept comes back also where the stage's folder is gone") {
  const TemporaryFolder run;
  const StageFolders folders(run.path());
  leave(folders.replaced("base"), true, "first");
  folders.exchange("base");
  CHECK(left_in(folders.of("base")) == "first");
  CHECK_FALSE(fs::exists(folders.replaced("base")));
}

TEST_CASE("an attempt that has not ended never takes the place of a result") {
  const TemporaryFolder run;
  const StageFolders folders(run.path());
  leave(folders.of("base"), true, "first");
  for (const auto* attempt : {"second", "third"}) {
    folders.begin_anew("base");
    leave(folders.of("base"), false, attempt);
  }
  folders.begin_anew("base");
  CHECK(left_in(folders.replaced("base")) == "first");
  // Where there is no result, the latest attempt is kept: a training may go on from it.
  folders.forget_replaced("base");
  leave(folders.of("base"), false, "fourth");
  folders.begin_anew("base");
  CHECK(left_in(folders.replaced("base")) == "fourth");
}

TEST_CASE("a folder of something else is refused as it is, and one that a kill has left is not") {
  const TemporaryFolder run;
  const StageFolders folders(run.path());
  fs::create_directories(run / "base");
  write_bytes(run / "base" / "letter.txt", "mine");
  const auto refusal = (run / "base").string() +
                       ": error: does not belong to this pipeline, but is where stage 'base' writes its "
                       "result; move it away, or use another run directory";
  CHECK_THROWS_WITH_AS(folders.begin_anew("base"), refusal.c_str(), DataError);
  CHECK_THROWS_WITH_AS(folders.require_own("base"), refusal.c_str(), DataError);
  CHECK(read_bytes(run / "base" / "letter.txt") == "mine");
  fs::remove(run / "base" / "letter.txt");
  folders.require_own("base");
  folders.begin_anew("base");
  CHECK(fs::is_empty(run / "base"));
  leave(run / "base", true, "first");
  folders.require_own("base");
}

TEST_CASE("the record of a beginning beside that of an end is removed") {
  const TemporaryFolder run;
  leave(run / "base", true, "first");
  write_bytes(run / "base" / results::StageRecord::started_file, "{}");
  StageFolders::remove_leftovers(run / "base");
  CHECK_FALSE(fs::exists(run / "base" / results::StageRecord::started_file));
  CHECK(results::read_stage_record(run / "base")->finished);
  CHECK(left_in(run / "base") == "first");
}

}  // namespace
