#include "data/combined_dataset.h"

#include <cstdint>
#include <map>
#include <stdexcept>
#include <utility>

namespace kindred::data {
namespace {

/// Gives numbers of one data set after another a place of their own.
class Renumbering {
 public:
  /// Negative numbers stand for what is not known, and stay.
  void add(std::int64_t number) {
    if (number >= 0) numbers_.emplace(number, 0);
  }
  /// The numbers that were added get the next ones, in their order.
  void finish(std::int64_t& next) {
    for (auto& [number, given] : numbers_) given = next++;
  }
  [[nodiscard]] std::int64_t of(std::int64_t number) const {
    return number < 0 ? number : numbers_.at(number);
  }

 private:
  std::map<std::int64_t, std::int64_t> numbers_;
};

}  // namespace

CombinedDataset::CombinedDataset(std::vector<Part> parts) : parts_(std::move(parts)) {
  std::int64_t next_identity = 0;
  std::int64_t next_camera = 0;
  for (const auto& part : parts_) {
    auto samples = part.dataset->samples();
    if (!part.trained_on) {
      std::erase_if(samples, [](const Sample& sample) { return sample.split == Split::train; });
    }
    Renumbering identities;
    Renumbering cameras;
    for (const auto& sample : samples) {
      identities.add(sample.identity);
      cameras.add(sample.camera);
    }
    identities.finish(next_identity);
    cameras.finish(next_camera);
    for (auto& there : samples) {
      auto sample = there;
      sample.path = part.prefix + there.path;
      if (!there.tracklet.empty()) sample.tracklet = part.prefix + there.tracklet;
      if (parts_.size() > 1) {
        sample.identity = identities.of(there.identity);
        sample.camera = cameras.of(there.camera);
      }
      sources_.emplace(sample.path, Source{part.dataset.get(), std::move(there)});
      samples_.push_back(std::move(sample));
    }
  }
}

cv::Mat CombinedDataset::image(const Sample& sample) const {
  const auto found = sources_.find(sample.path);
  if (found == sources_.end()) throw std::logic_error("not an image of these data sets: " + sample.path);
  return found->second.dataset->image(found->second.sample);
}

}  // namespace kindred::data
