#include "weights/torch_file.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "file/zip.h"
#include "kindred/core/error.h"
#include "text/printable.h"
#include "weights/pickle.h"

namespace kindred::weights {
namespace {

namespace fs = std::filesystem;

/// Pickled 0x1950a86a20f9469cfc6c, which files before PyTorch 1.6 begin with.
constexpr std::string_view legacy_magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e", 15);
constexpr std::int64_t legacy_protocol = 1001;

/// What programs call the weights in their checkpoints.
constexpr std::array<std::string_view, 9> known_dictionaries = {"state_dict", "model",    "model_state_dict",
                                                                "net",        "net_dict", "model_state",
                                                                "network",    "params",   "checkpoint"};

/// How deep weights may lie in dictionaries and lists of one.
constexpr int deepest = 8;

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

/// The first index behind the last element that a view reaches; nothing when numbers overflow.
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

/// The dictionary of tensors in what was saved.
class DictionaryFinder {
 public:
  DictionaryFinder(const PickleNode& root, const std::string& key, const fs::path& file) : file_(file) {
    refuse_module(root);
    const auto* module = root.as<PickledModule>();
    if (module != nullptr) flatten(module->attributes, "", 0);
    const auto* top = module != nullptr ? &flat_ : dictionary_in(&root);
    if (top == nullptr) fail("is not a dictionary of tensors");
    Place place{top, ""};
    if (!key.empty()) {
      const auto asked = at_key(place, key);
      has_key_ = asked.has_value();
      if (asked) place = *asked;
    }
    auto found = find(place, 0);
    const auto others = found && !is_stray(*found->dictionary) ? std::vector<Place>() : all_in(place, 0);
    if (others.size() == 1) found = others.front();
    if (others.size() > 1) found = teacher_of(others);
    if (others.size() > 1 && !found) {
      std::vector<std::string> keys;
      for (const auto& other : others) keys.push_back(text::printable(other.path));
      fail("contains tensors under " + quoted_list(keys) +
           "; choose one with --key, or with key in [weights] and weights_key in [backbone] of a recipe");
    }
    if (!found) {
      fail("contains no tensors, neither at the top level nor under " + known() + "; it contains " +
           quoted_list(keys_beside(*top, nullptr)) + how_to_save(*top));
    }
    found_ = found->dictionary;
    path_ = found->path;
    describe(*top);
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool has_key() const { return has_key_; }
  [[nodiscard]] const std::string& choice() const { return choice_; }
  [[nodiscard]] const std::vector<std::string>& beside() const { return beside_; }
  [[nodiscard]] const std::vector<std::string>& unknown() const { return unknown_; }

  /// In the order of the file. Of a name that comes twice the last counts, as in Python.
  [[nodiscard]] std::vector<std::pair<std::string, const PickledTensor*>> tensors() const {
    std::vector<std::pair<std::string, const PickledTensor*>> result;
    std::map<std::string, std::size_t> places;
    for (const auto& [key, value] : found_->items) {
      const auto* name = key->as<std::string>();
      const auto* tensor = value->as<PickledTensor>();
      if (name == nullptr || tensor == nullptr) continue;
      const auto [place, is_new] = places.emplace(*name, result.size());
      if (is_new) {
        result.emplace_back(*name, tensor);
      } else {
        result[place->second].second = tensor;
      }
    }
    return result;
  }

 private:
  struct Place {
    const PickledDictionary* dictionary;
    std::string path;  ///< keys, with dots between them
  };

  [[noreturn]] void fail(const std::string& what) const { throw DataError(file_, what); }

  /// Adds the tensors of a TorchScript module and of those in it, each by its dotted name.
  void flatten(const PickledDictionary& attributes, const std::string& prefix, int depth) {
    constexpr int deepest_module = 64;
    constexpr std::size_t most_tensors = 1'000'000;
    if (depth == deepest_module) fail("is damaged: its modules hold each other");
    for (const auto& [key, value] : attributes.items) {
      const auto* name = key->as<std::string>();
      if (name == nullptr) continue;
      if (const auto* inner = value->as<PickledModule>()) {
        flatten(inner->attributes, prefix + *name + ".", depth + 1);
      } else if (value->as<PickledTensor>() != nullptr) {
        if (flat_.items.size() == most_tensors) fail("is damaged: its modules hold too many tensors");
        names_.push_back({prefix + *name});
        flat_.items.emplace_back(&names_.back(), value);
      }
    }
  }

  /// Of a file of self-distillation the teacher, whose weights are used, when it also has a student.
  [[nodiscard]] std::optional<Place> teacher_of(const std::vector<Place>& places) {
    const auto is_of = [](const Place& place, const std::string& key) {
      return place.path == key || place.path.starts_with(key + ".");
    };
    std::optional<Place> teacher;
    std::string student;
    for (const auto& place : places) {
      if (is_of(place, "student")) student = place.path;
      if (!is_of(place, "teacher")) continue;
      if (teacher) return std::nullopt;
      teacher = place;
    }
    if (!teacher || student.empty()) return std::nullopt;
    choice_ = "'" + text::printable(teacher->path) + "', not '" + text::printable(student) +
              "', which --key or key in the recipe would take";
    return teacher;
  }

  void refuse_module(const PickleNode& root) const {
    const auto name = unknown_name(root);
    if (name.empty()) return;
    fail("needs the Python object '" + text::printable(name) +
         "': it contains more than tensors, such as a whole module. Nothing was executed or read. If you "
         "trust "
         "the file, load it in Python with its code, and save only the tensors:  "
         "torch.save(model.state_dict(), 'weights.pth')");
  }

  /// How to get at the weights of a whole module that stands in a dictionary.
  [[nodiscard]] static std::string how_to_save(const PickledDictionary& top) {
    const bool any = std::any_of(top.items.begin(), top.items.end(),
                                 [](const auto& item) { return !unknown_name(*item.second).empty(); });
    return any ? ". Objects of Python are not read. If one is the network and you trust the file, load it in "
                 "Python with its code, and save only the tensors:  torch.save(model.state_dict(), "
                 "'weights.pth')"
               : "";
  }

  [[nodiscard]] static std::string unknown_name(const PickleNode& node) {
    if (const auto* global = node.as<PickledGlobal>()) return global->name;
    const auto* other = node.as<PickledOther>();
    return other == nullptr ? "" : other->name;
  }

  /// A dictionary, also in lists or tuples of one; else nullptr.
  [[nodiscard]] static const PickledDictionary* dictionary_in(const PickleNode* node) {
    for (int depth = 0; node != nullptr && depth < deepest; ++depth) {
      if (const auto* dictionary = node->as<PickledDictionary>()) return dictionary;
      const auto* list = node->as<PickledSequence>();
      node = list != nullptr && list->items.size() == 1 ? list->items.front() : nullptr;
    }
    return nullptr;
  }

  [[nodiscard]] static bool holds_tensors(const PickledDictionary& dictionary) {
    return std::any_of(dictionary.items.begin(), dictionary.items.end(), [](const auto& item) {
      return item.first->template as<std::string>() != nullptr &&
             item.second->template as<PickledTensor>() != nullptr;
    });
  }

  /// Whether none of its tensors can be a weight: each is one number, such as a loss.
  [[nodiscard]] static bool is_stray(const PickledDictionary& dictionary) {
    return std::all_of(dictionary.items.begin(), dictionary.items.end(), [](const auto& item) {
      const auto* tensor = item.second->template as<PickledTensor>();
      return tensor == nullptr || std::all_of(tensor->shape.begin(), tensor->shape.end(),
                                              [](std::int64_t length) { return length == 1; });
    });
  }

  [[nodiscard]] static std::string joined(const std::string& path, std::string_view key) {
    return path.empty() ? std::string(key) : path + "." + std::string(key);
  }

  [[nodiscard]] static std::optional<Place> find(const Place& place, int depth) {
    if (depth == deepest) return std::nullopt;
    for (const auto key : known_dictionaries) {
      const auto* inner = dictionary_in(place.dictionary->find(key));
      if (inner == nullptr) continue;
      if (auto found = find({inner, joined(place.path, key)}, depth + 1)) return found;
    }
    return holds_tensors(*place.dictionary) ? std::optional(place) : std::nullopt;
  }

  /// All dictionaries with more than stray tensors, outside of each other.
  [[nodiscard]] static std::vector<Place> all_in(const Place& place, int depth) {
    if (holds_tensors(*place.dictionary) && !is_stray(*place.dictionary)) return {place};
    std::vector<Place> all;
    if (depth == deepest) return all;
    for (const auto& [key, value] : place.dictionary->items) {
      const auto* name = key->as<std::string>();
      const auto* inner = dictionary_in(value);
      if (name == nullptr || inner == nullptr) continue;
      const auto more = all_in({inner, joined(place.path, *name)}, depth + 1);
      all.insert(all.end(), more.begin(), more.end());
      if (all.size() > most_keys) break;
    }
    return all;
  }

  /// Keys may hold dots themselves.
  [[nodiscard]] static std::optional<Place> at_key(const Place& place, const std::string& key) {
    if (const auto* inner = dictionary_in(place.dictionary->find(key))) {
      return Place{inner, joined(place.path, key)};
    }
    for (auto dot = key.find('.'); dot != std::string::npos; dot = key.find('.', dot + 1)) {
      const auto first = key.substr(0, dot);
      const auto* inner = dictionary_in(place.dictionary->find(first));
      if (inner == nullptr) continue;
      if (auto found = at_key({inner, joined(place.path, first)}, key.substr(dot + 1))) return found;
    }
    return std::nullopt;
  }

  [[nodiscard]] static std::string known() {
    std::string text;
    for (const auto name : known_dictionaries) text += (text.empty() ? "'" : ", '") + std::string(name) + "'";
    return text;
  }

  /// Keys that are texts; without those of tensors when `tensors` is this dictionary.
  [[nodiscard]] static std::vector<std::string> keys_beside(const PickledDictionary& dictionary,
                                                            const PickledDictionary* tensors) {
    std::vector<std::string> names;
    for (const auto& [key, value] : dictionary.items) {
      const auto* name = key->as<std::string>();
      if (name == nullptr || (tensors == &dictionary && value->as<PickledTensor>() != nullptr)) continue;
      if (names.size() < most_keys) names.push_back(text::printable(*name));
    }
    return names;
  }

  /// What stands beside the tensors, at the top and among them.
  void describe(const PickledDictionary& top) {
    const auto first = path_.substr(0, path_.find('.'));
    for (const auto& name : keys_beside(top, found_)) {
      if (name != first) beside_.push_back(name);
    }
    for (const auto* dictionary : {&top, found_}) {
      for (const auto& [key, value] : dictionary->items) {
        const auto* name = key->as<std::string>();
        const auto object = unknown_name(*value);
        if (name == nullptr || object.empty() || unknown_.size() == most_keys) continue;
        unknown_.push_back(text::printable(*name) + " (" + text::printable(object) + ")");
        std::erase(beside_, text::printable(*name));
      }
      if (&top == found_) break;
    }
  }

  static constexpr std::size_t most_keys = 20;

  const fs::path& file_;
  const PickledDictionary* found_ = nullptr;
  std::string path_;
  bool has_key_ = true;
  std::string choice_;
  std::deque<PickleNode> names_;  ///< of flat_
  PickledDictionary flat_;        ///< the tensors of a TorchScript program
  std::vector<std::string> beside_;
  std::vector<std::string> unknown_;
};

/// What both formats have in common: a pickle whose storages `read_storages` brings.
template <class ReadStorages>
TorchFile assemble(const Pickle& pickle, const std::string& key, const fs::path& file,
                   const ReadStorages& read_storages) {
  const DictionaryFinder finder(*pickle.root, key, file);
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

/// Bytes other than 0 and 1 are no truth values, and undefined behaviour as such.
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
      if (found == described.end()) fail("its storage '" + text::printable(*key) + "' belongs to no tensor");
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
