// What all samplers of P identities with K images each have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kindred/core/random.h"
#include "kindred/core/schema.h"
#include "kindred/role/sampler.h"

namespace kindred::samplers {

/// Parameters that all these samplers have.
struct GroupParams {
  std::int64_t identities_per_batch = 8;
  std::int64_t images_per_identity = 6;
};

/// Declares those of a sampler whose Params are GroupParams or derived from them.
template <class Params>
void add_group_parameters(Schema<Params>& schema) {
  std::int64_t Params::*const identities = &GroupParams::identities_per_batch;
  std::int64_t Params::*const images = &GroupParams::images_per_identity;
  schema.add("identities_per_batch", identities, "identities in a batch (P)")
      .range(1, 65536)
      .also_called({"p", "num_pids", "num_identities", "ids_per_batch", "batch_size"});
  schema.add("images_per_identity", images, "images of each identity in a batch (K)")
      .range(1, 65536)
      .also_called({"k", "num_instances", "num_instance", "instances", "imgs_per_id"});
}

/// The images of each identity, and batches made of groups of K of them.
class IdentityGroups {
 public:
  /// Throws ComponentError in the name of `component` when there are fewer than identities_per_batch
  /// identities, or a sample's identity is unknown.
  IdentityGroups(const std::string& component, const GroupParams& params, const std::vector<Sample>& samples);

  /// Indices of samples, for each identity; identities in ascending order, none without images.
  [[nodiscard]] const std::vector<std::vector<std::size_t>>& images() const { return images_; }
  [[nodiscard]] std::size_t images_per_identity() const { return images_per_identity_; }

  /// The images in random order and cut to a whole number of groups; K of them drawn with replacement where
  /// there are fewer than K.
  [[nodiscard]] std::vector<std::size_t> shuffled(const std::vector<std::size_t>& images,
                                                  RandomStream& random) const;
  /// `count` of the images, or K when that is more, drawn with replacement and cut to a whole number of
  /// groups.
  [[nodiscard]] std::vector<std::size_t> drawn(const std::vector<std::size_t>& images, std::size_t count,
                                               RandomStream& random) const;

  /// A batch takes the next group each of P distinct identities, drawn one after the other among those that
  /// still have groups; the epoch ends when fewer than P have. The images of a group lie next to each other.
  /// @param groups for each identity one or more groups of K images, one group after the other
  /// @param weights for each identity a whole number above 0, to which the probability of drawing it is
  ///   proportional
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(
      const std::vector<std::vector<std::size_t>>& groups, const std::vector<std::int64_t>& weights,
      RandomStream& random) const;

 private:
  std::size_t identities_per_batch_;
  std::size_t images_per_identity_;
  std::vector<std::vector<std::size_t>> images_;
};

}  // namespace kindred::samplers
