#include "weights/matching.h"

#include <algorithm>
#include <compare>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/nn/adapts_weights.h"
#include "model/model_file.h"
#include "recipe/guarded.h"
#include "recipe/wildcard.h"
#include "text/printable.h"

namespace kindred::weights {
namespace {

using Names = std::vector<std::string>;

bool fits_type(const torch::Tensor& source, const torch::Tensor& tensor) {
  return source.scalar_type() == tensor.scalar_type() ||
         (source.is_floating_point() && tensor.is_floating_point());
}

bool is_counter(const std::string& name) {
  return name.ends_with(".num_batches_tracked");
}

bool any_matches(const std::vector<std::string>& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return recipe::matches_wildcard(pattern, name); });
}

std::map<std::string, const NamedSource*> by_name(const TranslatedWeights& weights,
                                                  const std::string& prefix) {
  std::map<std::string, const NamedSource*> sources;
  for (const auto& entry : weights.tensors) {
    if (entry.name.rfind(prefix, 0) == 0) sources.emplace(entry.name, &entry);
  }
  return sources;
}

std::string listed(const MatchReport& report, TensorState state, const std::string& what) {
  constexpr std::int64_t most = 10;
  const auto count = report.count(state);
  if (count == 0) return "";
  std::string text = "\n  " + std::to_string(count) + " " + what + ": ";
  std::int64_t shown = 0;
  for (const auto& row : report.rows) {
    if (row.state != state || shown == most) continue;
    text += (shown++ == 0 ? "" : ", ") + row.name + (row.detail.empty() ? "" : " " + row.detail);
  }
  return text + (count > most ? ", ..." : "");
}

/// How well a file fits a network; the first that differs decides.
struct Fit {
  std::int64_t matched = 0;  ///< tensors of the network
  std::int64_t found = 0;    ///< those whose name the file has
  std::int64_t idle = 0;     ///< minus the tensors of the file that have no place in the network
  std::int64_t named = 0;    ///< tensors of the file that a layout has a name for, of this part
  std::size_t required = 0;  ///< how much the layout asks for

  auto operator<=>(const Fit&) const = default;
};

Fit fit_of(const TranslatedWeights& weights, const torch::nn::Module& module, const std::string& prefix) {
  const auto report = match_weights(weights, module, prefix, {});
  Fit fit;
  fit.matched = report.count(TensorState::matched) + report.count(TensorState::adapted);
  fit.found = std::count_if(report.rows.begin(), report.rows.end(), [](const TensorRow& row) {
    return row.state != TensorState::unused && row.state != TensorState::dropped && !row.source.empty();
  });
  fit.idle = -report.count(TensorState::unused);
  if (weights.layout) {
    fit.named = std::count_if(weights.tensors.begin(), weights.tensors.end(),
                              [&](const NamedSource& entry) { return entry.name.starts_with(prefix); });
    fit.required = weights.layout->required.size();
  }
  return fit;
}

/// The module that holds a tensor, and the tensor's name there.
std::pair<const torch::nn::Module*, std::string> holder_of(const torch::nn::Module& module,
                                                           const std::string& name) {
  const auto* level = &module;
  std::size_t begin = 0;
  for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.', begin)) {
    const auto children = level->named_children();
    const auto* child = children.find(name.substr(begin, dot - begin));
    if (child == nullptr) return {nullptr, ""};
    level = child->get();
    begin = dot + 1;
  }
  return {level, name.substr(begin)};
}

/// What the module that a tensor is for makes of the file's tensor of another shape; undefined when nothing.
/// @param name of the tensor in the whole module
torch::Tensor adapted(const torch::nn::Module& module, const std::string& name, const torch::Tensor& tensor,
                      const torch::Tensor& source) {
  const auto holder = holder_of(module, name);
  const auto* adapts = dynamic_cast<const AdaptsWeights*>(holder.first);
  if (adapts == nullptr || !fits_type(source, tensor)) return {};
  const torch::NoGradGuard no_grad;
  const auto subject = "the module of '" + name + "'";
  auto made = recipe::guarded(subject, [&] { return adapts->adapted(holder.second, source); });
  if (made.defined() && (made.sizes() != tensor.sizes() || !fits_type(made, tensor))) {
    throw recipe::ComponentFault(subject, "adapted weights " + model::shape_text(source) + " to " +
                                              model::shape_text(made) + "; they must be " +
                                              model::shape_text(tensor));
  }
  return made;
}

}  // namespace

TranslatedWeights translate_for(const WeightsFile& file, const std::vector<FileLayout>& known,
                                const torch::nn::Module& module, const std::string& prefix) {
  const auto candidates = candidates_of(file, known, true);
  std::set<std::string> network;
  for (auto& [name, tensor] : model::module_tensors(module, prefix)) network.insert(name);
  std::optional<TranslatedWeights> best;
  Fit most;
  std::optional<DataError> conflict;
  for (const auto& candidate : candidates) {
    try {
      auto weights = translated_by(file, candidate, network);
      const auto fit = fit_of(weights, module, prefix);
      if (best && fit <= most) continue;
      best = std::move(weights);
      most = fit;
    } catch (const DataError& error) {
      if (!conflict) conflict = error;
    }
  }
  if (!best && conflict) throw DataError(*conflict);
  return most.found > 0 ? std::move(*best) : translate(file, known);
}

std::int64_t MatchReport::count(TensorState state) const {
  return std::count_if(rows.begin(), rows.end(), [&](const auto& row) { return row.state == state; });
}

std::string MatchReport::layout_text() const {
  constexpr std::size_t most = 3;
  auto names = recognized_by;
  if (names.size() > most) names.resize(most);
  for (auto& name : names) name = text::printable(name);
  return layout + (prefix.empty() ? "" : ", without the prefix '" + text::printable(prefix) + "'") +
         (names.empty() ? "" : ": " + quoted_list(names) + (names.size() == 1 ? " is" : " are") + " there");
}

bool MatchReport::complete() const {
  return count(TensorState::missing) + count(TensorState::wrong_shape) + count(TensorState::wrong_type) +
             count(TensorState::unused) ==
         0;
}

std::string MatchReport::counts_text() const {
  const auto all =
      static_cast<std::int64_t>(rows.size()) - count(TensorState::unused) - count(TensorState::dropped);
  std::string text =
      std::to_string(count(TensorState::matched)) + " of " + std::to_string(all) + " tensors matched";
  const auto add = [&](TensorState state, const std::string& what) {
    if (const auto number = count(state); number > 0) text += ", " + std::to_string(number) + " " + what;
  };
  add(TensorState::adapted, "adapted");
  add(TensorState::counter, "not in the file, set to 0 (counters of batch norms)");
  add(TensorState::allowed, "left unchanged, as allowed");
  add(TensorState::missing, "missing");
  add(TensorState::wrong_shape, "with the wrong shape");
  add(TensorState::wrong_type, "with the wrong type");
  text += ", " + std::to_string(count(TensorState::dropped)) + " of the file of no use";
  add(TensorState::unused, "of the file without a place in the network");
  return text;
}

MatchReport match_weights(const TranslatedWeights& weights, const torch::nn::Module& module,
                          const std::string& prefix, const Allowed& allowances) {
  MatchReport report;
  report.layout = weights.layout ? weights.layout->name : "not recognized";
  report.prefix = weights.prefix;
  report.recognized_by = weights.recognized_by;
  report.note = weights.layout ? weights.layout->note : "";
  const auto sources = by_name(weights, prefix);
  std::set<std::string> names;
  for (const auto& [name, tensor] : model::module_tensors(module, prefix)) {
    names.insert(name);
    const bool allowed = any_matches(allowances.missing, name);
    const auto found = sources.find(name);
    TensorRow row{TensorState::matched, name, "", ""};
    if (found == sources.end()) {
      row.state = is_counter(name) ? TensorState::counter
                  : allowed        ? TensorState::allowed
                                   : TensorState::missing;
      if (row.state == TensorState::allowed) row.detail = "not in the file";
    } else {
      const auto& source = found->second->tensor;
      row.source = found->second->source;
      if (source.sizes() != tensor.sizes()) {
        const bool fits = adapted(module, name.substr(prefix.size()), tensor, source).defined();
        row.state = fits ? TensorState::adapted : allowed ? TensorState::allowed : TensorState::wrong_shape;
        row.detail = model::shape_text(source) + (fits ? " to " : " instead of ") + model::shape_text(tensor);
      } else if (!fits_type(source, tensor)) {
        row.state = TensorState::wrong_type;
        row.detail = std::string(torch::toString(source.scalar_type())) + " instead of " +
                     torch::toString(tensor.scalar_type());
      }
    }
    report.rows.push_back(std::move(row));
  }
  const auto add = [&](TensorState state, const std::string& source, const std::string& detail) {
    report.rows.push_back({state, text::printable(source), text::printable(source), detail});
  };
  const auto add_unused = [&](const std::string& source, const std::string& detail) {
    if (any_matches(allowances.unused, source)) {
      add(TensorState::dropped, source, "allowed to be unused");
    } else if (is_counter(source)) {
      add(TensorState::dropped, source, "a counter");
    } else {
      add(TensorState::unused, source, detail);
    }
  };
  const std::string beyond = "not of this part of the network";
  for (const auto& entry : weights.tensors) {
    if (names.count(entry.name) > 0) continue;
    if (!entry.name.starts_with(prefix)) {
      add(TensorState::dropped, entry.source, beyond);
      continue;
    }
    const bool renamed = entry.name != entry.source;
    add_unused(entry.source, renamed ? "would be " + text::printable(entry.name) : "");
  }
  for (const auto& source : weights.unused) add_unused(source, "");
  for (const auto& source : weights.outside) {
    if (prefix.empty()) {
      add_unused(source, "");
    } else {
      add(TensorState::dropped, source, beyond);
    }
  }
  if (!weights.twins.empty()) {
    add(TensorState::dropped, prefix_of_twin(weights.twins.front(), weights.prefix) + "*",
        std::to_string(weights.twins.size()) + " tensors of another network than '" +
            text::printable(weights.prefix) + "', which --key would take");
  }
  for (const auto& source : weights.dropped) add(TensorState::dropped, source, "known to be of no use");
  return report;
}

void copy_weights(const TranslatedWeights& weights, torch::nn::Module& module, const std::string& prefix) {
  const torch::NoGradGuard no_grad;
  const auto sources = by_name(weights, prefix);
  for (auto& [name, tensor] : model::module_tensors(module, prefix)) {
    const auto found = sources.find(name);
    if (found == sources.end()) {
      if (is_counter(name)) tensor.zero_();
      continue;
    }
    auto values = found->second->tensor;
    if (values.sizes() != tensor.sizes())
      values = adapted(module, name.substr(prefix.size()), tensor, values);
    if (!values.defined() || !fits_type(values, tensor)) continue;
    values = values.to(tensor.scalar_type());
    model::require_finite(values, found->second->source, weights.file);
    tensor.copy_(values);
  }
}

std::string useless_pattern(const Allowed& allowed, const torch::nn::Module& module,
                            const WeightsFile& file) {
  Names of_network;
  for (const auto& entry : model::module_tensors(module)) of_network.push_back(entry.first);
  Names of_file;
  for (const auto& entry : file.content.tensors) of_file.push_back(entry.first);
  const auto wrong = [](const Names& patterns, const Names& names, const std::string& whose) -> std::string {
    for (const auto& pattern : patterns) {
      const bool used = std::any_of(names.begin(), names.end(), [&](const auto& name) {
        return recipe::matches_wildcard(pattern, name);
      });
      if (used) continue;
      const auto near = nearest_name(pattern, names);
      return "the " + whose + " has no tensor '" + pattern + "' that could match" +
             (near.empty() ? "" : "; did you mean '" + text::printable(near) + "'?");
    }
    return "";
  };
  if (auto text = wrong(allowed.missing, of_network, "network"); !text.empty()) {
    return "allow_missing: " + text;
  }
  if (auto text = wrong(allowed.unused, of_file, "file"); !text.empty()) return "allow_unused: " + text;
  return "";
}

bool MatchReport::lacks_the_head_alone() const {
  const auto of_head = [](const TensorRow& row) { return row.name.starts_with(head_prefix); };
  return count(TensorState::missing) > 0 && std::all_of(rows.begin(), rows.end(), [&](const auto& row) {
           const bool wrong = row.state == TensorState::missing || row.state == TensorState::wrong_shape ||
                              row.state == TensorState::wrong_type;
           return row.state == TensorState::matched ? !of_head(row) : !wrong || of_head(row);
         });
}

std::string trouble_text(const MatchReport& report) {
  return listed(report, TensorState::missing, "missing") +
         listed(report, TensorState::wrong_shape, "wrong shape") +
         listed(report, TensorState::wrong_type, "wrong type") +
         listed(report, TensorState::unused, "of the file without a place in the network");
}

}  // namespace kindred::weights
