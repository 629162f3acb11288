// The outputs of a head, which losses are applied to.
#pragma once

#include <cstdint>
#include <string>

#include "kindred/core/export.h"

namespace kindred {

enum class OutputKind { feature, logits };

/// One output that losses can be applied to.
struct KINDRED_API OutputInfo {
  /// UTF-8 without white space; without '*', which stands for any characters in a loss's `on`.
  std::string name;
  OutputKind kind = OutputKind::feature;
  std::int64_t dim = 0;  ///< length of a feature, or number of identities of logits
};

}  // namespace kindred
