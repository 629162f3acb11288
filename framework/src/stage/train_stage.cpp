#include "stage/train_stage.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inference/feature_extraction.h"
#include "kindred/core/error.h"
#include "model/model_file.h"
#include "results/labels_file.h"
#include "stage/train.h"
#include "system/precision.h"
#include "training/lasting_losses.h"
#include "training/plan_check.h"
#include "training/run_directory.h"
#include "training/training_data.h"
#include "weights/initial_weights.h"

namespace kindred::stage {
namespace {

constexpr const char* averaged_file = "model.ema.safetensors";

/// From what the stage in the folder has left.
void start_losses(recipe::Plan& plan, const std::filesystem::path& folder) {
  const auto file = folder / training::losses_name;
  if (!std::filesystem::exists(file)) {
    throw DataError(file,
                    "does not exist: no loss of that training leaves anything that others start from; "
                    "set losses_from to a stage with a loss that does, such as prompt_learning");
  }
  for (auto& loss : plan.losses) {
    if (loss.needs_weights() && !loss.weights_file) loss.weights_file = file.string();
  }
}

}  // namespace

Schema<TrainStage::Settings> TrainStage::Settings::schema() {
  Schema<Settings> s("Trains the model of a recipe.");
  s.add("labels", &Settings::labels, "stages of type label whose images are added to the training images")
      .stage({"label"});
  s.add("start_from", &Settings::start_from,
        "stage of type train whose model is the start of this training; [weights] allow_missing of the "
        "recipe lists what may differ")
      .stage({"train"});
  s.add("losses_from", &Settings::losses_from,
        "stage of type train whose losses have left losses.safetensors, from which the losses of this "
        "training "
        "start that need a file and name none (weights_file)")
      .stage({"train"});
  return s;
}

TrainStage::TrainStage(StageReader& reader) : settings_(reader.settings<Settings>({"recipe", "dataset"})) {
  if (auto plan = reader.plan(settings_.start_from, settings_.losses_from)) plan_ = std::move(*plan);
}

void TrainStage::link(const std::function<const Stage&(const std::string&)>& stage_of) {
  for (const auto& name : settings_.labels) {
    auto data = stage_of(name).data();
    const auto known = [&](const recipe::DatasetChoice& labeled) {
      return std::any_of(plan_.datasets.begin(), plan_.datasets.end(),
                         [&](const recipe::DatasetChoice& choice) {
                           return choice.prefix == labeled.prefix && choice.resolved() == labeled.resolved();
                         });
    };
    const bool own = !data.empty() && !known(data.front().plan.dataset());
    if (own && recipe::have_shares(plan_.datasets)) {
      throw RecipeError(location, "stage '" + this->name + "': labels of stage '" + name +
                                      "': " + recipe::shareless_labels);
    }
    label_data_.push_back(own ? std::optional(data.front().plan.dataset()) : std::nullopt);
    for (auto& labeled : data) {
      labeled.pixels = true;
      labeled_.push_back(std::move(labeled));
    }
  }
}

Value TrainStage::settings() const {
  return weights::settled(plan_).identity();
}

std::vector<const ComponentInfo*> TrainStage::components() const {
  std::vector<const ComponentInfo*> result;
  const auto add = [&](const auto& choice) { result.push_back(&choice.factory->info()); };
  const auto add_dataset = [&](const recipe::Choice<Dataset>& choice) {
    const auto* dataset = &choice.factory->info();
    if (std::find(result.begin(), result.end(), dataset) == result.end()) result.push_back(dataset);
  };
  for (const auto& choice : plan_.datasets) {
    if (choice.trained_on()) add_dataset(choice);
  }
  for (const auto& labels : plan_.pseudo_labels) {
    if (labels.dataset) add_dataset(*labels.dataset);
  }
  for (const auto& labeled : label_data_) {
    if (labeled) add_dataset(*labeled);
  }
  for (const auto& choice : plan_.augmentations) add(choice);
  add(plan_.sampler);
  add(plan_.backbone);
  add(plan_.head);
  for (const auto& choice : plan_.losses) add(choice);
  add(plan_.optimizer);
  add(plan_.schedule);
  return result;
}

std::vector<const ComponentInfo*> TrainStage::code() const {
  auto result = components();
  for (const auto& teacher : plan_.teachers) {
    if (!teacher.weights) continue;
    const auto of_teacher = model::components_of_model_file(*teacher.weights, *plan_.catalog);
    result.insert(result.end(), of_teacher.begin(), of_teacher.end());
  }
  return result;
}

std::vector<StageData> TrainStage::data() const {
  // Evaluations in between decide nothing of the result.
  std::vector<StageData> all{{plan_, {Split::train}}};
  all.insert(all.end(), labeled_.begin(), labeled_.end());
  return all;
}

std::vector<recipe::NamedFile> TrainStage::files() const {
  return recipe::files_affecting(Affects::training, plan_.resolved(), *plan_.catalog);
}

std::optional<training::Extension> TrainStage::extension(const Value& begun,
                                                         const std::filesystem::path& folder) const {
  return training::extension_in(folder, begun, weights::settled(plan_));
}

bool TrainStage::is_worth_keeping(const std::filesystem::path& folder) const {
  return std::filesystem::exists(folder / training::checkpoint_name) ||
         std::filesystem::exists(folder / training::model_name);
}

std::vector<std::string> TrainStage::results(const std::filesystem::path& folder) const {
  std::vector<std::string> files{training::model_name};
  for (const auto* file : {averaged_file, training::losses_name}) {
    if (std::filesystem::exists(folder / file)) files.emplace_back(file);
  }
  return files;
}

void TrainStage::check() const {
  static_cast<void>(training::check_plan(plan_));
}

void TrainStage::check_on(torch::Device device) const {
  const auto precision = plan_.train.precision;
  if (precision != system::Precision::automatic) {
    system::require_precision(precision, device, "train.precision");
  }
  if (plan_.train.evaluate_every > 0) static_cast<void>(inference::inference_precision(plan_, device));
  // Labels that other stages are yet to give may be all that there is to learn from.
  if (!settings_.labels.empty() || !plan_.pseudo_labels.empty()) return;
  static_cast<void>(training::load_training_data(plan_));
}

StageResult TrainStage::run(const StageContext& context) const {
  auto plan = plan_;
  for (std::size_t i = 0; i < settings_.labels.size(); ++i) {
    recipe::PseudoLabelsChoice labels;
    labels.file = (context.folder_of(settings_.labels[i]) / results::LabelsFile::name).string();
    labels.dataset = label_data_[i];
    plan.pseudo_labels.push_back(std::move(labels));
  }
  if (settings_.start_from)
    plan.weights.file = trained_model(context.folder_of(*settings_.start_from)).string();
  if (settings_.losses_from) start_losses(plan, context.folder_of(*settings_.losses_from));
  const auto outcome = train(plan, context.folder, context.progress, context.stop, context.ranks);
  return {outcome.interrupted, outcome.images};
}

std::vector<std::filesystem::path> trained_models(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> models{folder / training::model_name};
  if (std::filesystem::exists(folder / averaged_file)) models.push_back(folder / averaged_file);
  return models;
}

std::filesystem::path trained_model(const std::filesystem::path& folder) {
  const auto averaged = folder / averaged_file;
  return std::filesystem::exists(averaged) ? averaged : folder / training::model_name;
}

}  // namespace kindred::stage
