#include "data/joined_dataset.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "data/tracklets.h"
#include "kindred/core/error.h"
#include "kindred/text/name_numbers.h"

namespace kindred::data {
namespace {

std::int64_t largest_identity(const std::vector<Sample>& samples) {
  std::int64_t largest = -1;
  for (const auto& sample : samples) {
    if (sample.split == Split::train) largest = std::max(largest, sample.identity);
  }
  return largest;
}

}  // namespace

JoinedDataset::JoinedDataset(std::unique_ptr<Dataset> base, std::vector<Part> parts)
    : base_(std::move(base)), parts_(std::move(parts)), samples_(base_->samples()) {
  for (std::size_t i = 0; i < parts_.size(); ++i) join(parts_[i], i + 1, largest_identity(samples_) + 1);
}

void JoinedDataset::join(const Part& part, std::size_t number, std::int64_t first_identity) {
  if (part.samples.empty()) {
    throw DataError(part.file,
                    "contains no labels, so no image would be added to the training; loosen the parameters "
                    "of the labeler, or remove these labels from the recipe");
  }
  const Dataset& dataset = part.dataset ? *part.dataset : *base_;
  const std::string prefix = part.dataset ? "pseudo" + std::to_string(number) + "/" : "";
  const auto theirs = dataset.samples();
  std::unordered_map<std::string_view, std::size_t> known;
  for (std::size_t i = 0; i < theirs.size(); ++i) known.emplace(theirs[i].path, i);
  std::unordered_map<std::size_t, Frames> tracklets;  // by the first frame
  for (auto& frames : frames_of_tracklets(theirs)) {
    const auto first = frames.front();
    if (!theirs[first].tracklet.empty()) tracklets.emplace(first, std::move(frames));
  }
  samples_.reserve(samples_.size() + part.samples.size());
  for (const auto& labeled : part.samples) {
    const auto refuse = [&](const std::string& what) {
      throw DataError(part.file, "image '" + labeled.path + "' " + what);
    };
    const auto found = known.find(labeled.path);
    if (found == known.end()) {
      refuse("is not in the data set: the labels are for other data, or the data has changed; label again");
    }
    if (labeled.identity < 0) {
      refuse("has no identity of 0 or more; remove images without an identity from the labels");
    }
    if (labeled.identity > largest_whole_number - first_identity) {
      refuse("has the identity " + std::to_string(labeled.identity) +
             ", which is too large to be counted from " + std::to_string(first_identity) +
             "; number the identities of the labels from 0");
    }
    if (!part.dataset && theirs[found->second].split == Split::train) {
      refuse("is already in the training split");
    }
    Frames frames{found->second};
    if (!labeled.tracklet.empty()) {
      const auto tracklet = tracklets.find(found->second);
      if (tracklet == tracklets.end() || theirs[found->second].tracklet != labeled.tracklet) {
        refuse("is not the first frame of the tracklet '" + labeled.tracklet +
               "' in the data set: the labels are for other data, or the data has changed; label again");
      }
      frames = tracklet->second;
    }
    for (const auto frame : frames) {
      const auto& there = theirs[frame];
      Sample sample = labeled;
      sample.path = prefix + there.path;
      sample.identity += first_identity;
      sample.camera = there.camera;
      sample.split = Split::train;
      sample.view = there.view;
      if (!there.tracklet.empty()) {
        // A query and a gallery tracklet may have one name.
        sample.tracklet =
            "pseudo" + std::to_string(number) + "/" + split_name(there.split) + "/" + there.tracklet;
      }
      if (!joined_.emplace(sample.path, Source{&dataset, there}).second) {
        refuse("is labeled twice; list each image once");
      }
      samples_.push_back(std::move(sample));
    }
  }
}

cv::Mat JoinedDataset::image(const Sample& sample) const {
  if (sample.split == Split::train) {
    const auto found = joined_.find(sample.path);
    if (found != joined_.end()) return found->second.dataset->image(found->second.sample);
  }
  return base_->image(sample);
}

}  // namespace kindred::data
