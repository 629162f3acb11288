#include "file/hidden_path.h"

#include <algorithm>
#include <string>

namespace kindred::file {

std::filesystem::path hidden_path(const std::filesystem::path& target, int number, bool shortened) {
  auto name = target.filename().string();
  const auto ending = (number == 0 ? "" : "." + std::to_string(number)) + ".tmp";
  if (shortened) {
    auto kept = name.size() - std::min(name.size(), 1 + ending.size());
    // Some file systems take UTF-8 alone: no character is cut in two.
    while (kept > 0 && (static_cast<unsigned char>(name[kept]) & 0xC0U) == 0x80U) --kept;
    name.resize(kept);
  }
  return target.parent_path() / ("." + name + ending);
}

}  // namespace kindred::file
