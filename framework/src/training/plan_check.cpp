#include "training/plan_check.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <opencv2/core/types.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "model/least_images.h"
#include "model/model.h"
#include "model/population.h"
#include "ranking/made_metric.h"
#include "ranking/post_processing.h"
#include "recipe/guarded.h"
#include "recipe/idle_settings.h"
#include "text/number_text.h"
#include "text/text_table.h"
#include "training/batch_pairs.h"
#include "training/batch_parts.h"
#include "training/image_size.h"
#include "training/learning_groups.h"
#include "training/planned_schedule.h"
#include "training/teachers.h"
#include "weights/initial_weights.h"
#include "weights/loss_weights.h"

namespace kindred::training {
namespace {

constexpr std::int64_t any_identities = 2;

bool is_there(const std::optional<std::string>& file) {
  return file && std::filesystem::exists(*file);
}

/// As many as the classifiers of the file have that the whole network starts from.
std::int64_t identities_for(const recipe::Plan& plan) {
  if (!is_there(plan.weights.file)) return any_identities;
  const auto file = weights::read_weights_file(*plan.weights.file, plan.weights.key.value_or(""));
  const auto weights = weights::translate_for_plan(file, plan);
  const auto of_any = model::build_model(plan, model::any_population(any_identities));
  const auto model = weights::build_for_identities_of(plan, *of_any, weights, *plan.weights.file);
  return model ? model->population().identities : any_identities;
}

/// Files of weights that are there must fit; those that are not are left for the training to miss.
std::shared_ptr<model::Model> build_checked(const recipe::Plan& plan, std::int64_t identities) {
  recipe::Plan checked = plan;
  if (!is_there(checked.backbone_start.weights)) checked.backbone_start = {};
  if (!is_there(checked.weights.file)) checked.weights = {};
  std::vector<std::string> notes;
  return weights::build_initial_model(checked, model::any_population(identities), notes);
}

std::string start_text(const std::string& file) {
  return file + (is_there(file) ? " (matches)" : " (does not exist)");
}

/// A file for a loss is read, if it is there. Whether it fits shows when its identities are known.
std::string start_text(const recipe::LossChoice& loss) {
  const auto begin = loss.name + ": ";
  if (!is_there(loss.weights_file)) return begin + start_text(*loss.weights_file);
  const auto tensors = weights::read_loss_weights(loss).content.tensors.size();
  return begin + *loss.weights_file + " (" + std::to_string(tensors) +
         (tensors == 1 ? " tensor" : " tensors") + "; compared when the identities of the data are known)";
}

std::string size_text(cv::Size size) {
  return std::to_string(size.height) + " x " + std::to_string(size.width) + " pixels";
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

/// Whether an error names a component by its role, its name or both: ComponentError::component().
template <class Role>
bool is_of(const recipe::Choice<Role>& choice, const ComponentError& error) {
  const auto& info = choice.factory->info();
  return error.component() == info.role || error.component() == info.name || error.component() == info.id();
}

/// Sends two images through the network in training mode.
void try_out(const recipe::Plan& plan, model::Model& model, cv::Size size) {
  const torch::NoGradGuard no_gradients;
  const auto images = torch::linspace(-2, 2, 2 * 3 * size.area()).reshape({2, 3, size.height, size.width});
  try {
    Activations input(images);
    input.cameras = torch::zeros({2}, torch::kInt64);
    input.views = torch::zeros({2}, torch::kInt64);
    static_cast<void>(model.forward(input));
  } catch (const ComponentError& error) {
    if (is_of(plan.backbone, error)) {
      throw RecipeError(plan.backbone.location, plan.backbone.subject() + ": " + error.reason());
    }
    throw RecipeError(plan.head.location, plan.head.subject() + ": " + error.reason());
  } catch (const model::ImagesTooSmall& fault) {
    throw RecipeError(plan.backbone.location, fault.reason());
  } catch (const recipe::ComponentFault& fault) {
    if (!fault.of_computation()) throw;
    throw RecipeError(plan.backbone.location,
                      "backbone '" + plan.backbone.name + "' and head '" + plan.head.name +
                          "' cannot take images of " + size_text(size) + ": " + fault.reason() +
                          "; choose another size in the augmentation that sets it, or another backbone or "
                          "head; in one of your own, compare what it computes with the sizes that it "
                          "states");
  }
}

/// A teacher's descriptor. Of a file that is not there nobody knows the dim: it is taken for that of the
/// student, so that no loss minds.
OutputInfo output_of(const recipe::TeacherChoice& teacher, const recipe::Plan& plan, model::Model& student,
                     std::vector<std::string>& warnings) {
  if (!teacher.average && !is_there(teacher.weights)) {
    return {teacher.output(), OutputKind::feature, student.outputs().back().dim};
  }
  recipe::Plan alone = plan;
  alone.teachers = {teacher};
  std::vector<std::string> notes;
  // The student's population is made up here, and nobody has to know its cameras.
  const model::Population unknown(student.population().identities);
  auto output = Teachers(alone, student, unknown, notes).outputs().front();
  for (auto& note : notes) {
    if (note.starts_with("warning:")) warnings.push_back(std::move(note));
  }
  return output;
}

/// "big: teacher.safetensors (matches)"
std::string teacher_text(const recipe::TeacherChoice& teacher) {
  return teacher.name + ": " +
         (teacher.average ? "the averaged weights of this training" : start_text(*teacher.weights));
}

std::string weight_text(double weight) {
  return text::significant_text(weight, 4);
}

}  // namespace

std::string check_plan(const recipe::Plan& plan) {
  // Made for what they find wrong with their parameters.
  static_cast<void>(create_schedule(plan));
  static_cast<void>(plan.optimizer.create({}));
  const auto size = image_size(plan, /*at_test_time=*/false);
  static_cast<void>(ranking::create_post_processors(plan));
  static_cast<void>(ranking::create_metrics(plan));
  if (plan.train.evaluate_every > 0) static_cast<void>(ranking::best_figure(plan));
  const auto identities = identities_for(plan);
  const auto model = build_checked(plan, identities);
  std::vector<std::string> warnings;
  auto outputs = model->outputs();
  for (const auto& teacher : plan.teachers) outputs.push_back(output_of(teacher, plan, *model, warnings));
  const auto terms = model::build_losses(plan, outputs, model->population());
  const auto groups = learning_groups(plan.groups, *model, terms, own_optimizers(terms));
  if (size) try_out(plan, *model, *size);
  if (plan.train.epochs > 0) check_pairs_without_data(plan, terms_with_pairs(terms));
  if (plan.train.accumulate > 1) require_parts(plan, batches_without_data(plan));

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
  if (size) row("image size", size_text(*size) + " (height x width)");
  row("sampler", plan.sampler.title());
  row("backbone", plan.backbone.title());
  if (plan.backbone_start.weights) row("backbone weights", start_text(*plan.backbone_start.weights));
  row("head", plan.head.title());
  if (plan.weights.file) row("weights", start_text(*plan.weights.file));
  for (const auto& loss : plan.losses) {
    if (loss.weights_file) row("loss weights", start_text(loss));
  }
  row("optimizer", plan.optimizer.title());
  row("schedule", plan.schedule.title());
  if (!plan.post_processors.empty()) row("post_processor", plan.post_processors_text());
  row("metric", plan.metrics_text());
  for (const auto& teacher : plan.teachers) row("teacher", teacher_text(teacher));
  row("epochs", std::to_string(plan.train.epochs));
  if (plan.train.accumulate > 1) row("batches", "in " + std::to_string(plan.train.accumulate) + " parts");
  row("parameters", text::grouped_digits(elements(*model)) + " in the network, " +
                        text::grouped_digits(of_losses) + " in the losses, for " +
                        std::to_string(identities) + " identities");

  text::TextTable table;
  table.heads = {"OUTPUT", "KIND", "DIM", "LOSS x WEIGHT"};
  table.widths = {30, 10, 10};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    std::string losses;
    for (const auto& term : terms) {
      if (std::find(term.outputs.begin(), term.outputs.end(), i) == term.outputs.end()) continue;
      // The term is called "triplet(g1)": the output stands at the beginning of the line already.
      losses += (losses.empty() ? "" : ", ") + term.name.substr(0, term.name.rfind('(')) + " x " +
                weight_text(term.weight);
    }
    const bool logits = outputs[i].kind == OutputKind::logits;
    table.rows.push_back({outputs[i].name, logits ? "logits" : "feature",
                          logits ? "identities" : std::to_string(outputs[i].dim),
                          losses.empty() ? "none" : losses});
  }
  auto text = summary.str() + "\n" + table.str() + (plan.groups.empty() ? "" : "\n" + groups_text(groups));
  for (const auto& warning : warnings) text += "\n" + warning + "\n";
  for (const auto& warning : recipe::idle_augmentations(plan)) text += "\n" + warning + "\n";
  for (const auto& warning : recipe::idle_post_processors(plan)) text += "\n" + warning + "\n";
  return text;
}

}  // namespace kindred::training
