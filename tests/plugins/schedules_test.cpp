#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "warmup_cosine.h"
#include "warmup_multistep.h"

using namespace kindred;
using namespace kindred::schedules;

namespace {

WarmupMultistep multistep(std::vector<double> milestones, std::int64_t epochs) {
  WarmupMultistep::Params params;
  params.milestones = std::move(milestones);
  return {params, {epochs}};
}

std::string parse_error(const std::vector<double>& milestones) {
  Table table;
  Array numbers;
  for (const auto number : milestones) numbers.emplace_back(number);
  table.set("milestones", Value(std::move(numbers)));
  Diagnostics diagnostics;
  (void)WarmupMultistep::schema().parse(Value(std::move(table)), "schedule 'warmup_multistep'", diagnostics);
  return diagnostics.empty() ? "" : diagnostics.all().front().message;
}

}  // namespace

TEST_CASE("the reference's schedule: warm-up over ten epochs, a tenth from epochs 30 and 50 on") {
  const auto schedule = multistep({30, 50}, 60);
  CHECK(schedule.factor(1, 0) == doctest::Approx(0.109).epsilon(1e-12));
  CHECK(schedule.factor(2, 0) == doctest::Approx(0.208).epsilon(1e-12));
  CHECK(schedule.factor(9, 0) == doctest::Approx(0.901).epsilon(1e-12));
  CHECK(schedule.factor(10, 0) == 1);
  CHECK(schedule.factor(29, 0) == 1);
  CHECK(schedule.factor(30, 0) == doctest::Approx(0.1).epsilon(1e-12));
  CHECK(schedule.factor(49, 0) == doctest::Approx(0.1).epsilon(1e-12));
  CHECK(schedule.factor(50, 0) == doctest::Approx(0.01).epsilon(1e-12));
  CHECK(schedule.factor(60, 0) == doctest::Approx(0.01).epsilon(1e-12));
}

TEST_CASE("the multi-step factor is one for a whole epoch") {
  const auto schedule = multistep({30}, 60);
  for (const std::int64_t epoch : {1, 9, 29, 30})
    CHECK(schedule.factor(epoch, 0) == schedule.factor(epoch, 0.99));
}

TEST_CASE("warm-up can be left out or start elsewhere, and gamma chosen; a milestone counts within warm-up") {
  WarmupMultistep::Params params;
  params.warmup_epochs = 0;
  CHECK(WarmupMultistep(params, {5}).factor(1, 0) == 1);
  params.warmup_epochs = 4;
  params.warmup_start = 0.5;
  params.gamma = 0.25;
  params.milestones = {2, 5};
  const WarmupMultistep schedule(params, {5});
  CHECK(schedule.factor(1, 0) == 0.625);
  CHECK(schedule.factor(2, 0) == 0.75 * 0.25);
  CHECK(schedule.factor(4, 0) == 0.25);
  CHECK(schedule.factor(5, 0) == 0.0625);
}

TEST_CASE("milestones behind the last epoch are refused with what is allowed") {
  CHECK_NOTHROW(multistep({30, 60}, 60));
  try {
    multistep({30, 50}, 40);
    FAIL("nothing was thrown");
  } catch (const ComponentError& error) {
    CHECK(
        std::string(error.what()) ==
        "schedule/warmup_multistep: error: milestones contains 50, which is after the last epoch, 40; for a "
        "training this long choose --set schedule.milestones=[30], or give shares of the training, such as "
        "[0.4, "
        "0.67], which fit any number of epochs");
  }
}

TEST_CASE("milestones below 1 are shares of the training, which fit any number of epochs") {
  const auto first_lower = [](const WarmupMultistep& schedule, std::int64_t epochs, double below) {
    for (std::int64_t epoch = 10; epoch <= epochs; ++epoch) {
      if (schedule.factor(epoch, 0) < below) return epoch;
    }
    return std::int64_t{0};
  };
  // The strong baseline's 40 and 70 of 120.
  const auto published = multistep({0.33, 0.58}, 120);
  CHECK(first_lower(published, 120, 0.5) == 40);
  CHECK(first_lower(published, 120, 0.05) == 70);
  const auto half = multistep({0.33, 0.58}, 60);
  CHECK(first_lower(half, 60, 0.5) == 20);
  CHECK(first_lower(half, 60, 0.05) == 35);
  WarmupMultistep::Params params;
  params.warmup_epochs = 0;
  params.milestones = {0.33, 0.58};
  for (const std::int64_t epochs : {1, 2, 3}) CHECK(WarmupMultistep(params, {epochs}).factor(1, 0) == 1);
}

TEST_CASE("milestones are epochs or shares, and whole numbers where they are epochs") {
  CHECK(parse_error({0.5, 0.9}).empty());
  CHECK(parse_error({0.5, 40}) ==
        "schedule 'warmup_multistep': milestones must be all epochs or all shares of the training, but 0.5 "
        "and 40 "
        "are one of each");
  CHECK(parse_error({20.5}) ==
        "schedule 'warmup_multistep': milestones contains 20.5, which is neither a whole number of epochs "
        "nor a "
        "share of the training, below 1");
  CHECK_FALSE(parse_error({0}).empty());
}

TEST_CASE("milestones that do not ascend are refused") {
  CHECK(parse_error({30, 50}).empty());
  CHECK(parse_error({50, 30}) == "schedule 'warmup_multistep': milestones must ascend, but 30 follows 50");
  CHECK(parse_error({30, 30}).find("30 follows 30") != std::string::npos);
  CHECK_FALSE(parse_error({0, 30}).empty());
}

TEST_CASE(
    "the cosine rises step by step, starts at full rate after the warm-up and ends at its final factor") {
  WarmupCosine::Params params;
  params.warmup_epochs = 10;
  params.final_factor = 0.2;
  const WarmupCosine schedule(params, {30});
  CHECK(schedule.factor(1, 0) == 0.01);
  CHECK(schedule.factor(1, 0.5) == doctest::Approx(0.01 + 0.99 * 0.05).epsilon(1e-12));
  CHECK(schedule.factor(6, 0) == doctest::Approx(0.505).epsilon(1e-12));
  CHECK(schedule.factor(11, 0) == 1);
  CHECK(schedule.factor(16, 0) == doctest::Approx(0.2 + 0.8 * 0.8535533905932737).epsilon(1e-12));
  CHECK(schedule.factor(21, 0) == doctest::Approx(0.6).epsilon(1e-12));
  CHECK(schedule.factor(30, 0.999999) == doctest::Approx(0.2).epsilon(1e-6));
  double last = 1;
  for (int step = 1; step < 200; ++step) {
    const double factor = schedule.factor(11 + step / 10, step % 10 / 10.0);
    CHECK(factor < last);
    last = factor;
  }
}

TEST_CASE("the cosine works without warm-up, and with nothing but warm-up") {
  WarmupCosine::Params params;
  params.warmup_epochs = 0;
  params.final_factor = 0;
  CHECK(WarmupCosine(params, {4}).factor(1, 0) == 1);
  CHECK(WarmupCosine(params, {4}).factor(3, 0) == doctest::Approx(0.5).epsilon(1e-12));
  params.warmup_epochs = 4;
  CHECK(WarmupCosine(params, {4}).factor(4, 0.5) == doctest::Approx(0.01 + 0.99 * 0.875).epsilon(1e-12));
}
