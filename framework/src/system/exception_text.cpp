#include "system/exception_text.h"

#include <c10/util/Exception.h>

namespace kindred::system {

std::string exception_text(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  return of_torch == nullptr ? error.what() : std::string("LibTorch: ") + of_torch->what_without_backtrace();
}

}  // namespace kindred::system
