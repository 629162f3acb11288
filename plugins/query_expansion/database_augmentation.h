// Gallery images averaged with their nearest: Turcot and Lowe, ICCV Workshops 2009; Gordo et al., IJCV 2017.
#pragma once

#include "expansion.h"
#include "kindred/role/post_processor.h"

namespace kindred::query_expansion {

/// Each gallery image becomes the direction of g + sum_j cos(g, g_j)^alpha g_j over its k nearest other
/// gallery images (expansion.h), all of them as they were before. Queries only are scaled to length 1, as the
/// gallery is first. Needs memory for a second gallery.
class DatabaseAugmentation final : public PostProcessor {
 public:
  using Params = ExpansionParams;
  static Schema<Params> schema();

  DatabaseAugmentation(const Params& params, const Context& context);
  [[nodiscard]] Step step() const override { return Step::descriptors; }
  void apply(Retrieval& retrieval, RetrievalHost& host) const override;

 private:
  Params params_;
};

}  // namespace kindred::query_expansion
