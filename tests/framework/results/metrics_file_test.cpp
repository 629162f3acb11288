#include "results/metrics_file.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "data_files.h"

using namespace kindred;
using namespace kindred::results;
using namespace kindred::test;

namespace {

using Kind = MetricsEvent::Kind;

progress::Progress example() {
  progress::Progress progress;
  progress.stage = "train";
  progress.detail = "epoch 3/60";
  progress.done = 12;
  progress.total = 120;
  progress.unit = "batches";
  progress.images_per_second = 34.56;
  progress.remaining_seconds = 245;
  progress.figures = {{"loss", 1.23456}, {"learning_rate", 3.5e-4}, {"loss/triplet(g1)", 0.5}};
  return progress;
}

std::vector<nlohmann::json> lines_of(const std::filesystem::path& file) {
  std::vector<nlohmann::json> lines;
  std::istringstream stream(read_bytes(file));
  for (std::string line; std::getline(stream, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

}  // namespace

TEST_CASE("metrics are JSON, one object a line, with figures that are not finite as null") {
  const TemporaryFolder folder;
  const auto file = folder / "metrics.jsonl";
  {
    MetricsFile metrics(file, 2);
    auto progress = example();
    metrics.update(progress);
    metrics.update(progress);
    metrics.update(progress);
    progress.figures["loss"] = std::numeric_limits<double>::infinity();
    metrics.finish(progress);
    metrics.note("a \"note\"\nof two lines and \xff");
  }
  const auto lines = lines_of(file);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0]["event"] == "progress");
  CHECK(lines[0]["stage"] == "train");
  CHECK(lines[0]["detail"] == "epoch 3/60");
  CHECK(lines[0]["done"] == 12);
  CHECK(lines[0]["total"] == 120);
  CHECK(lines[0]["unit"] == "batches");
  CHECK(lines[0]["images_per_second"] == 34.56);
  CHECK(lines[0]["figures"]["learning_rate"] == 3.5e-4);
  CHECK(lines[0]["figures"]["loss/triplet(g1)"] == 0.5);
  CHECK(std::string(lines[0]["time"]).size() == 24);
  CHECK(std::string(lines[0]["time"]).back() == 'Z');
  CHECK(lines[1]["event"] == "finished");
  CHECK(lines[1]["figures"]["loss"].is_null());
  CHECK(lines[2]["event"] == "note");
  CHECK(std::string(lines[2]["text"]).rfind("a \"note\"\nof two lines and ", 0) == 0);
}

TEST_CASE("metrics are appended, and go back to a position once") {
  const TemporaryFolder folder;
  const auto file = folder / "metrics.jsonl";
  std::int64_t position = 0;
  {
    MetricsFile metrics(file);
    metrics.note("kept");
    position = metrics.position();
    metrics.note("to be repeated");
  }
  MetricsFile metrics(file);
  metrics.go_back_to(position + 1'000'000);
  metrics.go_back_to(-1);
  CHECK(lines_of(file).size() == 2);
  metrics.go_back_to(position);
  metrics.note("repeated");
  const auto lines = lines_of(file);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["text"] == "kept");
  CHECK(lines[1]["text"] == "repeated");
}

TEST_CASE("metrics that go back keep what this attempt has said already") {
  const TemporaryFolder folder;
  const auto file = folder / "metrics.jsonl";
  const auto texts = [&] {
    std::vector<std::string> all;
    for (const auto& line : lines_of(file)) all.push_back(line["text"]);
    return all;
  };
  std::int64_t position = 0;
  {
    MetricsFile metrics(file);
    metrics.note("warning of the first attempt");
    metrics.go_back_to(0);
    metrics.note("kept");
    position = metrics.position();
    metrics.note("to be repeated");
  }
  CHECK(texts() == std::vector<std::string>{"warning of the first attempt", "kept", "to be repeated"});
  {
    MetricsFile metrics(file);
    metrics.note("warning of the second attempt");
    metrics.go_back_to(position);
    metrics.note("repeated");
  }
  CHECK(texts() == std::vector<std::string>{"warning of the first attempt", "kept",
                                            "warning of the second attempt", "repeated"});
  // The end of what was measured may have been lost with the power.
  std::filesystem::resize_file(file, static_cast<std::uintmax_t>(position));
  MetricsFile metrics(file);
  metrics.note("warning of the third attempt");
  metrics.go_back_to(position + 10);
  CHECK(texts() ==
        std::vector<std::string>{"warning of the first attempt", "kept", "warning of the third attempt"});
}

TEST_CASE("metrics that cannot be written are named") {
  const TemporaryFolder folder;
  const auto file = folder / "none/metrics.jsonl";
  CHECK(error_of([&] { const MetricsFile metrics(file); }) ==
        file.string() + ": error: cannot be written: No such file or directory");
  MetricsFile full("/dev/full");
  CHECK(error_of([&] { full.note("x"); }) == "/dev/full: error: cannot be written: No space left on device");
}

TEST_CASE("what was written is read back") {
  const TemporaryFolder folder;
  const auto file = folder / "metrics.jsonl";
  {
    MetricsFile metrics(file, 1);
    metrics.update(example());
    auto last = example();
    last.images_per_second = std::numeric_limits<double>::infinity();
    last.figures["loss"] = std::nan("");
    metrics.finish(last);
    metrics.note("warning: slow\nimages");
  }
  const auto read = Metrics::read(file);
  CHECK(read.unreadable_lines == 0);
  REQUIRE(read.events.size() == 3);
  const auto& first = read.events[0];
  CHECK(first.kind == Kind::progress);
  CHECK(first.time.size() == 24);
  CHECK(first.progress.stage == "train");
  CHECK(first.progress.detail == "epoch 3/60");
  CHECK(first.progress.done == 12);
  CHECK(first.progress.total == 120);
  CHECK(first.progress.unit == "batches");
  CHECK(first.progress.images_per_second == 34.56);
  const auto written = example().figures;
  CHECK(std::equal(first.progress.figures.begin(), first.progress.figures.end(), written.begin(),
                   written.end()));
  CHECK(read.events[1].kind == Kind::finished);
  CHECK(std::isnan(read.events[1].progress.images_per_second));
  CHECK(std::isnan(read.events[1].progress.figures.at("loss")));
  CHECK(read.events[2].kind == Kind::note);
  CHECK(read.events[2].text == "warning: slow\nimages");
  CHECK(read.events[2].line() ==
        R"({"time":")" + read.events[2].time + R"(","event":"note","text":"warning: slow\nimages"})");
}

TEST_CASE("lines that are cut off, foreign or of another kind are counted, the others read") {
  const TemporaryFolder folder;
  const auto whole = MetricsEvent{"2026-11-24T14:01:00.000Z", Kind::finished, example(), ""}.line();
  const auto file =
      folder.write("metrics.jsonl", whole + "\n[1]\n\n" + R"({"time":"x","event":"begun"})" + "\n" +
                                        R"({"time":"x","event":"note","text":7})" + "\n" + whole + "\n" +
                                        std::string(200'000, '[') + "\n" + whole.substr(0, 60));
  const auto read = Metrics::read(file);
  CHECK(read.events.size() == 2);
  CHECK(read.unreadable_lines == 5);
  CHECK(contains(error_of([&] { static_cast<void>(MetricsEvent::parse("{", "metrics.jsonl", 9)); }),
                 "metrics.jsonl:9: error: this is not JSON"));
  CHECK(contains(
      error_of([&] { static_cast<void>(MetricsEvent::parse(R"({"event":"begun"})", "metrics.jsonl", 9)); }),
      "metrics.jsonl: error: 'line 9.event' is 'begun'"));
  // Sums of what is read are numbers, too.
  for (const auto* total : {"-1", "1099511627777", "9223372036854775808"}) {
    auto line = whole;
    line.replace(line.find("\"total\":120"), 11, std::string("\"total\":") + total);
    CAPTURE(line);
    CHECK(contains(error_of([&] { static_cast<void>(MetricsEvent::parse(line, "metrics.jsonl", 9)); }),
                   "metrics.jsonl: error: 'line 9.total' is "));
  }
  CHECK(
      contains(error_of([&] { static_cast<void>(Metrics::read(folder / "none.jsonl")); }), "does not exist"));
}
