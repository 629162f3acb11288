// What an exception says, for users.
#pragma once

#include <exception>
#include <string>

namespace kindred::system {

/// what(), of LibTorch's own exceptions "LibTorch: ..." without the stack trace that is in theirs.
[[nodiscard]] std::string exception_text(const std::exception& error);

}  // namespace kindred::system
