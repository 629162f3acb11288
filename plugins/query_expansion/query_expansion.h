// Queries averaged with what they find: Chum et al., ICCV 2007; Radenovic et al., TPAMI 2018.
#pragma once

#include "expansion.h"
#include "kindred/role/post_processor.h"

namespace kindred::query_expansion {

/// Each query becomes the direction of q + sum_j cos(q, g_j)^alpha g_j over its k nearest gallery images
/// (expansion.h). alpha 0 is average query expansion, alpha above 0 alpha-QE. All descriptors are scaled to
/// length 1 first, whatever length they come with, and leave with length 1.
class QueryExpansion final : public PostProcessor {
 public:
  using Params = ExpansionParams;
  static Schema<Params> schema();

  QueryExpansion(const Params& params, const Context& context);
  [[nodiscard]] Step step() const override { return Step::descriptors; }
  void apply(Retrieval& retrieval, RetrievalHost& host) const override;

 private:
  Params params_;
};

}  // namespace kindred::query_expansion
