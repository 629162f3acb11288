#include "kindred/text/text_file.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <system_error>
#include <vector>

#include "checked_text.h"
#include "kindred/core/error.h"

namespace kindred {
namespace {

/// The place of the first byte that belongs to no character; the text's size when there is none.
std::size_t first_foreign(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto length = utf8_length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return at;
}

std::string byte_text(char c) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  return {'\\', 'x', digits[byte >> 4U], digits[byte & 0xFU]};
}

/// C0, delete and C1, which terminals obey in UTF-8 as well.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
}

int line_of(std::string_view text, std::size_t position) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(position);
  return 1 + static_cast<int>(std::count(text.begin(), end, '\n'));
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i, unsigned lowest = 0x80, unsigned highest = 0xBF) {
    return byte(i) >= lowest && byte(i) <= highest;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool second = follows(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF);
    return second && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool second = follows(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
    return second && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

bool is_utf8(std::string_view text) {
  return first_foreign(text) == text.size();
}

std::string escaped(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto length = utf8_length(text);
    const auto character = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0 || is_control(character)) {
      for (const char c : character) result += byte_text(c);
    } else {
      result += character;
    }
    text.remove_prefix(character.size());
  }
  return result;
}

std::string why_not_a_file(const std::filesystem::path& file) {
  std::error_code failure;
  const auto status = std::filesystem::status(file, failure);
  if (status.type() == std::filesystem::file_type::not_found) return "does not exist";
  if (failure) return "cannot be read: " + failure.message();
  if (std::filesystem::is_directory(status)) return "is a folder";
  return std::filesystem::is_regular_file(status) ? "" : "is a pipe, socket or device, not a file";
}

std::string_view checked_text(std::string_view text, const std::filesystem::path& origin) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    throw DataError(origin, "is UTF-16 text, as 'Unicode Text' of a spreadsheet; save it as CSV in UTF-8");
  }
  if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
    throw DataError(origin, line_of(text, zero),
                    "contains a zero byte, so it is not UTF-8 text; save it as text in UTF-8");
  }
  if (const auto foreign = first_foreign(text); foreign != text.size()) {
    throw DataError(origin, line_of(text, foreign),
                    "is not UTF-8: it holds the byte " + byte_text(text[foreign]) +
                        "; save the file in UTF-8, and rename image files whose names are not UTF-8");
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

std::string read_text_file(const std::filesystem::path& file) {
  if (const auto reason = why_not_a_file(file); !reason.empty()) {
    throw DataError(file, reason == "is a folder" ? "is a folder, not a text file" : reason);
  }
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) throw DataError(file, "cannot be opened: " + std::generic_category().message(errno));
  std::string text;
  std::error_code failure;
  const auto size = std::filesystem::file_size(file, failure);
  if (!failure) text.reserve(size);
  std::vector<char> piece(std::size_t{1} << 16);
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) throw DataError(file, "cannot be read completely");
  const auto mark = text.size() - checked_text(text, file).size();
  text.erase(0, mark);
  return text;
}

}  // namespace kindred
