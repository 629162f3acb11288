#include "recipe/plan_demands.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <utility>

#include "kindred/core/value.h"
#include "recipe/recipe_override.h"
#include "recipe/reserved_keys.h"

namespace kindred::recipe {
namespace {

struct Setting {
  std::string table;  ///< "backbone", "head" or "augmentation"
  std::string entry;  ///< the type of an augmentation, or ""
  std::string key;
  Value value;
  std::size_t demand;  ///< its place among the demands
};

[[noreturn]] void wrong_form(const std::string& text) {
  throw std::logic_error(
      "a weights layout demands '" + text +
      "'; it may demand backbone.KEY=VALUE, head.KEY=VALUE or augmentation.TYPE.KEY=VALUE");
}

/// The only entry of a table.
const Entry& only_entry(const Table& table, const std::string& text) {
  if (table.entries().size() != 1) wrong_form(text);
  return table.entries().front();
}

Setting parsed(const std::string& text, std::size_t demand) {
  Diagnostics diagnostics;
  const auto table = parse_override(text, diagnostics);
  if (!diagnostics.empty()) wrong_form(text);
  const auto& top = only_entry(table, text);
  const auto* inner = top.value.as<Table>();
  const bool of_list = top.key == "augmentation";
  if (inner == nullptr || (!of_list && top.key != "backbone" && top.key != "head")) wrong_form(text);
  std::string entry;
  if (of_list) {
    const auto& level = only_entry(*inner, text);
    entry = level.key;
    inner = level.value.as<Table>();
    if (inner == nullptr) wrong_form(text);
  }
  const auto& last = only_entry(*inner, text);
  if (last.value.as<Table>() != nullptr) wrong_form(text);
  return {top.key, std::move(entry), last.key, last.value, demand};
}

std::string title(const Setting& setting) {
  return setting.table + "." + (setting.entry.empty() ? "" : setting.entry + ".") + setting.key;
}

bool same(const Value* one, const Value* other) {
  return one == nullptr || other == nullptr ? one == other : *one == *other;
}

bool may_go(const Demand& demand) {
  return demand.state != Demand::State::denied && demand.state != Demand::State::unknown;
}

/// Asks one component for the settings that are its own. Returns the choice with them.
template <class Role>
Choice<Role> asked(const Choice<Role>& choice, const std::vector<Setting>& settings,
                   const std::vector<std::string>& reserved, std::vector<Demand>& demands) {
  const auto& info = choice.factory->info();
  auto changed = choice;
  const auto unknown = [&](const Setting& setting, std::string why) {
    demands[setting.demand].state = Demand::State::unknown;
    demands[setting.demand].answer = std::move(why);
    demands[setting.demand].location = choice.location;
  };
  for (const auto& setting : settings) {
    const bool has =
        std::any_of(info.parameters.begin(), info.parameters.end(),
                    [&](const ParameterInfo& parameter) { return parameter.name == setting.key; });
    if (has) {
      changed.written.set(setting.key, setting.value);
    } else {
      unknown(setting, choice.subject() + " has no parameter '" + setting.key + "'");
    }
  }
  Diagnostics diagnostics;
  changed.params = guarded(info.subject(), [&] {
    return choice.factory->parse(Value(changed.written, choice.location), diagnostics, reserved);
  });
  const auto now = choice.factory->write(choice.params.get());
  const auto wanted = diagnostics.empty() ? choice.factory->write(changed.params.get()) : Value();
  for (const auto& setting : settings) {
    auto& demand = demands[setting.demand];
    if (demand.state == Demand::State::unknown) continue;
    if (!diagnostics.empty()) {
      unknown(setting, diagnostics.all().front().message);
      continue;
    }
    const auto* said = now.template as<Table>()->find(setting.key);
    if (same(said, wanted.template as<Table>()->find(setting.key))) continue;
    const auto* written = choice.written.find(setting.key);
    demand.state = written == nullptr ? Demand::State::set : Demand::State::denied;
    if (written == nullptr) continue;
    demand.answer = written->to_toml();
    demand.location = written->location();
  }
  return changed;
}

std::vector<Setting> those_of(const std::vector<Setting>& settings, const std::string& table,
                              const std::string& entry) {
  std::vector<Setting> own;
  std::copy_if(settings.begin(), settings.end(), std::back_inserter(own),
               [&](const Setting& setting) { return setting.table == table && setting.entry == entry; });
  return own;
}

}  // namespace

std::vector<Demand> meet_demands(Plan& plan, const std::vector<std::string>& settings) {
  std::vector<Demand> demands;
  std::vector<Setting> all;
  for (const auto& text : settings) {
    all.push_back(parsed(text, demands.size()));
    demands.push_back({.text = title(all.back()) + " = " + all.back().value.to_toml()});
    if (!all.back().entry.empty()) demands.back().state = Demand::State::idle;
  }
  std::optional<Choice<Backbone>> backbone;
  std::optional<Choice<Head>> head;
  auto augmentations = plan.augmentations;
  if (const auto own = those_of(all, "backbone", ""); !own.empty()) {
    backbone = asked(plan.backbone, own, backbone_keys, demands);
  }
  if (const auto own = those_of(all, "head", ""); !own.empty()) {
    head = asked(plan.head, own, table_keys, demands);
  }
  for (auto& augmentation : augmentations) {
    const auto own = those_of(all, "augmentation", augmentation.factory->info().name);
    if (own.empty()) continue;
    for (const auto& setting : own) {
      auto& state = demands[setting.demand].state;
      if (state == Demand::State::idle) state = Demand::State::met;
    }
    augmentation = asked(augmentation, own, entry_keys, demands);
  }
  if (!std::all_of(demands.begin(), demands.end(), may_go)) return demands;
  if (backbone) plan.backbone = std::move(*backbone);
  if (head) plan.head = std::move(*head);
  plan.augmentations = std::move(augmentations);
  return demands;
}

}  // namespace kindred::recipe
