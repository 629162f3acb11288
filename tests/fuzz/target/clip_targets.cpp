// CLIP's vocabulary.
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "target/targets.h"
#include "tokenizer.h"

namespace kindred::fuzz {
namespace {

std::string packed(const std::string& text) {
  const auto file = fuzz_folder() / "packed.gz";
  auto* const out = ::gzopen(file.c_str(), "wb");
  require(out != nullptr && ::gzwrite(out, text.data(), static_cast<unsigned>(text.size())) > 0,
          "text cannot be packed");
  require(::gzclose(out) == Z_OK, "text cannot be packed");
  return content_of_file(file);
}

/// As many lines as a vocabulary has at least, all of them the same merge.
const std::string& merges() {
  static const std::string text = [] {
    std::string lines;
    for (std::int64_t i = 0; i < clip::Tokenizer::merges; ++i) lines += "a b\n";
    return lines;
  }();
  return text;
}

/// A text with the letters of the input.
std::string letters_of(const std::string& bytes) {
  constexpr std::size_t most = 64;
  std::string letters = "a photo of a person. ";
  std::copy_if(bytes.begin(), bytes.end(), std::back_inserter(letters),
               [](char c) { return (c >= 'a' && c <= 'z') || c == ' '; });
  letters.resize(std::min(letters.size(), most));
  return letters;
}

/// The bytes as a whole file, packed or not, and as the first merges of one: a file that is long enough is
/// longer than a fuzzer's inputs.
bool accepts_vocabulary(const std::string& bytes) {
  const auto text = letters_of(bytes);
  const auto reads = [&](const std::string& content) {
    return passes([&] {
      const clip::Tokenizer tokenizer(fuzz_file("vocabulary", content));
      const auto tokens = tokenizer.encode(text);
      require(std::all_of(tokens.begin(), tokens.end(),
                          [](std::int64_t token) { return token >= 0 && token < clip::Tokenizer::start; }),
              "a text has tokens that are not there");
    });
  };
  const bool whole = reads(bytes);
  return reads("title\n" + bytes + '\n' + merges()) || whole;
}

std::vector<std::string> vocabulary_seeds() {
  return {packed("title\n" + merges()), "p h\no t\nph ot\r\no</w> f\nph o</w>\n# ~~"};
}

}  // namespace

void add_clip_targets(std::vector<FuzzTarget>& targets) {
  targets.push_back({"vocabulary", accepts_vocabulary, vocabulary_seeds});
}

}  // namespace kindred::fuzz
