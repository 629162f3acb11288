// Text from files that nobody vouches for, made fit for a message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kindred::text {

/// The text with everything but printable ASCII replaced by '?', cut behind `most` characters.
[[nodiscard]] std::string printable(std::string_view text, std::size_t most = 120);

}  // namespace kindred::text
