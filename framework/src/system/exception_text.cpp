#include "system/exception_text.h"

#include <c10/util/Exception.h>
#include <cxxabi.h>

#include <cstdlib>
#include <typeinfo>

namespace kindred::system {
namespace {

std::string readable(const std::type_info& type) {
  int status = 0;
  char* name = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string text = status == 0 ? name : type.name();
  std::free(name);
  return text;
}

}  // namespace

std::string exception_text(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  if (of_torch != nullptr) return std::string("LibTorch: ") + of_torch->what_without_backtrace();
  std::string text = error.what();
  if (text.empty())
    text = "it threw an exception of type '" + readable(typeid(error)) + "' without a message";
  return text;
}

std::string thrown_value_text() {
  const auto* type = abi::__cxa_current_exception_type();
  return "it threw a value of type '" + (type == nullptr ? std::string("?") : readable(*type)) +
         "', which is not an exception and says nothing; a component must throw what is derived from "
         "std::exception";
}

}  // namespace kindred::system
