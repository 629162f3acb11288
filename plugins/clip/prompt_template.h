// A text with places for learned tokens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace kindred::clip {

/// "A photo of a X X X X person.", between CLIP's tokens for the start and the end of a text.
struct PromptTemplate {
  std::vector<std::int64_t> tokens;  ///< numbers of all tokens
  std::vector<std::int64_t> places;  ///< of the words "X" among them

  /// Throws DataError as Tokenizer does; std::invalid_argument when the text has no "X", has characters that
  /// it must not have, or is longer than `context` tokens.
  PromptTemplate(const std::string& text, const std::filesystem::path& vocabulary, std::int64_t context);
};

}  // namespace kindred::clip
