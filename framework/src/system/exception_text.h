// What an exception says, for users.
#pragma once

#include <exception>
#include <string>

namespace kindred::system {

/// what(), of LibTorch's own exceptions "LibTorch: ..." without the stack trace that is in theirs. Of one
/// that says nothing, its type.
[[nodiscard]] std::string exception_text(const std::exception& error);

/// In a catch clause for what is no std::exception: "it threw a value of type 'int', which ...".
[[nodiscard]] std::string thrown_value_text();

}  // namespace kindred::system
