// What a benchmark found: a table for people, JSON for programs.
#pragma once

#include <torch/types.h>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "speed/spread.h"
#include "speed/turns.h"

namespace kindred::bench {

/// Processor, usable processors and threads, device, and the versions of what computes.
[[nodiscard]] nlohmann::json machine_json(torch::Device device);

/// {"median": .., "low": .., "high": .., "turns": ..}
[[nodiscard]] nlohmann::json spread_json(const speed::Spread& spread);

/// A side of a comparison: images a second from times of steps of `images` images, with the turns.
[[nodiscard]] nlohmann::json side_json(const std::string& name, const speed::StepTimes& times,
                                       std::int64_t images);

/// "1.51 (1.42 to 1.60)"
[[nodiscard]] std::string spread_text(const speed::Spread& spread, int digits = 2);

/// Throws DataError when a file cannot be written there: before hours of measuring, not after.
void require_writable(const std::string& file);
/// Does nothing when `file` is "".
void write_json(const std::string& file, const nlohmann::json& content);

}  // namespace kindred::bench
