// The folder of a gallery on disk, before and after there is one.
#pragma once

#include <filesystem>
#include <memory>

#include "file/folder_lock.h"

namespace kindred::application {

/// Throws DataError when the folder holds anything, or is a file: Gallery::create() and save() make galleries
/// in new ones alone.
void require_new_gallery(const std::filesystem::path& folder);

/// The lock of a gallery that is changed.
[[nodiscard]] std::unique_ptr<file::FolderLock> lock_gallery(const std::filesystem::path& folder);

/// Makes the folder of a new gallery, which nobody else fills. Throws as require_new_gallery() does.
[[nodiscard]] std::unique_ptr<file::FolderLock> make_gallery_folder(const std::filesystem::path& folder);

/// Keeps a copy of a damaged log beside it, which is on disk when this returns: LOG.damaged, or where that is
/// of another damage LOG.damaged.2 and so on. Throws DataError.
/// @return the copy
[[nodiscard]] std::filesystem::path keep_damaged(const std::filesystem::path& log);

}  // namespace kindred::application
