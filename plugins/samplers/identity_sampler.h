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
///
/// A tracklet counts as one image of this, of which `frames` frames are taken, drawn anew each time: K is
/// then a number of tracklets, and a batch has P x K x frames images. An identity with fewer than K tracklets
/// goes round them again. A frame is taken again only when its tracklet has no other left.
class IdentitySampler final : public Sampler {
 public:
  struct Params : GroupParams {
    std::int64_t frames = 1;
  };
  static Schema<Params> schema();

  /// Throws ComponentError when there are fewer than identities_per_batch identities, a sample's identity is
  /// unknown, or frames is above 1 and a sample is not a frame of a tracklet.
  IdentitySampler(const Params& params, const Context& context);
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t epoch,
                                                              RandomStream& random) const override;

 private:
  using Tracklets = std::vector<std::vector<std::size_t>>;  // of one identity; a single image is one, too

  /// Groups of K tracklets with `frames` images each.
  [[nodiscard]] std::vector<std::size_t> drawn(const Tracklets& tracklets, RandomStream& random) const;

  std::size_t tracklets_per_identity_;
  std::size_t frames_;
  IdentityGroups groups_;
  std::vector<Tracklets>
      tracklets_;  // for each identity, in the order of groups_; empty: single images alone
};

}  // namespace kindred::samplers
