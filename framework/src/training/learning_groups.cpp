#include "training/learning_groups.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

#include "kindred/core/error.h"
#include "recipe/guarded.h"
#include "recipe/wildcard.h"
#include "text/number_text.h"
#include "text/text_table.h"

namespace kindred::training {
namespace {

/// All parameters, by what trains them.
struct Inventory {
  std::vector<NamedParameter> shared;  ///< by the recipe's optimizer
  std::vector<std::string> own;        ///< by an optimizer of a loss's own
  std::vector<std::string> untrained;  ///< by none
};

/// The number of blocks up to the last one that has more than vectors: a normalization at the end, as that of
/// transformers, is no layer of its own.
std::size_t blocks_with_matrices(const model::Model& model) {
  std::size_t count = 0;
  for (const auto& parameter : model.parameters()) {
    const auto block = model.block_of(parameter);
    if (block && parameter.dim() > 1) count = std::max(count, *block + 1);
  }
  return count;
}

Inventory take_inventory(const model::Model& model, const std::vector<model::LossTerm>& terms,
                         const std::vector<std::unique_ptr<torch::optim::Optimizer>>& own) {
  Inventory inventory;
  const auto counted = blocks_with_matrices(model);
  const auto take = [&](const torch::nn::Module& module, const std::string& prefix, bool is_own) {
    for (const auto& entry : module.named_parameters()) {
      auto name = prefix + entry.key();
      if (is_own) {
        inventory.own.push_back(std::move(name));
      } else if (!entry.value().requires_grad()) {
        inventory.untrained.push_back(std::move(name));
      } else {
        const auto block = model.block_of(entry.value());
        const auto from_top = block && *block < counted ? counted - *block : 0;
        inventory.shared.push_back({std::move(name), entry.value(), static_cast<std::int64_t>(from_top)});
      }
    }
  };
  take(model, "", false);
  for (std::size_t i = 0; i < terms.size(); ++i) {
    take(*terms[i].loss, "loss." + terms[i].name + ".", own[i] != nullptr);
  }
  return inventory;
}

std::vector<std::string> matching(const std::string& pattern, const std::vector<std::string>& names) {
  std::vector<std::string> found;
  std::copy_if(names.begin(), names.end(), std::back_inserter(found),
               [&](const std::string& name) { return recipe::matches_wildcard(pattern, name); });
  return found;
}

/// The places behind which a name can be cut: "a.b.c" gives "a", "a.b", "a.b.c", or "c", "b.c", "a.b.c".
std::vector<std::string> pieces_of(const std::vector<std::string>& names, bool from_the_end) {
  std::set<std::string> pieces;
  for (const auto& name : names) {
    pieces.insert(name);
    for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
      pieces.insert(from_the_end ? name.substr(dot + 1) : name.substr(0, dot));
    }
  }
  return {pieces.begin(), pieces.end()};
}

/// "did you mean ...?", or how names begin.
std::string hint(const std::string& pattern, const std::vector<std::string>& names) {
  const bool from_the_end = pattern.front() == '*';
  auto word = pattern;
  std::erase(word, '*');
  const auto near = nearest_name(word, pieces_of(names, from_the_end));
  if (!near.empty()) {
    const bool whole = std::find(names.begin(), names.end(), near) != names.end();
    return "did you mean '" + (whole ? near : from_the_end ? "*" + near : near + "*") + "'?";
  }
  constexpr std::size_t most = 12;
  std::vector<std::string> beginnings;
  for (const auto& name : names) {
    const auto dot = name.find('.', name.find('.') + 1);
    auto beginning = name.substr(0, dot);
    if (std::find(beginnings.begin(), beginnings.end(), beginning) == beginnings.end())
      beginnings.push_back(std::move(beginning));
  }
  const bool more = beginnings.size() > most;
  if (more) beginnings.resize(most);
  return "names begin with " + quoted_list(beginnings) + (more ? " and more" : "");
}

/// Why a pattern catches nothing.
std::string reason(const std::string& pattern, const Inventory& inventory,
                   const std::vector<LearningGroup>& earlier) {
  std::vector<std::string> holders;
  std::size_t held = 0;
  for (const auto& group : earlier) {
    const auto count = std::count_if(
        group.parameters.begin(), group.parameters.end(),
        [&](const auto& parameter) { return recipe::matches_wildcard(pattern, parameter.name); });
    if (count == 0) continue;
    held += static_cast<std::size_t>(count);
    holders.push_back(group.name);
  }
  if (held > 0) {
    return "matches no parameter that is left: all " + std::to_string(held) +
           " parameters that it matches belong to " + quoted_list(holders) +
           "; a parameter belongs to the first group that matches it, so place the more specific group first";
  }
  if (!matching(pattern, inventory.own).empty()) {
    return "matches only parameters that the loss trains with its own optimizer; set the learning rate in "
           "the parameters of the loss";
  }
  if (!matching(pattern, inventory.untrained).empty()) {
    return "matches only tensors that are never trained";
  }
  std::vector<std::string> names;
  for (const auto& parameter : inventory.shared) names.push_back(parameter.name);
  return "matches no parameter; " + hint(pattern, names);
}

/// "x 10"
std::string factor_text(double factor) {
  return "x " + text::significant_text(factor, 6);
}

/// The factors of a group's parameters: "x 10", or "x 0.00845 to 0.65".
template <class Factor>
std::string factors_text(const LearningGroup& group, double alone, Factor&& factor) {
  if (group.parameters.empty()) return factor_text(alone);
  std::vector<double> factors;
  for (const auto& parameter : group.parameters) factors.push_back(factor(parameter));
  const auto [least, most] = std::minmax_element(factors.begin(), factors.end());
  if (*least == *most) return factor_text(*least);
  return "x " + text::significant_text(*least, 3) + " to " + text::significant_text(*most, 3);
}

/// "x 1", "x 1, vectors x 0"
std::string decay_text(const LearningGroup& group) {
  return factor_text(group.weight_decay_factor) + (group.weight_decay_on_vectors ? "" : ", vectors x 0");
}

/// Of a loss's own optimizer: parameters that it leaves out nothing would train, and what is no parameter of
/// the loss would be in no checkpoint.
void require_own_parameters(const model::LossTerm& term, const torch::optim::Optimizer& optimizer) {
  std::set<const void*> trained;
  for (const auto& group : optimizer.param_groups()) {
    for (const auto& parameter : group.params()) trained.insert(parameter.unsafeGetTensorImpl());
  }
  for (const auto& entry : term.loss->named_parameters()) {
    const bool found = trained.erase(entry.value().unsafeGetTensorImpl()) > 0;
    if (found || !entry.value().requires_grad()) continue;
    throw recipe::ComponentFault(term.subject, "gave an optimizer of its own without its parameter '" +
                                                   entry.key() +
                                                   "', which nothing would train; such an optimizer has all "
                                                   "parameters of the loss that need a gradient");
  }
  if (trained.empty()) return;
  throw recipe::ComponentFault(term.subject,
                               "gave an optimizer of its own with a tensor that is no parameter of the loss, "
                               "so that no checkpoint would hold it; register it as one");
}

}  // namespace

std::vector<std::unique_ptr<torch::optim::Optimizer>> own_optimizers(
    const std::vector<model::LossTerm>& terms) {
  std::vector<std::unique_ptr<torch::optim::Optimizer>> own;
  for (const auto& term : terms) {
    own.push_back(recipe::guarded(term.subject, [&] { return term.loss->own_optimizer(); }));
    if (own.back() != nullptr) require_own_parameters(term, *own.back());
  }
  return own;
}

std::vector<LearningGroup> learning_groups(const std::vector<recipe::GroupChoice>& choices,
                                           const model::Model& model,
                                           const std::vector<model::LossTerm>& terms,
                                           const std::vector<std::unique_ptr<torch::optim::Optimizer>>& own) {
  const auto inventory = take_inventory(model, terms, own);
  auto left = inventory.shared;
  Diagnostics diagnostics;
  std::vector<LearningGroup> groups;
  for (const auto& choice : choices) {
    LearningGroup group{choice.name,          choice.learning_rate_factor,
                        choice.bias_factor,   choice.weight_decay_factor,
                        choice.frozen_epochs, {},
                        choice.layer_decay,   choice.weight_decay_on_vectors};
    for (std::size_t i = 0; i < choice.parameters.size(); ++i) {
      const auto& pattern = choice.parameters[i];
      const auto rest = std::stable_partition(left.begin(), left.end(), [&](const NamedParameter& parameter) {
        return !recipe::matches_wildcard(pattern, parameter.name);
      });
      if (rest == left.end()) {
        // What the group's own earlier patterns have caught is caught twice, which is no harm.
        const bool again = std::any_of(group.parameters.begin(), group.parameters.end(),
                                       [&](const NamedParameter& parameter) {
                                         return recipe::matches_wildcard(pattern, parameter.name);
                                       });
        if (!again) {
          diagnostics.error(choice.pattern_locations[i], "group '" + choice.name + "': '" + pattern + "' " +
                                                             reason(pattern, inventory, groups));
        }
      }
      std::move(rest, left.end(), std::back_inserter(group.parameters));
      left.erase(rest, left.end());
    }
    const bool in_blocks = std::any_of(group.parameters.begin(), group.parameters.end(),
                                       [](const auto& parameter) { return parameter.blocks_from_top > 0; });
    if (choice.layer_decay != 1 && !group.parameters.empty() && !in_blocks) {
      diagnostics.error(choice.location,
                        "group '" + choice.name +
                            "': layer_decay has no effect: none of its parameters belong to a block of the "
                            "backbone, the blocks being " +
                            quoted_list(model.blocks()) + "; remove it, or name parameters of the backbone");
    }
    const bool biased = std::any_of(group.parameters.begin(), group.parameters.end(),
                                    [](const auto& parameter) { return is_bias(parameter.name); });
    if (choice.bias_factor != 1 && !group.parameters.empty() && !biased) {
      diagnostics.error(choice.location,
                        "group '" + choice.name +
                            "': bias_factor has no effect: none of its parameters has a name that ends in "
                            "'bias'; remove it, or name parameters that do");
    }
    groups.push_back(std::move(group));
  }
  groups.push_back({"all others", 1, 1, 1, 0, std::move(left)});
  const bool any = std::any_of(groups.begin(), groups.end(), [](const LearningGroup& group) {
    return group.frozen_epochs == 0 && !group.parameters.empty();
  });
  if (!any && !choices.empty()) {
    diagnostics.error(choices.front().location,
                      "all parameters are frozen in the first epoch, so nothing would be trained; set "
                      "frozen_epochs = 0 in one of the groups");
  }
  diagnostics.throw_if_any();
  return groups;
}

double LearningGroup::learning_rate_factor_of(const NamedParameter& parameter) const {
  const double of_bias = is_bias(parameter.name) ? bias_factor : 1;
  return learning_rate_factor * of_bias *
         std::pow(layer_decay, static_cast<double>(parameter.blocks_from_top));
}

double LearningGroup::weight_decay_factor_of(const NamedParameter& parameter) const {
  return weight_decay_on_vectors || parameter.tensor.dim() > 1 ? weight_decay_factor : 0;
}

bool is_bias(const std::string& name) {
  return name.ends_with("bias");
}

std::string groups_text(const std::vector<LearningGroup>& groups) {
  text::TextTable table;
  table.heads = {"GROUP", "TENSORS", "PARAMETERS", "LEARNING RATE", "OF BIASES", "WEIGHT DECAY", "FROZEN"};
  table.widths = {30, 10, 16, 24, 24, 24};
  for (const auto& group : groups) {
    std::int64_t elements = 0;
    for (const auto& parameter : group.parameters) elements += parameter.tensor.numel();
    table.rows.push_back(
        {group.name, std::to_string(group.parameters.size()), text::grouped_digits(elements),
         factors_text(group, group.learning_rate_factor,
                      [&](const NamedParameter& parameter) {
                        return group.learning_rate_factor_of(parameter) /
                               (is_bias(parameter.name) ? group.bias_factor : 1);
                      }),
         group.bias_factor == 1 ? ""
                                : factors_text(group, group.learning_rate_factor * group.bias_factor,
                                               [&](const NamedParameter& parameter) {
                                                 return group.learning_rate_factor_of(parameter) *
                                                        (is_bias(parameter.name) ? 1 : group.bias_factor);
                                               }),
         decay_text(group),
         group.frozen_epochs == 0
             ? ""
             : std::to_string(group.frozen_epochs) + (group.frozen_epochs == 1 ? " epoch" : " epochs")});
  }
  return table.str();
}

}  // namespace kindred::training
