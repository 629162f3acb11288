// What a pipeline has made, to be compared with what another one has.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "temporary_folder.h"

namespace kindred::test {

/// Bytes by path in the run's folder.
using Files = std::map<std::string, std::string>;

/// What the stages have made, by path: everything but times, logs, and what only serves to go on.
inline Files results(const std::filesystem::path& folder) {
  Files files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    const auto path = std::filesystem::relative(entry.path(), folder).string();
    if (!entry.is_regular_file() || name.front() == '.' || path.front() == '.') continue;
    if (name == "stage.json" || name == "log.txt" || name == "metrics.jsonl" || name == "costs.json" ||
        name == "costs.md" || name == "checkpoint.safetensors" || name == "recipe.toml" ||
        name.starts_with("events.out.tfevents.")) {
      continue;
    }
    files[path] = read_bytes(entry.path());
  }
  return files;
}

}  // namespace kindred::test
