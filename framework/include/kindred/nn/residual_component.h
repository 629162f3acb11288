// What components that are residual networks have in common, whatever their blocks are: the parameters that
// recipes give them, and the names that other programs give their tensors.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/core/schema.h"
#include "kindred/nn/residual_network.h"
#include "kindred/nn/weights_layout.h"

namespace kindred {

/// For a component without parameters of its own; another has a struct with members of these names.
struct KINDRED_API ResidualParameters {
  std::int64_t depth = 50;
  std::int64_t last_stride = 1;
  double width_multiplier = 1.0;
  StemPooling stem_pooling = StemPooling::padded;
};

/// A network of that depth with the paper's blocks: basic ones below depth 50, bottlenecks from there on.
[[nodiscard]] KINDRED_API ResidualNetworkOptions residual_options(const ResidualParameters& parameters);

/// What a network's blocks normalize first with.
enum class ResidualNorm {
  batch,
  instance_batch,  ///< IBN-a: "bn1.IN" and "bn1.BN"
};

/// Of networks with that stem. `torchvision`: torchvision, torchreid, fast-reid and reid-strong-baseline;
/// `layer0`: Cadene's pretrained-models, torchreid, reid-strong-baseline and the MGN of NAIC 2019. They
/// demand of the component the parameters "last_stride", "stem_pooling", with the torchvision stem
/// "non_local", and where that normalizes by batch alone "stem_relu".
[[nodiscard]] KINDRED_API std::vector<WeightsLayout> residual_weights_layouts(
    ResidualStem stem, ResidualNorm norm = ResidualNorm::batch);

namespace detail {

/// "18, 34 or 50"
[[nodiscard]] KINDRED_API std::string depths_text(const std::vector<std::int64_t>& depths);
/// What is wrong with a depth; "" when it is one of `depths`.
[[nodiscard]] KINDRED_API std::string wrong_depth(std::int64_t depth,
                                                  const std::vector<std::int64_t>& depths);

}  // namespace detail

/// Declares the members of ResidualParameters in the schema of a component that has them.
/// @param depths at least two, as residual_stages() knows them
template <class Params>
void add_residual_parameters(Schema<Params>& schema, std::vector<std::int64_t> depths) {
  schema.add("depth", &Params::depth, "layers: " + detail::depths_text(depths));
  schema
      .add("last_stride", &Params::last_stride,
           "stride of the last stage; 1 gives a feature map of twice the height and width; a head with "
           "branches may set its own stride")
      .range(1, 2);
  schema
      .add("width_multiplier", &Params::width_multiplier,
           "multiplies the channels of all layers, rounded to a multiple of 8")
      .range(0.125, 8)
      .formerly("width");
  schema.add("stem_pooling", &Params::stem_pooling,
             "first pooling, 3x3 with stride 2: 'padded' by 1, as in torchvision, or 'rounded_up' in size "
             "without padding, as in fast-reid and in Cadene's SE networks",
             {{"padded", StemPooling::padded}, {"rounded_up", StemPooling::rounded_up}});
  schema.rule([depths = std::move(depths)](const Params& params) {
    return detail::wrong_depth(params.depth, depths);
  });
}

}  // namespace kindred
