#include "pipeline/repeat.h"

#include <algorithm>
#include <map>
#include <utility>

namespace kindred::pipeline {
namespace {

using Renaming = std::map<std::string, std::string>;

std::string name_of(const Value& stage) {
  const auto* table = stage.as<Table>();
  const auto* name = table == nullptr ? nullptr : table->find("name");
  const auto* text = name == nullptr ? nullptr : name->as<std::string>();
  return text == nullptr ? "" : *text;
}

void rename(Value& reference, const Renaming& names) {
  if (auto* text = reference.as<std::string>()) {
    const auto found = names.find(*text);
    if (found != names.end()) *text = found->second;
  } else if (auto* list = reference.as<Array>()) {
    for (auto& element : *list) rename(element, names);
  }
}

/// Reads of other stages what a stage reads.
void redirect(Value& stage, const std::vector<std::string>& reference_keys, const Renaming& names) {
  auto* table = stage.as<Table>();
  if (table == nullptr) return;
  for (const auto& key : reference_keys) {
    if (auto* reference = table->find(key)) rename(*reference, names);
  }
}

bool names_stage(const Value& reference, const std::string& name) {
  if (const auto* text = reference.as<std::string>()) return *text == name;
  const auto* list = reference.as<Array>();
  return list != nullptr && std::any_of(list->begin(), list->end(),
                                        [&](const Value& element) { return names_stage(element, name); });
}

/// Whether one of these stages reads another.
bool any_reads(const Array& stages, const std::vector<std::string>& readers,
               const std::vector<std::string>& reference_keys, const std::string& name) {
  return std::any_of(stages.begin(), stages.end(), [&](const Value& stage) {
    const auto* table = stage.as<Table>();
    if (table == nullptr || std::find(readers.begin(), readers.end(), name_of(stage)) == readers.end()) {
      return false;
    }
    return std::any_of(reference_keys.begin(), reference_keys.end(), [&](const std::string& key) {
      const auto* reference = table->find(key);
      return reference != nullptr && names_stage(*reference, name);
    });
  });
}

std::string in_round(const std::string& stage, std::int64_t round) {
  return round == 1 ? stage : stage + "." + std::to_string(round);
}

/// The pairs of the table `feed`: a stage outside the rounds, and the repeated one that takes its place.
Renaming read_feed(const Value* feed, const std::vector<std::string>& all,
                   const std::vector<std::string>& repeated, Diagnostics& diagnostics) {
  Renaming pairs;
  if (feed == nullptr) return pairs;
  const auto* table = feed->as<Table>();
  if (table == nullptr) {
    diagnostics.error(
        feed->location(),
        "[repeat]: feed must be a table { STAGE = \"REPEATED STAGE\" }, not " + feed->type_name());
    return pairs;
  }
  const auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const auto& entry : table->entries()) {
    const auto* source = entry.value.as<std::string>();
    if (!has(all, entry.key) || has(repeated, entry.key)) {
      diagnostics.error(entry.key_location, "[repeat]: feed: '" + entry.key +
                                                "' must be a stage that is not repeated; from the second "
                                                "round on, a repeated stage replaces it");
    } else if (source == nullptr || !has(repeated, *source)) {
      diagnostics.error(entry.value.location(), "[repeat]: feed: " + entry.value.to_toml() +
                                                    " is not one of the repeated stages, " +
                                                    quoted_list(repeated));
    } else {
      pairs[entry.key] = *source;
    }
  }
  return pairs;
}

}  // namespace

Schema<RepeatSettings> RepeatSettings::schema() {
  Schema<RepeatSettings> s("Stages that run several times, each round on the results of the previous one.");
  s.add("rounds", &RepeatSettings::rounds, "number of rounds").range(1, 99);
  s.add("stages", &RepeatSettings::stages, "names of the stages, in the order in which they run").required();
  s.rule([](const RepeatSettings& settings) -> std::string {
    return settings.stages.empty()
               ? "stages = [] repeats nothing; name a stage at least, set rounds = 1, or remove [repeat]"
               : "";
  });
  return s;
}

void unroll_repeat(Value& recipe, const std::vector<std::string>& reference_keys, Diagnostics& diagnostics) {
  auto& root = *recipe.as<Table>();
  const auto* written = root.find("repeat");
  auto* stages = root.find("stage")->as<Array>();
  if (written == nullptr) return;
  const auto settings = RepeatSettings::schema().parse(*written, "[repeat]", diagnostics, {"feed"});
  std::vector<std::string> all;
  for (const auto& stage : *stages) all.push_back(name_of(stage));
  for (auto name = settings.stages.begin(); name != settings.stages.end(); ++name) {
    if (std::find(all.begin(), all.end(), *name) == all.end()) {
      diagnostics.error(written->location(),
                        "[repeat]: there is no stage '" + *name + "'; choose " + quoted_list(all));
    }
    if (std::find(settings.stages.begin(), name, *name) != name) {
      diagnostics.error(written->location(),
                        "[repeat]: stages names '" + *name + "' twice; each runs once a round");
    }
  }
  const auto* table = written->as<Table>();
  const auto* fed = table == nullptr ? nullptr : table->find("feed");
  const auto feed = read_feed(fed, all, settings.stages, diagnostics);
  const bool feeds_nothing = fed == nullptr || (fed->as<Table>() != nullptr && fed->as<Table>()->empty());
  if (settings.rounds > 1 && feeds_nothing && !settings.stages.empty()) {
    diagnostics.error(
        written->location(),
        "[repeat]: each round would make the same again; say what the next round reads instead of a stage "
        "ahead of it: feed = { STAGE = \"REPEATED STAGE\" }");
  }
  for (const auto& [outside, source] : feed) {
    if (any_reads(*stages, settings.stages, reference_keys, outside)) continue;
    diagnostics.error(fed->location(), "[repeat]: feed: no repeated stage reads '" + outside + "'");
  }
  const bool last_one_repeats = settings.rounds > 1;

  Array unrolled;
  Array behind;  // of the second round and those after it
  Renaming last;
  for (const auto& name : settings.stages) last[name] = in_round(name, settings.rounds);
  for (auto& stage : *stages) {
    const auto name = name_of(stage);
    const bool repeated =
        std::find(settings.stages.begin(), settings.stages.end(), name) != settings.stages.end();
    if (!repeated && last_one_repeats) redirect(stage, reference_keys, last);
    unrolled.push_back(stage);
  }
  for (std::int64_t round = 2; round <= settings.rounds; ++round) {
    Renaming names;
    for (const auto& name : settings.stages) names[name] = in_round(name, round);
    for (const auto& [outside, source] : feed) names[outside] = in_round(source, round - 1);
    for (const auto& stage : unrolled) {
      const auto name = name_of(stage);
      if (std::find(settings.stages.begin(), settings.stages.end(), name) == settings.stages.end()) continue;
      auto copy = stage;
      redirect(copy, reference_keys, names);
      auto* key = copy.as<Table>()->find("name");
      *key = Value(in_round(name, round), key->location());
      behind.push_back(std::move(copy));
    }
  }
  unrolled.insert(unrolled.end(), behind.begin(), behind.end());
  *stages = std::move(unrolled);
  root.erase("repeat");
}

}  // namespace kindred::pipeline
