// Sees the operators that LibTorch calls.
#pragma once

#include <functional>
#include <vector>

#include "speed/network_work.h"

namespace kindred::speed {

/// The calls of operators that `counts` accepts, of those inside of each other the innermost, each once.
/// @param counts FLOP of one call, or a negative number for those that are not recorded
[[nodiscard]] std::vector<OperatorCall> recorded_calls(
    const std::function<void()>& run, const std::function<double(const OperatorCall& call)>& counts);

}  // namespace kindred::speed
