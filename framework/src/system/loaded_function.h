// Functions of libraries that may be loaded, and are called only where they are.
#pragma once

#include <dlfcn.h>

namespace kindred::system {

/// nullptr where no library of this program has it.
template <class Function>
[[nodiscard]] Function find_function(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_DEFAULT, name));
}

}  // namespace kindred::system
