// Looks at a shared library without running or mapping any of it. A damaged file takes the whole program down
// inside dlopen (SIGBUS, SIGSEGV), where nothing can be caught: what is wrong must be known before.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace kindred::plugin {

/// The bytes of a section of an ELF shared library, or nothing when the library has no section of that name.
///
/// Before that the file must pass as whole: a regular file that can be read; a shared library for the machine
/// of this program; header, program headers, section headers, segments, sections and the dynamic linker's
/// tables inside the file; no hole of zeros in the code or in these tables, as an interrupted copy or a full
/// disk leaves behind. Flipped bits within code are not noticed: there is no checksum.
/// Throws PluginError, which says what was found and what to do.
[[nodiscard]] std::optional<std::string> read_library_section(const std::filesystem::path& file,
                                                              const std::string& name);

}  // namespace kindred::plugin
