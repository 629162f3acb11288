#include "model/model.h"

#include <torch/nn/functional/normalization.h>
#include <torch/utils.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/core/random.h"
#include "model/map_watch.h"
#include "recipe/wildcard.h"

namespace kindred::model {

namespace {

// Weights are drawn from a stream for each part, so that one part's do not depend on how many numbers
// another has drawn.
enum class Part : std::uint64_t { backbone = 0x6b6261, head = 0x686561, loss = 0x6c6f73 };

void seed_part(const recipe::Plan& plan, Part part, std::uint64_t index = 0) {
  RandomStream stream(plan.seed, {static_cast<std::uint64_t>(part), index});
  torch::manual_seed(stream());
}

void check_outputs(const std::vector<OutputInfo>& outputs) {
  std::set<std::string> names;
  for (const auto& output : outputs) {
    if (!names.insert(output.name).second) {
      throw std::logic_error("the head has two outputs named '" + output.name + "'");
    }
  }
  if (outputs.empty() || outputs.back().name != "descriptor" || outputs.back().kind != OutputKind::feature) {
    throw std::logic_error("the last output of a head must be the feature 'descriptor'");
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

Model::Model(std::shared_ptr<TensorModule> trunk, std::shared_ptr<Head> head)
    : trunk_(register_module("backbone", std::move(trunk))), head_(register_module("head", std::move(head))) {
  check_outputs(head_->outputs());
}

std::vector<torch::Tensor> Model::forward(const torch::Tensor& images) {
  auto outputs = head_->forward(trunk_->forward(images));
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

std::shared_ptr<Model> build_model(const recipe::Plan& plan, std::int64_t identities,
                                   const std::function<void(Backbone&)>& prepare, MapWatch* watch) {
  seed_part(plan, Part::backbone);
  const auto backbone = plan.backbone.create({});
  if (prepare) prepare(*backbone);
  seed_part(plan, Part::head);
  const auto watched = watch == nullptr ? nullptr : watch->watched(*backbone);
  auto head = plan.head.create({watched ? *watched : *backbone, identities});
  auto trunk = head->trunk();
  return std::make_shared<Model>(std::move(trunk), std::move(head));
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
      seed_part(plan, Part::loss, (static_cast<std::uint64_t>(c) << 32U) + i);
      std::shared_ptr<Loss> loss;
      try {
        loss = choice.create({outputs[i].dim, identities});
      } catch (const RecipeError& error) {
        for (const auto& found : error.diagnostics()) diagnostics.error(found.location, found.message);
        continue;
      }
      takes = loss->takes();
      if (takes != outputs[i].kind) wrong.push_back(outputs[i].name);
      terms.push_back({choice.name + "(" + outputs[i].name + ")", i, weight, std::move(loss)});
    }
    if (!wrong.empty()) diagnostics.error(choice.on_location, wrong_kind(choice, takes, wrong, outputs));
  }
  diagnostics.throw_if_any();
  return terms;
}

}  // namespace kindred::model
