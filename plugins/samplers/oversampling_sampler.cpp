#include "oversampling_sampler.h"

namespace kindred::samplers {

Schema<OversamplingSampler::Params> OversamplingSampler::schema() {
  Schema<Params> s(
      "Batches of P identities with K images each. Identities are drawn in proportion to their images; "
      "images of an identity with few are drawn twice as often, with replacement.",
      "P x K batches: Hermans, Beyer, Leibe: In Defense of the Triplet Loss, 2017, section 2; the doubling "
      "has no paper");
  add_group_parameters(s);
  s.add("threshold", &Params::threshold,
        "images of an identity with fewer than this are drawn twice as often")
      .at_least(2)
      .unit("images");
  return s;
}

OversamplingSampler::OversamplingSampler(const Params& params, const Context& context)
    : groups_("sampler/oversampling", params, context.samples),
      threshold_(static_cast<std::size_t>(params.threshold)) {}

std::vector<std::vector<std::size_t>> OversamplingSampler::batches(std::int64_t /*epoch*/,
                                                                   RandomStream& random) const {
  return oversampled_batches(groups_, threshold_, random);
}

std::vector<std::vector<std::size_t>> oversampled_batches(const IdentityGroups& groups, std::size_t threshold,
                                                          RandomStream& random) {
  std::vector<std::vector<std::size_t>> supplies;
  std::vector<std::int64_t> weights;
  for (const auto& images : groups.images()) {
    weights.push_back(static_cast<std::int64_t>(images.size()));
    supplies.push_back(images.size() < threshold ? groups.drawn(images, 2 * images.size(), random)
                                                 : groups.shuffled(images, random));
  }
  return groups.batches(supplies, weights, random);
}

}  // namespace kindred::samplers
