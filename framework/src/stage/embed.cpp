#include "stage/embed.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string>

#include "data/planned_loader.h"
#include "data/tracklets.h"
#include "file/sample_list.h"
#include "file/staged_files.h"
#include "inference/feature_extraction.h"
#include "kindred/core/error.h"
#include "progress/meter.h"
#include "system/device.h"
#include "system/precision.h"
#include "system/rank_range.h"
#include "text/number_text.h"

namespace kindred::stage {
namespace {

/// What an earlier call may have written.
std::vector<std::string> names_of_features(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto split : {Split::query, Split::gallery, Split::train}) {
    const auto of_split = file::names_of_features(folder / split_name(split));
    names.insert(names.end(), of_split.begin(), of_split.end());
  }
  return names;
}

/// To two digits, and never too small: "0.00056"
std::string bound_text(double bound) {
  const double digit = bound > 0 ? std::pow(10, std::floor(std::log10(bound)) - 1) : 1;
  return text::significant_text(digit * std::ceil(bound / digit), 2);
}

std::string change_text(const file::StorageLoss& loss) {
  return "this changes them by " + text::significant_text(100 * loss.mean, 2) +
         " % of their length on average and by at most " + bound_text(100 * loss.largest) +
         " %, so cosines change by at most " + bound_text(loss.cosine_bound());
}

/// "" where there is nothing to say.
std::string tracklets_text(const std::vector<Sample>& samples, std::int64_t frames) {
  std::int64_t tracklets = 0;
  std::int64_t all = 0;
  std::int64_t read = 0;
  for (const auto& tracklet : data::frames_of_tracklets(samples)) {
    if (samples[tracklet.front()].tracklet.empty()) continue;
    ++tracklets;
    all += static_cast<std::int64_t>(tracklet.size());
    read += static_cast<std::int64_t>(data::evenly_chosen(tracklet, frames).size());
  }
  if (tracklets == 0) {
    return frames == 0 ? "" : "embed.frames has no effect: no image is a frame of a tracklet";
  }
  return text::grouped_digits(tracklets) + (tracklets == 1 ? " tracklet" : " tracklets") +
         "; features are extracted of " + text::grouped_digits(read) + " of " + text::grouped_digits(all) +
         " frames and averaged";
}

/// What was written of a split, in one file or several.
struct Written {
  std::int64_t rows = 0;
  std::int64_t dim = 0;
  file::StorageLoss loss;
};

/// Writes a file for each embed.shard_images descriptors as soon as they are there, and at last the lists. A
/// file none of whose images can be read, where such are skipped, is left out, and its number stays free.
/// Each rank writes some of the files; no more than one file's descriptors are in its memory.
class ShardedSplit {
 public:
  ShardedSplit(inference::FeatureExtraction& extraction, const recipe::InferencePlan& plan,
               const Dataset& dataset, const std::vector<Sample>& samples, const system::Ranks& ranks,
               progress::ProgressSink& progress)
      : extraction_(extraction),
        embed_(plan.embed),
        dataset_(dataset),
        samples_(samples),
        ranks_(ranks),
        progress_(progress),
        tracklets_(data::frames_of_tracklets(samples)) {}

  /// @param stem of files that are not there
  [[nodiscard]] Written write(const std::filesystem::path& stem, const std::string& what) {
    const auto rows = static_cast<std::int64_t>(tracklets_.size());
    const auto shards = (rows + embed_.shard_images - 1) / embed_.shard_images;
    const auto own = system::range_of_rank(shards, ranks_);
    for (auto shard = own.first; shard < own.last; ++shard) {
      const auto first = shard * embed_.shard_images;
      write_shard(file::shard_file(stem, shard), first, std::min(rows, first + embed_.shard_images),
                  what + " (file " + std::to_string(shard + 1) + " of " + std::to_string(shards) + ")");
    }
    return write_lists(stem);
  }

 private:
  void write_shard(const std::filesystem::path& file, std::int64_t first, std::int64_t last,
                   const std::string& what) {
    std::vector<Sample> frames;
    for (auto row = first; row < last; ++row) {
      for (const auto frame : tracklets_[static_cast<std::size_t>(row)]) frames.push_back(samples_[frame]);
    }
    file::Features features;
    try {
      features = extraction_.extract(dataset_, frames, what, progress_);
    } catch (const inference::NoReadableImages& none) {
      // Those of other files may be readable.
      progress_.note("warning: " + what + " is left out, as none of its " + std::to_string(frames.size()) +
                     " images can be read; the first: " + none.first());
      if (first_unreadable_.empty()) first_unreadable_ = none.first();
      sizes_.push_back(0);
      losses_.insert(losses_.end(), {0.0, 0.0});
      return;
    }
    const auto loss = file::write_feature_shard(file, features, embed_.storage);
    // Images that are bad and skipped have no row.
    auto row = first;
    for (const auto& sample : features.samples) {
      while (sample_of(row).path != sample.path) ++row;
      kept_.push_back(row++);
    }
    dim_ = features.descriptors.size(1);
    sizes_.push_back(features.descriptors.size(0));
    losses_.insert(losses_.end(), {loss.largest, loss.mean});
  }

  [[nodiscard]] Sample sample_of(std::int64_t row) const {
    return data::sample_of_tracklet(samples_, tracklets_[static_cast<std::size_t>(row)]);
  }

  [[nodiscard]] Written write_lists(const std::filesystem::path& stem) const {
    const auto kept = torch::cat(ranks_.gather(torch::tensor(kept_, torch::kLong)));
    const auto sizes = torch::cat(ranks_.gather(torch::tensor(sizes_, torch::kLong)));
    const auto losses = torch::cat(ranks_.gather(torch::tensor(losses_, torch::kDouble)));
    Written written;
    written.rows = kept.size(0);
    if (written.rows == 0) throw inference::NoReadableImages(stem.filename().string(), first_unreadable_);
    written.dim = torch::cat(ranks_.gather(torch::tensor({dim_}, torch::kLong))).max().item<std::int64_t>();
    file::ShardList list;
    list.dim = written.dim;
    for (std::int64_t shard = 0; shard < sizes.size(0); ++shard) {
      const auto rows = sizes[shard].item<std::int64_t>();
      if (rows == 0) continue;
      list.shards.push_back({file::shard_file(stem, shard).filename(), rows});
      written.loss.largest = std::max(written.loss.largest, losses[2 * shard].item<double>());
      written.loss.mean += losses[2 * shard + 1].item<double>() * static_cast<double>(rows) /
                           static_cast<double>(written.rows);
    }
    if (!ranks_.is_first()) return written;
    const auto missing = static_cast<std::int64_t>(tracklets_.size()) - written.rows;
    if (ranks_.are_many() && missing > 0) {
      progress_.note(std::to_string(missing) + " of " + std::to_string(tracklets_.size()) +
                     " descriptors of " + stem.filename().string() +
                     " images are left out, as their images cannot be read");
    }
    std::vector<Sample> listed;
    listed.reserve(static_cast<std::size_t>(written.rows));
    for (std::int64_t i = 0; i < written.rows; ++i) listed.push_back(sample_of(kept[i].item<std::int64_t>()));
    list.write(file::shard_list_of(stem));
    auto csv = stem;
    file::write_sample_list(csv += ".csv", listed);
    return written;
  }

  inference::FeatureExtraction& extraction_;
  const recipe::EmbedSettings& embed_;
  const Dataset& dataset_;
  const std::vector<Sample>& samples_;
  const system::Ranks& ranks_;
  progress::ProgressSink& progress_;
  std::vector<data::Frames> tracklets_;
  std::vector<std::int64_t> kept_;   ///< tracklets and single images of this rank's files that have a row
  std::vector<std::int64_t> sizes_;  ///< rows of this rank's files; 0: left out
  std::vector<double> losses_;       ///< largest and mean of each
  std::string first_unreadable_;     ///< of this rank's files that are left out
  std::int64_t dim_ = 0;
};

}  // namespace

std::vector<EmbeddedSplit> embed_dataset(model::Model& model, const recipe::InferencePlan& plan,
                                         const Dataset& dataset, const std::vector<Sample>& all,
                                         const std::filesystem::path& folder, torch::Device device,
                                         progress::ProgressSink& progress, bool with_training_images,
                                         const system::Ranks& ranks) {
  const system::Computing computing{device, inference::inference_precision(plan, device, ranks)};
  inference::note_inference_precision(plan, computing, progress, ranks);
  std::vector<Split> splits{Split::query, Split::gallery};
  if (with_training_images) splits.push_back(Split::train);
  std::vector<Sample> wanted;
  std::copy_if(all.begin(), all.end(), std::back_inserter(wanted), [&](const Sample& sample) {
    return std::find(splits.begin(), splits.end(), sample.split) != splits.end();
  });
  data::try_each_ending(plan, dataset, wanted);
  std::vector<EmbeddedSplit> written;
  // Descriptors of two models must never lie side by side, and those of an earlier call not be lost.
  std::optional<file::StagedFiles> staged;
  if (ranks.is_first()) {
    staged.emplace(folder);
    ranks.post(staged->path().string());
  }
  const std::filesystem::path into = staged ? staged->path() : std::filesystem::path(ranks.await_post());
  inference::FeatureExtraction extraction(model, plan, computing, wanted.size());
  for (const auto split : splits) {
    std::vector<Sample> samples;
    std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(samples),
                 [split](const Sample& sample) { return sample.split == split; });
    if (samples.empty()) continue;
    if (const auto text = tracklets_text(samples, plan.embed.frames); !text.empty()) {
      progress.note(std::string(split_name(split)) + ": " + text);
    }
    const auto stem = folder / split_name(split);
    Written of_split;
    if (plan.embed.shard_images > 0) {
      of_split = ShardedSplit(extraction, plan, dataset, samples, ranks, progress)
                     .write(into / split_name(split), split_name(split));
    } else {
      const auto features = extraction.extract(dataset, samples, split_name(split), progress, ranks);
      of_split = {features.descriptors.size(0), features.descriptors.size(1), {}};
      if (ranks.is_first()) {
        of_split.loss = file::write_features(into / split_name(split), features, plan.embed.storage);
      }
    }
    std::string storage = file::storage_name(plan.embed.storage);
    if (plan.embed.storage != file::Storage::float32) {
      progress.note(std::string(split_name(split)) + " descriptors are stored as " + storage + ": " +
                    change_text(of_split.loss));
      storage += ", cosines to " + bound_text(of_split.loss.cosine_bound());
    }
    written.push_back({split, stem, of_split.rows, of_split.dim, storage, of_split.loss});
  }
  if (written.empty()) {
    throw Error(with_training_images ? "embed: error: the data set has no images"
                                     : "embed: error: the data set has neither query nor gallery images; to "
                                       "extract features of training images, use --train-split");
  }
  if (staged) staged->take_place(names_of_features(folder));
  return written;
}

}  // namespace kindred::stage
