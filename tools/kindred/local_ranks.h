// Ranks of this machine that the launcher starts itself, as torchrun would.
#pragma once

#include <cstdint>
#include <optional>

#include "kindred/core/value.h"

namespace kindred::launcher {

class Session;

/// The exit code of a rank that run_local_ranks() has started and that has lost another one: what is shown is
/// the error of that one.
inline constexpr int lost_rank_exit = 90;

/// machine.ranks of a recipe; 1 where it is not set, or is not right, of which the recipe's reader tells.
[[nodiscard]] std::int64_t asked_ranks(const Value& recipe);

/// Runs this same command in `ranks` processes, with the variables of torchrun, and waits for them. What rank
/// 0 prints is shown, and of the others their warnings, and the error of the one that fails first. When this
/// process is asked to stop, all are; when one fails, the others are ended.
/// @return the exit code of the command; nothing when this process is to do the work, alone or as one of the
/// ranks that somebody has started, in which case another number than theirs is warned of
[[nodiscard]] std::optional<int> run_local_ranks(std::int64_t ranks, const Session& session);

/// Whether run_local_ranks() has started this process.
[[nodiscard]] bool is_local_rank();

}  // namespace kindred::launcher
