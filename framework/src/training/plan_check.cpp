#include "training/plan_check.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "model/model.h"
#include "ranking/made_metric.h"
#include "ranking/post_processing.h"
#include "text/number_text.h"
#include "text/text_table.h"
#include "training/learning_groups.h"
#include "weights/initial_weights.h"

namespace kindred::training {
namespace {

constexpr std::int64_t any_identities = 2;

bool is_there(const std::optional<std::string>& file) {
  return file && std::filesystem::exists(*file);
}

/// As many as the classifiers of the file have that the whole network starts from.
std::int64_t identities_for(const recipe::Plan& plan) {
  if (!is_there(plan.weights.file)) return any_identities;
  const auto weights =
      weights::translate(weights::read_weights_file(*plan.weights.file), weights::known_layouts(plan));
  return weights::identities_of(plan, weights, *plan.weights.file).value_or(any_identities);
}

/// Files of weights that are there must fit; those that are not are left for the training to miss.
std::shared_ptr<model::Model> build_checked(const recipe::Plan& plan, std::int64_t identities) {
  recipe::Plan checked = plan;
  if (!is_there(checked.backbone_start.weights)) checked.backbone_start = {};
  if (!is_there(checked.weights.file)) checked.weights = {};
  std::vector<std::string> notes;
  return weights::build_initial_model(checked, identities, notes);
}

std::string start_text(const std::string& file) {
  return file + (is_there(file) ? " (matches)" : " (does not exist)");
}

std::int64_t elements(const torch::nn::Module& module) {
  std::int64_t count = 0;
  for (const auto& parameter : module.parameters()) count += parameter.numel();
  return count;
}

/// "market (market1501), 75 % of a batch, evaluated"
std::string dataset_text(const recipe::Plan& plan, const recipe::DatasetChoice& dataset) {
  if (plan.datasets.size() == 1) return dataset.title();
  double shares = 0;
  for (const auto& other : plan.datasets) shares += other.share.value_or(0);
  std::string text = dataset.title();
  if (!dataset.trained_on()) {
    text += ", not trained on";
  } else if (recipe::have_shares(plan.datasets)) {
    text += ", " + text::fixed_text(100 * *dataset.share / shares, 0) + " % of each batch";
  }
  const bool evaluated =
      std::find(plan.evaluate_on.begin(), plan.evaluate_on.end(), dataset.name) != plan.evaluate_on.end();
  return text + (evaluated ? ", evaluated" : "");
}

std::string weight_text(double weight) {
  return text::significant_text(weight, 4);
}

}  // namespace

std::string check_plan(const recipe::Plan& plan) {
  // Made for what they find wrong with their parameters.
  static_cast<void>(plan.schedule.create({plan.train.epochs}));
  static_cast<void>(plan.optimizer.create({}));
  for (const auto& augmentation : plan.augmentations) static_cast<void>(augmentation.create({}));
  static_cast<void>(ranking::create_post_processors(plan));
  static_cast<void>(ranking::create_metrics(plan));
  if (plan.train.evaluate_every > 0) static_cast<void>(ranking::best_figure(plan));
  const auto identities = identities_for(plan);
  const auto model = build_checked(plan, identities);
  const auto outputs = model->outputs();
  const auto terms = model::build_losses(plan, outputs, identities);
  const auto groups = learning_groups(plan.groups, *model, terms, own_optimizers(terms));

  std::string augmentations;
  for (const auto& choice : plan.augmentations) {
    augmentations += (augmentations.empty() ? "" : ", ") + choice.title();
  }
  std::int64_t of_losses = 0;
  for (const auto& term : terms) of_losses += elements(*term.loss);

  text::TextTable summary;
  summary.widths = {20};
  const auto row = [&](const std::string& name, const std::string& value) {
    summary.rows.push_back({name, value});
  };
  if (!plan.name.empty()) row("name", plan.name);
  row("seed", std::to_string(plan.seed));
  for (const auto& dataset : plan.datasets) row("dataset", dataset_text(plan, dataset));
  if (plan.folds.fold > 0)
    row("validation", "fold " + std::to_string(plan.folds.fold) + " of " + std::to_string(plan.folds.count));
  row("augmentation", augmentations.empty() ? "none" : augmentations);
  row("sampler", plan.sampler.title());
  row("backbone", plan.backbone.title());
  if (plan.backbone_start.weights) row("backbone weights", start_text(*plan.backbone_start.weights));
  row("head", plan.head.title());
  if (plan.weights.file) row("weights", start_text(*plan.weights.file));
  row("optimizer", plan.optimizer.title());
  row("schedule", plan.schedule.title());
  if (!plan.post_processors.empty()) row("post_processor", plan.post_processors_text());
  row("metric", plan.metrics_text());
  row("epochs", std::to_string(plan.train.epochs));
  row("parameters", text::grouped_digits(elements(*model)) + " in the network, " +
                        text::grouped_digits(of_losses) + " in the losses, for " +
                        std::to_string(identities) + " identities");

  text::TextTable table;
  table.heads = {"OUTPUT", "KIND", "DIM", "LOSS x WEIGHT"};
  table.widths = {30, 10, 10};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    std::string losses;
    for (const auto& term : terms) {
      if (term.output != i) continue;
      // The term is called "triplet(g1)": the output stands at the beginning of the line already.
      losses += (losses.empty() ? "" : ", ") + term.name.substr(0, term.name.rfind('(')) + " x " +
                weight_text(term.weight);
    }
    const bool logits = outputs[i].kind == OutputKind::logits;
    table.rows.push_back({outputs[i].name, logits ? "logits" : "feature",
                          logits ? "identities" : std::to_string(outputs[i].dim),
                          losses.empty() ? "none" : losses});
  }
  return summary.str() + "\n" + table.str() + (plan.groups.empty() ? "" : "\n" + groups_text(groups));
}

}  // namespace kindred::training
