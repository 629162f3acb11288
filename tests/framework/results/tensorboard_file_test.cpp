#include "results/tensorboard_file.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <string>
#include <utility>
#include <vector>

#include "data_files.h"
#include "event_records.h"
#include "results/metrics_file.h"
#include "results/rank_sheet.h"
#include "results/sheet_drawing.h"

using namespace kindred;
using namespace kindred::results;
using namespace kindred::test;

namespace {

using Steps = std::vector<std::int64_t>;

progress::Progress batches_of(std::int64_t epoch, std::int64_t done, double loss) {
  progress::Progress progress;
  progress.stage = "train";
  progress.detail = "epoch " + std::to_string(epoch) + "/3";
  progress.done = done;
  progress.total = 4;
  progress.unit = "batches";
  progress.images_per_second = 20;
  progress.figures = {{"loss", loss}, {"learning_rate", 3.5e-4}};
  return progress;
}

progress::Progress evaluation_of(std::int64_t epoch, double map, const std::string& stage = "evaluate") {
  progress::Progress progress;
  progress.stage = stage;
  progress.detail = "epoch " + std::to_string(epoch) + "/3";
  progress.figures = {{"mAP", map}};
  return progress;
}

progress::Progress embedding() {
  progress::Progress progress;
  progress.stage = "embed query";
  progress.figures = {{"nothing", 1}};
  return progress;
}

/// An epoch with an evaluation, told to whoever writes.
void tell_epoch(std::int64_t epoch, const std::vector<progress::ProgressSink*>& sinks) {
  for (auto* sink : sinks) {
    for (std::int64_t done = 1; done <= 4; ++done) {
      sink->update(batches_of(epoch, done, static_cast<double>(10 * epoch + done)));
    }
    sink->finish(batches_of(epoch, 4, static_cast<double>(10 * epoch)));
    sink->update(embedding());
    sink->finish(embedding());
    sink->finish(evaluation_of(epoch, 0.25 * static_cast<double>(epoch)));
    sink->note("a note");
  }
}

/// A sheet of a training, of so many rows of pixels.
void write_sheet_of(const std::filesystem::path& run, const std::string& stage, std::int64_t epoch,
                    int height) {
  write_sheet(run / rank_sheet_name(stage, epoch), cv::Mat(height, 20, CV_8UC3, sheet_blue));
}

/// The Python that may have TensorBoard.
std::string tensorboard_python() {
  const auto* named = std::getenv("KINDRED_PYTHON");
  return named != nullptr ? named : "python3";
}

}  // namespace

TEST_CASE("figures are scalars: of batches, epochs and evaluations, each by its own steps") {
  const TemporaryFolder folder;
  TensorBoardFile tensorboard(folder.path(), 2);
  tell_epoch(1, {&tensorboard});
  CHECK(files_in(folder.path()) == 0);  // not begun
  tensorboard.begin({});
  tell_epoch(1, {&tensorboard});
  tell_epoch(2, {&tensorboard});
  tensorboard.finish(evaluation_of(2, 0.75, "evaluate second"));
  const auto file = event_file_of(folder.path());
  CHECK(file.extension() == ".kindred");
  CHECK(event_steps(folder.path()) == std::map<std::string, Steps>{{"train/loss", {2, 4, 6, 8}},
                                                                   {"train/learning_rate", {2, 4, 6, 8}},
                                                                   {"train/images_per_second", {2, 4, 6, 8}},
                                                                   {"epoch/loss", {1, 2}},
                                                                   {"epoch/learning_rate", {1, 2}},
                                                                   {"epoch/images_per_second", {1, 2}},
                                                                   {"evaluate/mAP", {1, 2}},
                                                                   {"evaluate second/mAP", {2}}});
  const auto records = read_event_records(file);
  CHECK(records[0].version == "brain.Event:2");
  CHECK(records[1].starts_session);
  CHECK(records[2].scalars[0] == std::pair<std::string, float>("train/loss", 12.0F));
  CHECK(records[2].scalars[2] == std::pair<std::string, float>("train/images_per_second", 20.0F));
  for (const auto& record : records) CHECK(record.wall_time > 1.7e9);
}

TEST_CASE("what goes on begins a new file with what metrics.jsonl still has, and no step is there twice") {
  const TemporaryFolder folder;
  const auto metrics_file = folder / "metrics.jsonl";
  std::filesystem::path first;
  std::int64_t checkpoint = 0;
  {
    MetricsFile metrics(metrics_file, 2);
    TensorBoardFile tensorboard(folder.path(), 2);
    tensorboard.begin(Metrics::read(metrics_file));
    tell_epoch(1, {&metrics, &tensorboard});
    checkpoint = metrics.position();
    tell_epoch(2, {&metrics, &tensorboard});  // lost, and measured again
    first = event_file_of(folder.path());
  }
  write_bytes(first, read_bytes(first).substr(0, 100));  // torn, which does not matter
  const auto foreign = folder.write("events.out.tfevents.1.host.other", "of another program");
  MetricsFile metrics(metrics_file, 2);
  metrics.go_back_to(checkpoint);
  const auto times = [&] {
    std::vector<std::string> found;
    for (const auto& event : Metrics::read(metrics_file).events) found.push_back(event.time);
    return found;
  }();
  TensorBoardFile tensorboard(folder.path(), 2);
  tensorboard.begin(Metrics::read(metrics_file));
  CHECK(!std::filesystem::exists(first));
  CHECK(read_bytes(foreign) == "of another program");
  std::filesystem::remove(foreign);
  const auto second = event_file_of(folder.path());
  CHECK(second.filename() > first.filename());
  tell_epoch(2, {&metrics, &tensorboard});
  tell_epoch(3, {&metrics, &tensorboard});
  const auto steps = event_steps(folder.path());
  CHECK(steps.at("train/loss") == Steps{2, 4, 6, 8, 10, 12});
  CHECK(steps.at("epoch/loss") == Steps{1, 2, 3});
  CHECK(steps.at("evaluate/mAP") == Steps{1, 2, 3});
  // The moments are those at which it was measured.
  const auto records = read_event_records(second);
  CHECK(times.front().substr(0, 2) == "20");
  CHECK(records[2].wall_time <= records[1].wall_time);
  CHECK(records[1].wall_time - records[2].wall_time < 60);
}

TEST_CASE("rank sheets stand beside their evaluations, also when a training goes on") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  std::filesystem::create_directory(run);
  const auto metrics_file = folder / "metrics.jsonl";
  write_sheet_of(run, "evaluate", 1, 30);
  write_sheet_of(run, "evaluate second", 1, 40);
  write_sheet_of(run, "evaluate", 3, 50);  // of an evaluation that has not been yet
  {
    MetricsFile metrics(metrics_file);
    TensorBoardFile tensorboard(run);
    tensorboard.begin({});
    for (auto* sink : std::vector<progress::ProgressSink*>{&metrics, &tensorboard}) {
      sink->finish(evaluation_of(1, 0.25));
      sink->finish(evaluation_of(1, 0.5, "evaluate second"));
      sink->finish(evaluation_of(2, 0.75));
    }
  }
  const std::map<std::string, Steps> expected{{"evaluate/mAP", {1, 2}},
                                              {"evaluate/rank_sheet", {1}},
                                              {"evaluate second/mAP", {1}},
                                              {"evaluate second/rank_sheet", {1}}};
  CHECK(event_steps(run) == expected);
  for (const auto& record : read_event_records(event_file_of(run))) {
    if (record.image.empty()) continue;
    const auto stage = record.image_tag.substr(0, record.image_tag.find('/'));
    CHECK(record.image == read_bytes(run / rank_sheet_name(stage, 1)));
    CHECK(record.image_height == (stage == "evaluate" ? 30 : 40));
    CHECK(record.image_width == 20);
  }
  // No picture, nothing, one that is cut off, and one that is far larger than any sheet.
  auto without = expected;
  without.erase("evaluate second/rank_sheet");
  const auto sheet = run / rank_sheet_name("evaluate second", 1);
  const auto whole = read_bytes(sheet);
  for (const auto& damaged : {std::string("not a picture"), std::string(), whole.substr(0, whole.size() - 2),
                              "P6\n30000 30000\n255\n" + std::string(1000, 'x')}) {
    CAPTURE(damaged.size());
    write_bytes(sheet, damaged);
    TensorBoardFile tensorboard(run);
    tensorboard.begin(Metrics::read(metrics_file));
    CHECK(event_steps(run) == without);
  }
}

TEST_CASE("times that are none and names that no file has end no training that goes on") {
  const TemporaryFolder folder;
  Metrics before;
  for (const auto* time : {"2147483648-2147483649-01T00:00:00.000Z", "", "2026-11-24T14:22:42.039Z"}) {
    auto progress = evaluation_of(1, 0.5, "evaluate " + std::string(300, 'n'));
    before.events.push_back({time, MetricsEvent::Kind::finished, std::move(progress), ""});
  }
  TensorBoardFile(folder.path()).begin(before);
  const auto records = read_event_records(event_file_of(folder.path()));
  REQUIRE(records.size() == 5);
  CHECK(records[2].wall_time == records[1].wall_time);
  CHECK(records[3].wall_time == records[1].wall_time);
  CHECK(records[4].wall_time == doctest::Approx(1795530162.039).epsilon(1e-12));
}

TEST_CASE("the tensorboard package reads what was written") {
  const auto python = tensorboard_python();
  if (std::system((python + " -c 'import tensorboard' >/dev/null 2>&1").c_str()) != 0) {
    MESSAGE("skipped: '" << python << "' has no tensorboard; KINDRED_PYTHON names another");
    return;
  }
  const TemporaryFolder folder;
  const auto run = folder / "run";
  std::filesystem::create_directory(run);
  const auto metrics_file = folder / "metrics.jsonl";
  {
    MetricsFile metrics(metrics_file, 2);
    TensorBoardFile tensorboard(run, 2);
    tensorboard.begin({});
    write_sheet_of(run, "evaluate", 1, 30);
    tell_epoch(1, {&metrics, &tensorboard});
    tell_epoch(2, {&tensorboard});  // lost
  }
  TensorBoardFile tensorboard(run, 2);
  tensorboard.begin(Metrics::read(metrics_file));
  tell_epoch(2, {&tensorboard});
  const auto script = folder.write("read.py", R"(
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"tensors": 0, "images": 0})
events.Reload()
found = {}
for tag in events.Tags()["tensors"]:
    found[tag] = [[event.step, event.tensor_proto.float_val[0]] for event in events.Tensors(tag)]
for tag in events.Tags()["scalars"]:
    found[tag] = [[event.step, event.value] for event in events.Scalars(tag)]
for tag in events.Tags()["images"]:
    found[tag] = [[event.step, event.height, event.width, event.encoded_image_string[:2].hex()]
                  for event in events.Images(tag)]
print(json.dumps(found))
)");
  const auto out = folder / "out.json";
  REQUIRE(std::system((python + " " + script.string() + " " + run.string() + " >" + out.string() + " 2>" +
                       (folder / "err.txt").string())
                          .c_str()) == 0);
  const auto found = nlohmann::json::parse(read_bytes(out));
  CHECK(found["train/loss"] == nlohmann::json::parse("[[2, 12.0], [4, 14.0], [6, 22.0], [8, 24.0]]"));
  CHECK(found["epoch/loss"] == nlohmann::json::parse("[[1, 10.0], [2, 20.0]]"));
  CHECK(found["evaluate/mAP"] == nlohmann::json::parse("[[1, 0.25], [2, 0.5]]"));
  CHECK(found["evaluate/rank_sheet"] == nlohmann::json::parse(R"([[1, 30, 20, "ffd8"]])"));
  CHECK(found.size() == 8);
}
