#include "power_norm.h"

#include "kindred/search/row_lengths.h"

namespace my_plugins {

kindred::Schema<PowerNorm::Params> PowerNorm::schema() {
  kindred::Schema<Params> s("Evens out large values of descriptors by a power.",
                            "Perronnin et al., ECCV 2010, section 3.1");
  s.add("exponent", &Params::exponent, "of the absolute values; 1 changes nothing").above(0).at_most(1);
  return s;
}

PowerNorm::PowerNorm(const Params& params, const Context&) : params_(params) {}

void PowerNorm::apply(kindred::Retrieval& retrieval, kindred::RetrievalHost&) const {
  const auto& before = retrieval.descriptors;
  retrieval.descriptors = (before.sign() * before.abs().pow(params_.exponent)).contiguous();
  kindred::scale_to_unit_length(retrieval.descriptors);
}

}  // namespace my_plugins
