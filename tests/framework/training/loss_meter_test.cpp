#include "training/loss_meter.h"

#include <doctest/doctest.h>
#include <torch/types.h>

#include <cmath>
#include <cstdint>

#include "kindred/core/error.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::training;
using namespace kindred::test;

TEST_CASE("figures are averaged over the steps that have them, and losses over all") {
  LossMeter meter({"triplet(g)"}, 2, /*with_gradient_norm=*/true, {"d_ap", "d_an"});
  meter.add(torch::tensor({1.0F, 2.0F, 5.0F, 0.5F, NAN}), 1, 0, 0.1);
  meter.add(torch::tensor({3.0F, 4.0F, 7.0F, NAN, NAN}), 1, 1, 0.1);
  const auto means = meter.means();
  CHECK(means.at("loss") == 3);
  CHECK(means.at("gradient_norm") == 6);
  CHECK(means.at("d_ap") == 0.5);
  CHECK(means.count("d_an") == 0);

  LossMeter restored({"triplet(g)"}, 2, true, {"d_ap", "d_an"});
  REQUIRE(restored.restore(meter.state()));
  CHECK(restored.means() == means);
  restored.add(torch::tensor({2.0F, 3.0F, 6.0F, 1.5F, 2.0F}), 1, 2, 0.1);
  restored.flush();
  CHECK(restored.means().at("d_ap") == 1);
  CHECK(restored.means().at("d_an") == 2);
  LossMeter without({"triplet(g)"}, 2, true);
  CHECK_FALSE(without.restore(meter.state()));
  restored.clear();
  CHECK(restored.means().empty());
}

TEST_CASE("a loss that is not finite is an error even where figures may be missing") {
  LossMeter meter({"triplet(g)"}, 1, false, {"d_ap"});
  CHECK(message_of<Error>([&] {
          meter.add(torch::tensor({NAN, NAN, 1.0F}), 2, 4, 0.1);
        }).find("training: error: the loss is no longer finite in epoch 2, batch 5: 'triplet(g)'") == 0);
}

TEST_CASE("a state that no meter leaves is refused, and changes nothing") {
  LossMeter meter({"triplet(g)"}, 1, false, {"d_ap"});
  meter.add(torch::tensor({1.0F, 2.0F, 0.5F}), 1, 0, 0.1);
  const auto means = meter.means();
  // Three sums, how many steps had the figure, and how many there were.
  const auto state = meter.state();
  REQUIRE(state.numel() == 5);
  for (const std::int64_t place : {3, 4}) {
    for (const double number : {static_cast<double>(NAN), static_cast<double>(INFINITY), -1.0, 0.5, 1e300}) {
      auto damaged = state.clone();
      damaged[place] = number;
      CAPTURE(place);
      CAPTURE(number);
      CHECK_FALSE(meter.restore(damaged));
    }
  }
  auto damaged = state.clone();
  damaged[1] = NAN;
  CHECK_FALSE(meter.restore(damaged));
  CHECK(meter.means() == means);
  CHECK(meter.restore(state));
}
