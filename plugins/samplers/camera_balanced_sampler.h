// Batches of P identities with K images each, an identity's images from different cameras.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "identity_groups.h"
#include "kindred/core/schema.h"
#include "kindred/role/sampler.h"

namespace kindred::samplers {

/// As IdentitySampler, but an identity's groups are spread over its cameras. A group takes an image from each
/// camera of the identity that has images left in this epoch, from those with the most left first (between
/// equals the order is random), until it has K; where there are fewer such cameras than K, it goes round them
/// again. So a group shows min(K, cameras with images left) cameras, and taking from the fullest keeps as
/// many cameras as possible for the groups to come. Which of a camera's images is taken is random. An
/// identity with fewer than K images goes round its cameras in random order, drawing an image from each with
/// replacement, until it has K.
class CameraBalancedSampler final : public Sampler {
 public:
  using Params = GroupParams;
  static Schema<Params> schema();

  /// Throws ComponentError as IdentityGroups does, and when a sample's camera is unknown.
  CameraBalancedSampler(const Params& params, const Context& context);
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t epoch,
                                                              RandomStream& random) const override;

 private:
  using Cameras = std::vector<std::vector<std::size_t>>;  // images of one identity, for each camera

  [[nodiscard]] std::vector<std::size_t> spread(Cameras cameras, RandomStream& random) const;

  IdentityGroups groups_;
  std::vector<Cameras> cameras_;  // for each identity, in the order of groups_
};

}  // namespace kindred::samplers
