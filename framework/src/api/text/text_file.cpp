#include "kindred/text/text_file.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <string_view>
#include <system_error>
#include <vector>

#include "checked_text.h"
#include "kindred/core/error.h"
#include "kindred/core/utf8.h"

namespace kindred {
namespace {

int line_of(std::string_view text, std::size_t position) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(position);
  return 1 + static_cast<int>(std::count(text.begin(), end, '\n'));
}

}  // namespace

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
  if (const auto foreign = utf8_prefix(text); foreign != text.size()) {
    throw DataError(origin, line_of(text, foreign),
                    "is not UTF-8: it holds the byte " + escaped(text.substr(foreign, 1)) +
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
