#include "results/stage_record.h"

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
