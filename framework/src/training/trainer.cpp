#include "training/trainer.h"

#include <c10/util/Exception.h>

#include <utility>

#include "kindred/error.h"
#include "kindred/random.h"
#include "model/artefact.h"
#include "system/device.h"
#include "training/optimizer_state.h"
#include "training/random_state.h"

namespace kindred {
namespace {

/// What training draws beside the loader and the sampler (dropout) comes from a stream of its own.
constexpr std::uint64_t training_stream = 0x747261696e;

/// Steps between two looks at the loss: see LossMeter.
std::int64_t meter_interval(torch::Device device) {
  return device.is_cpu() ? 1 : 16;
}

std::vector<std::string> names_of(const std::vector<LossTerm>& terms) {
  std::vector<std::string> names;
  for (const auto& term : terms) names.push_back(term.name);
  return names;
}

void append_trained(const torch::nn::Module& module, std::vector<torch::Tensor>& parameters) {
  for (const auto& parameter : module.parameters()) {
    if (parameter.requires_grad()) parameters.push_back(parameter);
  }
}

std::string loss_prefix(std::size_t index) {
  return "loss." + std::to_string(index) + ".";
}

void check_finite(const TensorFile& state) {
  for (const auto& [name, tensor] : state.tensors) {
    if (tensor.is_floating_point() && !torch::isfinite(tensor).all().item<bool>()) {
      throw Error(
          "'" + name +
          "' is not finite any more, though the loss still was: gradients have become too large. Lower the "
          "learning rate or warm up for longer. The last checkpoint is as it was");
    }
  }
}

}  // namespace

Trainer::Trainer(const Plan& plan, std::shared_ptr<Model> model, std::int64_t identities,
                 torch::Device device)
    : device_(device),
      model_(std::move(model)),
      terms_(build_losses(plan, model_->outputs(), identities)),
      recipe_optimizer_(plan.optimizer.create({})),
      meter_(names_of(terms_), meter_interval(device)) {
  place_module(*model_, device_);
  std::vector<torch::Tensor> parameters;
  append_trained(*model_, parameters);
  for (auto& term : terms_) {
    place_module(*term.loss, device_);
    term.loss->train();
    if (auto own = term.loss->own_optimizer()) {
      own_optimizers_.push_back({std::move(own), term.weight});
    } else {
      append_trained(*term.loss, parameters);
    }
  }
  optimizer_ = recipe_optimizer_->build({parameters});
  model_->train();
  torch::manual_seed(RandomStream(plan.seed, {training_stream})());
}

void Trainer::step(const torch::Tensor& images, const torch::Tensor& labels, std::int64_t epoch,
                   std::int64_t batch, double factor) {
  learning_rate_ = recipe_optimizer_->learning_rate() * factor;
  for (auto& group : optimizer_->param_groups()) group.options().set_lr(learning_rate_);
  try {
    compute(images, labels, epoch, batch);
  } catch (const c10::OutOfMemoryError&) {
    throw Error("the memory of " + device_text(device_) + " does not suffice for a batch of " +
                std::to_string(images.size(0)) + " images of " + std::to_string(images.size(2)) + " x " +
                std::to_string(images.size(3)) +
                " pixels; use smaller batches or images, or a smaller model");
  }
}

void Trainer::compute(const torch::Tensor& images, const torch::Tensor& labels, std::int64_t epoch,
                      std::int64_t batch) {
  const auto classes = place_labels(labels, device_);
  const auto outputs = model_->forward(place_images(images, device_));
  std::vector<torch::Tensor> values;
  torch::Tensor sum;
  for (const auto& term : terms_) {
    const auto value = term.loss->forward(outputs.at(term.output), classes);
    values.push_back(value.detach().to(torch::kFloat32).reshape({}));
    const auto weighted = value * term.weight;
    sum = sum.defined() ? sum + weighted : weighted;
  }
  values.push_back(sum.detach().to(torch::kFloat32).reshape({}));
  // Before anything is learnt from it: on the CPU a bad loss leaves the weights as they are.
  meter_.add(torch::stack(values), epoch, batch, learning_rate_);

  clear_gradients();
  sum.backward();
  optimizer_->step();
  for (auto& own : own_optimizers_) {
    const torch::NoGradGuard no_grad;
    for (auto& group : own.optimizer->param_groups()) {
      for (auto& parameter : group.params()) {
        if (parameter.grad().defined()) parameter.mutable_grad().div_(own.weight);
      }
    }
    own.optimizer->step();
  }
}

void Trainer::clear_gradients() {
  for (auto* optimizer : optimizers()) {
    for (auto& group : optimizer->param_groups()) {
      for (auto& parameter : group.params()) parameter.mutable_grad().reset();
    }
  }
}

std::vector<torch::optim::Optimizer*> Trainer::optimizers() const {
  std::vector<torch::optim::Optimizer*> all{optimizer_.get()};
  for (const auto& own : own_optimizers_) all.push_back(own.optimizer.get());
  return all;
}

TensorFile Trainer::state() {
  meter_.flush();
  TensorFile state;
  state.tensors = module_tensors(*model_, "model.");
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    for (auto& entry : module_tensors(*terms_[i].loss, loss_prefix(i)))
      state.tensors.push_back(std::move(entry));
  }
  check_finite(state);
  const auto all = optimizers();
  for (std::size_t i = 0; i < all.size(); ++i) {
    state.tensors.emplace_back("optimizer." + std::to_string(i), optimizer_state(*all[i]));
  }
  const auto random = random_state(device_);
  state.tensors.emplace_back("random.cpu", random.cpu);
  if (random.cuda.defined()) state.tensors.emplace_back("random.cuda", random.cuda);
  state.tensors.emplace_back("meter", meter_.state());
  return state;
}

void Trainer::restore(const TensorFile& state, const std::filesystem::path& file) {
  const auto tensor = [&](const std::string& name) -> const torch::Tensor& {
    const auto* found = state.find(name);
    if (found == nullptr)
      throw DataError(file, "is not a checkpoint of this training: it has no '" + name + "'");
    return *found;
  };
  load_module(*model_, "model.", state, file);
  for (std::size_t i = 0; i < terms_.size(); ++i) load_module(*terms_[i].loss, loss_prefix(i), state, file);
  try {
    const auto all = optimizers();
    for (std::size_t i = 0; i < all.size(); ++i) {
      set_optimizer_state(*all[i], tensor("optimizer." + std::to_string(i)), device_);
    }
    RandomState random{tensor("random.cpu"), {}};
    // A training may go on with another device: the GPU's generator then begins anew.
    if (const auto* cuda = state.find("random.cuda")) random.cuda = *cuda;
    set_random_state(random, device_);
  } catch (const c10::Error& error) {
    throw DataError(file,
                    "is not a checkpoint of this training: " + std::string(error.what_without_backtrace()));
  }
  if (!meter_.restore(tensor("meter"))) {
    throw DataError(file, "is not a checkpoint of this training: it follows other losses");
  }
}

}  // namespace kindred
