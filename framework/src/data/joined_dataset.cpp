#include "data/joined_dataset.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "kindred/core/error.h"

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
  std::unordered_map<std::string, Sample> known;
  for (auto& sample : dataset.samples()) known.emplace(sample.path, std::move(sample));
  samples_.reserve(samples_.size() + part.samples.size());
  for (const auto& labelled : part.samples) {
    const auto refuse = [&](const std::string& what) {
      throw DataError(part.file, "image '" + labelled.path + "' " + what);
    };
    const auto found = known.find(labelled.path);
    if (found == known.end()) {
      refuse("is not in the data set: the labels are for other data, or the data has changed; label again");
    }
    if (labelled.identity < 0) {
      refuse("has no identity of 0 or more; remove images without an identity from the labels");
    }
    if (!part.dataset && found->second.split == Split::train) refuse("is already in the training split");
    Sample sample = labelled;
    sample.path = prefix + labelled.path;
    sample.identity += first_identity;
    sample.split = Split::train;
    if (!joined_.emplace(sample.path, Source{&dataset, found->second}).second) {
      refuse("is labeled twice; list each image once");
    }
    samples_.push_back(std::move(sample));
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
