// The two forms in which backbones give features.
#pragma once

namespace kindred {

enum class FeatureForm {
  map,     ///< [N, C, h, w]
  tokens,  ///< [N, extra + rows columns, C]: nn/activations.h
};

}  // namespace kindred
