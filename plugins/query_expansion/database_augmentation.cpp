#include "database_augmentation.h"

#include <cstdint>

#include <torch/torch.h>

#include "kindred/search/row_lengths.h"

namespace kindred::query_expansion {

Schema<DatabaseAugmentation::Params> DatabaseAugmentation::schema() {
  Schema<Params> s(
      "Averages each gallery descriptor with those of its nearest gallery images; its own weight is 1.",
      "Turcot and Lowe, ICCV Workshops 2009; Gordo et al., IJCV 2017");
  add_expansion_parameters(s);
  return s;
}

DatabaseAugmentation::DatabaseAugmentation(const Params& params, const Context& /*context*/)
    : params_(params) {}

void DatabaseAugmentation::apply(Retrieval& retrieval, RetrievalHost& host) const {
  warn_of_k(params_.k, retrieval.descriptors.size(0) - retrieval.queries - 1, host);
  scale_to_unit_length(retrieval.descriptors);
  NearestOptions options;
  options.count = params_.k + 1;  // an image is its own nearest
  options.precision = params_.search;
  options.device = host.device();
  options.progress = [&host](std::int64_t done, std::int64_t total) {
    host.progress("find images near those of the gallery", done, total);
  };
  const auto gallery = retrieval.gallery();
  const auto augmented = torch::empty_like(gallery);
  expand(gallery, gallery, host.nearest_rows(gallery, options), params_, true, augmented);
  gallery.copy_(augmented);
}

}  // namespace kindred::query_expansion
