#include "weights/torch_file.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "file/zip.h"
#include "kindred/core/error.h"
#include "text/printable.h"
#include "weights/dictionary_finder.h"
#include "weights/pickle.h"

namespace kindred::weights {
namespace {

namespace fs = std::filesystem;

/// Pickled 0x1950a86a20f9469cfc6c, which files before PyTorch 1.6 begin with.
constexpr std::string_view legacy_magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e", 15);
constexpr std::int64_t legacy_protocol = 1001;

using Storages = std::map<std::string, torch::Tensor>;  // flat, by key

std::uint64_t bytes_of(const PickledStorage& storage, const fs::path& file) {
  std::uint64_t size = torch::elementSize(storage.type);
  if (__builtin_mul_overflow(size, static_cast<std::uint64_t>(storage.elements), &size)) {
    throw DataError(file, "is damaged: a storage has " + std::to_string(storage.elements) + " elements");
  }
  return size;
}

/// All storages of a pickle by key. One key has one type and one size.
std::map<std::string, const PickledStorage*> storages_of(const Pickle& pickle, const fs::path& file) {
  std::map<std::string, const PickledStorage*> storages;
  for (const auto& node : pickle.nodes) {
    const auto* storage = node.as<PickledStorage>();
    if (storage == nullptr) continue;
    const auto* known = storages.emplace(storage->key, storage).first->second;
    if (known->type != storage->type || known->elements != storage->elements) {
      throw DataError(file,
                      "is damaged: storage '" + text::printable(storage->key) + "' is described in two ways");
    }
  }
  return storages;
}

bool is_empty(const PickledTensor& tensor) {
  return std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end();
}

/// The first index after the last element that a view reaches; nothing when numbers overflow.
std::optional<std::int64_t> reach(const PickledTensor& tensor) {
  std::int64_t end = tensor.offset;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    std::int64_t step = 0;
    if (__builtin_mul_overflow(tensor.shape[i] - 1, tensor.strides[i], &step) ||
        __builtin_add_overflow(end, step, &end)) {
      return std::nullopt;
    }
  }
  if (__builtin_add_overflow(end, std::int64_t{1}, &end)) return std::nullopt;
  return end;
}

void check_view(const std::string& name, const PickledTensor& tensor, const fs::path& file) {
  const auto wrong = [&](const std::string& what) {
    throw DataError(file, "is damaged: tensor '" + text::printable(name) + "' " + what);
  };
  const auto negative = [](const std::vector<std::int64_t>& numbers) {
    return std::any_of(numbers.begin(), numbers.end(), [](std::int64_t number) { return number < 0; });
  };
  if (tensor.shape.size() != tensor.strides.size()) wrong("has different numbers of strides and dimensions");
  if (tensor.offset < 0 || negative(tensor.shape) || negative(tensor.strides)) wrong("has a negative size");
  // Lengths that overflow on their own are refused even beside a 0: LibTorch multiplies them for strides.
  std::int64_t elements = 1;
  bool too_large = false;
  for (const auto length : tensor.shape) {
    too_large = __builtin_mul_overflow(elements, std::max<std::int64_t>(length, 1), &elements) || too_large;
  }
  if (too_large) wrong("is impossibly large");
  if (is_empty(tensor)) return;
  const auto end = reach(tensor);
  if (!end || *end > tensor.storage->elements) {
    wrong("exceeds its storage of " + std::to_string(tensor.storage->elements) + " elements");
  }
  if (elements > tensor.storage->elements) {
    throw DataError(file, "tensor '" + text::printable(name) + "' repeats " +
                              std::to_string(tensor.storage->elements) + " elements as " +
                              std::to_string(elements) + "; save it with .contiguous()");
  }
}

torch::Tensor view_of(const PickledTensor& tensor, const Storages& storages) {
  const auto& flat = storages.at(tensor.storage->key);
  if (is_empty(tensor)) return torch::empty(tensor.shape, flat.options());
  return flat.as_strided(tensor.shape, tensor.strides, tensor.offset);
}

/// What both formats have in common: a pickle whose storages `read_storages` brings.
template <class ReadStorages>
TorchFile assemble(const Pickle& pickle, const std::string& key, const fs::path& file,
                   const ReadStorages& read_storages) {
  const DictionaryFinder finder(pickle, key, file);
  const auto tensors = finder.tensors();
  std::set<std::string> wanted;
  for (const auto& [name, tensor] : tensors) {
    check_view(name, *tensor, file);
    wanted.insert(tensor->storage->key);
  }
  const Storages storages = read_storages(storages_of(pickle, file), wanted);
  TorchFile result;
  result.dictionary = finder.path();
  result.has_key = finder.has_key();
  result.choice = finder.choice();
  result.beside = finder.beside();
  result.unknown = finder.unknown();
  for (const auto& [name, tensor] : tensors) {
    result.content.tensors.emplace_back(name, view_of(*tensor, storages));
  }
  return result;
}

torch::Tensor flat_tensor(const PickledStorage& storage) {
  return torch::empty({storage.elements}, torch::TensorOptions(storage.type));
}

/// Bytes other than 0 and 1 are no truth values, and undefined behavior as such.
void check_bool(const PickledStorage& storage, const torch::Tensor& flat, const fs::path& file) {
  if (storage.type != torch::kBool) return;
  const auto* bytes = static_cast<const std::uint8_t*>(flat.data_ptr());
  if (std::any_of(bytes, bytes + flat.numel(), [](std::uint8_t byte) { return byte > 1; })) {
    throw DataError(file, "is damaged: storage '" + text::printable(storage.key) +
                              "' contains values other than 0 and 1");
  }
}

class ZipFile {
 public:
  explicit ZipFile(file::BinaryFile& source) : source_(source), archive_(source.file()) {
    for (const auto& [name, size] : archive_.sizes()) {
      if (name == "data.pkl" || name.ends_with("/data.pkl")) prefix_ = name.substr(0, name.size() - 8);
      if (name == "constants.pkl" || name.ends_with("/constants.pkl")) is_program_ = true;
    }
    if (!prefix_)
      throw DataError(source.file(), "is a zip archive, but not of torch.save: it has no data.pkl");
  }

  TorchFile read(const std::string& key) {
    const auto order = bytes(*prefix_ + "byteorder");
    if (order && !std::ranges::equal(*order, std::string_view("little"))) {
      throw DataError(source_.file(),
                      "is big-endian, which is not supported; save it on a little-endian machine");
    }
    file::BinaryCursor cursor(source_, *bytes(*prefix_ + "data.pkl"));
    const auto pickle = read_pickle(cursor, source_.file());
    auto result = assemble(pickle, key, source_.file(), [this](const auto& described, const auto& wanted) {
      Storages storages;
      for (const auto& key : wanted) storages.emplace(key, storage(*described.at(key)));
      return storages;
    });
    result.format = is_program_ ? "TorchScript" : "PyTorch";
    return result;
  }

 private:
  /// Nothing when there is no such record.
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> bytes(const std::string& record) const {
    const auto found = archive_.sizes().find(record);
    if (found == archive_.sizes().end()) return std::nullopt;
    std::vector<std::uint8_t> content(found->second);
    archive_.read(record, content.data());
    return content;
  }

  [[nodiscard]] torch::Tensor storage(const PickledStorage& storage) const {
    const auto name = *prefix_ + "data/" + storage.key;
    const auto found = archive_.sizes().find(name);
    if (found == archive_.sizes().end()) {
      throw DataError(source_.file(), "is damaged: it has no record '" + text::printable(name) + "'");
    }
    if (found->second != bytes_of(storage, source_.file())) {
      throw DataError(source_.file(), "is damaged: record '" + text::printable(name) + "' has " +
                                          std::to_string(found->second) + " bytes, but needs " +
                                          std::to_string(storage.elements) + " elements");
    }
    auto flat = flat_tensor(storage);
    archive_.read(name, flat.data_ptr());
    check_bool(storage, flat, source_.file());
    return flat;
  }

  file::BinaryFile& source_;
  file::ZipArchive archive_;
  std::optional<std::string> prefix_;
  bool is_program_ = false;
};

/// Five pickles (a magic number, the protocol, the system, what was saved, the keys of the storages), then
/// for each key the number of its elements and the elements.
class LegacyFile {
 public:
  explicit LegacyFile(file::BinaryFile& source)
      : source_(source), cursor_(source, legacy_magic.size(), source.size()) {}

  TorchFile read(const std::string& key) {
    check_protocol();
    check_system();
    const auto pickle = read_pickle(cursor_, source_.file());
    const auto keys = read_pickle(cursor_, source_.file());
    auto result = assemble(pickle, key, source_.file(), [&](const auto& described, const auto& wanted) {
      return storages(keys, described, wanted);
    });
    result.format = "PyTorch before 1.6";
    return result;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(source_.file(), "is damaged or not a file of torch.save: " + what);
  }

  void check_protocol() {
    const auto pickle = read_pickle(cursor_, source_.file());
    const auto* protocol = pickle.root->as<std::int64_t>();
    if (protocol == nullptr || *protocol != legacy_protocol) fail("its protocol is not 1001");
  }

  void check_system() {
    const auto pickle = read_pickle(cursor_, source_.file());
    const auto* system = pickle.root->as<PickledDictionary>();
    const auto* little = system == nullptr ? nullptr : system->find("little_endian");
    if (little == nullptr || little->as<bool>() == nullptr) fail("it does not name its system");
    if (!*little->as<bool>()) {
      throw DataError(source_.file(),
                      "is big-endian, which is not supported; save it on a little-endian machine");
    }
  }

  Storages storages(const Pickle& keys, const std::map<std::string, const PickledStorage*>& described,
                    const std::set<std::string>& wanted) {
    const auto* list = keys.root->as<PickledSequence>();
    if (list == nullptr) fail("it has no list of storages");
    Storages result;
    for (const auto* item : list->items) {
      const auto* key = item->as<std::string>();
      if (key == nullptr) fail("it has no list of storages");
      const auto found = described.find(*key);
      if (found == described.end())
        fail("its storage '" + text::printable(*key) + "' belongs to no tensor of a type that is known");
      const auto& storage = *found->second;
      if (cursor_.little_endian(8) != static_cast<std::uint64_t>(storage.elements)) {
        fail("its storage '" + text::printable(*key) + "' does not have the size that its tensors need");
      }
      const auto size = bytes_of(storage, source_.file());
      const auto begin = cursor_.position();
      cursor_.skip(size);
      if (wanted.count(*key) == 0 || result.count(*key) > 0) continue;
      auto flat = flat_tensor(storage);
      source_.read(begin, flat.data_ptr(), size);
      check_bool(storage, flat, source_.file());
      result.emplace(*key, std::move(flat));
    }
    for (const auto& key : wanted) {
      if (result.count(key) == 0) fail("its storage '" + text::printable(key) + "' is missing");
    }
    return result;
  }

  file::BinaryFile& source_;
  file::BinaryCursor cursor_;
};

bool begins_as_legacy(file::BinaryFile& file) {
  if (file.size() < legacy_magic.size()) return false;
  std::string start(legacy_magic.size(), '\0');
  file.read(0, start.data(), start.size());
  return start == legacy_magic;
}

}  // namespace

bool is_torch_file(file::BinaryFile& file) {
  return file::is_zip(file) || begins_as_legacy(file);
}

TorchFile read_torch_file(const fs::path& file, const std::string& key) {
  file::BinaryFile source(file);
  if (file::is_zip(source)) return ZipFile(source).read(key);
  if (begins_as_legacy(source)) return LegacyFile(source).read(key);
  throw DataError(file, "is not a file of torch.save");
}

}  // namespace kindred::weights
