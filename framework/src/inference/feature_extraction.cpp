#include "inference/feature_extraction.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

#include "data/loader.h"
#include "data/planned_loader.h"
#include "data/tracklets.h"
#include "inference/equal_descriptors.h"
#include "inference/unit_rows.h"
#include "kindred/core/error.h"
#include "model/population.h"
#include "progress/meter.h"
#include "system/device.h"
#include "system/out_of_memory.h"
#include "system/rank_range.h"
#include "system/transfer.h"

namespace kindred::inference {
namespace {

/// One descriptor for each tracklet and each single image, put together from those of their frames.
class TrackletRows {
 public:
  TrackletRows(const std::vector<Sample>& samples, std::int64_t frames) : row_of_(samples.size()) {
    for (const auto& all : data::frames_of_tracklets(samples)) {
      for (const auto frame : data::evenly_chosen(all, frames)) {
        row_of_[frame] = static_cast<std::int64_t>(samples_.size());
        order_.push_back(frame);
      }
      samples_.push_back(data::sample_of_tracklet(samples, all));
    }
    counts_.resize(samples_.size());
  }

  /// The frames that are read, those of a tracklet one after the other.
  [[nodiscard]] const data::Frames& order() const { return order_; }

  /// @param rows those of the frames, [N, D]
  void add(const data::Frames& frames, const torch::Tensor& rows) {
    if (!sums_.defined()) sums_ = torch::zeros({static_cast<std::int64_t>(samples_.size()), rows.size(1)});
    std::vector<std::int64_t> places;
    places.reserve(frames.size());
    for (const auto frame : frames) {
      places.push_back(row_of_[frame]);
      ++counts_[static_cast<std::size_t>(places.back())];
    }
    sums_.index_add_(0, torch::tensor(places, torch::kLong), rows);
  }

  /// Rows of length 1; those of which no frame was added are left out.
  [[nodiscard]] file::Features finish() {
    file::Features features;
    std::vector<std::int64_t> kept;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      if (counts_[i] == 0) continue;
      const auto row = static_cast<std::int64_t>(i);
      if (counts_[i] > 1) scale(row, counts_[i]);
      kept.push_back(row);
      features.samples.push_back(std::move(samples_[i]));
    }
    features.descriptors =
        kept.size() == samples_.size() ? sums_ : sums_.index_select(0, torch::tensor(kept, torch::kLong));
    return features;
  }

 private:
  void scale(std::int64_t row, std::int64_t count) {
    // Means of directions that are shorter have lost all of them but rounding.
    constexpr double shortest_mean = 1e-5;
    auto sum = sums_[row];
    const auto length = sum.norm().item<double>();
    if (length < shortest_mean * static_cast<double>(count)) {
      const auto& sample = samples_[static_cast<std::size_t>(row)];
      throw DataError(sample.path, "the descriptors of the " + std::to_string(count) +
                                       " frames of the tracklet '" + sample.tracklet +
                                       "' cancel each other out, so their mean has no direction; use a "
                                       "model that is trained");
    }
    sum.div_(length);
  }

  std::vector<std::int64_t> row_of_;  ///< of each sample
  data::Frames order_;
  std::vector<Sample> samples_;
  std::vector<std::int64_t> counts_;  ///< frames that were added to each row
  torch::Tensor sums_;
};

/// What was read and described of the images.
struct Tally {
  std::int64_t described = 0;
  std::int64_t skipped = 0;
  std::string first_skipped;  ///< why; "" where nothing was

  /// Of all ranks.
  [[nodiscard]] Tally of_all(const system::Ranks& ranks) const {
    if (!ranks.are_many()) return *this;
    const auto counts = torch::tensor({described, skipped}, torch::kLong);
    ranks.sum(counts);
    Tally all{counts[0].item<std::int64_t>(), counts[1].item<std::int64_t>(), ""};
    if (all.skipped == 0) return all;
    auto own = torch::empty({static_cast<std::int64_t>(first_skipped.size())}, torch::kByte);
    std::copy(first_skipped.begin(), first_skipped.end(), own.data_ptr<std::uint8_t>());
    for (const auto& text : ranks.gather(own)) {
      if (text.numel() == 0) continue;
      const auto whole = text.contiguous();
      all.first_skipped.assign(reinterpret_cast<const char*>(whole.data_ptr<std::uint8_t>()),
                               static_cast<std::size_t>(whole.numel()));
      break;
    }
    return all;
  }
};

/// Rows of frames that this rank has described, until all ranks have theirs.
class OwnRows {
 public:
  void add(const data::Frames& frames, const torch::Tensor& rows) {
    rows_.push_back(rows);
    frames_.insert(frames_.end(), frames.begin(), frames.end());
  }

  /// Calls add(frames, rows) for those of each rank, in order. All ranks call this.
  template <class Add>
  void give_all(const system::Ranks& ranks, const Add& add) {
    const auto dims = ranks.gather(torch::tensor({rows_.empty() ? 0 : rows_.front().size(1)}, torch::kLong));
    const auto dim = torch::cat(dims).max().item<std::int64_t>();
    const auto frames =
        ranks.gather(torch::tensor(std::vector<std::int64_t>(frames_.begin(), frames_.end()), torch::kLong));
    auto own = rows_.empty() ? torch::empty({0, dim}) : torch::cat(rows_);
    rows_.clear();
    const auto rows = ranks.gather(own);
    own.reset();
    for (std::size_t rank = 0; rank < rows.size(); ++rank) {
      if (rows[rank].size(0) == 0) continue;
      const auto of_rank = frames[rank].contiguous();
      const auto* first = of_rank.data_ptr<std::int64_t>();
      add(data::Frames(first, first + of_rank.numel()), rows[rank]);
    }
  }

 private:
  std::vector<torch::Tensor> rows_;
  data::Frames frames_;
};

/// A batch whose descriptors may not be there yet. Its images are gone.
struct Described {
  data::Batch batch;
  system::Arriving rows;
};

/// Batches of samples in an order.
std::vector<data::Frames> batches_of(const data::Frames& order, std::int64_t size) {
  auto batches = data::consecutive_batches(order.size(), static_cast<std::size_t>(size));
  for (auto& batch : batches) {
    for (auto& place : batch) place = order[place];
  }
  return batches;
}

system::Precision trained_precision(const recipe::InferencePlan& plan, torch::Device device,
                                    const system::Ranks& ranks) {
  return plan.train.precision == system::Precision::automatic ? system::suitable_precision(device, ranks)
                                                              : plan.train.precision;
}

}  // namespace

system::Precision inference_precision(const recipe::InferencePlan& plan, torch::Device device,
                                      const system::Ranks& ranks) {
  switch (plan.embed.precision) {
    case system::Precision::trained: {
      const auto trained = trained_precision(plan, device, ranks);
      return ranks.any(!system::can_compute(device, trained)) ? system::Precision::fp32 : trained;
    }
    case system::Precision::automatic:
      return system::suitable_precision(device, ranks);
    default:
      system::require_precision(plan.embed.precision, device, "embed.precision");
      return plan.embed.precision;
  }
}

void note_inference_precision(const recipe::InferencePlan& plan, const system::Computing& used,
                              progress::ProgressSink& progress, const system::Ranks& ranks) {
  const auto trained = trained_precision(plan, used.device, ranks);
  if (used.precision == trained) return;
  const bool asked = plan.embed.precision != system::Precision::trained;
  const bool is_able = system::can_compute(used.device, trained);
  progress.note("features are extracted in " + system::precision_name(used.precision) +
                "; the model was trained in " + system::precision_name(trained) +
                (asked ? ""
                       : ", which " + (is_able ? "the device of another rank" : used.device.str()) +
                             " does not support"));
}

FeatureExtraction::FeatureExtraction(model::Model& model, const recipe::ExtractionPlan& plan,
                                     const system::Computing& computing, std::size_t images)
    : model_(model),
      plan_(plan),
      computing_(computing),
      was_training_(model.is_training()),
      describer_(model, plan.embed.flip_test, computing,
                 {static_cast<std::int64_t>(images),
                  std::min<std::int64_t>(plan.embed.batch_size, static_cast<std::int64_t>(images))}) {
  system::place_module(model, computing.device);
  model.eval();
}

FeatureExtraction::~FeatureExtraction() {
  model_.train(was_training_);
}

file::Features FeatureExtraction::extract(const Dataset& dataset, const std::vector<Sample>& samples,
                                          const std::string& what, progress::ProgressSink& progress,
                                          const system::Ranks& ranks) {
  if (samples.empty()) throw DataError(what, "there are no images to extract features from");
  model_.require_known(samples);
  const torch::NoGradGuard no_gradients;

  const auto augmentations = data::create_augmentations(plan_);
  TrackletRows tracklets(samples, plan_.embed.frames);
  const auto& order = tracklets.order();
  auto batches = batches_of(order, plan_.embed.batch_size);
  const auto range = system::range_of_rank(static_cast<std::int64_t>(batches.size()), ranks);
  batches = {batches.begin() + range.first, batches.begin() + range.last};
  std::int64_t own_images = 0;
  for (const auto& batch : batches) own_images += static_cast<std::int64_t>(batch.size());
  data::Loader loader(dataset, samples, augmentations,
                      data::loader_options(plan_, computing_.device, ranks.place()), false);
  loader.start(std::move(batches), 0);

  // Of several ranks the first speaks for all: they take the same share of the images.
  const auto total = static_cast<std::int64_t>(order.size());
  progress::Meter meter(progress, "embed " + what, total);
  Tally tally;
  OwnRows own_rows;
  const auto keep = [&](Described& done) {
    const auto& rows = done.rows.get();
    const auto count = static_cast<std::int64_t>(done.batch.samples.size());
    if (rows.dim() != 2 || rows.size(0) != count || rows.scalar_type() != torch::kFloat) {
      throw std::logic_error("a model's descriptors must be [N, D], 32-bit floats");
    }
    require_unit_rows(rows, samples, done.batch.samples);
    if (ranks.are_many()) {
      own_rows.add(done.batch.samples, rows);
    } else {
      tracklets.add(done.batch.samples, rows);
    }
    tally.described += count;
    meter.update((tally.described + loader.skipped()) * total / own_images);
  };
  std::optional<Described> last;
  while (auto batch = loader.next()) {
    auto rows = [&] {
      try {
        const auto input = model::network_input(batch->images, samples, batch->samples, model_.population());
        return system::Arriving(describer_.describe(input));
      } catch (const std::exception& error) {
        if (!system::is_out_of_memory(error)) throw;
        throw system::batch_too_large(computing_.device, batch->images,
                                      "lower embed.batch_size, or use smaller images or a smaller model");
      }
    }();
    if (says_why_not_fused_ && !describer_.why_not_fused().empty()) {
      progress.note("the network cannot be fused, so features are extracted more slowly: " +
                    describer_.why_not_fused());
    }
    says_why_not_fused_ = false;
    batch->images.reset();
    // While the device computes this batch, the one before is dealt with.
    if (last) keep(*last);
    last = Described{std::move(*batch), std::move(rows)};
  }
  if (last) keep(*last);
  tally.skipped = loader.skipped();
  if (const auto messages = loader.skip_messages(); !messages.empty()) tally.first_skipped = messages.front();
  const auto all = tally.of_all(ranks);
  if (all.skipped > 0) {
    if (all.described == 0) throw NoReadableImages(what, all.first_skipped);
    const auto first = all.first_skipped.empty() ? std::string() : "; the first: " + all.first_skipped;
    progress.note(std::to_string(all.skipped) + " of " + std::to_string(total) + " " + what +
                  " images cannot be read and are skipped" + first);
  }
  if (ranks.are_many()) {
    own_rows.give_all(
        ranks, [&](const data::Frames& frames, const torch::Tensor& rows) { tracklets.add(frames, rows); });
  }
  auto features = tracklets.finish();
  meter.finish();
  if (ranks.is_first()) warn_of_equal_descriptors(features.descriptors, what, progress);
  return features;
}

file::Features extract_features(model::Model& model, const recipe::ExtractionPlan& plan,
                                const Dataset& dataset, const std::vector<Sample>& samples,
                                const std::string& what, const system::Computing& computing,
                                progress::ProgressSink& progress) {
  return FeatureExtraction(model, plan, computing, samples.size()).extract(dataset, samples, what, progress);
}

}  // namespace kindred::inference
