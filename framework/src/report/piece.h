// What may be missing or damaged.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "file/presence.h"
#include "kindred/core/error.h"

namespace kindred::report {

/// What a file of a run holds. A file that is not there gives neither value nor trouble. A damaged one gives
/// a trouble, and a value too when something could be read of it.
template <class T>
struct Piece {
  std::optional<T> value;
  std::string trouble;  ///< message_of() it

  [[nodiscard]] bool there() const { return value.has_value() || !trouble.empty(); }
};

/// A message about a file of a run, which it calls by its folder's and its own name alone: wherever the run
/// lies, its page is the same.
[[nodiscard]] inline std::string message_of(const Error& error, const std::filesystem::path& file) {
  std::string text = error.what();
  const auto path = file.string();
  const auto name = (file.parent_path().filename() / file.filename()).string();
  for (auto at = text.find(path); at != std::string::npos; at = text.find(path, at + name.size())) {
    text.replace(at, path.size(), name);
  }
  return text;
}

/// Reads a file that may be missing, with a function that throws Error for a damaged one.
template <class Read>
[[nodiscard]] auto read_piece(const std::filesystem::path& file, const Read& read)
    -> Piece<decltype(read(file))> {
  try {
    if (!file::is_there(file)) return {};
    return {read(file), ""};
  } catch (const Error& error) {
    return {std::nullopt, message_of(error, file)};
  }
}

}  // namespace kindred::report
