// How the numbers of descriptors are stored.
#pragma once

namespace kindred::file {

/// How the numbers of a descriptor are written: 4 bytes each, or 2 with 11 or 8 significant bits.
enum class Storage { float32, float16, bfloat16 };

/// "float32", "float16" or "bfloat16".
[[nodiscard]] const char* storage_name(Storage storage);

}  // namespace kindred::file
