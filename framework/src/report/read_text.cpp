#include "report/read_text.h"

#include "file/binary_file.h"

namespace kindred::report {

std::string read_text(const std::filesystem::path& file) {
  file::BinaryFile binary(file);
  std::string text(binary.size(), '\0');
  binary.read(0, text.data(), text.size());
  return text;
}

}  // namespace kindred::report
