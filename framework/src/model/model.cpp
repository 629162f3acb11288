#include "model/model.h"

#include <c10/core/GradMode.h>
#include <torch/nn/functional/normalization.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <set>
#include <stdexcept>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/core/utf8.h"
#include "model/least_images.h"
#include "model/map_watch.h"
#include "recipe/guarded.h"
#include "recipe/wildcard.h"

namespace kindred::model {

namespace {

std::string tensor_text(const torch::Tensor& tensor) {
  if (!tensor.defined()) return "nothing";
  std::string sizes;
  for (const auto size : tensor.sizes()) sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
  return "a tensor [" + sizes + "] of type " + torch::toString(tensor.scalar_type());
}

/// How often each tensor of a batch was changed in place: the outputs, the labels, the cameras.
std::vector<std::int64_t> changes_in_place(const LossBatch& batch) {
  auto tensors = batch.outputs;
  tensors.insert(tensors.end(), {batch.labels, batch.cameras});
  std::vector<std::int64_t> changes;
  for (const auto& tensor : tensors) changes.push_back(tensor.defined() ? tensor._version() : 0);
  return changes;
}

/// Of an output: recipes and the log name it.
bool is_proper(const std::string& name) {
  return !name.empty() && is_utf8(name) &&
         std::none_of(name.begin(), name.end(), [](unsigned char c) { return c <= ' ' || c == '*'; });
}

void check_infos(const std::vector<OutputInfo>& outputs, const std::string& subject) {
  std::set<std::string> names;
  for (const auto& output : outputs) {
    if (!is_proper(output.name)) {
      throw recipe::ComponentFault(subject, "gave an output the name '" + escaped(output.name) +
                                                "'; a name is not empty and has no white space and no '*', "
                                                "which stands for any characters in a loss's 'on'");
    }
    if (!names.insert(output.name).second) {
      throw recipe::ComponentFault(subject, "gave two outputs the name '" + output.name + "'");
    }
    if (output.dim < 1) {
      throw recipe::ComponentFault(subject, "gave its output '" + output.name + "' the dim " +
                                                std::to_string(output.dim) + "; it is at least 1");
    }
  }
  if (outputs.empty() || outputs.back().name != "descriptor" || outputs.back().kind != OutputKind::feature) {
    throw recipe::ComponentFault(
        subject, "gave outputs of which the last is not the feature 'descriptor', as that of a head must be");
  }
}

/// Of those that are learned. LibTorch lists a tensor once for each of its names, and optimizers would change
/// it as often in a step.
void require_one_name_each(const torch::nn::Module& module, const std::string& subject) {
  std::map<const void*, std::string> names;
  for (const auto& item : module.named_parameters()) {
    const auto [first, is_new] = names.emplace(item.value().unsafeGetTensorImpl(), item.key());
    if (is_new) continue;
    throw recipe::ComponentFault(
        subject, "has one tensor under two names, '" + first->second + "' and '" + item.key() +
                     "', so that each step would change it twice; a module is registered once, the trunk of "
                     "a head not by the head, and copies of blocks have tensors of their own");
  }
}

const char* plural(OutputKind kind) {
  return kind == OutputKind::feature ? "features" : "logits";
}

std::vector<std::string> names_of(const std::vector<OutputInfo>& outputs, OutputKind kind) {
  std::vector<std::string> names;
  for (const auto& output : outputs) {
    if (output.kind == kind) names.push_back(output.name);
  }
  return names;
}

std::vector<std::string> names_in(const std::vector<OutputInfo>& outputs) {
  std::vector<std::string> names;
  for (const auto& output : outputs) names.push_back(output.name);
  return names;
}

// "features 'g1' and 'descriptor'; logits 'logits.g1'"
std::string described(const std::vector<OutputInfo>& outputs) {
  return "features " + quoted_list(names_of(outputs, OutputKind::feature)) + "; logits " +
         quoted_list(names_of(outputs, OutputKind::logits));
}

std::string no_such_output(const std::string& pattern, const std::vector<OutputInfo>& outputs) {
  const auto near = nearest_name(pattern, names_in(outputs));
  return "the head has no output '" + pattern + "'; " +
         (near.empty() ? "it has " : "did you mean '" + near + "'? It has ") + described(outputs);
}

bool is_teachers(const recipe::Plan& plan, const std::string& output) {
  return std::any_of(plan.teachers.begin(), plan.teachers.end(),
                     [&](const recipe::TeacherChoice& teacher) { return teacher.output() == output; });
}

// Indices of the outputs of one loss. Those of teachers are named in full: '*' stands for the head's.
std::vector<std::size_t> outputs_of(const recipe::Plan& plan, const recipe::LossChoice& choice,
                                    const std::vector<OutputInfo>& outputs, Diagnostics& diagnostics) {
  const bool together = choice.factory->info().takes_outputs.size() > 1;
  std::vector<std::size_t> found;
  if (choice.on.empty()) {
    diagnostics.error(choice.on_location,
                      choice.subject() + ": is applied to no output; the head has " + described(outputs));
  }
  for (const auto& pattern : choice.on) {
    bool any = false;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!recipe::matches_wildcard(pattern, outputs[i].name)) continue;
      if (pattern != outputs[i].name && is_teachers(plan, outputs[i].name)) continue;
      any = true;
      const bool again = std::find(found.begin(), found.end(), i) != found.end();
      if (!again || (together && pattern == outputs[i].name)) found.push_back(i);
    }
    if (!any) {
      diagnostics.error(choice.on_location, choice.subject() + ": " + no_such_output(pattern, outputs));
    }
  }
  return found;
}

/// What is wrong with the outputs that a loss is on; "" when it can take them.
/// @param takes the kinds of those that an instance takes together
std::string wrong_outputs(const recipe::LossChoice& choice, const std::vector<OutputKind>& takes,
                          const std::vector<std::size_t>& on, const std::vector<OutputInfo>& outputs) {
  if (takes.empty()) throw recipe::ComponentFault(choice.factory->info().subject(), "takes no output");
  if (on.size() % takes.size() != 0) {
    return "takes " + std::to_string(takes.size()) + " outputs together, but is on " +
           std::to_string(on.size()) + "; name a multiple of " + std::to_string(takes.size());
  }
  for (const auto kind : {OutputKind::feature, OutputKind::logits}) {
    std::vector<std::string> wrong;
    for (std::size_t i = 0; i < on.size(); ++i) {
      if (takes[i % takes.size()] == kind && outputs[on[i]].kind != kind)
        wrong.push_back(outputs[on[i]].name);
    }
    if (wrong.empty()) continue;
    return (takes.size() == 1 ? "works only on " : "takes ") + std::string(plural(kind)) +
           (takes.size() == 1 ? ", unlike " : " where it is given ") + quoted_list(wrong) + "; the " +
           plural(kind) + " are " + quoted_list(names_of(outputs, kind));
  }
  return "";
}

/// A backbone that is another one, and keeps which of its blocks each parameter belongs to: of those of the
/// trunk, and of those of each copy of the rest that a head makes.
class BlockRecord final : public Backbone {
 public:
  explicit BlockRecord(Backbone& backbone) : backbone_(backbone) {
    const auto blocks = backbone_.blocks();
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      for (const auto& item : backbone_.trunk(blocks[i])->named_parameters()) {
        block_of_.emplace(item.value().unsafeGetTensorImpl(), i);
        by_name_.emplace(item.key(), i);
      }
    }
  }

  [[nodiscard]] std::vector<std::string> blocks() const override { return backbone_.blocks(); }
  [[nodiscard]] std::int64_t channels() const override { return backbone_.channels(); }
  [[nodiscard]] FeatureForm gives() const override { return backbone_.gives(); }
  [[nodiscard]] SideInformation side_information() const override { return backbone_.side_information(); }
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk(const std::string& cut) override {
    return backbone_.trunk(cut);
  }
  [[nodiscard]] std::shared_ptr<NetworkPart> copy_rest(const std::string& cut,
                                                       std::int64_t last_stride) const override {
    auto rest = backbone_.copy_rest(cut, last_stride);
    for (const auto& item : rest->named_parameters()) {
      const auto found = by_name_.find(item.key());
      if (found != by_name_.end()) block_of_.emplace(item.value().unsafeGetTensorImpl(), found->second);
    }
    return rest;
  }

  [[nodiscard]] std::map<const void*, std::size_t> take() { return std::move(block_of_); }

 private:
  Backbone& backbone_;
  std::map<std::string, std::size_t> by_name_;
  mutable std::map<const void*, std::size_t> block_of_;  // copying does not change the backbone itself
};

/// Evaluation mode for as long as this is there; then each module is in its own mode again.
class Evaluating {
 public:
  explicit Evaluating(torch::nn::Module& module) : modules_(module.modules()) {
    for (const auto& each : modules_) were_training_.push_back(each->is_training());
    module.eval();
  }
  ~Evaluating() {
    // Those around others come first.
    for (std::size_t i = 0; i < modules_.size(); ++i) modules_[i]->train(were_training_[i]);
  }
  Evaluating(const Evaluating&) = delete;
  Evaluating& operator=(const Evaluating&) = delete;

 private:
  std::vector<std::shared_ptr<torch::nn::Module>> modules_;
  std::vector<bool> were_training_;
};

/// What only backbone and head together, or the data, show to be wrong.
void require_fit(const recipe::InferencePlan& plan, const Backbone& backbone, const Population& population) {
  const bool map = backbone.gives() == FeatureForm::map;
  if (map && plan.head.factory->info().takes_form == FeatureForm::tokens) {
    throw RecipeError(plan.head.location, plan.head.subject() +
                                              ": works on the tokens of a transformer, but " +
                                              plan.backbone.subject() +
                                              " gives a map; choose a backbone that gives tokens, or a "
                                              "head for maps");
  }
  const auto side = backbone.side_information();
  const auto require = [&](bool used, bool there, const std::string& word) {
    if (!used || there) return;
    throw RecipeError(plan.backbone.location,
                      plan.backbone.subject() + ": uses the " + word +
                          "s of the images, but the training images have none; use a data set that names "
                          "them (a manifest has a column '" +
                          word + "'), or switch the use of " + word + "s off");
  };
  require(side.cameras, !population.cameras.empty(), "camera");
  require(side.views, !population.views.empty(), "view");
}

}  // namespace

Model::Model(std::shared_ptr<NetworkPart> trunk, std::shared_ptr<Head> head, About about)
    : trunk_(register_module("backbone", std::move(trunk))),
      head_(register_module("head", std::move(head))),
      about_(std::move(about)),
      outputs_(recipe::guarded(about_.head, [&] { return head_->outputs(); })) {
  check_infos(outputs_, about_.head);
  require_one_name_each(*trunk_, about_.backbone);
  require_one_name_each(*this, about_.head);
  // Blocks that the head does not use are gone soon, and other tensors may then lie where theirs did.
  std::map<const void*, std::size_t> own;
  for (const auto& parameter : parameters()) {
    if (const auto block = block_of(parameter)) own.emplace(parameter.unsafeGetTensorImpl(), *block);
  }
  about_.block_of = std::move(own);
}

Model::Model(std::shared_ptr<NetworkPart> trunk, std::shared_ptr<Head> head)
    : Model(std::move(trunk), std::move(head), About()) {}

void Model::check_features(const Activations& features, std::int64_t images) const {
  const auto& values = features.values;
  bool sound =
      values.defined() && values.is_floating_point() && values.dim() >= 2 && values.size(0) == images;
  if (features.grid) {
    const auto& grid = *features.grid;
    sound = sound && values.dim() == 3 && values.size(1) == grid.extra + grid.rows * grid.columns;
  }
  if (sound) return;
  throw recipe::ComponentFault(
      about_.backbone, "gave " + tensor_text(values) + " for " + std::to_string(images) +
                           " images; it must " +
                           (features.grid ? "be tokens [N, " + std::to_string(features.grid->extra) + " + " +
                                                std::to_string(features.grid->rows) + " x " +
                                                std::to_string(features.grid->columns) + ", C] of floats"
                                          : "be a map [N, C, h, w] of floats"));
}

void Model::check_outputs(const std::vector<torch::Tensor>& outputs, std::int64_t images) const {
  const auto wanted = is_training() ? outputs_.size() : 1;
  if (outputs.size() != wanted) {
    throw recipe::ComponentFault(about_.head, "gave " + std::to_string(outputs.size()) +
                                                  " outputs instead of " + std::to_string(wanted) +
                                                  (is_training() ? "" : ", the descriptor alone"));
  }
  for (std::size_t i = 0; i < wanted; ++i) {
    const auto& output = outputs[i];
    const auto& info = is_training() ? outputs_[i] : outputs_.back();
    const bool rows = output.defined() && output.is_floating_point() && output.dim() == 2 &&
                      output.size(0) == images && output.size(1) >= 1;
    // At test time a head may join more than the output 'descriptor' of training.
    if (rows && (!is_training() || output.size(1) == info.dim)) continue;
    throw recipe::ComponentFault(
        about_.head, "gave " + tensor_text(output) + " as '" + info.name + "' of " + std::to_string(images) +
                         " images; it must be floats [" + std::to_string(images) + ", " +
                         (is_training() ? std::to_string(info.dim) : std::string("dim")) + "]");
  }
}

void Model::start_step(std::int64_t epoch, std::int64_t batch, std::int64_t part) {
  for (const auto& random : about_.randoms) random.start_step(epoch, batch, part);
}

std::optional<std::size_t> Model::block_of(const torch::Tensor& parameter) const {
  const auto found = about_.block_of.find(parameter.unsafeGetTensorImpl());
  return found == about_.block_of.end() ? std::nullopt : std::optional(found->second);
}

std::vector<torch::Tensor> Model::forward(const Activations& images) {
  Activations input(images.values);
  if (about_.side_information.cameras) input.cameras = images.cameras;
  if (about_.side_information.views) input.views = images.views;
  const auto count = images.values.size(0);
  try {
    const auto features = recipe::guarded(about_.backbone, [&] { return trunk_->propagate(input); });
    check_features(features, count);
    auto outputs = recipe::guarded(about_.head, [&] { return head_->forward(features); });
    check_outputs(outputs, count);
    if (is_training()) {
      for (auto& output : outputs) output = output.to(torch::kFloat32);
    }
    return outputs;
  } catch (const recipe::ComponentFault& fault) {
    if (!fault.of_computation() || input.values.dim() != 4) throw;
    const Evaluating evaluating(*this);  // else what is tried out would count in the statistics of norms
    auto least = least_images(
        [&](const Activations& tried) { static_cast<void>(head_->forward(trunk_->propagate(tried))); },
        input);
    // A head may take maps of one size alone, of which it speaks itself.
    if (!least) {
      least =
          least_images([&](const Activations& tried) { static_cast<void>(trunk_->propagate(tried)); }, input);
    }
    if (!least) throw;
    throw ImagesTooSmall(about_.backbone, *least, {input.values.size(2), input.values.size(3)});
  }
}

torch::Tensor Model::describe(const Activations& images) {
  if (is_training()) throw std::logic_error("Model::describe needs evaluation mode");
  const torch::NoGradGuard no_grad;
  const auto descriptor = forward(images).back().to(torch::kFloat32);
  return torch::nn::functional::normalize(descriptor, torch::nn::functional::NormalizeFuncOptions().dim(1));
}

void Model::require_known(const std::vector<Sample>& samples) const {
  model::require_known(about_.side_information, about_.backbone, about_.population, samples);
}

std::shared_ptr<Model> build_model(const recipe::InferencePlan& plan, const Population& population,
                                   const std::function<void(Backbone&)>& prepare, MapWatch* watch) {
  const ComponentRandom backbone_random(plan.seed, Part::backbone);
  const auto backbone =
      plan.backbone.create({backbone_random.stream(), static_cast<std::int64_t>(population.cameras.size()),
                            static_cast<std::int64_t>(population.views.size())});
  require_fit(plan, *backbone, population);
  if (prepare) prepare(*backbone);
  BlockRecord record(*backbone);
  const ComponentRandom head_random(plan.seed, Part::head);
  const auto watched = watch == nullptr ? nullptr : watch->watched(record);
  auto head = plan.head.create(
      {watched ? *watched : static_cast<Backbone&>(record), population.identities, head_random.stream()});
  Model::About about{plan.backbone.factory->info().subject(),
                     plan.head.factory->info().subject(),
                     backbone->blocks(),
                     record.take(),
                     backbone->side_information(),
                     population,
                     {backbone_random, head_random}};
  auto trunk = recipe::guarded(about.head, [&] { return head->trunk(); });
  if (trunk == nullptr) throw recipe::ComponentFault(about.head, "gave no trunk");
  const auto subject = about.head;
  auto model = std::make_shared<Model>(std::move(trunk), std::move(head), std::move(about));
  for (const auto& output : model->outputs()) {
    if (output.kind != OutputKind::logits || output.dim == population.identities) continue;
    throw recipe::ComponentFault(subject, "gave its logits '" + output.name + "' the dim " +
                                              std::to_string(output.dim) + "; logits have one number for " +
                                              "each of the " + std::to_string(population.identities) +
                                              " identities");
  }
  return model;
}

Population any_population(std::int64_t identities) {
  Population population(identities);
  population.cameras = {0, 1};
  population.views = {0, 1};
  return population;
}

torch::Tensor LossTerm::value(const LossBatch& batch) const {
  LossBatch own{{}, batch.labels, batch.cameras};
  for (const auto output : outputs) own.outputs.push_back(batch.outputs.at(output));
  const auto before = changes_in_place(own);
  const auto value = recipe::guarded(subject, [&] { return loss->compute(own); });
  const auto after = changes_in_place(own);
  if (const auto at = std::mismatch(before.begin(), before.end(), after.begin()).first - before.begin();
      at < std::ssize(before)) {
    const auto past = at - std::ssize(own.outputs);
    throw recipe::ComponentFault(
        subject, std::string("changed ") +
                     (past < 0    ? "its output"
                      : past == 0 ? "the labels"
                                  : "the cameras") +
                     " in place, which other losses take, too; compute from what is given by operations "
                     "without '_' at the end of their names");
  }
  if (!value.defined() || !value.is_floating_point() || value.numel() != 1) {
    throw recipe::ComponentFault(
        subject, "gave " + tensor_text(value) + " as its value; it must be one floating-point number");
  }
  const bool learns = std::any_of(own.outputs.begin(), own.outputs.end(),
                                  [](const auto& output) { return output.requires_grad(); });
  if (c10::GradMode::is_enabled() && learns && !value.requires_grad()) {
    throw recipe::ComponentFault(
        subject,
        "gave a value without a gradient, from which nothing can be learned; compute it from the output by "
        "operations of LibTorch that have one, without detach(), item() or NoGradGuard");
  }
  return value.to(torch::kFloat32).reshape({});
}

std::vector<std::string> LossTerm::figures() const {
  auto names = recipe::guarded(subject, [&] { return loss->figures(); });
  for (auto& figure : names) {
    if (figure.empty() || figure.find('/') != std::string::npos) {
      throw recipe::ComponentFault(
          subject, "gave a figure the name '" + figure + "'; a name is not empty and has no '/'");
    }
    figure += "/" + name;
  }
  return names;
}

torch::Tensor LossTerm::figure_values() const {
  const auto count = static_cast<std::int64_t>(figures().size());
  if (count == 0) return {};
  const auto values = recipe::guarded(subject, [&] { return loss->figure_values(); });
  if (!values.defined() || values.dim() != 1 || values.numel() != count || !values.is_floating_point()) {
    throw recipe::ComponentFault(subject, "gave " + tensor_text(values) +
                                              " as the values of its figures; "
                                              "it must be " +
                                              std::to_string(count) + " floats");
  }
  return values.detach().to(torch::kFloat32);
}

std::vector<LossTerm> build_losses(const recipe::Plan& plan, const std::vector<OutputInfo>& outputs,
                                   const Population& population) {
  Diagnostics diagnostics;
  std::vector<LossTerm> terms;
  for (std::size_t c = 0; c < plan.losses.size(); ++c) {
    const auto& choice = plan.losses[c];
    const auto errors = diagnostics.all().size();
    const auto on = outputs_of(plan, choice, outputs, diagnostics);
    const auto& takes = choice.factory->info().takes_outputs;
    if (diagnostics.all().size() > errors) continue;
    if (const auto wrong = wrong_outputs(choice, takes, on, outputs); !wrong.empty()) {
      diagnostics.error(choice.on_location, choice.subject() + ": " + wrong);
      continue;
    }
    const auto instances = on.size() / takes.size();
    const double weight = choice.reduction == recipe::Reduction::mean
                              ? choice.weight / static_cast<double>(instances)
                              : choice.weight;
    for (std::size_t first = 0; first < on.size(); first += takes.size()) {
      const std::vector<std::size_t> own(on.begin() + static_cast<std::ptrdiff_t>(first),
                                         on.begin() + static_cast<std::ptrdiff_t>(first + takes.size()));
      std::vector<OutputInfo> infos;
      std::string names;
      for (const auto i : own) {
        infos.push_back(outputs[i]);
        names += (names.empty() ? "" : ",") + outputs[i].name;
      }
      if (std::all_of(own.begin(), own.end(),
                      [&](std::size_t i) { return is_teachers(plan, outputs[i].name); })) {
        diagnostics.error(choice.on_location, choice.subject() + ": is only on " +
                                                  quoted_list(names_in(infos)) +
                                                  " of a teacher, from which nothing is learned; name an "
                                                  "output of the head as well");
        break;
      }
      const ComponentRandom random(plan.seed, Part::loss,
                                   (static_cast<std::uint64_t>(c) << 32U) + own.front());
      std::shared_ptr<Loss> loss;
      try {
        loss = choice.create({infos.front().dim, population.identities, random.stream(), infos,
                              static_cast<std::int64_t>(population.cameras.size())});
      } catch (const RecipeError& error) {
        for (const auto& found : error.diagnostics()) diagnostics.error(found.location, found.message);
        continue;
      }
      const auto subject = choice.factory->info().subject();
      require_one_name_each(*loss, subject);
      if (population.cameras.empty() && recipe::guarded(subject, [&] { return loss->needs_cameras(); })) {
        diagnostics.error(choice.location, choice.subject() +
                                               ": compares cameras, but the training images have none; use "
                                               "a data set that names them, or leave the loss out");
        break;
      }
      auto name = choice.name + "(" + names + ")";
      if (std::any_of(terms.begin(), terms.end(), [&](const LossTerm& term) { return term.name == name; })) {
        diagnostics.error(choice.location, choice.subject() + ": two losses are called '" + name +
                                               "', so that figures and files could not tell them apart; give "
                                               "one of them its own 'name', or leave it out");
        break;
      }
      terms.push_back({std::move(name), own, weight, std::move(loss), subject, random});
    }
  }
  for (const auto& teacher : plan.teachers) {
    const bool used = std::any_of(plan.losses.begin(), plan.losses.end(), [&](const auto& choice) {
      return std::find(choice.on.begin(), choice.on.end(), teacher.output()) != choice.on.end();
    });
    if (used) continue;
    diagnostics.error(teacher.location, "teacher '" + teacher.name + "': no loss is on its output '" +
                                            teacher.output() +
                                            "'; name it in `on` of one, such as distillation, or set enabled "
                                            "= false");
  }
  diagnostics.throw_if_any();
  return terms;
}

}  // namespace kindred::model
