// CLIP's byte-pair encoding of text: Sennrich et al., ACL 2016, on bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace kindred::clip {

/// Text -> numbers of tokens, as OpenAI's SimpleTokenizer has them. The vocabulary is OpenAI's file
/// bpe_simple_vocab_16e6.txt, compressed by gzip or not: a line that is a title, then one merge on each line,
/// the first 48,894 of which count.
class Tokenizer {
 public:
  static constexpr std::int64_t merges = 48894;
  static constexpr std::int64_t start = 512 + merges;  ///< "<|startoftext|>"
  static constexpr std::int64_t end = start + 1;       ///< "<|endoftext|>", the highest number
  static constexpr std::int64_t tokens = end + 1;

  /// Throws DataError when the file cannot be read or is something else.
  explicit Tokenizer(const std::filesystem::path& vocabulary);

  /// Without start and end. The text is taken in lower case; white space separates words and is no token.
  /// Throws std::invalid_argument for a character that is not printable ASCII or white space, for '&', which
  /// OpenAI's tokenizer may read as an entity of HTML, and for "<|", which may begin a special token.
  [[nodiscard]] std::vector<std::int64_t> encode(const std::string& text) const;

 private:
  [[nodiscard]] std::vector<std::string> merged(const std::string& word) const;

  std::map<std::pair<std::string, std::string>, std::int64_t> ranks_;
  std::map<std::string, std::int64_t> numbers_;
};

}  // namespace kindred::clip
