// Batches of P identities with K images each, those with few images shown more often.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "identity_groups.h"
#include "kindred/core/schema.h"
#include "kindred/role/sampler.h"

namespace kindred::samplers {

/// As IdentitySampler, with two differences. An identity with n < threshold images draws 2 n of them with
/// replacement (K when that is more), which are cut into groups; and a batch draws its identities one after
/// the other with probability proportional to n.
class OversamplingSampler final : public Sampler {
 public:
  struct Params : GroupParams {
    std::int64_t threshold = 100;
  };
  static Schema<Params> schema();

  /// Throws ComponentError as IdentityGroups does.
  OversamplingSampler(const Params& params, const Context& context);
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t epoch,
                                                              RandomStream& random) const override;

 private:
  IdentityGroups groups_;
  std::size_t threshold_;
};

/// The batches of an epoch as OversamplingSampler makes them. Threshold 0 doubles nothing.
[[nodiscard]] std::vector<std::vector<std::size_t>> oversampled_batches(const IdentityGroups& groups,
                                                                        std::size_t threshold,
                                                                        RandomStream& random);

}  // namespace kindred::samplers
