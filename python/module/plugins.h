// The components that the package works with.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"

namespace kindred::python {

/// Where the package keeps lib/kindred/plugins. To be said once, before catalog().
void set_package_folder(const std::filesystem::path& folder);

/// The plugins in the folders of KINDRED_PLUGIN_PATH and those of the package; loaded with the first call and
/// kept for ever. Without the GIL.
[[nodiscard]] const Catalog& catalog();

/// Of catalog(): "FILE: why it was refused".
[[nodiscard]] const std::vector<std::string>& refused_plugins();

}  // namespace kindred::python
