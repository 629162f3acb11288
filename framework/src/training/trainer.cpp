#include "training/trainer.h"

#include <c10/util/Exception.h>
#include <torch/utils.h>

#include <algorithm>
#include <array>
#include <exception>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/core/random.h"
#include "model/model_file.h"
#include "model/population.h"
#include "model/random_state.h"
#include "recipe/guarded.h"
#include "system/device.h"
#include "system/out_of_memory.h"
#include "system/precision.h"
#include "training/batch_pairs.h"
#include "training/checkpoint.h"
#include "training/gathered_outputs.h"

namespace kindred::training {
namespace {

/// What LibTorch draws by itself in training (dropout) comes from a stream of its own.
constexpr std::uint64_t training_stream = 0x747261696e;

constexpr const char* average_prefix = "average.";
constexpr const char* average_steps = "average_steps";

/// Steps between two looks at the loss: see LossMeter.
std::int64_t meter_interval(torch::Device device) {
  return device.is_cpu() ? 1 : 16;
}

std::vector<std::string> names_of(const std::vector<model::LossTerm>& terms) {
  std::vector<std::string> names;
  for (const auto& term : terms) names.push_back(term.name);
  return names;
}

constexpr const char* share_of_anchors = "anchors_with_pairs";

/// What figures of the training itself are called.
constexpr std::array own_figures = {"loss", "gradient_norm", "learning_rate", "loss_scale", share_of_anchors};

/// "d_ap", or "d_ap/triplet(g1)" where several terms have it. Throws ComponentFault for a name that would
/// take the place of another figure.
std::vector<std::string> figures_of(const std::vector<model::LossTerm>& terms, bool needs_pairs) {
  std::vector<std::string> names;
  std::map<std::string, int> owners;
  const auto plain = [](const std::string& name) { return name.substr(0, name.find('/')); };
  for (const auto& term : terms) {
    std::set<std::string> taken(own_figures.begin(), own_figures.end());
    for (auto& name : term.figures()) {
      if (!taken.insert(plain(name)).second) {
        throw recipe::ComponentFault(term.subject,
                                     "gave a figure the name '" + plain(name) +
                                         "', which another figure of the training has; choose another name");
      }
      ++owners[plain(name)];
      names.push_back(std::move(name));
    }
  }
  for (auto& name : names) {
    if (owners.at(plain(name)) == 1) name = plain(name);
  }
  if (needs_pairs) names.emplace_back(share_of_anchors);
  return names;
}

std::string of_rank(const std::string& name, int rank) {
  return rank == 0 ? name : name + "." + std::to_string(rank);
}

std::string loss_prefix(std::size_t index) {
  return "loss." + std::to_string(index) + ".";
}

std::vector<OutputInfo> joined(std::vector<OutputInfo> outputs, const std::vector<OutputInfo>& more) {
  outputs.insert(outputs.end(), more.begin(), more.end());
  return outputs;
}

Error nothing_learns(std::int64_t epoch) {
  return Error("nothing can be trained in epoch " + std::to_string(epoch) +
               ": all parameters that the losses depend on are frozen; lower frozen_epochs of a group");
}

/// The steps of averaged weights.
std::int64_t steps_in(const file::TensorFile& state, const std::filesystem::path& file) {
  const auto& steps = state_tensor(state, average_steps, file);
  const bool is_number = steps.scalar_type() == torch::kInt64 && steps.numel() == 1;
  if (is_number && steps.item<std::int64_t>() >= 0) return steps.item<std::int64_t>();
  throw DataError(file, "is not a checkpoint of this training: its '" + std::string(average_steps) +
                            "' is not a number of steps");
}

void check_finite(const file::TensorFile& state) {
  for (const auto& [name, tensor] : state.tensors) {
    if (tensor.is_floating_point() && !torch::isfinite(tensor).all().item<bool>()) {
      throw Error("training: error: '" + name +
                  "' is no longer finite, although the loss was: gradients became too large. Lower the "
                  "learning rate or warm up longer. The last checkpoint is unchanged");
    }
  }
}

}  // namespace

Trainer::Trainer(const recipe::Plan& plan, std::shared_ptr<model::Model> model, torch::Device device,
                 const system::Ranks& ranks)
    : ranks_(ranks),
      device_(device),
      precision_(plan.train.precision),
      clips_(plan.train.clip_gradient_norm > 0),
      accumulate_(plan.train.accumulate),
      model_(std::move(model)),
      teachers_(plan, *model_, model_->population(), notes_),
      outputs_(joined(model_->outputs(), teachers_.outputs())),
      terms_(model::build_losses(plan, outputs_, model_->population())),
      needs_pairs_(!terms_with_pairs(terms_).empty()),
      recipe_optimizer_(plan.optimizer.create({})),
      meter_(names_of(terms_), meter_interval(device), clips_, figures_of(terms_, needs_pairs_)) {
  system::place_module(*model_, device_);
  teachers_.place(device_);
  for (auto& term : terms_) {
    system::place_module(*term.loss, device_);
    term.loss->train();
  }
  auto own = own_optimizers(terms_);
  groups_ = learning_groups(plan.groups, *model_, terms_, own);
  make_update(plan, std::move(own));
  find_statistics();
  if (ranks_.are_many() && plan.train.sync_batch_norm) synced_.emplace(ranks_);
  model_->train();
  if (plan.train.ema_decay > 0) average_.emplace(*model_, plan.train.ema_decay);
  // Ranks draw different numbers for different images.
  torch::manual_seed(
      RandomStream(plan.seed, {training_stream + static_cast<std::uint64_t>(ranks_.rank())})());
}

void Trainer::make_update(const recipe::Plan& plan,
                          std::vector<std::unique_ptr<torch::optim::Optimizer>> own) {
  std::vector<ParameterGroup> parameters;
  for (const auto& group : groups_) {
    // Those of a group that learn alike, in the order in which they come; biases last.
    const auto first = parameters.size();
    const auto add = [&](const NamedParameter& parameter) {
      const double rate = group.learning_rate_factor_of(parameter);
      const double decay = group.weight_decay_factor_of(parameter);
      auto place = first;
      while (place < parameters.size() &&
             (rate_factors_[place] != rate || parameters[place].weight_decay_factor != decay)) {
        ++place;
      }
      if (place == parameters.size()) {
        parameters.push_back({{}, decay});
        rate_factors_.push_back(rate);
      }
      parameters[place].parameters.push_back(parameter.tensor);
    };
    const bool apart = group.bias_factor != 1;
    for (const auto& parameter : group.parameters) {
      if (!apart || !is_bias(parameter.name)) add(parameter);
    }
    for (const auto& parameter : group.parameters) {
      if (apart && is_bias(parameter.name)) add(parameter);
    }
  }
  std::vector<OwnOptimizer> owned;
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (own[i]) owned.push_back({std::move(own[i]), terms_[i].weight, terms_[i].subject});
  }
  update_ = std::make_unique<WeightUpdate>(
      recipe_optimizer_->build(parameters), std::move(owned),
      WeightUpdate::Options{plan.train.clip_gradient_norm, precision_ == system::Precision::fp16,
                            plan.optimizer.factory->info().subject()});
}

void Trainer::find_statistics() {
  std::map<const void*, std::int64_t> frozen_epochs;
  for (const auto& group : groups_) {
    for (const auto& parameter : group.parameters) {
      frozen_epochs[parameter.tensor.unsafeGetTensorImpl()] = group.frozen_epochs;
    }
  }
  for (const auto& module : model_->modules()) {
    if (!module->named_buffers(/*recurse=*/false).contains("running_mean")) continue;
    auto whole = std::numeric_limits<std::int64_t>::max();
    bool any = false;
    for (const auto& parameter : module->parameters(/*recurse=*/false)) {
      const auto found = frozen_epochs.find(parameter.unsafeGetTensorImpl());
      if (found == frozen_epochs.end()) continue;
      any = true;
      whole = std::min(whole, found->second);
    }
    if (any && whole > 0) statistics_.push_back({module, whole});
  }
}

void Trainer::start_epoch(std::int64_t epoch) {
  for (auto& group : groups_) {
    for (auto& parameter : group.parameters) parameter.tensor.set_requires_grad(epoch > group.frozen_epochs);
  }
  epoch_ = epoch;
  set_modes();
  if (!ranks_.are_many()) return;
  std::vector<torch::Tensor> learning;
  for (const auto& parameter : model_->parameters()) {
    if (parameter.requires_grad()) learning.push_back(parameter);
  }
  gradient_sums_.reset();  // first, or the hooks of both would be on the same nodes
  gradient_sums_ = std::make_unique<GradientSums>(ranks_, learning);
}

void Trainer::set_modes() {
  model_->train();
  for (auto& [module, frozen_epochs] : statistics_) module->train(epoch_ > frozen_epochs);
}

void Trainer::step(const Activations& images, const torch::Tensor& classes, std::int64_t epoch,
                   std::int64_t batch, double factor) {
  const auto cameras = images.cameras.defined() ? images.cameras : torch::full_like(classes, -1);
  step(images, {classes, cameras, {classes.size(0)}}, epoch, batch, factor);
}

void Trainer::set_learning_rates(double factor) {
  learning_rate_ = recipe_optimizer_->learning_rate() * factor;
  auto& groups = update_->main().param_groups();
  for (std::size_t i = 0; i < groups.size(); ++i)
    groups[i].options().set_lr(learning_rate_ * rate_factors_[i]);
}

void Trainer::step(const Activations& images, const BatchLabels& labels, std::int64_t epoch,
                   std::int64_t batch, double factor) {
  set_learning_rates(factor);
  try {
    compute(images, labels, epoch, batch);
  } catch (const std::exception& error) {
    if (!system::is_out_of_memory(error)) throw;
    throw system::batch_too_large(device_, images.values,
                                  "use smaller batches or images, a smaller model, or a larger "
                                  "train.accumulate");
  }
}

std::vector<torch::Tensor> Trainer::forward(const Activations& images, std::int64_t epoch, std::int64_t batch,
                                            std::size_t part) {
  model_->start_step(epoch, batch, ranks_.rank() * accumulate_ + static_cast<std::int64_t>(part));
  // Its own for each pass: weights that are converted without a graph must not be used again with one.
  const system::Autocast autocast({device_, precision_});
  return model_->forward(images);
}

std::vector<torch::Tensor> Trainer::teachers_outputs(const Activations& images,
                                                     const std::vector<BatchRows>& parts) {
  if (teachers_.outputs().empty()) return {};
  const auto average = [&](const Activations& input) {
    const auto averaged = averaged_weights();
    model_->eval();
    auto descriptor = model_->forward(input).back();
    set_modes();
    return descriptor;
  };
  std::vector<std::vector<torch::Tensor>> pieces(teachers_.outputs().size());
  for (const auto& part : parts) {
    const system::Autocast autocast({device_, precision_});
    const auto own = teachers_.descriptors(model::placed(part.of(images), device_), average);
    for (std::size_t i = 0; i < own.size(); ++i) pieces[i].push_back(own[i]);
  }
  std::vector<torch::Tensor> outputs;
  for (const auto& own : pieces) outputs.push_back(torch::cat(own));
  return outputs;
}

struct Trainer::AveragedStatistics {
  std::vector<torch::Tensor> statistics;
  torch::Tensor sums;
  std::unique_ptr<system::Ranks::Sum> under_way;
  int ranks = 1;

  void finish() {
    if (!under_way) return;
    const torch::NoGradGuard no_gradients;
    under_way->wait();
    sums.div_(ranks);
    std::int64_t at = 0;
    for (auto& tensor : statistics) {
      tensor.copy_(sums.narrow(0, at, tensor.numel()).view(tensor.sizes()));
      at += tensor.numel();
    }
  }
};

Trainer::AveragedStatistics Trainer::begin_average_of_statistics() const {
  AveragedStatistics average;
  if (!ranks_.are_many() || synced_) return average;
  const torch::NoGradGuard no_gradients;
  std::vector<torch::Tensor> flat;
  for (const auto& module : model_->modules()) {
    if (!module->is_training()) continue;
    const auto buffers = module->named_buffers(/*recurse=*/false);
    for (const auto* name : {"running_mean", "running_var"}) {
      const auto* found = buffers.find(name);
      if (found == nullptr) continue;
      average.statistics.push_back(*found);
      flat.push_back(found->reshape({-1}));
    }
  }
  if (flat.empty()) return average;
  average.sums = torch::cat(flat);
  average.ranks = ranks_.count();
  average.under_way = ranks_.begin_sum(average.sums);
  return average;
}

void Trainer::compute(const Activations& given_images, const BatchLabels& labels, std::int64_t epoch,
                      std::int64_t batch) {
  auto images = given_images;
  for (auto* places : {&images.cameras, &images.views}) {
    if (!places->defined()) *places = torch::full({images.values.size(0)}, -1, torch::kInt64);
  }
  const auto classes = system::place_labels(labels.classes, device_);
  // As many on all ranks, which may exchange statistics in each.
  std::size_t most_parts = static_cast<std::size_t>(accumulate_);
  for (const auto rows : labels.rows_by_rank)
    most_parts = std::min(most_parts, parts_of(rows, accumulate_).size());
  const auto parts = parts_of(images.values.size(0), static_cast<std::int64_t>(most_parts));
  // First: a mean teacher borrows the model.
  const auto of_teachers = teachers_outputs(images, parts);
  std::optional<PartwisePass> in_parts;
  if (parts.size() > 1) {
    in_parts.emplace(*model_, device_, parts.size(), [&](std::size_t part) {
      return forward(model::placed(parts[part].of(images), device_), epoch, batch, part);
    });
  }
  auto outputs =
      in_parts ? in_parts->outputs() : forward(model::placed(images, device_), epoch, batch, /*part=*/0);
  std::optional<GatheredOutputs> gathered;
  // Of a batch in parts, the passes of the backward pass are the ones that move the statistics.
  AveragedStatistics statistics;
  if (!in_parts) statistics = begin_average_of_statistics();
  if (ranks_.are_many()) outputs = gathered.emplace(ranks_, outputs, labels.rows_by_rank).all();
  last_outputs_.clear();
  for (const auto& output : outputs) last_outputs_.push_back(output.detach());
  for (const auto& rows : ranks_.gather(of_teachers, labels.rows_by_rank))
    outputs.push_back(torch::cat(rows));
  for (const auto& term : terms_) term.random.start_step(epoch, batch);
  const LossBatch batch_of_losses{outputs, classes, system::place_labels(labels.cameras, device_)};
  std::vector<torch::Tensor> values;
  torch::Tensor sum;
  for (const auto& term : terms_) {
    const auto value = term.value(batch_of_losses);
    values.push_back(value.detach());
    const auto weighted = value * term.weight;
    sum = sum.defined() ? sum + weighted : weighted;
  }
  values.push_back(sum.detach().to(torch::kFloat32).reshape({}));
  if (!sum.requires_grad()) throw nothing_learns(epoch);
  update_->backward(sum, [&] {
    if (gathered) {
      // In parts, gradients are there after the last one alone.
      if (!in_parts) gradient_sums_->start();
      gathered->backward();
    }
    if (in_parts) {
      in_parts->backward();
      statistics = begin_average_of_statistics();
    }
    if (gathered) gradient_sums_->finish();
    // A graph may be there that reaches nothing: that of a frozen part which is recomputed.
    if (!update_->has_gradients()) throw nothing_learns(epoch);
  });
  statistics.finish();
  if (clips_) values.push_back(update_->gradient_norm().to(sum.device()));
  std::vector<torch::Tensor> watched{torch::stack(values)};
  for (const auto& term : terms_) {
    if (auto figures = term.figure_values(); figures.defined()) watched.push_back(figures.to(sum.device()));
  }
  if (needs_pairs_) {
    const auto given = labels.classes.contiguous();
    const std::vector<std::int64_t> list(given.data_ptr<std::int64_t>(),
                                         given.data_ptr<std::int64_t>() + given.numel());
    const auto share = static_cast<float>(anchors_with_pairs(list)) / static_cast<float>(list.size());
    watched.push_back(torch::full({1}, share, torch::TensorOptions(sum.device())));
  }
  // Before anything is learned from it: on the CPU a bad loss leaves the weights as they are.
  meter_.add(torch::cat(watched), epoch, batch, learning_rate_);
  if (update_->step() && average_) average_->update();
}

std::vector<std::string> Trainer::collapsed_outputs() const {
  constexpr double least_spread = 1e-3;
  const torch::NoGradGuard no_gradients;
  const auto& infos = outputs_;
  std::set<std::size_t> looked_at;
  std::vector<std::string> names;
  for (const auto& term : terms_) {
    for (const auto i : term.outputs) {
      if (i >= last_outputs_.size() || infos[i].kind != OutputKind::feature) continue;
      if (!looked_at.insert(i).second) continue;
      const auto& rows = last_outputs_[i];
      const auto spread = (rows - rows.mean(0, true)).norm(2, 1).mean().item<double>();
      // Zeros alone have neither a length nor a spread.
      if (spread <= least_spread * rows.norm(2, 1).mean().item<double>()) names.push_back(infos[i].name);
    }
  }
  return names;
}

std::unique_ptr<WeightAverage::InPlace> Trainer::averaged_weights() {
  return average_ ? std::make_unique<WeightAverage::InPlace>(*average_) : nullptr;
}

file::TensorFile Trainer::state() {
  meter_.flush();
  file::TensorFile state;
  model::add_sides(state, *model_);  // whoever starts another training from it compares them
  state.tensors = model::module_tensors(*model_, "model.");
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    for (auto& entry : model::module_tensors(*terms_[i].loss, loss_prefix(i)))
      state.tensors.push_back(std::move(entry));
  }
  if (average_) {
    const auto averaged = averaged_weights();
    // Detached, they stay the averages when the model holds its own weights again.
    for (const auto& [name, tensor] : model::module_tensors(*model_, average_prefix))
      state.tensors.emplace_back(name, tensor.detach());
    state.tensors.emplace_back(average_steps, torch::tensor({average_->steps()}, torch::kInt64));
  }
  check_finite(state);
  update_->add_state(state);
  const auto random = model::random_state(device_);
  const auto keep = [&](const std::string& name, const torch::Tensor& own) {
    const auto all = ranks_.gather(own);
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
      state.tensors.emplace_back(of_rank(name, static_cast<int>(rank)), all[rank]);
    }
  };
  keep("random.cpu", random.cpu);
  if (random.cuda.defined()) keep("random.cuda", random.cuda);
  state.tensors.emplace_back("meter", meter_.state());
  return state;
}

void Trainer::restore(const file::TensorFile& state, const std::filesystem::path& file) {
  model::load_module(*model_, "model.", state, file);
  for (std::size_t i = 0; i < terms_.size(); ++i)
    model::load_module(*terms_[i].loss, loss_prefix(i), state, file);
  if (average_) {
    const auto averaged = averaged_weights();
    model::load_module(*model_, average_prefix, state, file);
    average_->set_steps(steps_in(state, file));
  }
  update_->restore(state, file, device_);
  try {
    const auto last = of_rank("random.cpu", ranks_.count());
    const bool as_many =
        state.find(of_rank("random.cpu", ranks_.count() - 1)) != nullptr && state.find(last) == nullptr;
    model::RandomState random{state_tensor(state, of_rank("random.cpu", as_many ? ranks_.rank() : 0), file),
                              {}};
    // A training may go on with another device: the GPU's generator then begins anew.
    if (const auto* cuda = state.find(of_rank("random.cuda", ranks_.rank()))) random.cuda = *cuda;
    if (as_many) model::set_random_state(random, device_);
  } catch (const c10::Error& error) {
    throw DataError(file,
                    "is not a checkpoint of this training: " + std::string(error.what_without_backtrace()));
  }
  if (!meter_.restore(state_tensor(state, "meter", file))) {
    throw DataError(
        file, "is not a checkpoint of this training: its 'meter' is damaged, or belongs to other losses");
  }
}

}  // namespace kindred::training
