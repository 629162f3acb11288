#include "image_to_text.h"

#include <torch/nn/functional/loss.h>
#include <torch/utils.h>

#include <limits>

#include "kindred/core/error.h"

namespace kindred::clip {

Schema<ImageToText::Params> ImageToText::schema() {
  Schema<Params> s(
      "Cross entropy of image features by the text features of all identities: the second stage of "
      "CLIP-ReID.",
      "Li et al., AAAI 2023, section 3.3");
  s.add("label_smoothing", &Params::label_smoothing,
        "share of the target probability that is spread evenly over all identities")
      .range(0, 1);
  return s;
}

std::vector<WeightsLayout> ImageToText::weights_layouts() {
  return {{.name = "text features",
           .required = {"text_features"},
           .rules = {{"text_features", "text_features"}}}};
}

ImageToText::ImageToText(const Params& params, const Context& context)
    : label_smoothing_(params.label_smoothing),
      text_features_(register_buffer("text_features", torch::full({context.identities, context.dim},
                                                                  std::numeric_limits<float>::quiet_NaN()))) {
}

torch::Tensor ImageToText::forward(const torch::Tensor& output, const torch::Tensor& labels) {
  using torch::nn::functional::CrossEntropyFuncOptions;
  if (!is_checked_ && text_features_.isnan().any().item<bool>()) {
    throw ComponentError("loss/image_to_text",
                         "has no text features; give it a file with them (weights_file, or losses_from of a "
                         "stage), such as the loss prompt_learning leaves");
  }
  is_checked_ = true;
  return torch::nn::functional::cross_entropy(output.matmul(text_features_.t()), labels,
                                              CrossEntropyFuncOptions().label_smoothing(label_smoothing_));
}

}  // namespace kindred::clip
