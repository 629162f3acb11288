#include "training/training.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "api/image/pixel_limit_scope.h"
#include "data/planned_loader.h"
#include "inference/feature_extraction.h"
#include "kindred/core/error.h"
#include "model/model_file.h"
#include "model/population.h"
#include "model/random_state.h"
#include "progress/text_progress.h"
#include "ranking/evaluation.h"
#include "ranking/feature_evaluation.h"
#include "ranking/made_metric.h"
#include "recipe/idle_settings.h"
#include "recipe/recipe.h"
#include "recipe/recipe_difference.h"
#include "results/rank_sheet.h"
#include "results/sheet_drawing.h"
#include "system/device.h"
#include "training/batch_pairs.h"
#include "training/batch_parts.h"
#include "training/evaluation_sheet.h"
#include "training/extension.h"
#include "training/image_supply.h"
#include "training/lasting_losses.h"
#include "training/planned_schedule.h"
#include "training/rank_share.h"
#include "training/shared_sampler.h"
#include "weights/initial_weights.h"
#include "weights/loss_weights.h"

namespace kindred::training {
namespace {

/// Evaluation in mid-training must not fail for what can be known before it begins.
void require_match(const TestSet& test_set) {
  const std::string remedy = test_set.name.empty()
                                 ? "set train.evaluate_every = 0"
                                 : "set train.evaluate_every = 0, or leave it out of evaluate_on";
  if (test_set.query.empty() || test_set.gallery.empty()) {
    throw ComponentError(test_set.id, "has " + std::to_string(test_set.query.size()) + " query and " +
                                          std::to_string(test_set.gallery.size()) +
                                          " gallery images, but train.evaluate_every needs both; " + remedy);
  }
  std::set<std::int64_t> wanted;
  for (const auto& sample : test_set.query) wanted.insert(sample.identity);
  for (const auto& sample : test_set.gallery) {
    if (sample.identity >= 0 && wanted.count(sample.identity) > 0) return;
  }
  throw ComponentError(test_set.id,
                       "no gallery image has the identity of a query, so nothing can be evaluated during "
                       "training; " +
                           remedy);
}

/// What progress and files call an evaluation.
std::string stage_of(const TestSet& test_set) {
  return test_set.name.empty() ? "evaluate" : "evaluate " + test_set.name;
}

bool smaller_share(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b) {
  return a.size() < b.size();
}

std::shared_ptr<model::Model> initial_model(const recipe::Plan& plan, const TrainingData& data,
                                            progress::ProgressSink& progress) {
  std::vector<std::string> notes;
  auto model = weights::build_initial_model(
      plan, model::population_of(data.samples, data.identities, plan.datasets.size() > 1), notes);
  model->require_known(data.samples);
  for (const auto& test_set : data.test_sets) {
    if (plan.train.evaluate_every == 0) continue;
    model->require_known(test_set.query);
    model->require_known(test_set.gallery);
  }
  for (const auto& note : notes) progress.note(note);
  return model;
}

}  // namespace

Training::Training(const recipe::Plan& plan, const RunDirectory& directory, torch::Device device,
                   progress::ProgressSink& progress, results::MetricsFile* metrics,
                   const std::atomic<bool>& stop, const system::Ranks& ranks)
    : plan_(plan),
      directory_(directory),
      device_(device),
      inference_{device, plan.train.evaluate_every > 0 ? inference::inference_precision(plan, device, ranks)
                                                       : system::Precision::fp32},
      progress_(progress),
      metrics_(metrics),
      stop_(stop),
      ranks_(ranks),
      data_(load_training_data(plan, ranks.place().local_count)),
      sampler_(create_sampler(plan, data_)),
      schedule_(create_schedule(plan)),
      augmentations_(data::create_augmentations(plan)),
      loader_(*data_.dataset, data_.samples, augmentations_,
              data::loader_options(plan, device, ranks.place()),
              /*training=*/true),
      trainer_(plan, initial_model(plan, data_, progress), device, ranks) {
  std::vector<std::string> notes;
  weights::start_losses(plan, trainer_.terms(), classes_of(data_), notes);
  for (const auto& note : notes) progress_.note(note);
  evaluation_ = evaluation_identity(plan, data_);
  if (evaluates()) best_by_ = ranking::best_figure(plan);
  if (evaluates()) {
    for (const auto& test_set : data_.test_sets) require_match(test_set);
    inference::note_inference_precision(plan, inference_, progress_, ranks);
  }
  for (const auto& note : trainer_.notes()) progress_.note(note);
  for (const auto& warning : recipe::idle_augmentations(plan)) progress_.note(warning);
  if (plan.train.epochs > 0) {
    const auto first = batches_of_epoch(1);  // says what is wrong before pairs are looked for
    require_parts(plan, first);
    require_shares(first);
    if (const auto shares = shares_text(plan, data_, first); !shares.empty()) progress_.note(shares);
    const auto warning = check_pairs(plan, *sampler_, data_.labels, terms_with_pairs(trainer_.terms()));
    if (!warning.empty()) progress_.note(warning);
  }
  if (!plan.groups.empty()) {
    progress_.note("groups of parameters, with factors of learning rate and weight decay:\n" +
                   groups_text(trainer_.groups()));
  }
  last_checkpoint_ = progress::monotonic_seconds();
}

void Training::resume() {
  const auto found = read_checkpoint(directory_.checkpoint(), progress_);
  if (!found) {
    // What an attempt measured that was killed before its first checkpoint is measured again.
    if (metrics_ != nullptr) metrics_->go_back_to(0);
    return;
  }
  const auto file = directory_.checkpoint();
  if (found->is_previous) {
    static_cast<void>(ranks_.any(false));  // all have read
    if (ranks_.place().rank == 0) restore_previous_checkpoint(file);
  }
  const auto begun = recipe::parse_recipe(found->identity, file.string(), {});
  const auto differences = recipe::recipe_differences(begun, plan_.identity());
  const auto extension = extension_of(begun, plan_, {found->epoch - 1, found->batch > 0});
  if (!differences.empty() && (!extension || !extension->refusal.empty())) {
    throw DataError(
        file, "belongs to another recipe; use another run directory, or revert these changes of the recipe:" +
                  recipe::differences_text(differences) + (extension ? "\n" + extension->refusal : ""));
  }
  if (found->data != data_.fingerprint) {
    throw DataError(file, "the training images have changed since this checkpoint (" + found->data +
                              " then, " + data_.fingerprint +
                              " now); restore them, or train in another run directory");
  }
  require_place(*found);
  trainer_.restore(found->state, file);
  epoch_ = found->epoch;
  batch_ = found->batch;
  last_loss_ = found->last_loss;
  if (found->evaluation == evaluation_) {
    best_score_ = found->best_score;
  } else if (found->best_score && evaluates()) {
    progress_.note(
        "the evaluation is another one than that of before, whose best score says nothing any more: " +
        directory_.best().string() + " is replaced by the next evaluation");
  }
  if (metrics_ != nullptr) metrics_->go_back_to(found->metrics_position);
  if (extension) progress_.note(extension->note);
  if (epoch_ <= plan_.train.epochs) {
    progress_.note("continuing in epoch " + std::to_string(epoch_) + " of " +
                   std::to_string(plan_.train.epochs) +
                   (batch_ > 0 ? ", " + std::to_string(batch_) + " batches done" : ""));
  }
  if (found->environment != environment()) {
    progress_.note(
        "warning: the result may differ in the last bits from an uninterrupted training: it was started "
        "with " +
        found->environment + " and continues with " + environment());
  }
}

void Training::require_place(const Checkpoint& checkpoint) const {
  const auto epochs = plan_.train.epochs;
  const auto batches = checkpoint.epoch <= epochs
                           ? static_cast<std::int64_t>(batches_of_epoch(checkpoint.epoch).size())
                           : std::int64_t{0};
  if (checkpoint.epoch <= epochs + 1 && checkpoint.batch <= batches) return;
  throw DataError(directory_.checkpoint(),
                  "is not a checkpoint of this training: it has done " + std::to_string(checkpoint.batch) +
                      " batches of epoch " + std::to_string(checkpoint.epoch) + ", of a training of " +
                      std::to_string(epochs) + " epochs" +
                      (checkpoint.epoch <= epochs ? " whose epoch has " + std::to_string(batches) : ""));
}

bool Training::run() {
  while (epoch_ <= plan_.train.epochs) {
    if (!run_epoch()) return false;
    // The last epoch always ends with a checkpoint: should writing the model fail, nothing is lost.
    const bool due = epochs_done() % plan_.train.checkpoint_every == 0 || epoch_ > plan_.train.epochs;
    const bool stopped = ranks_.any(stop_) && epoch_ <= plan_.train.epochs;
    if (due || stopped) checkpoint();
    if (stopped) return false;
  }
  if (!ranks_.is_first()) return true;
  if (trainer_.averages()) {
    const auto averaged = trainer_.averaged_weights();
    model::write_model_file(directory_.averaged_model(), trainer_.model(), plan_);
  }
  write_lasting_losses(directory_.folder() / losses_name, trainer_.terms(), data_);
  // Last: where it is, training has ended.
  model::write_model_file(directory_.model(), trainer_.model(), plan_);
  std::error_code error;  // it only takes room
  std::filesystem::remove(previous_checkpoint(directory_.checkpoint()), error);
  return true;
}

std::vector<std::vector<std::size_t>> Training::batches_of_epoch(std::int64_t epoch) const {
  const std::string subject = plan_.sampler.factory->info().id();
  auto batches = batches_of(plan_, *sampler_, epoch);
  if (batches.empty()) {
    throw ComponentError(subject, "forms no batch from " + std::to_string(data_.samples.size()) +
                                      " images of " + std::to_string(data_.identities) +
                                      " identities: too few for its parameters; choose fewer identities or "
                                      "images per batch, or add data");
  }
  for (std::size_t i = 0; i < batches.size(); ++i) {
    // Statistics over one image, and distances between images, are not defined.
    if (batches[i].size() < 2) {
      throw ComponentError(subject, "batch " + std::to_string(i + 1) + " of epoch " + std::to_string(epoch) +
                                        " has " + std::to_string(batches[i].size()) +
                                        " images; training needs at least two in each batch");
    }
  }
  return batches;
}

void Training::require_shares(const std::vector<std::vector<std::size_t>>& batches) const {
  if (!ranks_.are_many()) return;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const auto shares = shares_of_ranks(batches[i], data_.labels, ranks_.count());
    const auto least = std::min_element(shares.begin(), shares.end(), smaller_share);
    if (least->size() >= fewest_images_of_rank) continue;
    throw ComponentError(
        plan_.sampler.factory->info().id(),
        "batch " + std::to_string(i + 1) + " has " + std::to_string(batches[i].size()) +
            " images, of which rank " + std::to_string(least - shares.begin()) + " of " +
            std::to_string(ranks_.count()) + " would get " + std::to_string(least->size()) +
            "; each needs at least two, those of an identity staying together: use fewer ranks or larger "
            "batches");
  }
}

Training::Shares Training::shares_of(const std::vector<std::vector<std::size_t>>& batches) const {
  Shares shares;
  if (!ranks_.are_many()) return shares;
  for (const auto& batch : batches) {
    auto by_rank = shares_of_ranks(batch, data_.labels, ranks_.count());
    const auto least = std::min_element(by_rank.begin(), by_rank.end(), smaller_share);
    // Such a batch is left out: learn(). The loader wants an image of it for each rank all the same.
    const std::vector<std::size_t> first_place{0};
    if (least->size() < fewest_images_of_rank) by_rank.assign(by_rank.size(), first_place);
    const auto most = std::max_element(by_rank.begin(), by_rank.end(), smaller_share);
    shares.largest.push_back(most->size());
    shares.own.push_back(std::move(by_rank[static_cast<std::size_t>(ranks_.rank())]));
  }
  return shares;
}

std::int64_t Training::images_learned_from() const {
  std::int64_t images = 0;
  for (std::int64_t epoch = 1; epoch <= std::min(epoch_, plan_.train.epochs); ++epoch) {
    const auto batches = batches_of_epoch(epoch);
    const auto done = epoch < epoch_ ? batches.size() : static_cast<std::size_t>(batch_);
    for (std::size_t i = 0; i < done; ++i) images += static_cast<std::int64_t>(batches[i].size());
  }
  return images;
}

bool Training::run_epoch() {
  auto batches = batches_of_epoch(epoch_);
  const auto total = static_cast<std::int64_t>(batches.size());
  const auto shares = shares_of(batches);
  loader_.start(std::move(batches), epoch_, static_cast<std::size_t>(batch_), shares.own);
  trainer_.start_epoch(epoch_);
  // The end of the epoch says the rate of its last batch, which may be done already.
  if (batch_ > 0) trainer_.set_learning_rates(learning_rate_factor(batch_ - 1, total));
  for (const auto& group : trainer_.groups()) {
    if (batch_ == 0 && group.frozen_epochs > 0 && epoch_ == group.frozen_epochs + 1)
      progress_.note("group '" + group.name + "' is trained from now on");
  }
  waited_ = 0;
  worked_ = 0;
  bool has_learned = false;  // before the first step there is nothing to keep
  for (;;) {
    const double before = progress::monotonic_seconds();
    const auto batch = loader_.next();
    const double spent = progress::monotonic_seconds() - before;
    // Steps do not wait for a GPU: while it still computes, it is not the images that are waited for.
    const double waited = system::is_busy(device_) ? 0 : spent;
    const bool due =
        has_learned && progress::monotonic_seconds() - last_checkpoint_ > 60 * plan_.train.checkpoint_minutes;
    const auto joint =
        batch ? joint_batch(ranks_, batch->samples, shares.largest_of(batch->index), {stop_, due})
              : joint_batch(ranks_, {}, 0, {stop_, due});
    if (joint.wishes.stop || joint.wishes.checkpoint) checkpoint();
    if (joint.wishes.stop) return false;
    if (!batch) break;
    const double begin = progress::monotonic_seconds();
    learn(*batch, joint, total);
    has_learned = true;
    const double seconds = spent + progress::monotonic_seconds() - begin;
    waited_ += waited;
    worked_ += seconds;
    rate_.add(static_cast<double>(joint.all_images().size()), seconds);
    batch_rate_.add(1, seconds);
    progress_.update(progress_of(total));
  }
  finish_epoch(total);
  return true;
}

void Training::learn(const data::Batch& batch, const JointBatch& joint, std::int64_t batches) {
  batch_ = static_cast<std::int64_t>(batch.index) + 1;
  const auto least = std::min_element(joint.images.begin(), joint.images.end(), smaller_share);
  if (least->size() < fewest_images_of_rank) {
    progress_.note(
        "warning: batch " + std::to_string(batch_) + " of epoch " + std::to_string(epoch_) + " is skipped: " +
        (ranks_.are_many() ? "a rank would have one of its images at most, as the others cannot be "
                             "read, or are of identities that stay together on other ranks"
                           : "only one of its images could be read"));
    return;
  }
  const auto all = joint.all_images();
  std::vector<std::int64_t> classes;
  for (const auto index : all) classes.push_back(data_.labels[index]);
  const auto& population = trainer_.model().population();
  trainer_.step(model::network_input(batch.images, data_.samples, batch.samples, population),
                {torch::tensor(classes), model::camera_places(data_.samples, all, population), joint.sizes()},
                epoch_, batch_ - 1, learning_rate_factor(batch_ - 1, batches));
}

double Training::learning_rate_factor(std::int64_t batch, std::int64_t batches) const {
  return schedule_->factor(epoch_, static_cast<double>(batch) / static_cast<double>(batches));
}

progress::Progress Training::progress_of(std::int64_t batches) const {
  progress::Progress progress;
  progress.stage = "train";
  progress.detail = "epoch " + std::to_string(epoch_) + "/" + std::to_string(plan_.train.epochs);
  progress.done = batch_;
  progress.total = batches;
  progress.unit = "batches";
  progress.images_per_second = rate_.per_second();
  // Other epochs are taken to be as long as this one.
  const std::int64_t batches_left = batches - batch_ + (plan_.train.epochs - epoch_) * batches;
  progress.remaining_seconds = batch_rate_.seconds_for(static_cast<double>(batches_left));
  progress.figures = trainer_.meter().means();
  progress.figures["learning_rate"] = trainer_.learning_rate();
  if (const auto scale = trainer_.loss_scale()) progress.figures["loss_scale"] = *scale;
  return progress;
}

void Training::finish_epoch(std::int64_t batches) {
  trainer_.meter().flush();
  const auto means = trainer_.meter().means();
  const auto loss = means.find("loss");
  if (loss == means.end()) {
    throw ComponentError(plan_.dataset().id(),
                         "no batch of epoch " + std::to_string(epoch_) + " could be read");
  }
  last_loss_ = loss->second;
  batch_ = batches;
  auto progress = progress_of(batches);
  if (worked_ > 0) progress.figures["time/waiting_for_images"] = waited_ / worked_;
  progress_.finish(progress);
  if (const auto waiting = waiting_text(waited_, worked_, !told_of_waiting_); !waiting.empty()) {
    told_of_waiting_ = true;
    progress_.note(waiting);
  }
  if (data_.cache != nullptr && !told_of_cache_) {
    told_of_cache_ = true;
    progress_.note(kept_text(data_.cache->kept(), plan_.loader.cache_mib));
  }
  if (loader_.skipped() > skipped_) {
    skipped_ = loader_.skipped();
    std::string text = "warning: " + std::to_string(skipped_) + " bad images skipped so far:";
    for (const auto& message : loader_.skip_messages()) text += "\n  " + message;
    progress_.note(text);
  }
  if (const auto collapsed = trainer_.collapsed_outputs(); !collapsed.empty() && !told_of_collapse_) {
    told_of_collapse_ = true;
    progress_.note("warning: the output " + quoted_list(collapsed) +
                   " of the head is nearly the same for all images of the last batch: the network has "
                   "collapsed, and its losses cannot fall any further. Lower the learning rate or warm up "
                   "longer, and start again; a triplet loss with margin = 0 (soft margin) collapses less "
                   "easily");
  }
  const bool last = epoch_ == plan_.train.epochs;
  if (evaluates() && (last || epoch_ % plan_.train.evaluate_every == 0)) evaluate_epoch();
  trainer_.meter().clear();
  ++epoch_;
  batch_ = 0;
}

std::optional<results::Evaluation> Training::evaluate(const TestSet& test_set) {
  inference::FeatureExtraction extraction(trainer_.model(), plan_, inference_,
                                          test_set.query.size() + test_set.gallery.size());
  const auto extract = [&](const std::vector<Sample>& samples, const std::string& split) {
    return extraction.extract(*data_.dataset, samples,
                              test_set.name.empty() ? split : test_set.name + " " + split, progress_, ranks_);
  };
  const auto query = extract(test_set.query, "query");
  const auto gallery = extract(test_set.gallery, "gallery");
  if (!ranks_.is_first()) return std::nullopt;
  progress::SilentProgress silent;
  auto evaluation = ranking::evaluate_features(query, gallery, plan_, silent, "query", "gallery", device_);
  const PixelLimitScope limit(data::max_pixels(plan_));
  if (const auto sheet = draw_evaluation_sheet(query, gallery, evaluation, *data_.dataset); !sheet.empty()) {
    results::write_sheet(directory_.folder() / results::rank_sheet_name(stage_of(test_set), epoch_), sheet);
  }
  return evaluation;
}

void Training::evaluate_epoch() {
  // What comes after is the same as without the evaluation.
  const model::RandomStateGuard guard(device_);
  const auto averaged = trainer_.averaged_weights();
  progress::Progress progress;
  double sum = 0;
  for (const auto& test_set : data_.test_sets) {
    const auto found = evaluate(test_set);
    if (!found) continue;
    const auto& evaluation = *found;
    progress = {};
    progress.stage = stage_of(test_set);
    progress.detail = "epoch " + std::to_string(epoch_) + "/" + std::to_string(plan_.train.epochs);
    progress.done = progress.total = evaluation.queries;
    progress.unit = "queries";
    for (const auto& [info, value, metric, caution] : evaluation.figures) {
      const bool detail = info.prominence == Prominence::detail;
      progress.figures[detail ? metric + "/" + info.name : info.name] = value;
    }
    if (const auto warning = ranking::warning_of_nobody_else(evaluation);
        !warning.empty() && !told_of_nobody_else_) {
      told_of_nobody_else_ = true;
      progress_.note(warning);
    }
    sum += evaluation.find(best_by_->name)->value;
    if (!test_set.name.empty()) progress_.finish(progress);
  }
  const double score = ranks_.broadcast(sum / static_cast<double>(data_.test_sets.size()));
  if (!data_.test_sets.front().name.empty()) {
    // The mean over the test sets decides, and is said after them.
    progress.stage = "evaluate";
    progress.done = progress.total = static_cast<std::int64_t>(data_.test_sets.size());
    progress.unit = "test sets";
    progress.figures = {{best_by_->name, score}};
  }
  const bool better =
      !best_score_ || (best_by_->higher_is_better ? score > *best_score_ : score < *best_score_);
  if (better && std::isfinite(score)) {
    best_score_ = score;
    if (ranks_.is_first()) model::write_model_file(directory_.best(), trainer_.model(), plan_);
  }
  if (best_score_) progress.figures["best " + best_by_->name] = *best_score_;
  progress_.finish(progress);
}

void Training::checkpoint() {
  Checkpoint checkpoint;
  checkpoint.state = trainer_.state();
  checkpoint.epoch = epoch_;
  checkpoint.batch = batch_;
  checkpoint.identity = recipe::write_recipe(plan_.identity());
  checkpoint.data = data_.fingerprint;
  checkpoint.metrics_position = metrics_ == nullptr ? 0 : metrics_->position();
  checkpoint.evaluation = evaluation_;
  checkpoint.best_score = best_score_;
  checkpoint.last_loss = last_loss_;
  checkpoint.environment = environment();
  if (ranks_.is_first()) write_checkpoint(directory_.checkpoint(), checkpoint);
  last_checkpoint_ = progress::monotonic_seconds();
}

std::string Training::environment() const {
  return "LibTorch " + system::torch_version() + " on " + device_.str() + " with " +
         std::to_string(at::get_num_threads()) + " threads" +
         (ranks_.are_many() ? " on each of " + std::to_string(ranks_.count()) + " ranks" : "");
}

}  // namespace kindred::training
