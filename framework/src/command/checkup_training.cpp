#include <torch/utils.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "command/checkup_steps.h"
#include "file/safetensors.h"
#include "model/model.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "system/gpu_arithmetic.h"
#include "system/precision.h"
#include "text/number_text.h"
#include "training/trainer.h"

namespace kindred::command {
namespace {

constexpr std::int64_t people = 4;
constexpr std::int64_t batch_images = 16;

/// A trainer that sees the same batch in each step.
class ByHeart {
 public:
  // The images come first: the trainer starts LibTorch's generator anew.
  ByHeart(const recipe::Plan& plan, torch::Device device)
      : labels_(torch::arange(batch_images) % people),
        images_(patterns(labels_)),
        trainer_(plan, model::build_model(plan, model::any_population(people)), device) {
    trainer_.start_epoch(1);
  }

  /// @return the loss
  double step(std::int64_t number) {
    trainer_.meter().clear();
    trainer_.step(images_, labels_, 1, number, 1);
    trainer_.meter().flush();
    return trainer_.meter().means().at("loss");
  }
  [[nodiscard]] training::Trainer& trainer() { return trainer_; }

 private:
  /// One for each person, with noise.
  static torch::Tensor patterns(const torch::Tensor& labels) {
    torch::manual_seed(4);
    const auto own = torch::randn({people, 3, 64, 32}).index_select(0, labels);
    return own + 0.3 * torch::randn(own.sizes());
  }

  torch::Tensor labels_;
  torch::Tensor images_;
  training::Trainer trainer_;
};

recipe::Plan plan_of(const std::string& recipe, system::Precision precision, const Catalog& catalog) {
  auto plan = recipe::make_plan(recipe::parse_recipe(recipe, "the checkup's training", {}), catalog);
  plan.train.precision = precision;
  return plan;
}

double mean(const std::vector<double>& values, std::size_t first, std::size_t count) {
  double sum = 0;
  for (std::size_t i = first; i < first + count; ++i) sum += values.at(i);
  return sum / static_cast<double>(count);
}

CheckList::Finding learns(const recipe::Plan& plan, torch::Device device) {
  constexpr std::size_t steps = 50;
  constexpr std::size_t some = 5;
  ByHeart training(plan, device);
  std::vector<double> losses;
  for (std::size_t i = 0; i < steps; ++i) losses.push_back(training.step(static_cast<std::int64_t>(i)));
  const double before = mean(losses, 0, some);
  const double after = mean(losses, steps - some, some);
  CheckList::Finding finding{
      "loss " + text::significant_text(before, 3) + " to " + text::significant_text(after, 3),
      after < before / 2, "the loss must be halved"};
  if (const auto scale = training.trainer().loss_scale()) {
    // Halved more often, nearly every step would have been left out.
    constexpr double least_scale = 64;
    finding.figure += ", loss scale " + text::significant_text(*scale, 5);
    finding.ok = *finding.ok && *scale >= least_scale;
    finding.note = "the loss must be halved, and its scale stay at 64 at least";
  }
  return finding;
}

/// Through a file, as a training that goes on in another process.
file::TensorFile kept_state(training::Trainer& trainer) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("kindred-doctor-" + std::to_string(::getpid()) + ".safetensors");
  file::write_safetensors(file, trainer.state());
  auto state = file::read_safetensors(file);
  std::error_code gone;
  std::filesystem::remove(file, gone);
  return state;
}

CheckList::Finding resumes(const recipe::Plan& plan, torch::Device device, double limit) {
  const system::PlainArithmetic arithmetic;
  constexpr std::int64_t half = 5;
  ByHeart whole(plan, device);
  for (std::int64_t i = 0; i < 2 * half; ++i) static_cast<void>(whole.step(i));
  const auto expected = kept_state(whole.trainer());

  ByHeart stopped(plan, device);
  for (std::int64_t i = 0; i < half; ++i) static_cast<void>(stopped.step(i));
  const auto state = kept_state(stopped.trainer());
  ByHeart continued(plan, device);
  continued.trainer().restore(state, "checkup");
  continued.trainer().start_epoch(1);
  for (auto i = half; i < 2 * half; ++i) static_cast<void>(continued.step(i));
  const auto found = kept_state(continued.trainer());

  double worst = 0;
  std::string which;
  for (const auto& [name, tensor] : expected.tensors) {
    // The rest are counters and generators. Averages of gradients differ far more than the weights that they
    // lead to, where sums are in no fixed order.
    if (!tensor.is_floating_point() || name.starts_with("optimizer.")) continue;
    const auto* other = found.find(name);
    if (other == nullptr || other->sizes() != tensor.sizes()) return {"'" + name + "' is missing", false};
    if (tensor.equal(*other)) continue;
    const auto length = std::max(tensor.to(torch::kFloat64).norm().item<double>(), 1e-6);
    const double one =
        (other->to(torch::kFloat64) - tensor.to(torch::kFloat64)).norm().item<double>() / length;
    if (!std::isfinite(one)) return {"'" + name + "' is not finite", false};
    if (one > worst || which.empty()) which = name;
    worst = std::max(worst, one);
  }
  return {which.empty() ? "the same bits" : "differs by " + text::significant_text(worst, 2), worst <= limit,
          "most of all '" + which + "'"};
}

}  // namespace

void check_training(const std::string& recipe, const Catalog& catalog, torch::Device device,
                    CheckList& checks) {
  for (const auto precision : {system::Precision::fp32, system::Precision::bf16, system::Precision::fp16}) {
    const auto name = "50 steps of training, " + system::precision_name(precision);
    if (!system::can_compute(device, precision)) {
      checks.leave_out(name, "this device cannot compute in " + system::precision_name(precision));
      continue;
    }
    checks.check(name, "half the loss", [&] { return learns(plan_of(recipe, precision, catalog), device); });
  }
  // Some of a GPU's sums are in no fixed order.
  const double limit = device.is_cpu() ? 0 : 1e-3;
  for (const auto precision : {system::Precision::fp32, system::suitable_precision(device)}) {
    checks.check("5 + 5 steps are 10, " + system::precision_name(precision),
                 device.is_cpu() ? "the same bits" : "up to 0.001",
                 [&] { return resumes(plan_of(recipe, precision, catalog), device, limit); });
    if (system::suitable_precision(device) == system::Precision::fp32) break;
  }
}

}  // namespace kindred::command
