#include "results/stage_record.h"

#include <algorithm>
#include <set>
#include <system_error>

#include "file/read_error.h"
#include "results/json_object.h"

namespace kindred::results {
namespace {

std::optional<StageRecord> read_whole(const std::filesystem::path& file) {
  try {
    return StageRecord::read(file);
  } catch (const file::ReadError&) {
    throw;  // a stage that has run must not look as if it had not
  } catch (const DataError&) {
    return std::nullopt;
  }
}

/// Whether what a stage has left now is what another one has read.
bool is_as_read(const StageRecord& stage, const StageRecord& reader) {
  return std::all_of(stage.results.begin(), stage.results.end(), [&](const auto& result) {
    const auto then = reader.key.inputs.find(stage.name + "/" + result.first);
    return then != reader.key.inputs.end() && then->second == result.second;
  });
}

}  // namespace

StageRecord StageRecord::read(const std::filesystem::path& file) {
  using Hashes = std::map<std::string, std::string>;
  const auto object = JsonObject::read(file);
  StageRecord record;
  record.finished = file.filename() == finished_file;
  record.name = object.get<std::string>("name");
  record.key.type = object.get<std::string>("type");
  record.key.reads = object.get<std::map<std::string, std::vector<std::string>>>("inputs");
  record.ended = object.get<std::string>("finished");
  record.cost = cost_of(object.object("cost"));
  record.results = object.get<Hashes>("results");
  const auto key = object.object("key");
  record.key.settings = key.get<std::string>("settings");
  record.key.inputs = key.get<Hashes>("inputs");
  record.key.data = key.get<std::string>("data");
  record.key.code = key.get<Hashes>("code");
  return record;
}

void StageRecord::write(const std::filesystem::path& file) const {
  Json json;
  json["name"] = name;
  json["type"] = key.type;
  json["inputs"] = key.reads;
  json["finished"] = ended;
  json["cost"] = cost_json(cost);
  json["results"] = results;
  json["key"] = {{"settings", key.settings}, {"inputs", key.inputs}, {"data", key.data}, {"code", key.code}};
  write_json(file, json);
}

std::optional<StageRecord> read_stage_record(const std::filesystem::path& folder) {
  if (auto record = read_whole(folder / StageRecord::finished_file)) return record;
  return read_whole(folder / StageRecord::started_file);
}

bool has_stage_record(const std::filesystem::path& folder) {
  return std::filesystem::exists(folder / StageRecord::finished_file) ||
         std::filesystem::exists(folder / StageRecord::started_file);
}

void write_stage_record(const std::filesystem::path& folder, const StageRecord& record) {
  record.write(folder / (record.finished ? StageRecord::finished_file : StageRecord::started_file));
  std::error_code ignored;
  std::filesystem::remove(folder / (record.finished ? StageRecord::started_file : StageRecord::finished_file),
                          ignored);
}

std::vector<std::string> outdated_stages(
    const std::vector<StageRecord>& records,
    const std::function<std::vector<std::string>(const StageRecord&)>& reads) {
  std::set<std::string> outdated;
  const auto is_outdated = [&](const StageRecord& record) {
    const auto names = reads(record);
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      const auto stage = std::find_if(records.begin(), records.end(),
                                      [&](const StageRecord& other) { return other.name == name; });
      return outdated.contains(name) || (stage != records.end() && !is_as_read(*stage, record));
    });
  };
  // Again for those that stand ahead of what they read.
  for (std::size_t before = 1; before != outdated.size();) {
    before = outdated.size();
    for (const auto& record : records) {
      if (is_outdated(record)) outdated.insert(record.name);
    }
  }
  std::vector<std::string> names;
  for (const auto& record : records) {
    if (outdated.contains(record.name)) names.push_back(record.name);
  }
  return names;
}

Json cost_json(const StageCost& cost) {
  return {{"seconds", cost.seconds},
          {"images", cost.images},
          {"images_per_second", cost.images_per_second()},
          {"peak_memory_mib", cost.peak_memory_mib}};
}

StageCost cost_of(const JsonObject& object) {
  return {object.get<double>("seconds"), object.get<std::int64_t>("images"),
          object.get<double>("peak_memory_mib")};
}

}  // namespace kindred::results
