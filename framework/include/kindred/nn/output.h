// What a head gives to losses.
#pragma once

#include <cstdint>
#include <string>

#include "kindred/core/export.h"

namespace kindred {

enum class OutputKind { feature, logits };

/// One output that losses can be put on.
struct KINDRED_API OutputInfo {
  std::string name;
  OutputKind kind = OutputKind::feature;
  std::int64_t dim = 0;  ///< of a feature its length, of logits the number of identities
};

}  // namespace kindred
