// A Backbone made of named blocks in a row: what most convolutional networks are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/nn/tensor_module.h"
#include "kindred/role/backbone.h"

namespace kindred {

/// Where a block's tensors stand among the names of the whole network's.
enum class BlockNames {
  prefixed,  ///< behind the block's name: "layer3.0.conv1.weight"
  top,       ///< without it: "conv1.weight" of a block "stem". The block may then only hold modules, no
             ///< parameters or buffers of its own, and must not ask whether it itself is training.
};

/// How to make one block of a chain.
struct KINDRED_API BlockRecipe {
  std::string name;  ///< "layer3.0": a dot makes a level in the tensors' names
  std::function<std::shared_ptr<TensorModule>()> make;
  BlockNames names = BlockNames::prefixed;
};

/// A derived class gives the recipes of its blocks; cutting, sharing and copying are done here. What trunk()
/// and copy_rest() give has the tensors' names of the whole network, whatever the cut.
class KINDRED_API ChainBackbone : public Backbone {
 public:
  ~ChainBackbone() override;
  [[nodiscard]] std::vector<std::string> blocks() const override;
  [[nodiscard]] std::shared_ptr<TensorModule> trunk(const std::string& cut) override;
  /// Behind the last block nothing is left: the result then gives out its input.
  [[nodiscard]] std::shared_ptr<TensorModule> copy_rest(const std::string& cut,
                                                        std::int64_t last_stride) const override;

 protected:
  ChainBackbone();

  /// Makes the blocks that trunk() shares and copy_rest() copies from.
  /// To be called once, at the end of the derived constructor, which must be the most derived one.
  void assemble(std::int64_t last_stride);

  /// The blocks of a network whose last downsampling stage has the given stride. Neither the number, the
  /// names nor the tensors of the blocks depend on the stride.
  [[nodiscard]] virtual std::vector<BlockRecipe> block_recipes(std::int64_t last_stride) const = 0;

 private:
  struct Block {
    std::string name;
    BlockNames names;
    std::shared_ptr<TensorModule> module;
  };
  class Chain;
  [[nodiscard]] static Block make_block(const BlockRecipe& recipe);
  [[nodiscard]] std::size_t position_behind(const std::string& cut) const;

  std::vector<Block> blocks_;
};

}  // namespace kindred
