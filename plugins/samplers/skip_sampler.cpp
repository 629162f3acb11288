#include "skip_sampler.h"

#include "oversampling_sampler.h"

namespace kindred::samplers {

Schema<SkipSampler::Params> SkipSampler::schema() {
  Schema<Params> s(
      "Batches of P identities with K images each. Identities are drawn in proportion to their images; in "
      "every few epochs, images of an identity with few are drawn twice as often, with replacement.",
      "P x K batches: Hermans, Beyer, Leibe: In Defense of the Triplet Loss, 2017, section 2; the doubling "
      "has no paper");
  add_group_parameters(s);
  s.add("threshold", &Params::threshold,
        "images of an identity with fewer than this are drawn twice as often")
      .at_least(2)
      .unit("images");
  s.add("period", &Params::period,
        "the doubling applies in epochs whose number, counted from 1, is divisible by this; 1: all epochs")
      .at_least(1)
      .unit("epochs");
  return s;
}

SkipSampler::SkipSampler(const Params& params, const Context& context)
    : groups_("sampler/skip", params, context.samples),
      threshold_(static_cast<std::size_t>(params.threshold)),
      period_(params.period) {}

std::vector<std::vector<std::size_t>> SkipSampler::batches(std::int64_t epoch, RandomStream& random) const {
  return oversampled_batches(groups_, epoch % period_ == 0 ? threshold_ : 0, random);
}

}  // namespace kindred::samplers
