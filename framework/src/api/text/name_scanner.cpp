#include "kindred/text/name_scanner.h"

#include <algorithm>
#include <cstddef>

#include "kindred/text/name_numbers.h"

namespace kindred {

bool NameScanner::skip(std::string_view text) {
  if (!rest_.starts_with(text)) return false;
  rest_.remove_prefix(text.size());
  return true;
}

std::optional<std::int64_t> NameScanner::number() {
  const std::size_t count = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
  const auto number = parse_whole_number(rest_.substr(0, count));
  if (number) rest_.remove_prefix(count);
  return number;
}

}  // namespace kindred
