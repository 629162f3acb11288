#include "recipe/guarded.h"

#include <c10/util/Exception.h>

#include <exception>

#include "system/exception_text.h"
#include "system/out_of_memory.h"

namespace kindred::recipe {

ComponentFault::ComponentFault(const std::string& subject, const std::string& what, bool of_computation)
    : Error("error: " + subject + " " + what),
      reason_(subject + " " + what),
      of_computation_(of_computation) {}

ComponentFault::~ComponentFault() = default;

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
    throw ComponentFault(subject, "failed: " + system::thrown_value_text());
  }
}

}  // namespace kindred::recipe
