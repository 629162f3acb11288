#include "stage/embed.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include "data/planned_loader.h"
#include "data/tracklets.h"
#include "file/staged_files.h"
#include "inference/feature_extraction.h"
#include "kindred/core/error.h"
#include "progress/meter.h"
#include "system/device.h"
#include "system/precision.h"
#include "text/number_text.h"

namespace kindred::stage {
namespace {

/// What an earlier call may have written.
std::vector<std::string> names_of_features() {
  std::vector<std::string> names;
  for (const auto split : {Split::query, Split::gallery, Split::train}) {
    for (const auto* ending : {".csv", ".npy"}) names.push_back(split_name(split) + std::string(ending));
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

}  // namespace

std::vector<EmbeddedSplit> embed_dataset(model::Model& model, const recipe::InferencePlan& plan,
                                         const Dataset& dataset, const std::vector<Sample>& all,
                                         const std::filesystem::path& folder, torch::Device device,
                                         progress::ProgressSink& progress, bool with_training_images) {
  const system::Computing computing{device, inference::inference_precision(plan, device)};
  inference::note_inference_precision(plan, computing, progress);
  std::vector<Split> splits{Split::query, Split::gallery};
  if (with_training_images) splits.push_back(Split::train);
  std::vector<Sample> wanted;
  std::copy_if(all.begin(), all.end(), std::back_inserter(wanted), [&](const Sample& sample) {
    return std::find(splits.begin(), splits.end(), sample.split) != splits.end();
  });
  data::try_each_ending(plan, dataset, wanted);
  std::vector<EmbeddedSplit> written;
  // Descriptors of two models must never lie side by side, and those of an earlier call not be lost.
  file::StagedFiles staged(folder);
  inference::FeatureExtraction extraction(model, plan, computing, wanted.size());
  for (const auto split : splits) {
    std::vector<Sample> samples;
    std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(samples),
                 [split](const Sample& sample) { return sample.split == split; });
    if (samples.empty()) continue;
    if (const auto text = tracklets_text(samples, plan.embed.frames); !text.empty()) {
      progress.note(std::string(split_name(split)) + ": " + text);
    }
    const auto features = extraction.extract(dataset, samples, split_name(split), progress);
    const auto stem = folder / split_name(split);
    const auto loss = file::write_features(staged.path() / split_name(split), features, plan.embed.storage);
    std::string storage = file::storage_name(plan.embed.storage);
    if (plan.embed.storage != file::Storage::float32) {
      progress.note(std::string(split_name(split)) + " descriptors are stored as " + storage + ": " +
                    change_text(loss));
      storage += ", cosines to " + bound_text(loss.cosine_bound());
    }
    written.push_back(
        {split, stem, features.descriptors.size(0), features.descriptors.size(1), storage, loss});
  }
  if (written.empty()) {
    throw Error(with_training_images ? "embed: error: the data set has no images"
                                     : "embed: error: the data set has neither query nor gallery images; to "
                                       "extract features of training images, use --train-split");
  }
  staged.take_place(names_of_features());
  return written;
}

}  // namespace kindred::stage
