#include "file/read_text.h"

#include <cerrno>
#include <cstddef>
#include <vector>

#include "file/binary_file.h"

namespace kindred::file {

std::string read_text(const std::filesystem::path& file) {
  BinaryFile binary(file);
  std::string text(binary.size(), '\0');
  binary.read(0, text.data(), text.size());
  return text;
}

std::optional<std::string> read_rest(std::istream& in) {
  std::string text;
  std::vector<char> piece(std::size_t{1} << 16U);
  errno = 0;
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) return std::nullopt;
  return text;
}

}  // namespace kindred::file
