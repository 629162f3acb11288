// Batches of P identities with K images each, those with few images shown more often in some epochs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "identity_groups.h"
#include "kindred/core/schema.h"
#include "kindred/role/sampler.h"

namespace kindred::samplers {

/// As OversamplingSampler in the epochs whose number (from 1) is divisible by `period`. In the others no
/// identity is doubled; they are still drawn in proportion to their images.
class SkipSampler final : public Sampler {
 public:
  struct Params : GroupParams {
    std::int64_t threshold = 10;
    std::int64_t period = 10;
  };
  static Schema<Params> schema();

  /// Throws ComponentError as IdentityGroups does.
  SkipSampler(const Params& params, const Context& context);
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t epoch,
                                                              RandomStream& random) const override;

 private:
  IdentityGroups groups_;
  std::size_t threshold_;
  std::int64_t period_;
};

}  // namespace kindred::samplers
