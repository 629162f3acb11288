#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "command/checkup_steps.h"
#include "model/model.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "speed/model_steps.h"
#include "speed/turns.h"
#include "system/precision.h"
#include "text/number_text.h"

namespace kindred::command {
namespace {

constexpr std::int64_t people_of_market = 751;  // in training

/// How much is computed for a figure.
struct Effort {
  std::int64_t batch;
  double seconds;  ///< at least so long, after the first
};

Effort effort(torch::Device device, bool quick) {
  if (device.is_cuda()) return {64, quick ? 1.0 : 5.0};
  return quick ? Effort{4, 0.5} : Effort{16, 8.0};
}

/// The first steps, in which memory is asked for and what is slow only once is done, are left out.
CheckList::Finding rate_of(speed::Contestant& steps, torch::Device device, const Effort& effort) {
  const std::int64_t at_once = device.is_cuda() ? 10 : 1;
  static_cast<void>(steps.run(at_once));
  std::int64_t images = 0;
  double seconds = 0;
  while (images == 0 || seconds < effort.seconds) {
    seconds += steps.run(at_once);
    images += at_once * effort.batch;
  }
  return {text::significant_text(static_cast<double>(images) / seconds, 3) + " images/s", {}};
}

CheckList::Finding embed_speed(const recipe::Plan& plan, torch::Device device, system::Precision precision,
                               const Effort& effort) {
  speed::EmbedSteps steps(model::build_model(plan, model::any_population(people_of_market)), plan,
                          speed::batch_shape(plan, effort.batch, /*at_test_time=*/true), {device, precision});
  return rate_of(steps, device, effort);
}

CheckList::Finding train_speed(recipe::Plan plan, torch::Device device, system::Precision precision,
                               const Effort& effort) {
  plan.train.precision = precision;
  speed::TrainSteps steps(plan, model::build_model(plan, model::any_population(people_of_market)),
                          speed::batch_shape(plan, effort.batch, /*at_test_time=*/false), device);
  return rate_of(steps, device, effort);
}

}  // namespace

void measure_networks(const std::vector<NamedRecipe>& recipes, const Catalog& catalog, torch::Device device,
                      bool quick, CheckList& checks) {
  const auto amount = effort(device, quick);
  std::vector<system::Precision> precisions{system::suitable_precision(device)};
  if (!quick && precisions.front() != system::Precision::fp32) precisions.push_back(system::Precision::fp32);
  for (const auto& [name, text] : recipes) {
    recipe::Plan plan;
    bool made = false;
    checks.check(name, "", [&, &label = name, &recipe = text]() -> CheckList::Finding {
      plan = recipe::make_plan(recipe::parse_recipe(recipe, label, {}), catalog);
      made = true;
      const auto shape = speed::batch_shape(plan, amount.batch, /*at_test_time=*/true);
      return {"images of " + std::to_string(shape.height) + " x " + std::to_string(shape.width), {}};
    });
    if (!made) continue;
    for (const auto precision : precisions) {
      const auto what = ", " + system::precision_name(precision);
      checks.check(name + ", embed" + what, "", [&] { return embed_speed(plan, device, precision, amount); });
      // A step of networks after the first, which are larger, takes longer than all else together.
      if (quick && device.is_cpu() && &name != &recipes.front().name) {
        checks.leave_out(name + ", train" + what, "left out by --quick");
        continue;
      }
      checks.check(name + ", train" + what, "", [&] { return train_speed(plan, device, precision, amount); });
    }
  }
}

}  // namespace kindred::command
