// Trainings of the tiny recipe in a folder, and what they leave there.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "stage/train.h"
#include "temporary_folder.h"
#include "tiny_components.h"

namespace kindred::test {

namespace fs = std::filesystem;
using stage::train;
using stage::TrainOutcome;

struct Killed {};

/// Does something at the n-th update, counted over its life.
class ActingSink : public progress::ProgressSink {
 public:
  ActingSink() = default;
  ActingSink(std::int64_t at, std::function<void()> action) : at(at), action(std::move(action)) {}
  void update(const progress::Progress& progress) override {
    updates.push_back(progress);
    if (static_cast<std::int64_t>(updates.size()) == at) action();
  }
  void finish(const progress::Progress& progress) override { finished.push_back(progress); }
  void note(const std::string& text) override { notes += text + "\n"; }

  std::int64_t at = 0;
  std::function<void()> action;
  std::vector<progress::Progress> updates;
  std::vector<progress::Progress> finished;
  std::string notes;
};

inline const std::atomic<bool> never{false};

inline TrainOutcome train_quietly(const recipe::Plan& plan, const fs::path& folder) {
  ActingSink sink;
  return train(plan, folder, sink, never);
}

/// The bytes of the model that a training in one go makes.
inline std::string undisturbed(const recipe::Plan& plan) {
  const TemporaryFolder folder;
  static_cast<void>(train_quietly(plan, folder / "run"));
  return read_bytes(folder / "run/model.safetensors");
}

inline std::vector<nlohmann::json> metrics_of(const fs::path& folder) {
  std::vector<nlohmann::json> lines;
  std::istringstream stream(read_bytes(folder / "metrics.jsonl"));
  for (std::string line; std::getline(stream, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

/// Which epochs metrics.jsonl says are finished, in order.
inline std::vector<std::string> finished_epochs(const fs::path& folder) {
  std::vector<std::string> epochs;
  for (const auto& line : metrics_of(folder)) {
    if (line["event"] == "finished") epochs.push_back(line["detail"]);
  }
  return epochs;
}

/// What a safetensors file holds behind its header.
inline std::string tensors_of(const std::string& bytes) {
  std::uint64_t header = 0;
  REQUIRE(bytes.size() > sizeof header);
  std::memcpy(&header, bytes.data(), sizeof header);
  return bytes.substr(sizeof header + header);
}

inline const std::vector<std::string> three_epochs{"epoch 1/3", "epoch 2/3", "epoch 3/3"};

inline void flip_a_bit(const fs::path& file) {
  auto bytes = read_bytes(file);
  bytes[bytes.size() - 20] = static_cast<char>(bytes[bytes.size() - 20] ^ 4);
  write_bytes(file, bytes);
}

}  // namespace kindred::test
