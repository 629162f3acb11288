// A Backbone made of named blocks in a row: what most convolutional networks are.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kindred/export.h"
#include "kindred/nn/tensor_module.h"
#include "kindred/role/backbone.h"

namespace kindred {

/// How to make one block of a chain.
struct KINDRED_API BlockRecipe {
  std::string name;  ///< "layer3.0": a dot makes a level in the tensors' names
  std::function<std::shared_ptr<TensorModule>()> make;
};

/// A derived class gives the recipes of its blocks; cutting, sharing and copying are done here.
class KINDRED_API ChainBackbone : public Backbone {
 public:
  ~ChainBackbone() override;
  [[nodiscard]] std::vector<std::string> blocks() const override;
  [[nodiscard]] std::shared_ptr<TensorModule> trunk(const std::string& cut) override;
  [[nodiscard]] std::shared_ptr<TensorModule> copy_rest(const std::string& cut,
                                                        std::int64_t last_stride) const override;

 protected:
  /// Makes the blocks that trunk() shares and copy_rest() copies from.
  /// To be called once, at the end of the derived constructor.
  void assemble(std::int64_t last_stride);

  /// The blocks of a network whose last downsampling stage has the given stride.
  [[nodiscard]] virtual std::vector<BlockRecipe> block_recipes(std::int64_t last_stride) const = 0;

 private:
  struct Block {
    std::string name;
    std::shared_ptr<TensorModule> module;
  };
  [[nodiscard]] std::size_t position_behind(const std::string& cut) const;

  std::vector<Block> blocks_;
};

}  // namespace kindred
