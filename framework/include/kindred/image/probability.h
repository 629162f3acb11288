// The parameter of augmentations that change only some of the images.
#pragma once

#include <string>
#include <utility>

#include "kindred/core/schema.h"

namespace kindred {

/// Declares `prob`, in [0, 1]; with 0 the augmentation does nothing. Params has a member `double prob`.
template <class Params>
void add_probability(Schema<Params>& schema, std::string doc = "probability that an image is changed") {
  schema.add("prob", &Params::prob, std::move(doc))
      .range(0, 1)
      .idle_at(0)
      .also_called({"p", "chance", "rate"});
}

}  // namespace kindred
