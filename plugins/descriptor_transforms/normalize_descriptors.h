// Descriptors of length 1.
#pragma once

#include "kindred/core/schema.h"
#include "kindred/role/post_processor.h"

namespace kindred::descriptor_transforms {

/// Scales each descriptor to length 1. With `center`, the mean of the gallery's scaled descriptors is then
/// subtracted from queries and gallery, and what is left is scaled to length 1.
class NormalizeDescriptors final : public PostProcessor {
 public:
  struct Params {
    bool center = false;
  };
  static Schema<Params> schema();

  NormalizeDescriptors(const Params& params, const Context& context);
  [[nodiscard]] Step step() const override { return Step::descriptors; }
  /// Throws ComponentError for a descriptor that equals the mean.
  void apply(Retrieval& retrieval, RetrievalHost& host) const override;

 private:
  Params params_;
};

}  // namespace kindred::descriptor_transforms
