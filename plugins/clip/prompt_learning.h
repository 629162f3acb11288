// First stage of CLIP-ReID: Li et al., "CLIP-ReID: Exploiting Vision-Language Model for Image
// Re-identification without Concrete Text Labels", AAAI 2023, section 3.2.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/nn/adapts_weights.h"
#include "kindred/nn/feed_forward.h"
#include "kindred/nn/lasting_tensors.h"
#include "kindred/nn/weights_layout.h"
#include "kindred/role/loss.h"
#include "prompt_template.h"
#include "text_encoder.h"
#include "variants.h"

namespace kindred::clip {

/// Learns a text for each identity: tokens in the places of the words "X" of a template. CLIP's text encoder
/// turns it into a feature t; with the images' features v of a batch and P(i) the images of i's identity, the
/// loss is the mean over i of -1/|P(i)| sum over p in P(i) of log softmax over the batch of v_i t_p, plus the
/// same with v and t exchanged (eq. 3 to 6; features are not normalized, as in the authors' program).
///
/// The encoder is not trained. It and the template's other words come from CLIP's file; the tokens
/// ("prompts", [identities, words, width]) start from a normal distribution of deviation 0.02.
class PromptLearning final : public OutputLoss, public AdaptsWeights, public LastingTensors {
 public:
  struct Params {
    TextVariant variant = TextVariant::b16;
    std::int64_t depth = 0;
    FeedForwardActivation activation = FeedForwardActivation::quick_gelu;
    std::string prompt = "A photo of a X X X X person.";
    std::filesystem::path vocabulary;
  };
  static Schema<Params> schema();
  static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  static std::vector<WeightsLayout> weights_layouts();

  /// Throws ComponentError when the output is not as long as the variant's features, or the template is none;
  /// DataError as Tokenizer does.
  PromptLearning(const Params& params, const Context& context);

  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor& labels) override;

  /// The template's rows of all tokens' embeddings.
  [[nodiscard]] torch::Tensor adapted(const std::string& name, const torch::Tensor& source) const override;
  /// "text_features", [identities, dim]: of the texts as they are.
  [[nodiscard]] std::vector<NamedTensor> lasting_tensors() override;

 private:
  /// @param identities [n], int64
  [[nodiscard]] torch::Tensor text_features(const torch::Tensor& identities);

  PromptTemplate template_;
  std::shared_ptr<TextEncoder> encoder_;
  torch::Tensor words_;    // [T, width]
  torch::Tensor places_;   // [words], int64; no file has it
  torch::Tensor prompts_;  // [identities, words, width]
};

/// The contrastive loss of rows with columns, one direction of the two.
/// @param rows, columns [N, dim]
/// @param labels [N], of both
[[nodiscard]] torch::Tensor contrastive(const torch::Tensor& rows, const torch::Tensor& columns,
                                        const torch::Tensor& labels);

}  // namespace kindred::clip
