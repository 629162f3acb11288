#include "identity_sampler.h"

namespace kindred::samplers {

Schema<IdentitySampler::Params> IdentitySampler::schema() {
  Schema<Params> s("Batches of P identities with K images each.",
                   "Hermans, Beyer, Leibe: In Defense of the Triplet Loss, 2017, section 2");
  add_group_parameters(s);
  return s;
}

IdentitySampler::IdentitySampler(const Params& params, const Context& context)
    : groups_("sampler/identity", params, context.samples) {}

std::vector<std::vector<std::size_t>> IdentitySampler::batches(std::int64_t /*epoch*/,
                                                               RandomStream& random) const {
  std::vector<std::vector<std::size_t>> supplies;
  supplies.reserve(groups_.images().size());
  for (const auto& images : groups_.images()) supplies.push_back(groups_.shuffled(images, random));
  const std::vector<std::int64_t> alike(supplies.size(), 1);
  return groups_.batches(supplies, alike, random);
}

}  // namespace kindred::samplers
