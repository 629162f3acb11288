#include "text/display_width.h"

#include <algorithm>
#include <iterator>

#include "kindred/core/utf8.h"

namespace kindred::text {
namespace {

struct Characters {
  char32_t first;
  char32_t last;
};

bool are_in(const Characters* begin, const Characters* end, char32_t character) {
  return std::any_of(
      begin, end, [&](const Characters& part) { return part.first <= character && character <= part.last; });
}

/// Blocks of combining marks, spaces without width, and selectors of variants.
constexpr Characters joining[] = {
    {0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF},
    {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF},
};
/// Blocks of characters that Unicode calls wide or fullwidth (UAX 11).
constexpr Characters wide[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x4DBF},   {0x4E00, 0xA4CF},   {0xA960, 0xA97F},
    {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF01, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
};

/// The number of a character of UTF-8.
char32_t number_of(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  // The first byte says with its upper bits how many follow, each of which holds six bits.
  char32_t number = character.size() == 1 ? byte(0) : byte(0) & (0x7FU >> character.size());
  for (std::size_t i = 1; i < character.size(); ++i) number = number << 6U | (byte(i) & 0x3FU);
  return number;
}

std::size_t width_of(std::string_view character) {
  if (character.size() == 1) return 1;
  const auto number = number_of(character);
  if (are_in(std::begin(joining), std::end(joining), number)) return 0;
  return are_in(std::begin(wide), std::end(wide), number) ? 2 : 1;
}

/// The character at the beginning, or a byte that is none.
std::string_view first_character(std::string_view text) {
  return text.substr(0, std::max<std::size_t>(1, utf8_length(text)));
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto character = first_character(text);
    width += width_of(character);
    text.remove_prefix(character.size());
  }
  return width;
}

std::string_view fitting(std::string_view text, std::size_t columns) {
  std::size_t end = 0;
  for (std::size_t width = 0; end < text.size();) {
    const auto character = first_character(text.substr(end));
    width += width_of(character);
    if (width > columns) break;
    end += character.size();
  }
  return text.substr(0, end);
}

}  // namespace kindred::text
