#include "prompt_template.h"

#include <array>
#include <stdexcept>

#include "tokenizer.h"

namespace kindred::clip {
namespace {

constexpr std::int64_t learned = 343;  // "x"

struct KnownPrompt {
  const char* text;
  std::array<std::int64_t, 10> tokens;
};

constexpr std::array<KnownPrompt, 2> known_prompts = {
    {{"A photo of a X X X X person.", {320, 1125, 539, 320, learned, learned, learned, learned, 2533, 269}},
     {"A photo of a X X X X vehicle.",
      {320, 1125, 539, 320, learned, learned, learned, learned, 5299, 269}}}};

std::vector<std::int64_t> tokens_of(const std::string& text, const std::filesystem::path& vocabulary) {
  if (!vocabulary.empty()) return Tokenizer(vocabulary).encode(text);
  for (const auto& known : known_prompts) {
    if (known.text == text) return {known.tokens.begin(), known.tokens.end()};
  }
  throw std::invalid_argument(std::string("needs a vocabulary: set it to OpenAI's "
                                          "bpe_simple_vocab_16e6.txt.gz; without one there are \"") +
                              known_prompts[0].text + "\" and \"" + known_prompts[1].text + "\"");
}

}  // namespace

PromptTemplate::PromptTemplate(const std::string& text, const std::filesystem::path& vocabulary,
                               std::int64_t context) {
  tokens.push_back(Tokenizer::start);
  for (const auto token : tokens_of(text, vocabulary)) {
    if (token == learned) places.push_back(static_cast<std::int64_t>(tokens.size()));
    tokens.push_back(token);
  }
  tokens.push_back(Tokenizer::end);
  if (places.empty()) {
    throw std::invalid_argument(
        "has no word 'X' in whose place a token is learned; write one for each, as in \"A photo of a X X X X "
        "person.\"");
  }
  if (static_cast<std::int64_t>(tokens.size()) > context) {
    throw std::invalid_argument("has " + std::to_string(tokens.size()) +
                                " tokens with start and end, and CLIP reads at most " +
                                std::to_string(context) + "; shorten it");
  }
}

}  // namespace kindred::clip
