// Files of torch.save: as they lie on disk, and what a checksum of the archive would hide from a fuzzer.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "file/zip.h"
#include "target/targets.h"
#include "weights/torch_file.h"
#include "weights/weights_file.h"

namespace kindred::fuzz {
namespace {

namespace fs = std::filesystem;

std::string little_endian(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i)
    text += i < sizeof value ? static_cast<char>(value >> (8 * i)) : '\0';
  return text;
}

/// A zip archive of stored records, with the checksum 0, which is none.
std::string archive_of(const Files& records) {
  std::string bytes;
  std::string directory;
  for (const auto& [name, content] : records) {
    const auto sizes =
        little_endian(0, 4) + little_endian(content.size(), 4) + little_endian(content.size(), 4);
    const auto place = little_endian(bytes.size(), 4);
    bytes += "PK\x03\x04" + little_endian(20, 2) + little_endian(0, 8) + sizes +
             little_endian(name.size(), 2) + little_endian(0, 2) + name + content;
    directory += "PK\x01\x02" + little_endian(20, 2) + little_endian(20, 2) + little_endian(0, 8) + sizes +
                 little_endian(name.size(), 2) + little_endian(0, 12) + place + name;
  }
  return bytes + directory + "PK\x05\x06" + little_endian(0, 4) + little_endian(records.size(), 2) +
         little_endian(records.size(), 2) + little_endian(directory.size(), 4) +
         little_endian(bytes.size(), 4) + little_endian(0, 2);
}

bool accepts_weights(const fs::path& file) {
  return passes([&] {
    const auto weights = weights::read_weights_file(file);
    for (const auto& [name, tensor] : weights.content.tensors) {
      // A view that reaches out of its memory is found here.
      static_cast<void>(tensor.clone());
    }
    static_cast<void>(weights::read_torch_file(file, "student.backbone"));
  });
}

bool accepts_torch_file(const std::string& bytes) {
  return accepts_weights(fuzz_file("weights.pth", bytes));
}

bool accepts_torch_records(const std::string& bytes) {
  return accepts_weights(fuzz_file("weights.pth", archive_of(split_files(bytes))));
}

fs::path golden_weights(const std::string& name) {
  return fs::path(KINDRED_FUZZ_GOLDEN) / "weights" / (name + ".pth");
}

std::vector<std::string> golden_seeds(const std::vector<std::string>& names) {
  std::vector<std::string> seeds;
  for (const auto& name : names) seeds.push_back(content_of_file(golden_weights(name)));
  return seeds;
}

std::vector<std::string> torch_zip_seeds() {
  return golden_seeds({"types", "checkpoint_model", "no_checksum", "objects", "script"});
}

std::vector<std::string> torch_legacy_seeds() {
  return golden_seeds({"types_legacy", "checkpoint_legacy", "hostile_legacy"});
}

std::vector<std::string> torch_records_seeds() {
  std::vector<std::string> seeds;
  for (const auto* name : {"no_checksum", "types", "nested", "teacher_student"}) {
    const file::ZipArchive archive(golden_weights(name));
    Files records;
    for (const auto& [record, size] : archive.sizes()) {
      std::string content(size, '\0');
      archive.read(record, content.data());
      records["a" + record.substr(record.find('/'))] = content;
    }
    seeds.push_back(join_files(records));
  }
  return seeds;
}

}  // namespace

void add_torch_targets(std::vector<FuzzTarget>& targets) {
  targets.push_back({"torch_zip", accepts_torch_file, torch_zip_seeds});
  targets.push_back({"torch_legacy", accepts_torch_file, torch_legacy_seeds});
  targets.push_back({"torch_records", accepts_torch_records, torch_records_seeds});
}

}  // namespace kindred::fuzz
