// Pseudo identities from pairs of near images.
#pragma once

#include <cstdint>

#include "kindred/core/schema.h"
#include "kindred/role/labeler.h"

namespace my_plugins {

/// Two images belong together if each is among the other's nearest and their cosine distance is at most
/// `max_distance`; an identity is all images that such pairs connect (single linkage).
class NearPairs final : public kindred::Labeler {
 public:
  struct Params {
    double max_distance = 0.2;
    std::int64_t neighbors = 10;
  };
  static kindred::Schema<Params> schema();

  NearPairs(const Params& params, const Context& context);

  [[nodiscard]] kindred::PseudoLabels label(const kindred::Retrieval& images,
                                            kindred::RetrievalHost& host) const override;

 private:
  Params params_;
};

}  // namespace my_plugins
