// Batches within a camera.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/sampler.h"

namespace my_plugins {

/// All images in random order, each batch of one camera, so that no loss can tell identities apart by the
/// camera (Zhu et al., "Intra-Camera Supervised Person Re-Identification", 2020). What does not fill a batch
/// waits for another epoch.
class SameCamera final : public kindred::Sampler {
 public:
  struct Params {
    std::int64_t batch_size = 32;
  };
  static kindred::Schema<Params> schema();

  /// Throws ComponentError if no camera has images for a batch.
  SameCamera(const Params& params, const Context& context);

  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t epoch,
                                                              kindred::RandomStream& random) const override;

 private:
  std::size_t batch_size_;
  std::map<std::int64_t, std::vector<std::size_t>> cameras_;  // indices of each camera's images
};

}  // namespace my_plugins
