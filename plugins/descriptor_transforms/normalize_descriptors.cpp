#include "normalize_descriptors.h"

#include <algorithm>
#include <cstdint>

#include "centering.h"
#include "kindred/search/row_lengths.h"

namespace kindred::descriptor_transforms {

Schema<NormalizeDescriptors::Params> NormalizeDescriptors::schema() {
  Schema<Params> s("Scales each descriptor to length 1, for steps that compare by Euclidean distance.");
  s.add("center", &Params::center,
        "also subtract the mean of the gallery, which carries no information about identities");
  return s;
}

NormalizeDescriptors::NormalizeDescriptors(const Params& params, const Context& /*context*/)
    : params_(params) {}

void NormalizeDescriptors::apply(Retrieval& retrieval, RetrievalHost& /*host*/) const {
  const auto& rows = retrieval.descriptors;
  scale_to_unit_length(rows);
  if (!params_.center) return;
  const auto mean = mean_row(retrieval.gallery());
  for (std::int64_t first = 0; first < rows.size(0); first += rows_at_a_time) {
    const auto last = std::min(first + rows_at_a_time, rows.size(0));
    rows.slice(0, first, last).copy_(centered_rows(rows, first, last, mean));
  }
  require_length(rows, "post_processor/normalize",
                 "equals the mean of the gallery, so centering leaves no direction; leave that image out or "
                 "set center = false");
  scale_to_unit_length(rows);
}

}  // namespace kindred::descriptor_transforms
