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

  /// @param vocabulary the tokenizer's file; "": none, for CLIP-ReID's own two texts, whose tokens are known
  /// Throws DataError as Tokenizer does; std::invalid_argument when the text has no "X", has characters that
  /// it must not have, is longer than `context` tokens, or needs a vocabulary.
  PromptTemplate(const std::string& text, const std::filesystem::path& vocabulary, std::int64_t context);
};

}  // namespace kindred::clip
