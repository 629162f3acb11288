#include "text/printable.h"

#include "kindred/core/utf8.h"

namespace kindred::text {

std::string printable(std::string_view text, std::size_t most) {
  std::string result;
  for (const char c : text.substr(0, most)) result += c >= ' ' && c <= '~' ? c : '?';
  if (text.size() > most) result += "...";
  return result;
}

std::string escaped_lines(std::string_view text, std::string_view indent) {
  std::string result;
  while (true) {
    const auto end = text.find_first_of("\n\t");
    result += kindred::escaped(text.substr(0, end));
    if (end == std::string_view::npos) return result;
    result += text[end];
    if (text[end] == '\n') result += indent;
    text.remove_prefix(end + 1);
  }
}

}  // namespace kindred::text
