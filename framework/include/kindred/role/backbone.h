// Role "backbone": the network that maps images to features, a map or tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/core/random.h"
#include "kindred/nn/feature_form.h"
#include "kindred/nn/network_part.h"
#include "kindred/nn/weights_layout.h"

namespace kindred {

/// What a network uses of the images beside their pixels.
struct KINDRED_API SideInformation {
  bool cameras = false;
  bool views = false;
  /// An image whose camera or view is not one of the training is an error before anything is computed; false:
  /// the network knows what to do with -1 (Activations::cameras).
  bool refuses_unknown = true;
};

/// A chain of named blocks. A head uses the chain up to a cut as its shared trunk and, if it has several
/// branches, fresh copies of the rest. kindred/nn/chain_backbone.h implements this for any chain.
class KINDRED_API Backbone {
 public:
  using Role = Backbone;
  using Handle = std::unique_ptr<Backbone>;
  static constexpr std::string_view role_name = "backbone";

  struct Context {
    /// The backbone's own numbers. The stream depends on the seed and on the part of the network in the
    /// constructor, and is started anew before each training step, then by the epoch and the batch as well.
    /// So keep the pointer to draw in forward(), in training only, and keep nothing else: a training that
    /// continues draws the same. kindred/nn/random_tensor.h fills tensors. What LibTorch draws by itself
    /// (nn::Linear, nn::init, dropout) comes from its generator, which is seeded from the same seed before
    /// each constructor and before the first step, and is part of checkpoints.
    std::shared_ptr<RandomStream> random = std::make_shared<RandomStream>(0);
    std::int64_t cameras = 0;  ///< cameras of the training data; 0: it tells none apart
    std::int64_t views = 0;    ///< viewpoints, likewise
  };

  virtual ~Backbone();

  /// What other programs call the tensors. A component that reads their files declares the same function; the
  /// rules give names as trunk() has them.
  [[nodiscard]] static std::vector<WeightsLayout> weights_layouts() { return {}; }

  /// Names of the blocks, in order: "layer0", "layer1", "layer2", "layer3.0", "layer3.1", ... A cut is after
  /// a block. The names are also the prefixes of the tensor names.
  [[nodiscard]] virtual std::vector<std::string> blocks() const = 0;

  /// Channels of what the last block gives.
  [[nodiscard]] virtual std::int64_t channels() const = 0;

  /// What the last block gives: a map unless overridden.
  [[nodiscard]] virtual FeatureForm gives() const;

  /// What its blocks use beside the pixels: nothing unless overridden. Constant.
  [[nodiscard]] virtual SideInformation side_information() const;

  /// The blocks up to and including `cut`: images [N, 3, H, W] -> features. Shares its tensors with
  /// everything else that this backbone returns. Throws ComponentError naming the blocks if there is no such
  /// cut.
  [[nodiscard]] virtual std::shared_ptr<NetworkPart> trunk(const std::string& cut) = 0;

  /// A copy of the blocks after `cut`, with tensors of its own that have the same values: features of trunk()
  /// -> those of the last block.
  /// @param last_stride of its last downsampling stage; without one, as in a plain vision transformer, it has
  /// no meaning
  [[nodiscard]] virtual std::shared_ptr<NetworkPart> copy_rest(const std::string& cut,
                                                               std::int64_t last_stride) const = 0;
};

}  // namespace kindred
