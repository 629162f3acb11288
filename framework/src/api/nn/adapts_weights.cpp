#include "kindred/nn/adapts_weights.h"

namespace kindred {

AdaptsWeights::~AdaptsWeights() = default;

}  // namespace kindred
