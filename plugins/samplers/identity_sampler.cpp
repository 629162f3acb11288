#include "identity_sampler.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <span>
#include <string>

#include "kindred/error.h"

namespace kindred {
namespace {

constexpr const char* component = "sampler/identity";

}  // namespace

Schema<IdentitySampler::Params> IdentitySampler::schema() {
  Schema<Params> s("Batches of P distinct identities with K images each.",
                   "Hermans, Beyer, Leibe: In Defense of the Triplet Loss, 2017, section 2");
  s.add("identities_per_batch", &Params::identities_per_batch, "identities in a batch (P)").range(1, 65536);
  s.add("images_per_identity", &Params::images_per_identity, "images of each identity in a batch (K)")
      .range(1, 65536);
  return s;
}

IdentitySampler::IdentitySampler(const Params& params, const Context& context)
    : identities_per_batch_(static_cast<std::size_t>(params.identities_per_batch)),
      images_per_identity_(static_cast<std::size_t>(params.images_per_identity)) {
  std::map<std::int64_t, std::vector<std::size_t>> by_identity;
  for (std::size_t i = 0; i < context.samples.size(); ++i) {
    const Sample& sample = context.samples[i];
    if (sample.identity < 0) {
      throw ComponentError(component, "training image '" + sample.path +
                                          "' has no identity; give each training image one, or leave the "
                                          "image out of the data set");
    }
    by_identity[sample.identity].push_back(i);
  }
  if (by_identity.size() < identities_per_batch_) {
    throw ComponentError(
        component, "identities_per_batch = " + std::to_string(identities_per_batch_) +
                       ", but the training data has " + std::to_string(by_identity.size()) +
                       (by_identity.size() == 1 ? " identity" : " identities") +
                       (by_identity.empty() ? "; check the data set"
                                            : "; choose " + std::to_string(by_identity.size()) + " or less"));
  }
  images_.reserve(by_identity.size());
  for (auto& [identity, images] : by_identity) images_.push_back(std::move(images));
}

std::vector<std::size_t> IdentitySampler::draw(const std::vector<std::size_t>& images,
                                               RandomStream& random) const {
  std::vector<std::size_t> drawn;
  if (images.size() < images_per_identity_) {
    const auto last = static_cast<std::int64_t>(images.size()) - 1;
    while (drawn.size() < images_per_identity_) {
      drawn.push_back(images[static_cast<std::size_t>(random.integer(0, last))]);
    }
    return drawn;
  }
  drawn = images;
  random.shuffle(std::span(drawn));
  drawn.resize(drawn.size() - drawn.size() % images_per_identity_);
  return drawn;
}

std::vector<std::vector<std::size_t>> IdentitySampler::batches(std::int64_t /*epoch*/,
                                                               RandomStream& random) const {
  struct Supply {
    std::vector<std::size_t> images;  // a whole number of groups
    std::size_t used = 0;
  };
  std::vector<Supply> supplies;
  supplies.reserve(images_.size());
  for (const auto& images : images_) supplies.push_back({draw(images, random)});

  std::vector<std::size_t> available(supplies.size());
  std::iota(available.begin(), available.end(), std::size_t{0});
  std::vector<std::vector<std::size_t>> batches;
  while (available.size() >= identities_per_batch_) {
    std::vector<std::size_t> batch;
    batch.reserve(identities_per_batch_ * images_per_identity_);
    const auto last = static_cast<std::int64_t>(available.size()) - 1;
    for (std::size_t i = 0; i < identities_per_batch_; ++i) {
      std::swap(available[i],
                available[static_cast<std::size_t>(random.integer(static_cast<std::int64_t>(i), last))]);
      Supply& supply = supplies[available[i]];
      const auto group = supply.images.begin() + static_cast<std::ptrdiff_t>(supply.used);
      batch.insert(batch.end(), group, group + static_cast<std::ptrdiff_t>(images_per_identity_));
      supply.used += images_per_identity_;
    }
    batches.push_back(std::move(batch));
    std::erase_if(available, [&](std::size_t i) { return supplies[i].used == supplies[i].images.size(); });
  }
  return batches;
}

}  // namespace kindred
