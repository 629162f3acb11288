#include "model/model.h"

#include <c10/core/GradMode.h>
#include <torch/nn/functional/normalization.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "kindred/core/error.h"
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

void check_infos(const std::vector<OutputInfo>& outputs, const std::string& subject) {
  std::set<std::string> names;
  for (const auto& output : outputs) {
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

// "features 'g1' and 'descriptor'; logits 'logits.g1'"
std::string described(const std::vector<OutputInfo>& outputs) {
  return "features " + quoted_list(names_of(outputs, OutputKind::feature)) + "; logits " +
         quoted_list(names_of(outputs, OutputKind::logits));
}

std::string no_such_output(const std::string& pattern, const std::vector<OutputInfo>& outputs) {
  std::vector<std::string> names;
  for (const auto& output : outputs) names.push_back(output.name);
  const auto near = nearest_name(pattern, names);
  return "the head has no output '" + pattern + "'; " +
         (near.empty() ? "it has " : "did you mean '" + near + "'? It has ") + described(outputs);
}

// Indices of the outputs of one loss.
std::vector<std::size_t> outputs_of(const recipe::LossChoice& choice, const std::vector<OutputInfo>& outputs,
                                    Diagnostics& diagnostics) {
  std::vector<std::size_t> found;
  if (choice.on.empty()) {
    diagnostics.error(choice.on_location,
                      choice.subject() + ": is applied to no output; the head has " + described(outputs));
  }
  for (const auto& pattern : choice.on) {
    bool any = false;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!recipe::matches_wildcard(pattern, outputs[i].name)) continue;
      any = true;
      if (std::find(found.begin(), found.end(), i) == found.end()) found.push_back(i);
    }
    if (!any) {
      diagnostics.error(choice.on_location, choice.subject() + ": " + no_such_output(pattern, outputs));
    }
  }
  return found;
}

std::string wrong_kind(const recipe::LossChoice& choice, OutputKind takes,
                       const std::vector<std::string>& wrong, const std::vector<OutputInfo>& outputs) {
  return choice.subject() + ": works only on " + plural(takes) + ", unlike " + quoted_list(wrong) + "; the " +
         plural(takes) + " of the head are " + quoted_list(names_of(outputs, takes));
}

}  // namespace

Model::Model(std::shared_ptr<TensorModule> trunk, std::shared_ptr<Head> head, Subjects subjects,
             std::vector<ComponentRandom> randoms)
    : trunk_(register_module("backbone", std::move(trunk))),
      head_(register_module("head", std::move(head))),
      subjects_(std::move(subjects)),
      outputs_(recipe::guarded(subjects_.head, [&] { return head_->outputs(); })),
      randoms_(std::move(randoms)) {
  check_infos(outputs_, subjects_.head);
}

Model::Model(std::shared_ptr<TensorModule> trunk, std::shared_ptr<Head> head)
    : Model(std::move(trunk), std::move(head), Subjects()) {}

void Model::check_map(const torch::Tensor& map, std::int64_t images) const {
  const bool sound = map.defined() && map.is_floating_point() && map.dim() >= 2 && map.size(0) == images;
  if (sound) return;
  throw recipe::ComponentFault(subjects_.backbone, "gave " + tensor_text(map) + " for " +
                                                       std::to_string(images) +
                                                       " images; it must be a map [N, C, h, w] of floats");
}

void Model::check_outputs(const std::vector<torch::Tensor>& outputs, std::int64_t images) const {
  const auto wanted = is_training() ? outputs_.size() : 1;
  if (outputs.size() != wanted) {
    throw recipe::ComponentFault(subjects_.head, "gave " + std::to_string(outputs.size()) +
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
        subjects_.head, "gave " + tensor_text(output) + " as '" + info.name + "' of " +
                            std::to_string(images) + " images; it must be floats [" + std::to_string(images) +
                            ", " + (is_training() ? std::to_string(info.dim) : std::string("dim")) + "]");
  }
}

void Model::start_step(std::int64_t epoch, std::int64_t batch) {
  for (const auto& random : randoms_) random.start_step(epoch, batch);
}

std::vector<torch::Tensor> Model::forward(const torch::Tensor& images) {
  const auto map = recipe::guarded(subjects_.backbone, [&] { return trunk_->forward(images); });
  check_map(map, images.size(0));
  auto outputs = recipe::guarded(subjects_.head, [&] { return head_->forward(map); });
  check_outputs(outputs, images.size(0));
  if (is_training()) {
    for (auto& output : outputs) output = output.to(torch::kFloat32);
  }
  return outputs;
}

torch::Tensor Model::describe(const torch::Tensor& images) {
  if (is_training()) throw std::logic_error("Model::describe needs evaluation mode");
  const torch::NoGradGuard no_grad;
  const auto descriptor = forward(images).back().to(torch::kFloat32);
  return torch::nn::functional::normalize(descriptor, torch::nn::functional::NormalizeFuncOptions().dim(1));
}

std::shared_ptr<Model> build_model(const recipe::InferencePlan& plan, std::int64_t identities,
                                   const std::function<void(Backbone&)>& prepare, MapWatch* watch) {
  const ComponentRandom backbone_random(plan.seed, Part::backbone);
  const auto backbone = plan.backbone.create({backbone_random.stream()});
  if (prepare) prepare(*backbone);
  const ComponentRandom head_random(plan.seed, Part::head);
  const auto watched = watch == nullptr ? nullptr : watch->watched(*backbone);
  auto head = plan.head.create({watched ? *watched : *backbone, identities, head_random.stream()});
  Model::Subjects subjects{plan.backbone.factory->info().subject(), plan.head.factory->info().subject()};
  auto trunk = recipe::guarded(subjects.head, [&] { return head->trunk(); });
  if (trunk == nullptr) throw recipe::ComponentFault(subjects.head, "gave no trunk");
  return std::make_shared<Model>(std::move(trunk), std::move(head), std::move(subjects),
                                 std::vector<ComponentRandom>{backbone_random, head_random});
}

torch::Tensor LossTerm::value(const std::vector<torch::Tensor>& outputs, const torch::Tensor& labels) const {
  const auto& on = outputs.at(output);
  const auto value = recipe::guarded(subject, [&] { return loss->forward(on, labels); });
  if (!value.defined() || !value.is_floating_point() || value.numel() != 1) {
    throw recipe::ComponentFault(
        subject, "gave " + tensor_text(value) + " as its value; it must be one floating-point number");
  }
  if (c10::GradMode::is_enabled() && on.requires_grad() && !value.requires_grad()) {
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
                                   std::int64_t identities) {
  Diagnostics diagnostics;
  std::vector<LossTerm> terms;
  for (std::size_t c = 0; c < plan.losses.size(); ++c) {
    const auto& choice = plan.losses[c];
    const auto on = outputs_of(choice, outputs, diagnostics);
    const double weight = choice.reduction == recipe::Reduction::mean
                              ? choice.weight / static_cast<double>(on.size())
                              : choice.weight;
    std::vector<std::string> wrong;
    auto takes = OutputKind::feature;
    for (const auto i : on) {
      const ComponentRandom random(plan.seed, Part::loss, (static_cast<std::uint64_t>(c) << 32U) + i);
      std::shared_ptr<Loss> loss;
      try {
        loss = choice.create({outputs[i].dim, identities, random.stream()});
      } catch (const RecipeError& error) {
        for (const auto& found : error.diagnostics()) diagnostics.error(found.location, found.message);
        continue;
      }
      const auto subject = choice.factory->info().subject();
      takes = recipe::guarded(subject, [&] { return loss->takes(); });
      if (takes != outputs[i].kind) wrong.push_back(outputs[i].name);
      terms.push_back(
          {choice.name + "(" + outputs[i].name + ")", i, weight, std::move(loss), subject, random});
    }
    if (!wrong.empty()) diagnostics.error(choice.on_location, wrong_kind(choice, takes, wrong, outputs));
  }
  diagnostics.throw_if_any();
  return terms;
}

}  // namespace kindred::model
