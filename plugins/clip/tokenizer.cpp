#include "tokenizer.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "kindred/core/error.h"

namespace kindred::clip {
namespace {

constexpr const char* word_end = "</w>";

/// The whole text of a file, unpacked where it is compressed.
std::string text_of(const std::filesystem::path& file) {
  constexpr std::size_t most = std::size_t{64} << 20U;
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> in(gzopen(file.c_str(), "rb"), gzclose);
  if (in == nullptr) throw DataError(file, std::string("cannot be opened: ") + std::strerror(errno));
  std::string text;
  std::array<char, 65536> buffer{};
  for (;;) {
    const auto count = gzread(in.get(), buffer.data(), static_cast<unsigned>(buffer.size()));
    if (count < 0) {
      int code = 0;
      throw DataError(file, std::string("cannot be read: ") + gzerror(in.get(), &code));
    }
    if (count == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > most) throw DataError(file, "is too large to be CLIP's vocabulary");
  }
  // What is cut off ends like a whole file, but with an error that only closing would tell.
  int code = Z_OK;
  static_cast<void>(gzerror(in.get(), &code));
  if (code != Z_OK) throw DataError(file, "is cut off or damaged; download it again");
  return text;
}

/// The characters that stand for the 256 bytes, in the order of their tokens, in UTF-8.
std::vector<std::string> byte_tokens() {
  const auto utf8 = [](int code) {
    if (code < 128) return std::string(1, static_cast<char>(code));
    return std::string{static_cast<char>(0xC0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3F))};
  };
  std::vector<std::string> tokens;
  std::array<bool, 256> is_plain{};
  for (const auto& [first, last] : {std::pair{'!' + 0, '~' + 0}, {0xA1, 0xAC}, {0xAE, 0xFF}}) {
    for (int code = first; code <= last; ++code) {
      tokens.push_back(utf8(code));
      is_plain[static_cast<std::size_t>(code)] = true;
    }
  }
  int next = 256;
  for (const bool plain : is_plain) {
    if (!plain) tokens.push_back(utf8(next++));
  }
  return tokens;
}

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}
bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

/// Length of the word that a text without space at its beginning begins with: a contraction, letters, one
/// digit, or other characters.
std::size_t word_length(std::string_view text) {
  for (const std::string_view contraction : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (text.starts_with(contraction)) return contraction.size();
  }
  if (is_digit(text.front())) return 1;
  const bool letters = is_letter(text.front());
  const auto ends = [&](char c) {
    return letters ? !is_letter(c) : is_letter(c) || is_digit(c) || is_space(c);
  };
  return static_cast<std::size_t>(std::find_if(text.begin(), text.end(), ends) - text.begin());
}

}  // namespace

Tokenizer::Tokenizer(const std::filesystem::path& vocabulary) {
  const auto bytes = byte_tokens();
  std::int64_t number = 0;
  for (const auto& token : bytes) numbers_.emplace(token, number++);
  for (const auto& token : bytes) numbers_.emplace(token + word_end, number++);
  const auto text = text_of(vocabulary);
  std::size_t at = text.find('\n');
  std::int64_t rank = 0;
  while (rank < merges && at != std::string::npos && at + 1 < text.size()) {
    const auto line_end = std::min(text.find('\n', at + 1), text.size());
    std::string line = text.substr(at + 1, line_end - at - 1);
    if (line.ends_with('\r')) line.pop_back();
    const auto space = line.find(' ');
    if (space == std::string::npos || space == 0 || space + 1 == line.size() ||
        line.find(' ', space + 1) != std::string::npos) {
      throw DataError(vocabulary, static_cast<int>(rank) + 2,
                      "must have two parts with a space between; the file must be OpenAI's "
                      "bpe_simple_vocab_16e6.txt.gz");
    }
    std::pair<std::string, std::string> parts{line.substr(0, space), line.substr(space + 1)};
    numbers_[parts.first + parts.second] = number++;
    ranks_.insert_or_assign(std::move(parts), rank++);
    at = line_end < text.size() ? line_end : std::string::npos;
  }
  if (rank < merges) {
    throw DataError(vocabulary, "has " + std::to_string(rank) + " merges instead of at least " +
                                    std::to_string(merges) +
                                    "; it must be OpenAI's bpe_simple_vocab_16e6.txt.gz");
  }
}

std::vector<std::string> Tokenizer::merged(const std::string& word) const {
  std::vector<std::string> parts;
  for (const char c : word) parts.emplace_back(1, c);
  parts.back() += word_end;
  while (parts.size() > 1) {
    const auto* best =
        static_cast<const std::pair<const std::pair<std::string, std::string>, std::int64_t>*>(nullptr);
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = ranks_.find({parts[i], parts[i + 1]});
      if (found != ranks_.end() && (best == nullptr || found->second < best->second)) best = &*found;
    }
    if (best == nullptr) break;
    std::vector<std::string> fewer;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (i + 1 < parts.size() && parts[i] == best->first.first && parts[i + 1] == best->first.second) {
        fewer.push_back(parts[i] + parts[i + 1]);
        ++i;
      } else {
        fewer.push_back(parts[i]);
      }
    }
    parts = std::move(fewer);
  }
  return parts;
}

std::vector<std::int64_t> Tokenizer::encode(const std::string& text) const {
  if (text.find("<|") != std::string::npos) throw std::invalid_argument("may have no '<|'");
  std::string lower;
  for (const char c : text) {
    const bool printable = c > ' ' && c <= '~';
    if ((!printable && !is_space(c)) || c == '&') {
      throw std::invalid_argument("may have printable ASCII characters only, and no '&'");
    }
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  std::vector<std::int64_t> found;
  std::string_view rest = lower;
  while (!rest.empty()) {
    if (is_space(rest.front())) {
      rest.remove_prefix(1);
      continue;
    }
    const auto length = word_length(rest);
    for (const auto& token : merged(std::string(rest.substr(0, length)))) found.push_back(numbers_.at(token));
    rest.remove_prefix(length);
  }
  return found;
}

}  // namespace kindred::clip
