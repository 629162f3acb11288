#include "identity_groups.h"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "kindred/core/error.h"
#include "weighted_urn.h"

namespace kindred::samplers {

IdentityGroups::IdentityGroups(const std::string& component, const GroupParams& params,
                               const std::vector<Sample>& samples)
    : identities_per_batch_(static_cast<std::size_t>(params.identities_per_batch)),
      images_per_identity_(static_cast<std::size_t>(params.images_per_identity)) {
  std::map<std::int64_t, std::vector<std::size_t>> by_identity;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Sample& sample = samples[i];
    if (sample.identity < 0) {
      throw ComponentError(component,
                           "training image '" + sample.path +
                               "' has no identity; label the image, or remove it from the training data");
    }
    by_identity[sample.identity].push_back(i);
  }
  if (by_identity.size() < identities_per_batch_) {
    throw ComponentError(
        component,
        "identities_per_batch = " + std::to_string(identities_per_batch_) + ", but the training data has " +
            std::to_string(by_identity.size()) + (by_identity.size() == 1 ? " identity" : " identities") +
            (by_identity.empty() ? "; check the data set"
                                 : "; choose " + std::to_string(by_identity.size()) + " or fewer"));
  }
  images_.reserve(by_identity.size());
  for (auto& [identity, images] : by_identity) images_.push_back(std::move(images));
}

std::vector<std::size_t> IdentityGroups::shuffled(const std::vector<std::size_t>& images,
                                                  RandomStream& random) const {
  if (images.size() < images_per_identity_) return drawn(images, images_per_identity_, random);
  auto order = images;
  random.shuffle(std::span(order));
  order.resize(order.size() - order.size() % images_per_identity_);
  return order;
}

std::vector<std::size_t> IdentityGroups::drawn(const std::vector<std::size_t>& images, std::size_t count,
                                               RandomStream& random) const {
  const std::size_t enough = std::max(count, images_per_identity_);
  std::vector<std::size_t> result(enough - enough % images_per_identity_);
  const auto last = static_cast<std::int64_t>(images.size()) - 1;
  for (auto& image : result) image = images[static_cast<std::size_t>(random.integer(0, last))];
  return result;
}

std::vector<std::vector<std::size_t>> IdentityGroups::batches(
    const std::vector<std::vector<std::size_t>>& groups, const std::vector<std::int64_t>& weights,
    RandomStream& random) const {
  WeightedUrn urn(weights);
  std::vector<std::size_t> used(groups.size(), 0);
  std::size_t available = groups.size();
  std::vector<std::vector<std::size_t>> batches;
  while (available >= identities_per_batch_) {
    std::vector<std::size_t> batch;
    batch.reserve(identities_per_batch_ * images_per_identity_);
    std::vector<std::size_t> chosen;
    chosen.reserve(identities_per_batch_);
    for (std::size_t i = 0; i < identities_per_batch_; ++i) {
      const std::size_t identity = urn.draw(random);
      urn.set(identity, 0);
      chosen.push_back(identity);
      const auto group = groups[identity].begin() + static_cast<std::ptrdiff_t>(used[identity]);
      batch.insert(batch.end(), group, group + static_cast<std::ptrdiff_t>(images_per_identity_));
      used[identity] += images_per_identity_;
    }
    batches.push_back(std::move(batch));
    for (const std::size_t identity : chosen) {
      if (used[identity] < groups[identity].size()) {
        urn.set(identity, weights[identity]);
      } else {
        --available;
      }
    }
  }
  return batches;
}

}  // namespace kindred::samplers
