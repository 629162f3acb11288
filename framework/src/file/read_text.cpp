#include "file/read_text.h"

#include "file/binary_file.h"

namespace kindred::file {

std::string read_text(const std::filesystem::path& file) {
  BinaryFile binary(file);
  std::string text(binary.size(), '\0');
  binary.read(0, text.data(), text.size());
  return text;
}

}  // namespace kindred::file
