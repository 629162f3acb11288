#include "kindred/nn/chain_backbone.h"

#include <torch/utils.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>

#include "kindred/core/error.h"

namespace kindred {

namespace {

// A level of names: "layer3" of "layer3.0".
class Level final : public torch::nn::Module {
 public:
  using torch::nn::Module::Module;
};

// The module that holds the last part of a dotted name, and that part. Levels are made as needed.
std::pair<torch::nn::Module*, std::string> level_of(torch::nn::Module& root, const std::string& name) {
  torch::nn::Module* level = &root;
  std::string rest = name;
  for (auto dot = rest.find('.'); dot != std::string::npos; dot = rest.find('.')) {
    const std::string part = rest.substr(0, dot);
    const auto children = level->named_children();
    const auto* child = children.find(part);
    level = child != nullptr ? child->get() : level->register_module(part, std::make_shared<Level>()).get();
    rest = rest.substr(dot + 1);
  }
  return {level, rest};
}

// Same names and shapes are promised by block_recipes(); a difference is a mistake in the derived class.
void copy_tensors(const torch::OrderedDict<std::string, torch::Tensor>& from,
                  const torch::OrderedDict<std::string, torch::Tensor>& to, const std::string& block) {
  if (from.size() != to.size()) {
    throw std::logic_error("block '" + block + "': the stride changes the number of its tensors");
  }
  for (const auto& item : to) {
    const auto* source = from.find(item.key());
    if (source == nullptr || source->sizes() != item.value().sizes()) {
      throw std::logic_error("block '" + block + "': the stride changes its tensor '" + item.key() + "'");
    }
    auto target = item.value();
    // The backbone may have been moved or converted since it was made.
    target.set_data(source->detach().clone());
  }
}

}  // namespace

// Blocks in a row. They may belong to several chains; the levels of names are this chain's own.
class ChainBackbone::Chain final : public NetworkPart {
 public:
  explicit Chain(std::span<const Block> blocks) {
    for (const auto& block : blocks) {
      if (block.names == BlockNames::prefixed) {
        const auto [level, name] = level_of(*this, block.name);
        level->register_module(name, block.module);
      } else {
        for (const auto& child : block.module->named_children()) register_module(child.key(), child.value());
      }
      blocks_.push_back(block.module);
    }
  }

  Activations propagate(const Activations& input) override {
    Activations activations = input;
    for (const auto& block : blocks_) activations = block->propagate(activations);
    return activations;
  }

 private:
  std::vector<std::shared_ptr<NetworkPart>> blocks_;
};

ChainBackbone::ChainBackbone() = default;
ChainBackbone::~ChainBackbone() = default;

ChainBackbone::Block ChainBackbone::make_block(const BlockRecipe& recipe) {
  Block block{recipe.name, recipe.names, recipe.make()};
  if (block.names == BlockNames::top &&
      !(block.module->named_parameters(false).is_empty() && block.module->named_buffers(false).is_empty())) {
    throw std::logic_error("block '" + block.name + "' has tensors of its own, which would have no name");
  }
  return block;
}

void ChainBackbone::assemble(std::int64_t last_stride) {
  if (!blocks_.empty()) throw std::logic_error("ChainBackbone::assemble may be called only once");
  for (const auto& recipe : block_recipes(last_stride)) blocks_.push_back(make_block(recipe));
}

std::vector<std::string> ChainBackbone::blocks() const {
  std::vector<std::string> names;
  names.reserve(blocks_.size());
  for (const auto& block : blocks_) names.push_back(block.name);
  return names;
}

std::size_t ChainBackbone::position_behind(const std::string& cut) const {
  const auto found =
      std::find_if(blocks_.begin(), blocks_.end(), [&](const Block& block) { return block.name == cut; });
  if (found == blocks_.end()) {
    const auto near = nearest_name(cut, blocks());
    throw ComponentError(
        "backbone", "there is no block '" + cut + "' to cut after; " +
                        (near.empty() ? "the blocks are " : "did you mean '" + near + "'? The blocks are ") +
                        quoted_list(blocks()));
  }
  return static_cast<std::size_t>(found - blocks_.begin()) + 1;
}

std::shared_ptr<NetworkPart> ChainBackbone::trunk(const std::string& cut) {
  return std::make_shared<Chain>(std::span<const Block>(blocks_).first(position_behind(cut)));
}

std::shared_ptr<NetworkPart> ChainBackbone::copy_rest(const std::string& cut,
                                                      std::int64_t last_stride) const {
  const torch::NoGradGuard no_grad;
  const auto recipes = block_recipes(last_stride);
  if (recipes.size() != blocks_.size()) {
    throw std::logic_error("the stride changes the number of the backbone's blocks");
  }
  std::vector<Block> copies;
  for (auto i = position_behind(cut); i < blocks_.size(); ++i) {
    auto copy = make_block(recipes[i]);
    const auto& original = *blocks_[i].module;
    copy_tensors(original.named_parameters(), copy.module->named_parameters(), copy.name);
    copy_tensors(original.named_buffers(), copy.module->named_buffers(), copy.name);
    for (const auto& item : copy.module->named_parameters()) {
      auto parameter = item.value();
      parameter.set_requires_grad(original.named_parameters()[item.key()].requires_grad());
    }
    copy.module->train(original.is_training());
    copies.push_back(std::move(copy));
  }
  return std::make_shared<Chain>(copies);
}

}  // namespace kindred
