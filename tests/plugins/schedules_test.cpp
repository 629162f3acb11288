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
        "training this long choose milestones = [30], or give shares of the training, such as [0.4, 0.67], "
        "which fit any number of epochs");
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

namespace {

/// Each factor times the learning rate, against what another program's scheduler gave.
void check_rates(const Schedule& schedule, double learning_rate,
                 const std::vector<std::pair<std::int64_t, double>>& expected) {
  for (const auto& entry : expected) {
    CAPTURE(entry.first);
    CHECK(learning_rate * schedule.factor(entry.first, 0.5) == doctest::Approx(entry.second).epsilon(1e-12));
  }
}

}  // namespace

TEST_CASE("TransReID's cosine is that of timm's scheduler, stepped before each epoch") {
  // CosineLRScheduler(t_initial=120, lr_min=0.002 * 0.008, warmup_lr_init=0.01 * 0.008, warmup_t=5) of timm
  // 1.0.31, step(epoch) with epochs from 1.
  const WarmupCosine schedule({.warmup_epochs = 5,
                               .warmup_start = 0.01,
                               .final_factor = 0.002,
                               .warmup_prefix = false,
                               .update = Update::before_epoch},
                              {120});
  check_rates(schedule, 0.008,
              {{1, 0.001664},
               {2, 0.003248},
               {4, 0.006416},
               {5, 0.007965847886604252},
               {6, 0.00795085185565579},
               {60, 0.004008000000000001},
               {119, 1.736795869757542e-05},
               {120, 1.6e-05}});
}

TEST_CASE("CLIP-ReID's first stage is the same cosine with rates of its own, and its second are steps") {
  const WarmupCosine prompts({.warmup_epochs = 5,
                              .warmup_start = 1e-5 / 3.5e-4,
                              .final_factor = 1e-6 / 3.5e-4,
                              .warmup_prefix = false,
                              .update = Update::before_epoch},
                             {120});
  check_rates(prompts, 3.5e-4,
              {{1, 7.8e-05},
               {4, 0.000282},
               {5, 0.00034850712830972994},
               {6, 0.00034785161543385155},
               {60, 0.0001755},
               {120, 1e-06}});
  const WarmupMultistep images(
      {.warmup_epochs = 10, .warmup_start = 0.1, .milestones = {30, 50}, .gamma = 0.1}, {60});
  check_rates(images, 5e-6,
              {{1, 9.5e-07}, {5, 2.75e-06}, {9, 4.55e-06}, {10, 5e-6}, {29, 5e-6}, {30, 5e-7}, {60, 5e-8}});
}

TEST_CASE("SOLIDER's cosine is stepped after each epoch, so that the first has the rate of the start") {
  const WarmupCosine schedule({.warmup_epochs = 20,
                               .warmup_start = 0.01,
                               .final_factor = 0.002,
                               .warmup_prefix = false,
                               .update = Update::after_epoch},
                              {120});
  check_rates(schedule, 2e-4,
              {{1, 2e-06},
               {2, 1.19e-05},
               {20, 0.0001901},
               {21, 0.000186629335297687},
               {22, 0.0001852934884025384},
               {61, 0.0001002},
               {120, 4.341989674393855e-07}});
}

TEST_CASE("step by step the cosine is timm's with updates, after the warm-up or leading out of it") {
  // CosineLRScheduler(t_initial=28, lr_min=0.05, warmup_lr_init=0.001, warmup_t=7, t_in_epochs=False) of 4
  // epochs with 7 steps.
  const WarmupCosine steps(
      {.warmup_epochs = 1, .warmup_start = 0.001, .final_factor = 0.05, .warmup_prefix = false}, {4});
  const std::vector<std::pair<int, double>> expected{{0, 0.001},
                                                     {1, 0.1437142857142857},
                                                     {6, 0.8572857142857143},
                                                     {7, 0.8608757210636101},
                                                     {8, 0.8211576558828985},
                                                     {20, 0.22884234411710158},
                                                     {27, 0.05298670030070977}};
  for (const auto& entry : expected) {
    const int step = entry.first;
    CAPTURE(step);
    CHECK(steps.factor(1 + step / 7, step % 7 / 7.0) == doctest::Approx(entry.second).epsilon(1e-12));
  }
  // With warmup_prefix=True, t_initial is what is left after the warm-up: 20 of 30 epochs.
  const WarmupCosine prefixed(
      {.warmup_epochs = 10, .warmup_start = 0.01, .final_factor = 0.2, .update = Update::after_epoch}, {30});
  check_rates(prefixed, 1,
              {{1, 0.01},
               {6, 0.505},
               {10, 0.901},
               {11, 1},
               {12, 0.9950753362380551},
               {21, 0.6},
               {30, 0.20492466376194496}});
}

TEST_CASE("a warm-up as long as the training has a factor for each of its steps, however it is counted") {
  for (const auto update : {Update::step, Update::before_epoch, Update::after_epoch}) {
    const WarmupCosine schedule({.warmup_epochs = 4, .warmup_start = 0, .update = update}, {4});
    const auto last = schedule.factor(4, 0.5);
    CHECK(last == (update == Update::before_epoch ? 1 : update == Update::step ? 0.875 : 0.75));
  }
}
