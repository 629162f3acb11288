#include "drop_block.h"

#include <algorithm>
#include <cmath>

#include "kindred/role/backbone.h"

namespace my_plugins {

kindred::Schema<DropBlock::Params> DropBlock::schema() {
  kindred::Schema<Params> s("Pools the map whole, and without a random band of rows.",
                            "Dai et al., ICCV 2019, section 3.2, with one classifier");
  s.add("height", &Params::height, "height of the band, as a share of the map's").range(0, 0.9);
  return s;
}

DropBlock::DropBlock(const Params& params, const Context& context)
    : height_(params.height),
      channels_(context.backbone.channels()),
      identities_(context.identities),
      trunk_(context.backbone.trunk(context.backbone.blocks().back())),
      random_(context.random),
      neck_(register_module("neck", torch::nn::BatchNorm1d(2 * channels_))),
      classifier_(register_module(
          "classifier",
          torch::nn::Linear(torch::nn::LinearOptions(2 * channels_, identities_).bias(false)))) {}

std::vector<kindred::OutputInfo> DropBlock::outputs() const {
  return {{"global", kindred::OutputKind::feature, channels_},
          {"dropped", kindred::OutputKind::feature, channels_},
          {"logits", kindred::OutputKind::logits, identities_},
          {"descriptor", kindred::OutputKind::feature, 2 * channels_}};
}

std::vector<torch::Tensor> DropBlock::forward(const kindred::Activations& features) {
  const auto map = features.map();
  const auto global = map.mean({2, 3});
  const auto dropped_max = (is_training() ? dropped(map) : map).amax({2, 3});
  const auto descriptor = neck_->forward(torch::cat({global, dropped_max}, 1));
  if (!is_training()) return {descriptor};
  return {global, dropped_max, classifier_->forward(descriptor), descriptor};
}

torch::Tensor DropBlock::dropped(const torch::Tensor& map) {
  const auto rows = map.size(2);
  const auto band = std::min<std::int64_t>(std::lround(height_ * static_cast<double>(rows)), rows - 1);
  const auto top = random_->integer(0, rows - band);
  auto mask = torch::ones({1, 1, rows, 1}, map.options());
  mask.slice(2, top, top + band).zero_();
  return map * mask;
}

}  // namespace my_plugins
