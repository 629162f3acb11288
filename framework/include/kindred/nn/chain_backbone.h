// A Backbone that is a chain of named blocks, as nearly all networks are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/nn/network_part.h"
#include "kindred/role/backbone.h"

namespace kindred {

/// How the tensors of a block are named in the whole network.
enum class BlockNames {
  prefixed,  ///< after the name of the block: "layer3.0.conv1.weight"
  top,       ///< without it: "conv1.weight" of a block "stem". The block may then only contain modules, no
             ///< parameters or buffers of its own, and must not depend on is_training() of itself.
};

/// How to create one block of a chain.
struct KINDRED_API BlockRecipe {
  std::string name;  ///< "layer3.0": a dot makes a level in the names of the tensors
  std::function<std::shared_ptr<NetworkPart>()> make;
  BlockNames names = BlockNames::prefixed;
};

/// A derived class provides the recipes of its blocks; this class cuts, shares and copies them. The results
/// of trunk() and copy_rest() have the tensor names of the whole network, whatever the cut.
class KINDRED_API ChainBackbone : public Backbone {
 public:
  ~ChainBackbone() override;
  [[nodiscard]] std::vector<std::string> blocks() const override;
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk(const std::string& cut) override;
  /// Nothing is left after the last block: the result then returns its input.
  [[nodiscard]] std::shared_ptr<NetworkPart> copy_rest(const std::string& cut,
                                                       std::int64_t last_stride) const override;

 protected:
  ChainBackbone();

  /// Creates the blocks that trunk() shares and copy_rest() copies. Call it once, at the end of the most
  /// derived constructor.
  void assemble(std::int64_t last_stride);

  /// The blocks of a network whose last downsampling stage has the given stride. Neither the number, the
  /// names nor the tensors of the blocks depend on the stride.
  [[nodiscard]] virtual std::vector<BlockRecipe> block_recipes(std::int64_t last_stride) const = 0;

 private:
  struct Block {
    std::string name;
    BlockNames names;
    std::shared_ptr<NetworkPart> module;
  };
  class Chain;
  [[nodiscard]] static Block make_block(const BlockRecipe& recipe);
  [[nodiscard]] std::size_t position_behind(const std::string& cut) const;

  std::vector<Block> blocks_;
};

}  // namespace kindred
