#include "training/checkpoint.h"

#include <charconv>
#include <cmath>
#include <map>
#include <string>
#include <system_error>
#include <utility>

#include "file/checksum.h"
#include "file/read_error.h"
#include "kindred/core/error.h"
#include "text/number_text.h"

namespace kindred::training {
namespace {

namespace fs = std::filesystem;

constexpr const char* format_key = "kindred.checkpoint";
constexpr const char* format = "2";

class MetadataReader {
 public:
  MetadataReader(const fs::path& file, const std::map<std::string, std::string>& metadata)
      : file_(file), metadata_(metadata) {}

  [[nodiscard]] const std::string& text(const std::string& key) const {
    const auto found = metadata_.find(key);
    if (found == metadata_.end()) throw DataError(file_, "is not a checkpoint: it has no '" + key + "'");
    return found->second;
  }

  /// A whole number, and no smaller one.
  [[nodiscard]] std::int64_t count(const std::string& key, std::int64_t least = 0) const {
    const auto count = number<std::int64_t>(key);
    if (count < least) throw damaged(key, "a number from " + std::to_string(least) + " on");
    return count;
  }
  [[nodiscard]] double finite(const std::string& key) const {
    const auto value = number<double>(key);
    if (!std::isfinite(value)) throw damaged(key, "a finite number");
    return value;
  }

  [[nodiscard]] bool has(const std::string& key) const { return metadata_.count(key) > 0; }

 private:
  template <class Number>
  [[nodiscard]] Number number(const std::string& key) const {
    const std::string& value = text(key);
    Number number{};
    const auto result = std::from_chars(value.data(), value.data() + value.size(), number);
    if (result.ec != std::errc() || result.ptr != value.data() + value.size()) throw damaged(key, "a number");
    return number;
  }
  [[nodiscard]] DataError damaged(const std::string& key, const std::string& wanted) const {
    return {file_, "is damaged: its '" + key + "' is '" + text(key) + "', not " + wanted};
  }

  const fs::path& file_;
  const std::map<std::string, std::string>& metadata_;
};

/// Everything but the tensors.
Checkpoint position_of(const fs::path& file, const std::map<std::string, std::string>& texts) {
  const MetadataReader metadata(file, texts);
  const auto& found = metadata.text(format_key);
  if (found != format) {
    throw DataError(
        file, "is a checkpoint of format " + found + "; this version of Kindred reads format " + format);
  }
  if (!metadata.has("kindred.crc32")) throw DataError(file, "is damaged: it has no checksum");
  Checkpoint checkpoint;
  checkpoint.epoch = metadata.count("epoch", 1);
  checkpoint.batch = metadata.count("batch");
  checkpoint.identity = metadata.text("kindred.identity");
  checkpoint.data = metadata.text("data");
  checkpoint.metrics_position = metadata.count("metrics_position");
  if (metadata.has("evaluation")) checkpoint.evaluation = metadata.text("evaluation");
  if (metadata.has("best_score")) checkpoint.best_score = metadata.finite("best_score");
  checkpoint.last_loss = metadata.finite("last_loss");
  checkpoint.environment = metadata.text("environment");
  return checkpoint;
}

Checkpoint read_one(const fs::path& file) {
  auto content = file::read_safetensors(file);
  file::verify_checksum(file, content);
  auto checkpoint = position_of(file, content.metadata);
  checkpoint.state = std::move(content);
  return checkpoint;
}

/// Gives the newest checkpoint a second name before it is replaced.
void keep_previous(const fs::path& file) {
  if (!fs::exists(file)) return;
  const fs::path previous = previous_checkpoint(file);
  // A name of unfinished files (file/atomic_file.h): should somebody be killed here, the next run removes it.
  const fs::path link = previous.parent_path() / ("." + previous.filename().string() + ".tmp");
  std::error_code error;
  fs::remove(link, error);
  fs::create_hard_link(file, link, error);
  // File systems without links: for the moment until the new one is written, the previous is the only one.
  if (error) {
    fs::rename(file, previous, error);
  } else {
    fs::rename(link, previous, error);
    // Renaming does nothing where both are names of one file: after a kill in between.
    std::error_code ignored;
    fs::remove(link, ignored);
  }
  if (error) throw DataError(previous, "cannot be written: " + error.message());
}

}  // namespace

fs::path previous_checkpoint(const fs::path& file) {
  return file.parent_path() / (file.stem().string() + ".previous" + file.extension().string());
}

const torch::Tensor& state_tensor(const file::TensorFile& state, const std::string& name,
                                  const fs::path& file) {
  const auto* found = state.find(name);
  if (found == nullptr)
    throw DataError(file, "is not a checkpoint of this training: it has no '" + name + "'");
  return *found;
}

void write_checkpoint(const fs::path& file, const Checkpoint& checkpoint) {
  file::TensorFile content = checkpoint.state;
  std::map<std::string, std::string> own = {{format_key, format},
                                            {"kindred.identity", checkpoint.identity},
                                            {"epoch", std::to_string(checkpoint.epoch)},
                                            {"batch", std::to_string(checkpoint.batch)},
                                            {"data", checkpoint.data},
                                            {"metrics_position", std::to_string(checkpoint.metrics_position)},
                                            {"evaluation", checkpoint.evaluation},
                                            {"last_loss", text::shortest_text(checkpoint.last_loss)},
                                            {"environment", checkpoint.environment}};
  own.merge(content.metadata);
  content.metadata = std::move(own);
  if (checkpoint.best_score) content.metadata["best_score"] = text::shortest_text(*checkpoint.best_score);
  file::add_checksum(content);
  keep_previous(file);
  file::write_safetensors(file, content);
}

std::optional<Checkpoint> read_checkpoint(const fs::path& file, progress::ProgressSink& notes) {
  const fs::path previous = previous_checkpoint(file);
  const bool has_previous = fs::exists(previous);
  if (!fs::exists(file) && !has_previous) return std::nullopt;
  std::string trouble;
  if (fs::exists(file)) {
    try {
      return read_one(file);
    } catch (const file::ReadError&) {
      throw;  // it may be whole: the previous one must not take its place
    } catch (const DataError& error) {
      if (!has_previous) {
        throw DataError(file, "cannot be used to continue, and there is no previous checkpoint (" +
                                  std::string(error.what()) + "); remove it to train from the start");
      }
      trouble = error.what();
    }
  } else {
    trouble = file.string() + ": is missing";
  }
  try {
    auto checkpoint = read_one(previous);
    checkpoint.is_previous = true;
    notes.note("warning: " + trouble + "; continuing from the previous checkpoint");
    return checkpoint;
  } catch (const file::ReadError&) {
    throw;  // it may be whole: nobody must be told to remove it
  } catch (const DataError& error) {
    throw DataError(file,
                    "cannot be used to continue, and neither can the previous checkpoint; remove both to "
                    "train from the start:\n  " +
                        trouble + "\n  " + error.what());
  }
}

void restore_previous_checkpoint(const fs::path& file) {
  std::error_code error;
  fs::rename(previous_checkpoint(file), file, error);
  if (error) throw DataError(file, "cannot be replaced by the previous checkpoint: " + error.message());
}

std::optional<Checkpoint> read_checkpoint_position(const fs::path& file) {
  try {
    return position_of(file, file::read_safetensors_metadata(file));
  } catch (const file::ReadError&) {
    throw;
  } catch (const DataError&) {
    return std::nullopt;
  }
}

}  // namespace kindred::training
