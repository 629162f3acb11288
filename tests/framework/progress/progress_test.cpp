#include "progress/progress.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <sstream>
#include <string>

#include "progress/meter.h"
#include "progress/rate.h"
#include "progress/text_progress.h"

using namespace kindred;
using namespace kindred::progress;

namespace {

Progress example(std::int64_t done = 12) {
  Progress progress;
  progress.stage = "train";
  progress.detail = "epoch 3/60";
  progress.done = done;
  progress.total = 120;
  progress.unit = "batches";
  progress.images_per_second = 34.56;
  progress.remaining_seconds = 245;
  progress.figures = {{"loss", 1.23456}, {"learning_rate", 3.5e-4}, {"loss/triplet(g1)", 0.5}};
  return progress;
}

constexpr const char* example_text =
    "train, epoch 3/60: 12/120 batches, 34.6 images/s, 4:05 left, loss 1.235, learning_rate 0.00035";

class CountingSink : public ProgressSink {
 public:
  void update(const Progress&) override { text += "u"; }
  void finish(const Progress&) override { text += "f"; }
  void note(const std::string&) override { text += "n"; }
  std::string text;
};

class KeepingSink : public ProgressSink {
 public:
  void update(const Progress&) override {}
  void finish(const Progress& progress) override { finished = progress; }
  void note(const std::string&) override {}
  Progress finished;
};

}  // namespace

TEST_CASE("a stage that is over has done all its images, also where other processes did") {
  for (const std::int64_t own : {0, 7, 9}) {
    KeepingSink sink;
    Meter meter(sink, "match", 9);
    if (own > 0) meter.update(own);
    meter.finish();
    CHECK(sink.finished.done == 9);
    CHECK(sink.finished.total == 9);
    CHECK(sink.finished.remaining_seconds == 0);
  }
}

TEST_CASE("a progress as text says what is known and nothing else") {
  CHECK(progress_text(example()) == example_text);
  Progress bare;
  bare.stage = "embed query";
  CHECK(progress_text(bare) == "embed query");
  bare.done = 7;
  bare.unit = "images";
  CHECK(progress_text(bare) == "embed query: 7 images");
  bare.images_per_second = 1234.5;
  bare.total = 9;
  CHECK(progress_text(bare) == "embed query: 7/9 images, 1234 images/s");
}

TEST_CASE("durations are short and never absurd") {
  CHECK(duration_text(0) == "0 s");
  CHECK(duration_text(59.4) == "59 s");
  CHECK(duration_text(59.6) == "1:00");
  CHECK(duration_text(245) == "4:05");
  CHECK(duration_text(7384) == "2:03:04");
  CHECK(duration_text(86400 * 3 + 3600 * 4.2) == "3 d 4 h");
  CHECK(duration_text(-1) == "?");
  CHECK(duration_text(std::numeric_limits<double>::quiet_NaN()) == "?");
  CHECK(duration_text(std::numeric_limits<double>::infinity()) == "3703 d 16 h");
}

TEST_CASE("a terminal's line is rewritten in place, not too often, and fits the window") {
  std::ostringstream stream;
  double now = 100;
  int columns = 200;
  {
    TerminalProgress sink(
        stream, [&] { return columns; }, [&] { return now; });
    sink.update(example());
    CHECK(stream.str() == std::string("\r\033[K[==                  ] ") + example_text);
    stream.str("");
    now += 0.05;
    sink.update(example());
    CHECK(stream.str().empty());
    now += 0.06;
    columns = 70;
    sink.update(example(60));
    const auto line = stream.str();
    CHECK(line.rfind("\r\033[K[=====     ] train, epoch 3/60: 60/120 batches", 0) == 0);
    CHECK(line.size() == 4 + 69);
    now += 1;
    columns = 30;
    stream.str("");
    sink.update(example());
    CHECK(stream.str() == "\r\033[Ktrain, epoch 3/60: 12/120 bat");
  }
  CHECK(stream.str().back() == '\n');
}

TEST_CASE("notes and finished steps stay above a terminal's line") {
  std::ostringstream stream;
  double now = 0;
  TerminalProgress sink(
      stream, [] { return 120; }, [&] { return now; });
  sink.note("first");
  CHECK(stream.str() == "first\n");
  sink.update(example());
  stream.str("");
  sink.note("second");
  CHECK(stream.str() == "\r\033[Ksecond\n");
  sink.update(example());
  stream.str("");
  sink.finish(example());
  CHECK(stream.str() == std::string("\r\033[K") + example_text + "\n");
}

TEST_CASE("control characters of a name do not reach the terminal, and lines of a note stay lines") {
  const std::string name = "a\x1b[2J\r\xC2\x9B.jpg";
  const std::string shown = "a\\x1B[2J\\x0D\\xC2\\x9B.jpg";
  Progress step;
  step.stage = "evaluate " + name + "\n";
  std::ostringstream terminal;
  std::ostringstream lines;
  TerminalProgress of_terminal(
      terminal, [] { return 120; }, [] { return 1.0; });
  LineProgress of_lines(lines, 0, [] { return 1.0; });
  for (ProgressSink* sink :
       {static_cast<ProgressSink*>(&of_terminal), static_cast<ProgressSink*>(&of_lines)}) {
    sink->note(name + "\n\tsecond");
    sink->finish(step);
    sink->update(step);
  }
  const auto stage = "evaluate " + shown + "\\x0A";
  CHECK(terminal.str() == shown + "\n\tsecond\n" + stage + "\n\r\033[K" + stage);
  CHECK(lines.str() == shown + "\n\tsecond\n" + stage + "\n" + stage + "\n");
}

TEST_CASE("a character of several bytes is cut off whole") {
  std::ostringstream stream;
  TerminalProgress sink(
      stream, [] { return 12; }, [] { return 1.0; });
  Progress progress;
  progress.stage = "Bücher äöü und mehr";
  sink.update(progress);
  CHECK(stream.str() == "\r\033[KBücher äöü ");
}

TEST_CASE("a line of wide characters fits the window too") {
  std::ostringstream stream;
  TerminalProgress sink(
      stream, [] { return 17; }, [] { return 1.0; });
  Progress progress;
  progress.stage = "evaluate 市场的图像";
  sink.update(progress);
  CHECK(stream.str() == "\r\033[Kevaluate 市场的");  // nine columns and six; half of a character is none
}

TEST_CASE("plain lines come every ten seconds, and at every finished step and note") {
  std::ostringstream stream;
  double now = 50;
  LineProgress sink(stream, 10, [&] { return now; });
  sink.update(example());
  now = 59.9;
  sink.update(example());
  CHECK(stream.str().empty());
  now = 60;
  sink.update(example());
  CHECK(stream.str() == std::string(example_text) + "\n");
  sink.update(example());
  sink.finish(example());
  sink.note("a note");
  CHECK(stream.str() == std::string(example_text) + "\n" + example_text + "\na note\n");
}

TEST_CASE("the end of a step is one plain line, whenever it comes") {
  std::ostringstream stream;
  double now = 50;
  LineProgress sink(stream, 10, [&] { return now; });
  now = 60;
  sink.update(example(120));
  sink.finish(example(120));
  const auto line = progress_text(example(120)) + "\n";
  CHECK(stream.str() == line);
  // Of a step whose length is not known no update is the last.
  auto open_ended = example(7);
  open_ended.total = 0;
  now = 70;
  sink.update(open_ended);
  CHECK(stream.str() == line + progress_text(open_ended) + "\n");
}

TEST_CASE("a tee tells all its sinks") {
  CountingSink first;
  CountingSink second;
  TeeProgress tee({&first, &second});
  tee.update(example());
  tee.note("x");
  tee.finish(example());
  CHECK(first.text == "unf");
  CHECK(second.text == "unf");
}

TEST_CASE("a rate is smoothed, follows a lasting change, and estimates what is left") {
  Rate rate;
  CHECK(rate.per_second() == 0);
  CHECK(rate.seconds_for(10) < 0);
  rate.add(20, 2);
  CHECK(rate.per_second() == doctest::Approx(10));
  CHECK(rate.seconds_for(50) == doctest::Approx(5));
  CHECK(rate.seconds_for(0) == 0);
  for (int i = 0; i < 60; ++i) rate.add(10, 1);
  CHECK(rate.per_second() == doctest::Approx(10));
  rate.add(0, 3);  // a pause
  CHECK(rate.per_second() > 8.5);
  CHECK(rate.per_second() < 10);
  for (int i = 0; i < 180; ++i) rate.add(5, 1);
  CHECK(rate.per_second() == doctest::Approx(5).epsilon(0.02));
  rate.add(5, 0);
  rate.add(-1, 1);
  rate.add(1, std::numeric_limits<double>::quiet_NaN());
  CHECK(rate.per_second() == doctest::Approx(5).epsilon(0.02));
}

TEST_CASE("a line is rewritten on a terminal, but for one that cannot clear it") {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) {
    MESSAGE("left out: this system has no pseudoterminals");
    return;
  }
  REQUIRE(::grantpt(terminal) == 0);
  REQUIRE(::unlockpt(terminal) == 0);
  const int line = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
  REQUIRE(line >= 0);
  const char* name = std::getenv("TERM");
  const auto name_before = name == nullptr ? std::string() : std::string(name);
  const int error_before = ::dup(STDERR_FILENO);
  ::dup2(line, STDERR_FILENO);
  const auto rewrites = [](const char* of) {
    ::setenv("TERM", of, 1);
    const auto sink = make_stderr_progress(false);
    return dynamic_cast<const TerminalProgress*>(sink.get()) != nullptr;
  };
  const bool usual = rewrites("xterm");
  const bool dumb = rewrites("dumb");
  ::dup2(error_before, STDERR_FILENO);
  for (const int descriptor : {error_before, line, terminal}) ::close(descriptor);
  name == nullptr ? ::unsetenv("TERM") : ::setenv("TERM", name_before.c_str(), 1);
  CHECK(usual);
  CHECK_FALSE(dumb);
}
