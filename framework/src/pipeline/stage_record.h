// What is known of a stage that has run, or is under way: the file stage.json in its folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kindred::pipeline {

/// What a result depends on. Two results with the same key are the same.
struct StageKey {
  std::string type;
  std::string settings;                       ///< every parameter, as TOML
  std::map<std::string, std::string> inputs;  ///< "base/model.safetensors" -> SHA-256
  std::string data;                           ///< SHA-256 over the images and what is known of them; or ""
  std::map<std::string, std::string> code;    ///< "kindred", "plugin mgn" -> SHA-256; "libtorch" -> version
};

/// Why a result of one key is no result of the other, in a few words; "" when it is.
/// @param ignore_code whether who computes counts
[[nodiscard]] std::string key_difference(const StageKey& there, const StageKey& here, bool ignore_code);

struct StageCost {
  double seconds = 0;          ///< of all attempts together
  std::int64_t images = 0;     ///< 0: not known
  double peak_memory_mib = 0;  ///< of the attempts, the largest
  [[nodiscard]] double images_per_second() const {
    return seconds > 0 ? static_cast<double>(images) / seconds : 0;
  }
};

struct StageRecord {
  std::string name;
  StageKey key;
  bool finished = false;
  std::string ended;                                       ///< UTC, ISO 8601; "" unless finished
  std::map<std::string, std::string> results;              ///< file in the folder -> SHA-256
  std::map<std::string, std::vector<std::string>> inputs;  ///< "model" -> stages
  StageCost cost;
};

/// FOLDER/stage.json of a stage that has ended, or FOLDER/started.json of one under way; nothing when neither
/// is there or can be read.
[[nodiscard]] std::optional<StageRecord> read_stage_record(const std::filesystem::path& folder);

/// Whether a folder is a stage's: one of the two is there, be it damaged.
[[nodiscard]] bool has_stage_record(const std::filesystem::path& folder);

/// Writes the one or the other, atomically, and removes started.json once stage.json is there.
void write_stage_record(const std::filesystem::path& folder, const StageRecord& record);

}  // namespace kindred::pipeline
