#include "query_expansion.h"

#include <cstdint>

#include "kindred/search/row_lengths.h"

namespace kindred::query_expansion {

Schema<QueryExpansion::Params> QueryExpansion::schema() {
  Schema<Params> s(
      "Averages each query descriptor with those of its nearest gallery images; its own weight is 1.",
      "Chum et al., ICCV 2007 (alpha 0); Radenovic et al., TPAMI 2018 (alpha above 0)");
  add_expansion_parameters(s);
  return s;
}

QueryExpansion::QueryExpansion(const Params& params, const Context& /*context*/) : params_(params) {}

void QueryExpansion::apply(Retrieval& retrieval, RetrievalHost& host) const {
  warn_of_k(params_.k, retrieval.descriptors.size(0) - retrieval.queries, host);
  scale_to_unit_length(retrieval.descriptors);
  NearestOptions options;
  options.count = params_.k;
  options.precision = params_.search;
  options.device = host.device();
  options.progress = [&host](std::int64_t done, std::int64_t total) {
    host.progress("find images near the queries", done, total);
  };
  const auto query = retrieval.query();
  const auto gallery = retrieval.gallery();
  expand(query, gallery, host.nearest_rows(query, gallery, options), params_, false, query);
}

}  // namespace kindred::query_expansion
