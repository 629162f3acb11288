#include "file/presence.h"

#include <system_error>

#include "file/read_error.h"

namespace kindred::file {

bool is_there(const std::filesystem::path& path) {
  std::error_code error;
  const bool there = std::filesystem::exists(path, error);
  if (error) throw ReadError(path, "cannot be read: " + error.message());
  return there;
}

}  // namespace kindred::file
