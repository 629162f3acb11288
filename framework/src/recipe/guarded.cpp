#include "recipe/guarded.h"

#include <c10/util/Exception.h>
#include <cxxabi.h>

#include <cstdlib>
#include <exception>

#include "system/exception_text.h"
#include "system/out_of_memory.h"

namespace kindred::recipe {

ComponentFault::ComponentFault(const std::string& subject, const std::string& what, bool of_computation)
    : Error("error: " + subject + " " + what),
      reason_(subject + " " + what),
      of_computation_(of_computation) {}

ComponentFault::~ComponentFault() = default;

namespace {

/// Of the exception under way: "int".
std::string thrown_type() {
  const auto* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "something";
  int status = 0;
  char* readable = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
  const std::string name = status == 0 ? readable : type->name();
  std::free(readable);
  return name;
}

}  // namespace

void throw_named(const std::string& subject) {
  try {
    throw;
  } catch (const RecipeError&) {
    throw;
  } catch (const PluginError&) {
    throw;
  } catch (const DataError&) {
    throw;
  } catch (const ComponentError&) {
    throw;
  } catch (const ComponentFault&) {
    throw;
  } catch (const system::OutOfMemory&) {
    throw;
  } catch (const std::exception& error) {
    if (system::is_out_of_memory(error)) {
      throw system::OutOfMemory(subject +
                                " needs more memory than there is: " + system::exception_text(error));
    }
    throw ComponentFault(subject, "failed: " + system::exception_text(error),
                         dynamic_cast<const c10::Error*>(&error) != nullptr);
  } catch (...) {
    throw ComponentFault(subject, "failed: it threw a value of type '" + thrown_type() +
                                      "', which is not an exception and says nothing; a component must throw "
                                      "what is derived from std::exception");
  }
}

}  // namespace kindred::recipe
