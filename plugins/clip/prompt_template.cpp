#include "prompt_template.h"

#include <stdexcept>

#include "tokenizer.h"

namespace kindred::clip {

PromptTemplate::PromptTemplate(const std::string& text, const std::filesystem::path& vocabulary,
                               std::int64_t context) {
  const Tokenizer tokenizer(vocabulary);
  const auto learned = tokenizer.encode("X").front();
  tokens.push_back(Tokenizer::start);
  for (const auto token : tokenizer.encode(text)) {
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
