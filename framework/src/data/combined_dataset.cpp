#include "data/combined_dataset.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

#include "data/distractors.h"
#include "recipe/dataset_choice.h"

namespace kindred::data {
namespace {

/// Gives numbers of one data set after another a place of their own.
class Renumbering {
 public:
  /// Those that have no number yet get the next ones, in their order.
  void extend(const std::set<std::int64_t>& numbers, std::int64_t& next) {
    for (const auto number : numbers) {
      if (numbers_.emplace(number, next).second) ++next;
    }
  }
  /// Negative numbers stand for what is not known, and stay.
  [[nodiscard]] std::int64_t of(std::int64_t number) const {
    return number < 0 ? number : numbers_.at(number);
  }

 private:
  std::map<std::int64_t, std::int64_t> numbers_;
};

/// @param order in which data sets get their numbers
void keep_identities_apart(std::vector<std::vector<Sample>>& datasets,
                           const std::vector<std::size_t>& order) {
  std::vector<bool> with_distractors;
  for (const auto& samples : datasets) with_distractors.push_back(has_distractors(samples));
  const auto is_distractor = [&](std::size_t dataset, const Sample& sample) {
    return with_distractors[dataset] && sample.split == Split::gallery && sample.identity == 0;
  };
  std::vector<Renumbering> renumberings(datasets.size());
  std::int64_t next = 0;
  for (const bool is_training : {true, false}) {
    for (const auto i : order) {
      std::set<std::int64_t> identities;
      for (const auto& sample : datasets[i]) {
        const bool counts = (sample.split == Split::train) == is_training && sample.identity >= 0;
        if (counts && !is_distractor(i, sample)) identities.insert(sample.identity);
      }
      renumberings[i].extend(identities, next);
    }
  }
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    std::map<std::string, std::int64_t> strangers;  // by the tracklet that shows one
    for (auto& sample : datasets[i]) {
      if (!is_distractor(i, sample)) {
        sample.identity = renumberings[i].of(sample.identity);
      } else if (sample.tracklet.empty()) {
        sample.identity = next++;
      } else {
        const auto [stranger, is_new] = strangers.emplace(sample.tracklet, next);
        if (is_new) ++next;
        sample.identity = stranger->second;
      }
    }
  }
}

}  // namespace

void keep_cameras_apart(std::vector<Sample>& samples) {
  std::vector<std::string> names;
  std::map<std::string, std::set<std::int64_t>> cameras;
  for (const auto& sample : samples) {
    const auto [found, is_new] = cameras.try_emplace(recipe::dataset_name_in(sample.path));
    if (is_new) names.push_back(found->first);
    if (sample.camera >= 0) found->second.insert(sample.camera);
  }
  std::map<std::string, Renumbering> renumberings;
  std::int64_t next = 0;
  for (const auto& name : names) renumberings[name].extend(cameras.at(name), next);
  for (auto& sample : samples) {
    sample.camera = renumberings.at(recipe::dataset_name_in(sample.path)).of(sample.camera);
  }
}

CombinedDataset::CombinedDataset(std::vector<Part> parts, Cameras cameras) : parts_(std::move(parts)) {
  std::vector<std::vector<Sample>> datasets;
  for (const auto& part : parts_) {
    auto& samples = datasets.emplace_back(part.dataset->samples());
    if (!part.trained_on) {
      std::erase_if(samples, [](const Sample& sample) { return sample.split == Split::train; });
    }
  }
  auto own = datasets;
  std::vector<std::size_t> order;
  for (const bool trained_on : {true, false}) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (parts_[i].trained_on == trained_on) order.push_back(i);
    }
  }
  if (parts_.size() > 1) keep_identities_apart(datasets, order);
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    for (std::size_t j = 0; j < own[i].size(); ++j) {
      auto& sample = datasets[i][j];
      sample.path = parts_[i].prefix + sample.path;
      if (!sample.tracklet.empty()) sample.tracklet = parts_[i].prefix + sample.tracklet;
      sources_.emplace(sample.path, Source{parts_[i].dataset.get(), std::move(own[i][j])});
      samples_.push_back(std::move(sample));
    }
  }
  if (parts_.size() > 1 && cameras == Cameras::apart) keep_cameras_apart(samples_);
}

cv::Mat CombinedDataset::image(const Sample& sample) const {
  const auto found = sources_.find(sample.path);
  if (found == sources_.end()) throw std::logic_error("not an image of these data sets: " + sample.path);
  return found->second.dataset->image(found->second.sample);
}

}  // namespace kindred::data
