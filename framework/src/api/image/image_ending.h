#pragma once

#include <filesystem>
#include <string>

namespace kindred {

/// The extension with its point, in lower case as far as ASCII goes.
std::string lower_ending(const std::filesystem::path& file);

}  // namespace kindred
