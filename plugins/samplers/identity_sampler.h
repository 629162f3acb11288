// Batches of P identities with K images each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "identity_groups.h"
#include "kindred/core/schema.h"
#include "kindred/role/sampler.h"

namespace kindred::samplers {

/// The usual sampler for triplet losses (Hermans et al. 2017, section 2). In each epoch every identity's
/// images are shuffled and cut into groups of K; an identity with fewer draws K of them with replacement; a
/// remainder smaller than K is left out of this epoch. A batch takes one group each of P distinct
/// identities, drawn uniformly among those that still have groups; the epoch ends when fewer than P have.
/// The K images of an identity lie next to each other in the batch.
class IdentitySampler final : public Sampler {
 public:
  using Params = GroupParams;
  static Schema<Params> schema();

  /// Throws ComponentError when there are fewer than identities_per_batch identities, or a sample's
  /// identity is unknown.
  IdentitySampler(const Params& params, const Context& context);
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t epoch,
                                                              RandomStream& random) const override;

 private:
  IdentityGroups groups_;
};

}  // namespace kindred::samplers
