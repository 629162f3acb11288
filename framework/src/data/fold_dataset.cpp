#include "data/fold_dataset.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <stdexcept>
#include <utility>

#include "data/tracklets.h"
#include "kindred/core/random.h"

namespace kindred::data {
namespace {

// Purposes of random numbers.
constexpr std::uint64_t deal_stream = 1;
constexpr std::uint64_t query_stream = 2;

/// Positions of images, by identity, ascending; of a tracklet, that of its first frame.
using Identities = std::map<std::int64_t, std::vector<std::size_t>>;

Identities identities_of(const std::vector<Sample>& samples, const std::vector<Frames>& tracklets) {
  Identities identities;
  for (const auto& frames : tracklets) {
    const auto identity = sample_of_tracklet(samples, frames).identity;
    if (identity >= 0) identities[identity].push_back(frames.front());
  }
  return identities;
}

/// The identities of the fold that is validated.
std::set<std::int64_t> validated_identities(const Identities& identities,
                                            const recipe::FoldsSettings& folds) {
  struct Dealt {
    std::int64_t identity;
    std::size_t images;
  };
  std::vector<Dealt> order;
  for (const auto& [identity, images] : identities) order.push_back({identity, images.size()});
  RandomStream random(static_cast<std::uint64_t>(folds.seed), {deal_stream});
  random.shuffle(std::span(order));
  std::stable_sort(order.begin(), order.end(),
                   [](const Dealt& a, const Dealt& b) { return a.images > b.images; });

  struct Fold {
    std::int64_t number;
    std::size_t images = 0;
  };
  std::vector<Fold> all;
  for (std::int64_t fold = 1; fold <= folds.count; ++fold) all.push_back({fold});
  std::set<std::int64_t> validated;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto turn = i % all.size();
    if (turn == 0) {
      std::stable_sort(all.begin(), all.end(),
                       [](const Fold& a, const Fold& b) { return a.images < b.images; });
    }
    all[turn].images += order[i].images;
    if (all[turn].number == folds.fold) validated.insert(order[i].identity);
  }
  return validated;
}

/// Which images of the fold are queries.
class QueryChooser {
 public:
  QueryChooser(const std::vector<Sample>& samples, const Identities& fold, const recipe::FoldsSettings& folds)
      : samples_(samples), folds_(folds) {
    std::set<std::int64_t> cameras;
    for (const auto& [identity, images] : fold) {
      for (const auto image : images) cameras.insert(samples[image].camera);
    }
    cameras_known_ = cameras.size() > 1 && *cameras.begin() >= 0;
  }

  [[nodiscard]] bool cameras_known() const { return cameras_known_; }

  [[nodiscard]] std::vector<std::size_t> of(std::int64_t identity,
                                            const std::vector<std::size_t>& images) const {
    if (static_cast<std::int64_t>(images.size()) < folds_.min_images_for_query) return {};
    if (!cameras_known_) return {drawn(identity, unknown_camera, images)};
    std::map<std::int64_t, std::vector<std::size_t>> by_camera;
    for (const auto image : images) by_camera[samples_[image].camera].push_back(image);
    if (by_camera.size() < 2) return {};
    const auto stay = std::count_if(by_camera.begin(), by_camera.end(),
                                    [](const auto& camera) { return camera.second.size() > 1; });
    if (stay < 2) {
      by_camera.erase(std::max_element(by_camera.begin(), by_camera.end(), [](const auto& a, const auto& b) {
        return a.second.size() < b.second.size();
      }));
    }
    std::vector<std::size_t> queries;
    for (const auto& [camera, seen] : by_camera) queries.push_back(drawn(identity, camera, seen));
    return queries;
  }

 private:
  [[nodiscard]] std::size_t drawn(std::int64_t identity, std::int64_t camera,
                                  const std::vector<std::size_t>& images) const {
    RandomStream random(
        static_cast<std::uint64_t>(folds_.seed),
        {query_stream, static_cast<std::uint64_t>(identity), static_cast<std::uint64_t>(camera)});
    return images[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(images.size()) - 1))];
  }

  const std::vector<Sample>& samples_;
  const recipe::FoldsSettings& folds_;
  bool cameras_known_ = false;
};

std::vector<Sample> training_split(const Dataset& dataset) {
  auto samples = dataset.samples();
  std::erase_if(samples, [](const Sample& sample) { return sample.split != Split::train; });
  // Neither the deal nor the draw may depend on the order.
  std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.path < b.path; });
  return samples;
}

}  // namespace

FoldDataset::FoldDataset(std::unique_ptr<Dataset> whole, const recipe::FoldsSettings& folds,
                         const SourceLocation& location, std::unique_ptr<Dataset> distractors)
    : whole_(std::move(whole)), distractors_(std::move(distractors)) {
  const auto samples = training_split(*whole_);
  const auto tracklets = frames_of_tracklets(samples);
  auto identities = identities_of(samples, tracklets);
  if (static_cast<std::int64_t>(identities.size()) < folds.count) {
    throw RecipeError(location, "[folds]: cannot split the " + std::to_string(identities.size()) +
                                    " identities of the training split into count = " +
                                    std::to_string(folds.count) + " folds; " +
                                    (identities.size() < 2 ? "choose a data set with labeled training images"
                                                           : "lower count, or set fold = 0"));
  }
  const auto validated = validated_identities(identities, folds);
  std::erase_if(identities, [&](const auto& entry) { return validated.count(entry.first) == 0; });

  const QueryChooser chooser(samples, identities, folds);
  std::set<std::size_t> queries;
  for (const auto& [identity, images] : identities) {
    for (const auto query : chooser.of(identity, images)) queries.insert(query);
  }
  // A tracklet is a query with all its frames.
  for (const auto& frames : tracklets) {
    if (queries.count(frames.front()) > 0) queries.insert(frames.begin(), frames.end());
  }
  if (queries.empty()) {
    const std::string needed = std::to_string(folds.min_images_for_query) + " images";
    throw RecipeError(
        location, "[folds]: no identity of fold " + std::to_string(folds.fold) +
                      " has a query, which needs " +
                      (chooser.cameras_known() ? "two cameras and at least " + needed : needed) +
                      "; lower min_images_for_query or count, or choose data with more images per person");
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    auto sample = samples[i];
    if (validated.count(sample.identity) > 0) {
      sample.split = queries.count(i) > 0 ? Split::query : Split::gallery;
    }
    add(std::move(sample), *whole_, samples[i], location);
  }
  if (!distractors_) return;
  const auto before = samples_.size();
  for (const auto& sample : distractors_->samples()) {
    if (sample.split == Split::train || sample.identity == junk_identity) continue;
    Sample stranger;
    stranger.path = folds.distractors + "/" + sample.path;
    stranger.domain = sample.domain;
    stranger.split = Split::gallery;
    if (!sample.tracklet.empty()) {
      // A query and a gallery tracklet may have one name.
      stranger.tracklet = folds.distractors + "/" + split_name(sample.split) + "/" + sample.tracklet;
    }
    add(std::move(stranger), *distractors_, sample, location);
  }
  if (samples_.size() == before) {
    throw RecipeError(
        location, "[folds]: distractors = " + Value(folds.distractors).to_toml() +
                      " has no images outside of its training split; name another folder, or \"\" for none");
  }
}

void FoldDataset::add(Sample sample, const Dataset& from, Sample there, const SourceLocation& location) {
  if (!sources_.emplace(sample.path, Source{&from, std::move(there)}).second) {
    throw RecipeError(location, "[folds]: image '" + sample.path +
                                    "' is in both the data set and the distractors; move the distractors to "
                                    "a folder of another name");
  }
  samples_.push_back(std::move(sample));
}

cv::Mat FoldDataset::image(const Sample& sample) const {
  const auto found = sources_.find(sample.path);
  if (found == sources_.end()) throw std::logic_error("not an image of this fold: " + sample.path);
  return found->second.dataset->image(found->second.sample);
}

}  // namespace kindred::data
