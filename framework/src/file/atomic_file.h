// Files that are either the old ones or the new ones, whatever happens in between.
#pragma once

#include <filesystem>
#include <functional>
#include <ostream>

namespace kindred::file {

/// Writes to a temporary name beside `file`, syncs it, renames it over `file` and syncs the folder. Folders
/// are made as needed. When `write` throws or the disk is full, `file` is as it was, and the temporary file
/// is gone; that of a process that was killed goes when the file is written again. A device, a pipe and a
/// descriptor of this process (/dev/stdout, /dev/fd/63) are not replaced but written to, which for a named
/// pipe waits for a reader. Throws DataError naming the file and the system's reason.
void write_atomically(const std::filesystem::path& file, const std::function<void(std::ostream&)>& write);

/// Gives a file or folder that is written its name: what is in it is on disk before, the name after. Throws
/// DataError naming `target`.
void put_in_place(const std::filesystem::path& written, const std::filesystem::path& target);

/// Puts the names in a folder on disk, where its file system has such an operation. Throws DataError.
void sync_folder(const std::filesystem::path& folder);

/// Whether a file or folder, by its name, is one that write_atomically() or StagedFiles had not finished.
[[nodiscard]] bool is_unfinished_file(const std::filesystem::path& file);

/// Removes what a killed process was writing into a folder; nobody else may be writing there.
void remove_unfinished_files(const std::filesystem::path& folder);

}  // namespace kindred::file
