#include "pipeline/stage_record.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "file/atomic_file.h"
#include "recipe/recipe.h"
#include "recipe/recipe_difference.h"

namespace kindred::pipeline {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* finished_file = "stage.json";
constexpr const char* started_file = "started.json";

/// What differs between two sets of hashes: "has changed", "is new" or "is gone", of the first that does.
std::string map_difference(const std::map<std::string, std::string>& there,
                           const std::map<std::string, std::string>& here, const std::string& what) {
  for (const auto& [name, hash] : here) {
    const auto before = there.find(name);
    if (before == there.end()) return what + name + " is new";
    if (before->second != hash) return what + name + " has changed";
  }
  for (const auto& [name, hash] : there) {
    if (here.count(name) == 0) return what + name + " is no longer read";
  }
  return "";
}

std::string settings_difference(const std::string& there, const std::string& here) {
  if (there == here) return "";
  const auto differences = recipe::recipe_differences(recipe::parse_recipe(there, "then", {}),
                                                      recipe::parse_recipe(here, "now", {}));
  if (differences.empty()) return "";
  return "its recipe has changed: " + differences.front().str() +
         (differences.size() > 1 ? ", and " + std::to_string(differences.size() - 1) + " more" : "");
}

std::optional<StageRecord> read(const std::filesystem::path& file, bool finished) {
  std::ifstream stream(file);
  if (!stream) return std::nullopt;
  const auto json = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
  try {
    StageRecord record;
    record.finished = finished;
    record.name = json.at("name");
    record.key.type = json.at("type");
    record.inputs = json.at("inputs");
    record.ended = json.at("finished");
    const auto& cost = json.at("cost");
    record.cost = {cost.at("seconds"), cost.at("images"), cost.at("peak_memory_mib")};
    record.results = json.at("results");
    const auto& key = json.at("key");
    record.key.settings = key.at("settings");
    record.key.inputs = key.at("inputs");
    record.key.data = key.at("data");
    record.key.code = key.at("code");
    return record;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;  // damaged: as if the stage had not run
  }
}

}  // namespace

std::string key_difference(const StageKey& there, const StageKey& here, bool ignore_code) {
  if (there.type != here.type) return "it was a stage of type " + there.type;
  auto reason = settings_difference(there.settings, here.settings);
  if (reason.empty()) reason = map_difference(there.inputs, here.inputs, "");
  if (reason.empty() && there.data != here.data) reason = "the images or their labels have changed";
  if (reason.empty() && !ignore_code) {
    reason = map_difference(there.code, here.code, "");
    if (!reason.empty()) reason += " (--ignore-code accepts its result)";
  }
  return reason;
}

std::optional<StageRecord> read_stage_record(const std::filesystem::path& folder) {
  if (auto record = read(folder / finished_file, true)) return record;
  return read(folder / started_file, false);
}

bool has_stage_record(const std::filesystem::path& folder) {
  return std::filesystem::exists(folder / finished_file) || std::filesystem::exists(folder / started_file);
}

void write_stage_record(const std::filesystem::path& folder, const StageRecord& record) {
  Json json;
  json["name"] = record.name;
  json["type"] = record.key.type;
  json["inputs"] = record.inputs;
  json["finished"] = record.ended;
  json["cost"] = {{"seconds", record.cost.seconds},
                  {"images", record.cost.images},
                  {"images_per_second", record.cost.images_per_second()},
                  {"peak_memory_mib", record.cost.peak_memory_mib}};
  json["results"] = record.results;
  json["key"] = {{"settings", record.key.settings},
                 {"inputs", record.key.inputs},
                 {"data", record.key.data},
                 {"code", record.key.code}};
  file::write_atomically(folder / (record.finished ? finished_file : started_file),
                         [&](std::ostream& out) { out << json.dump(2) << '\n'; });
  std::error_code ignored;
  if (record.finished) std::filesystem::remove(folder / started_file, ignored);
}

}  // namespace kindred::pipeline
