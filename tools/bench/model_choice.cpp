#include "model_choice.h"

#include <ATen/Parallel.h>
#include <torch/types.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <utility>

#include "common.h"
#include "kindred/core/error.h"
#include "model/model_file.h"
#include "recipe/recipe.h"
#include "system/device.h"
#include "system/gpu_arithmetic.h"
#include "text/number_text.h"

namespace kindred::bench {
namespace {

/// The recipes of the models that are known by a short name.
const std::map<std::string, std::string>& short_names() {
  static const std::map<std::string, std::string> names = {
      {"mgn", "naic/base.toml"}, {"resnet50", "market1501/bag_of_tricks_resnet50.toml"}};
  return names;
}

/// As the recipe's key says it: 'auto' decided.
std::string decided_precision(const std::string& text, torch::Device device) {
  const std::map<std::string, system::Precision> known = {{"fp32", system::Precision::fp32},
                                                          {"fp16", system::Precision::fp16},
                                                          {"bf16", system::Precision::bf16}};
  if (text == "auto") return system::precision_name(system::suitable_precision(device));
  system::require_precision(known.at(text), device, "--precision");
  return text;
}

bool is_model_file(const std::filesystem::path& file) {
  return file.extension() == ".safetensors";
}

}  // namespace

void add_model_options(CLI::App& command, ModelOptions& options) {
  auto* recipe = command.add_option("recipe", options.recipe, "A recipe (NAME.toml) or a model file")
                     ->check(CLI::ExistingFile);
  command
      .add_option("--model", options.name,
                  "Instead of a recipe: mgn, MGN on SE-ResNet50 of configs/naic/base.toml, or resnet50, of "
                  "configs/market1501/bag_of_tricks_resnet50.toml")
      ->check(CLI::IsMember({"mgn", "resnet50"}))
      ->excludes(recipe);
  command.add_option("--set", options.overrides, "A key of the recipe: backbone.depth=101")->take_all();
  command.add_option("--batch", options.batch, "Images of a batch")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  command.add_option("--identities", options.identities, "Classes that a recipe's model is trained with")
      ->check(CLI::Range(2, 10000000))
      ->capture_default_str();
  add_threads(command, options.threads);
  command.add_option("--precision", options.precision, "fp32, bf16, fp16 or auto, whatever the recipe says")
      ->check(CLI::IsMember({"fp32", "bf16", "fp16", "auto"}))
      ->capture_default_str();
  command.add_option("--device", options.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
}

ChosenModel choose_model(const ModelOptions& options, const Catalog& catalog) {
  if (options.recipe.empty() && options.name.empty()) {
    throw Error("bench: error: no model is given; name a recipe or a model file, or --model mgn or resnet50");
  }
  system::set_threads(options.threads);
  const auto device = system::resolve_device(options.device);
  const auto precision = decided_precision(options.precision, device);
  auto overrides = options.overrides;
  overrides.push_back("train.precision=" + precision);
  overrides.push_back("embed.precision=" + precision);
  const auto prepared = [&](const recipe::Plan& plan) {
    system::set_gpu_arithmetic(plan.machine.tf32, plan.machine.cudnn_benchmark);
    return system::Computing{device, plan.train.precision};
  };
  if (is_model_file(options.recipe)) {
    auto file = model::read_model_file(options.recipe, catalog, overrides);
    auto plan = recipe::make_plan(file.recipe, catalog);
    return {std::filesystem::path(options.recipe).filename().string(), std::nullopt, plan, prepared(plan),
            file.model};
  }
  const bool is_short = !options.name.empty();
  const auto path = is_short ? scripts_folder() / "../../configs" / short_names().at(options.name)
                             : std::filesystem::path(options.recipe);
  auto plan = recipe::make_plan(recipe::load_recipe(path, overrides), catalog);
  auto model = model::build_model(plan, model::any_population(options.identities));
  return {is_short ? options.name : path.filename().string(),
          is_short ? std::optional(options.name) : std::nullopt, plan, prepared(plan), std::move(model)};
}

std::int64_t parameters_of(const model::Model& model) {
  std::int64_t count = 0;
  for (const auto& parameter : model.parameters()) count += parameter.numel();
  return count;
}

double forward_flops(model::Model& model, const speed::BatchShape& shape, bool training) {
  const bool before = model.is_training();
  model.train(training);
  // Two, for batch norms in training.
  const auto images = speed::synthetic_batch({2, shape.height, shape.width}, model.population());
  const auto work = speed::recorded_work([&] {
    const torch::NoGradGuard no_gradients;
    static_cast<void>(model.forward(images));
  });
  model.train(before);
  return work.flops() / 2;
}

nlohmann::json peer_work(const std::string& task, const ChosenModel& chosen, const ModelOptions& options,
                         const speed::BatchShape& shape) {
  if (!chosen.short_name) {
    throw Error(
        "bench: error: PyTorch's side has the models mgn and resnet50 alone; choose one with --model, or "
        "leave out --pytorch");
  }
  // Such as embed.flip_test, which no number of parameters shows.
  if (!options.overrides.empty()) {
    throw Error("bench: error: PyTorch's side computes what the recipe says; leave out --set, or --pytorch");
  }
  return {{"task", task},
          {"model", *chosen.short_name},
          {"identities", options.identities},
          {"batch", shape.images},
          {"height", shape.height},
          {"width", shape.width},
          {"threads", at::get_num_threads()},
          {"precision", system::precision_name(chosen.computing.precision)},
          {"device", chosen.computing.device.str()},
          {"cudnn_benchmark", chosen.plan.machine.cudnn_benchmark},
          {"compile", false}};
}

void require_same_network(const nlohmann::json& about, std::int64_t parameters, double flops) {
  const auto theirs = about.at("parameters").get<std::int64_t>();
  const auto their_flops = about.at("flops").get<double>();
  if (theirs == parameters && std::abs(their_flops - flops) <= 1e-6 * flops) return;
  throw Error("bench: error: PyTorch's network is another one: " + text::count_text(theirs) +
              " parameters and " + number(their_flops / 1e9, 3) + " GFLOP an image, Kindred's " +
              text::count_text(parameters) + " and " + number(flops / 1e9, 3) +
              "; tools/bench/networks.py does not fit the recipe");
}

}  // namespace kindred::bench
