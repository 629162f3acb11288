// A checksum over the whole content of a tensor file, so that a damaged file is found and not used.
#pragma once

#include <filesystem>

#include "file/safetensors.h"

namespace kindred::file {

/// Adds the metadata "kindred.crc32": the checksum of every name, type, shape, element and other metadata.
/// The order of the tensors does not count.
void add_checksum(TensorFile& content);

/// Throws DataError naming `file` when the content is not what was sealed. Content without a seal, as other
/// programs write it, passes.
void verify_checksum(const std::filesystem::path& file, const TensorFile& content);

}  // namespace kindred::file
