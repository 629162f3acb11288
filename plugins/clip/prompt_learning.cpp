#include "prompt_learning.h"

#include <torch/utils.h>

#include <stdexcept>

#include "clip_layouts.h"
#include "kindred/core/error.h"
#include "kindred/nn/random_tensor.h"
#include "tokenizer.h"

namespace kindred::clip {
namespace {

constexpr const char* prompt_component = "loss/prompt_learning";
constexpr std::int64_t context_length = 77;

PromptTemplate template_of(const PromptLearning::Params& params) {
  try {
    return {params.prompt, params.vocabulary, context_length};
  } catch (const std::invalid_argument& error) {
    throw ComponentError(prompt_component, "prompt \"" + params.prompt + "\" " + error.what());
  }
}

std::shared_ptr<TextEncoder> encoder_of(const PromptLearning::Params& params) {
  const auto shape = shape_of(params.variant);
  return std::make_shared<TextEncoder>(
      TextEncoderOptions{.width = shape.width,
                         .depth = params.depth == 0 ? text_depth : params.depth,
                         .dim = shape.dim,
                         .context = context_length,
                         .activation = params.activation});
}

}  // namespace

torch::Tensor contrastive(const torch::Tensor& rows, const torch::Tensor& columns,
                          const torch::Tensor& labels) {
  const auto same = labels.unsqueeze(1).eq(labels.unsqueeze(0)).to(rows.scalar_type());
  const auto log_shares = rows.matmul(columns.t()).log_softmax(1);
  return -((same * log_shares).sum(1) / same.sum(1)).mean();
}

Schema<PromptLearning::Params> PromptLearning::schema() {
  Schema<Params> s(
      "Learns a text for each identity that CLIP's text encoder brings near its images: the first stage of "
      "CLIP-ReID.",
      "Li et al., AAAI 2023, section 3.2");
  s.add("variant", &Params::variant, "CLIP's network whose text encoder it is", text_choices());
  s.add("depth", &Params::depth, "blocks of the text encoder; 0: as many as CLIP's")
      .range(0, text_depth)
      .unit("blocks");
  s.add("activation", &Params::activation,
        "of the feed-forward parts: OpenAI's networks have quick_gelu, most of open_clip's gelu",
        activation_choices());
  s.add("prompt", &Params::prompt, "the text; a token is learned in the place of each word X");
  s.add("vocabulary", &Params::vocabulary,
        "OpenAI's bpe_simple_vocab_16e6.txt.gz, from the folder clip of github.com/openai/CLIP, for prompts "
        "of "
        "your own; \"\": none, for CLIP-ReID's prompt and the same with 'vehicle'")
      .file();
  return s;
}

PromptLearning::PromptLearning(const Params& params, const Context& context)
    : template_(template_of(params)), encoder_(register_module("text", encoder_of(params))) {
  const auto shape = shape_of(params.variant);
  if (context.dim != shape.dim) {
    throw ComponentError(prompt_component,
                         "the variant's text features have " + std::to_string(shape.dim) +
                             " numbers, but the output has " + std::to_string(context.dim) +
                             "; put the loss on the image feature after CLIP's projection, and "
                             "choose the variant of the backbone");
  }
  for (auto& parameter : encoder_->parameters()) parameter.set_requires_grad(false);
  const auto length = static_cast<std::int64_t>(template_.tokens.size());
  const auto words = static_cast<std::int64_t>(template_.places.size());
  words_ = register_buffer("words", random_normal({length, shape.width}, *context.random, 0, 0.02));
  places_ = torch::tensor(template_.places, torch::kInt64);
  prompts_ = register_parameter(
      "prompts", random_normal({context.identities, words, shape.width}, *context.random, 0, 0.02));
}

torch::Tensor PromptLearning::text_features(const torch::Tensor& identities) {
  if (places_.device() != words_.device()) places_ = places_.to(words_.device());  // once: it waits for a GPU
  const auto whole = words_.unsqueeze(0).expand({identities.size(0), -1, -1});
  return encoder_->forward(torch::index_copy(whole, 1, places_, prompts_.index_select(0, identities)));
}

torch::Tensor PromptLearning::forward(const torch::Tensor& output, const torch::Tensor& labels) {
  const auto [identities, of_each, counts] =
      torch::_unique2(labels, /*sorted=*/true, /*return_inverse=*/true);
  const auto texts = text_features(identities).index_select(0, of_each);
  return contrastive(output, texts, labels) + contrastive(texts, output, labels);
}

torch::Tensor PromptLearning::adapted(const std::string& name, const torch::Tensor& source) const {
  const auto tokens = torch::tensor(template_.tokens, torch::kInt64);
  const bool fits = name == "words" && source.dim() == 2 && source.size(1) == words_.size(1) &&
                    source.size(0) == Tokenizer::tokens;
  return fits ? source.index_select(0, tokens.to(source.device())).to(words_.scalar_type()) : torch::Tensor();
}

std::vector<NamedTensor> PromptLearning::lasting_tensors() {
  constexpr std::int64_t at_once = 256;
  const torch::NoGradGuard no_grad;
  const auto all =
      torch::arange(prompts_.size(0), torch::TensorOptions(torch::kInt64).device(prompts_.device()));
  std::vector<torch::Tensor> features;
  for (const auto& some : all.split(at_once)) features.push_back(text_features(some));
  return {{"text_features", torch::cat(features)}};
}

std::vector<WeightsLayout> PromptLearning::weights_layouts() {
  return text_layouts();
}

}  // namespace kindred::clip
