// Whether somebody still writes a hidden file or folder, or was killed while it did.
#pragma once

#include <filesystem>

namespace kindred::file {

/// Locks (flock) what this process has just made, for as long as the descriptor and its copies are open: to
/// the end of the process, however that comes. By that others see that it is not abandoned.
/// @param descriptor of what was made at the path
/// @return false when another process has taken it for abandoned meanwhile: make another one. True also on a
///         file system without locks, where nothing is ever taken for abandoned.
[[nodiscard]] bool claim(int descriptor, const std::filesystem::path& path);

/// Removes a file or folder that was claimed by a process that has ended, with all that is in it.
/// @return false when somebody holds it, or nobody can say, and then nothing is removed
bool remove_if_abandoned(const std::filesystem::path& path);

}  // namespace kindred::file
