#include "kindred/nn/lasting_tensors.h"

namespace kindred {

LastingTensors::~LastingTensors() = default;

}  // namespace kindred
