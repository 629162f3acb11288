// What is known of a stage that has run, or is under way: the file stage.json or started.json in its folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace kindred::results {

/// What a result depends on. Two results with the same key are the same.
struct StageKey {
  std::string type;
  std::string settings;  ///< every parameter, as TOML
  /// "base/model.safetensors" -> SHA-256; of a file that a parameter names, the parameter, for where it lies
  /// does not count: "weights.file".
  std::map<std::string, std::string> inputs;
  std::string data;                         ///< SHA-256 over the images and what is known of them; or ""
  std::map<std::string, std::string> code;  ///< "kindred", "plugin mgn" -> SHA-256; "libtorch" -> version
  /// As what it reads which stages, in this order: "model" -> stages.
  std::map<std::string, std::vector<std::string>> reads{};
};

/// What a stage took.
struct StageCost {
  double seconds = 0;          ///< of all attempts together
  std::int64_t images = 0;     ///< 0: not known
  double peak_memory_mib = 0;  ///< of the attempts, the largest; 0: not known
  [[nodiscard]] double images_per_second() const {
    return seconds > 0 ? static_cast<double>(images) / seconds : 0;
  }
};

/// Both files are an object with name, type, inputs (StageKey::reads), finished (UTC, ISO 8601; "" in
/// started.json), cost (seconds, images, images_per_second, peak_memory_mib), results (file -> SHA-256) and
/// key (settings, inputs, data, code).
struct StageRecord {
  static constexpr const char* finished_file = "stage.json";
  static constexpr const char* started_file = "started.json";

  std::string name;
  StageKey key;
  bool finished = false;
  std::string ended;                           ///< UTC, ISO 8601; "" unless finished
  std::map<std::string, std::string> results;  ///< file in the folder -> SHA-256
  StageCost cost;

  /// Reads either file; what is in stage.json has finished. Throws DataError when it cannot be read or is
  /// damaged.
  [[nodiscard]] static StageRecord read(const std::filesystem::path& file);
  /// Writes the file, atomically.
  void write(const std::filesystem::path& file) const;
};

/// FOLDER/stage.json of a stage that has ended, or FOLDER/started.json of one under way; nothing when neither
/// is there, or what is there is damaged, which is as good as none. Throws file::ReadError for one that is
/// there and cannot be read.
[[nodiscard]] std::optional<StageRecord> read_stage_record(const std::filesystem::path& folder);

/// Whether a folder is a stage's: one of the two is there, be it damaged.
[[nodiscard]] bool has_stage_record(const std::filesystem::path& folder);

/// Writes the one or the other, and then removes the other one.
void write_stage_record(const std::filesystem::path& folder, const StageRecord& record);

/// Names of those that were made of other results of the stages that they read than there are now, directly
/// or not, in the order of the records.
/// @param reads names of stages; of one without a record nothing is known
[[nodiscard]] std::vector<std::string> outdated_stages(
    const std::vector<StageRecord>& records,
    const std::function<std::vector<std::string>(const StageRecord&)>& reads);

class JsonObject;

/// A cost as it stands in stage.json and costs.json: seconds, images, images_per_second, peak_memory_mib.
[[nodiscard]] nlohmann::ordered_json cost_json(const StageCost& cost);
[[nodiscard]] StageCost cost_of(const JsonObject& object);

}  // namespace kindred::results
