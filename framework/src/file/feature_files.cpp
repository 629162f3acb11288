#include "file/feature_files.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "file/finite_numbers.h"
#include "file/folder_entries.h"
#include "file/presence.h"
#include "file/sample_list.h"
#include "kindred/core/error.h"

namespace kindred::file {
namespace {

/// Rows that are converted and checked at a time.
constexpr std::int64_t block_rows = 4096;

/// The name without .npy or .csv; any other dot belongs to the name.
std::filesystem::path stem_of(const std::filesystem::path& file) {
  const auto extension = file.extension();
  return extension == ".npy" || extension == ".csv" ? std::filesystem::path(file).replace_extension() : file;
}

std::filesystem::path with_ending(const std::filesystem::path& stem, const char* ending) {
  auto result = stem;
  return result += ending;
}

std::vector<Sample> read_samples(const std::filesystem::path& file, const std::filesystem::path& array) {
  if (!is_there(file)) {
    throw DataError(file,
                    "is missing: it must list the image of each row of " + array.filename().string() +
                        ", with the header path,identity,camera,domain,split (the first two are required)");
  }
  SampleListReader reader(file);
  std::vector<Sample> samples;
  for (Sample sample; reader.next(sample);) samples.push_back(std::move(sample));
  return samples;
}

/// The bits of a 32-bit float that is equal to a 16-bit one, given by its bits.
std::uint32_t float_of_half(std::uint16_t half) {
  constexpr std::uint32_t exponent_shift = (127 - 15) << 23;
  constexpr std::uint32_t one_exponent = 1 << 23;
  const std::uint32_t magnitude = static_cast<std::uint32_t>(half & 0x7FFF) << 13;
  const std::uint32_t normal = magnitude + exponent_shift;
  const std::uint32_t infinite_or_nan = normal + exponent_shift;
  // A number below the normal ones has no leading 1: it is given one, which is subtracted again.
  const auto subnormal = std::bit_cast<std::uint32_t>(std::bit_cast<float>(normal + one_exponent) - 0x1p-14F);
  const std::uint32_t number = magnitude < one_exponent         ? subnormal
                               : magnitude < 31U * one_exponent ? normal
                                                                : infinite_or_nan;
  return number | static_cast<std::uint32_t>(half & 0x8000) << 16;
}

/// As 32-bit floats. LibTorch's own conversion of 16-bit ones takes them one by one; these loops become
/// vector instructions.
torch::Tensor widened(const torch::Tensor& rows) {
  const auto type = rows.scalar_type();
  if (type != torch::kHalf && type != torch::kBFloat16) return rows.to(torch::kFloat);
  auto result = torch::empty(rows.sizes(), torch::kFloat);
  const auto* from = static_cast<const std::uint16_t*>(rows.data_ptr());
  auto* to = static_cast<std::uint32_t*>(result.data_ptr());
  const auto count = rows.numel();
  if (type == torch::kHalf) {
    for (std::int64_t i = 0; i < count; ++i) to[i] = float_of_half(from[i]);
  } else {
    for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<std::uint32_t>(from[i]) << 16;
  }
  return result;
}

torch::ScalarType element_type(Storage storage) {
  switch (storage) {
    case Storage::float16:
      return torch::kHalf;
    case Storage::bfloat16:
      return torch::kBFloat16;
    case Storage::float32:
      break;
  }
  return torch::kFloat;
}

StorageLoss loss_between(const std::filesystem::path& file, const Features& features,
                         const torch::Tensor& stored) {
  StorageLoss loss;
  const auto rows = features.descriptors.size(0);
  for (std::int64_t first = 0; first < rows; first += block_rows) {
    const auto last = std::min(first + block_rows, rows);
    const auto exact = features.descriptors.slice(0, first, last).to(torch::kDouble);
    const auto change = stored.slice(0, first, last).to(torch::kDouble).sub_(exact).norm(2, 1);
    // A row of zeros stays as it is.
    const auto share = (change / exact.norm(2, 1).clamp_min(std::numeric_limits<double>::min())).contiguous();
    const auto* shares = share.data_ptr<double>();
    for (std::int64_t i = 0; i < last - first; ++i) {
      if (!std::isfinite(shares[i])) {
        throw DataError(file,
                        "the descriptor of '" + features.samples[static_cast<std::size_t>(first + i)].path +
                            "' has a number that is too large for 16 bits; scale the descriptors to length "
                            "1, or store them as float32");
      }
      loss.largest = std::max(loss.largest, shares[i]);
      loss.mean += shares[i] / static_cast<double>(rows);
    }
  }
  return loss;
}

}  // namespace

const char* storage_name(Storage storage) {
  switch (storage) {
    case Storage::float16:
      return "float16";
    case Storage::bfloat16:
      return "bfloat16";
    case Storage::float32:
      break;
  }
  return "float32";
}

StorageLoss write_features(const std::filesystem::path& stem, const Features& features, Storage storage) {
  const auto loss = write_feature_shard(with_ending(stem, ".npy"), features, storage);
  write_sample_list(with_ending(stem, ".csv"), features.samples);
  return loss;
}

StorageLoss write_feature_shard(const std::filesystem::path& file, const Features& features,
                                Storage storage) {
  const auto& descriptors = features.descriptors;
  if (descriptors.dim() != 2 || descriptors.scalar_type() != torch::kFloat ||
      descriptors.size(0) != static_cast<std::int64_t>(features.samples.size())) {
    throw std::logic_error("write_features: descriptors must be [samples, D], 32-bit floats");
  }
  const auto stored = descriptors.to(element_type(storage));
  const auto loss = storage == Storage::float32 ? StorageLoss{} : loss_between(file, features, stored);
  write_npy(file, stored);
  return loss;
}

bool has_features(const std::filesystem::path& file) {
  return is_there(with_ending(stem_of(file), ".npy")) || has_sharded_features(file);
}

bool has_sharded_features(const std::filesystem::path& file) {
  const auto stem = stem_of(file);
  return is_there(shard_list_of(stem)) && !is_there(with_ending(stem, ".npy"));
}

FileVersion version_of_features(const std::filesystem::path& file) {
  const auto stem = stem_of(file);
  return FileVersion(has_sharded_features(file) ? shard_list_of(stem) : with_ending(stem, ".npy"));
}

std::vector<std::string> names_of_features(const std::filesystem::path& stem) {
  std::vector<std::string> names;
  for (const auto& file : {with_ending(stem, ".csv"), with_ending(stem, ".npy"), shard_list_of(stem)}) {
    names.push_back(file.filename().string());
  }
  const auto start = stem.filename().string() + ".";
  const auto folder = stem.has_parent_path() ? stem.parent_path() : std::filesystem::path(".");
  for (const auto& entry : folder_entries(folder)) {
    auto name = entry.filename().string();
    if (!name.starts_with(start)) continue;
    // Exactly as shards are called: not "query.2.npy" or "query..npy", which are somebody else's.
    std::int64_t number = 0;
    std::from_chars(name.data() + start.size(), name.data() + name.size(), number);
    if (number >= 0 && shard_file(stem, number).filename() == name) names.push_back(std::move(name));
  }
  return names;
}

std::vector<std::filesystem::path> files_of_features(const std::filesystem::path& file) {
  const auto stem = stem_of(file);
  std::vector<std::filesystem::path> files;
  for (const auto& name : names_of_features(stem)) files.push_back(stem.parent_path() / name);
  if (!has_sharded_features(file)) return files;
  for (const auto& shard : ShardList::read(shard_list_of(stem)).shards) {
    files.push_back(stem.parent_path() / shard.file);
  }
  return files;
}

FeatureReader::FeatureReader(const std::filesystem::path& file) {
  const auto stem = stem_of(file);
  const auto csv = with_ending(stem, ".csv");
  const auto version = version_of_features(file);
  if (has_sharded_features(file)) {
    shards_ = std::make_unique<ShardedArray>(shard_list_of(stem));
  } else {
    array_.emplace(with_ending(stem, ".npy"));
    const auto& shape = array_->shape();
    if (shape.size() != 2 || shape[0] == 0 || shape[1] == 0) {
      std::string text;
      for (const auto size : shape) text += (text.empty() ? "" : " x ") + std::to_string(size);
      throw DataError(array_->file(),
                      "features must be an array of images x numbers, each at least 1; this one " +
                          (text.empty() ? std::string("is a single number") : "is " + text));
    }
    if (!torch::isFloatingType(array_->type())) {
      throw DataError(array_->file(),
                      "features must be floating-point numbers ('<f2', '<f4', '<f8' or '<V2'), not integers; "
                      "save them with numpy.save(file, array.astype('<f4'))");
    }
  }
  samples_ = read_samples(csv, this->file());
  version.require_unchanged();
  if (size() != static_cast<std::int64_t>(samples_.size())) {
    throw DataError(csv, "has " + std::to_string(samples_.size()) + " rows after its header, but " +
                             this->file().filename().string() + " has " + std::to_string(size()) +
                             "; it needs one row for each descriptor, in the same order");
  }
}

torch::Tensor FeatureReader::rows(std::int64_t first, std::int64_t last) const {
  torch::Tensor result;
  if (shards_) {
    shards_->require(first, last);
    result = torch::empty({last - first, dim()});
    std::int64_t at = 0;
    shards_->each(first, last, [&](const NpyReader& array, std::int64_t from, std::int64_t to) {
      result.slice(0, at, at + to - from).copy_(widened(array.rows(from, to)));
      at += to - from;
    });
  } else {
    result = widened(array_->rows(first, last));
  }
  if (all_finite(result.data_ptr<float>(), result.numel())) return result;
  const auto finite = torch::isfinite(result).all(1).contiguous();
  const auto* good = finite.data_ptr<bool>();
  const auto row = first + (std::find(good, good + finite.numel(), false) - good);
  throw DataError(file(), "row " + std::to_string(row) + " (from 0)" + ", the descriptor of '" +
                              samples_[static_cast<std::size_t>(row)].path +
                              "', contains a number that is not finite (NaN, infinite, or too large "
                              "for 32 bits); extract its features again or remove it");
}

Features read_features(const std::filesystem::path& file) {
  const FeatureReader reader(file);
  reader.require_arrays();
  Features features{torch::empty({reader.size(), reader.dim()}, torch::kFloat), reader.samples()};
  for (std::int64_t first = 0; first < reader.size(); first += block_rows) {
    const auto last = std::min(first + block_rows, reader.size());
    features.descriptors.slice(0, first, last).copy_(reader.rows(first, last));
  }
  return features;
}

}  // namespace kindred::file
