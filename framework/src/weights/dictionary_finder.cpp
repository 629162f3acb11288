#include "weights/dictionary_finder.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string_view>

#include "text/printable.h"

namespace kindred::weights {
namespace {

/// What programs call the weights in their checkpoints.
constexpr std::array<std::string_view, 9> known_dictionaries = {"state_dict", "model",    "model_state_dict",
                                                                "net",        "net_dict", "model_state",
                                                                "network",    "params",   "checkpoint"};

/// How deep weights may lie in dictionaries and lists of one.
constexpr int deepest = 8;

/// Values that may be looked at, whatever the file has, and for each that it has. Each is looked at twice
/// where nothing stands in several places.
constexpr std::size_t least_looks = 200'000;
constexpr std::size_t looks_at_each = 4;

/// That messages name.
constexpr std::size_t most_keys = 20;

/// How to get at the weights of a whole module that stands in a dictionary, or of tensors that are not read.
std::string how_to_save(const PickledDictionary& top) {
  bool any = false;
  for (const auto& [key, value] : top.items) {
    const auto object = unknown_name(*value);
    if (object.ends_with("Storage")) {
      return ". Tensors of the type '" + text::printable(object) + "' are not read; save them as another one";
    }
    any = any || !object.empty();
  }
  return any ? ". Objects of Python are not read. If one is the network and you trust the file, load it in "
               "Python with its code, and save only the tensors:  torch.save(model.state_dict(), "
               "'weights.pth')"
             : "";
}

/// A dictionary, also in lists or tuples of one; else nullptr.
const PickledDictionary* dictionary_in(const PickleNode* node) {
  for (int depth = 0; node != nullptr && depth < deepest; ++depth) {
    if (const auto* dictionary = node->as<PickledDictionary>()) return dictionary;
    const auto* list = node->as<PickledSequence>();
    node = list != nullptr && list->items.size() == 1 ? list->items.front() : nullptr;
  }
  return nullptr;
}

bool holds_tensors(const PickledDictionary& dictionary) {
  return std::any_of(dictionary.items.begin(), dictionary.items.end(), [](const auto& item) {
    return item.first->template as<std::string>() != nullptr &&
           item.second->template as<PickledTensor>() != nullptr;
  });
}

/// Whether none of its tensors can be a weight: each is one number, such as a loss.
bool is_stray(const PickledDictionary& dictionary) {
  return std::all_of(dictionary.items.begin(), dictionary.items.end(), [](const auto& item) {
    const auto* tensor = item.second->template as<PickledTensor>();
    return tensor == nullptr || std::all_of(tensor->shape.begin(), tensor->shape.end(),
                                            [](std::int64_t length) { return length == 1; });
  });
}

std::string known_names() {
  std::string text;
  for (const auto name : known_dictionaries) text += (text.empty() ? "'" : ", '") + std::string(name) + "'";
  return text;
}

/// Keys that are texts; without those of tensors when `tensors` is this dictionary.
std::vector<std::string> keys_beside(const PickledDictionary& dictionary, const PickledDictionary* tensors) {
  std::vector<std::string> names;
  for (const auto& [key, value] : dictionary.items) {
    const auto* name = key->as<std::string>();
    if (name == nullptr || (tensors == &dictionary && value->as<PickledTensor>() != nullptr)) continue;
    if (names.size() < most_keys) names.push_back(text::printable(*name));
  }
  return names;
}

}  // namespace

DictionaryFinder::DictionaryFinder(const Pickle& pickle, const std::string& key,
                                   const std::filesystem::path& file)
    : file_(file), most_looks_(std::max(least_looks, looks_at_each * pickle.nodes.size())) {
  const auto& root = *pickle.root;
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
  if (!found && module != nullptr && flat_.items.empty()) {
    fail(
        "is a TorchScript program without parameters, as `kindred export` and torch.jit.freeze write it: its "
        "tensors are constants without names; give the weights that it was made from");
  }
  if (!found) {
    fail("contains no tensors, neither at the top level nor under " + known_names() + "; it contains " +
         quoted_list(keys_beside(*top, nullptr)) + how_to_save(*top));
  }
  found_ = found->dictionary;
  path_ = found->path;
  describe(*found);
}

std::vector<std::pair<std::string, const PickledTensor*>> DictionaryFinder::tensors() const {
  std::vector<std::pair<std::string, const PickledTensor*>> result;
  std::map<std::string, std::size_t> places;
  for (const auto& [key, value] : found_->items) {
    const auto* name = key->as<std::string>();
    const auto* tensor = value->as<PickledTensor>();
    if (name == nullptr || tensor == nullptr) continue;
    require_short(name->size());
    const auto [place, is_new] = places.emplace(*name, result.size());
    if (is_new) {
      result.emplace_back(*name, tensor);
    } else {
      result[place->second].second = tensor;
    }
  }
  return result;
}

void DictionaryFinder::look_through(const PickledDictionary& dictionary, const std::string& path) {
  constexpr std::size_t bytes_of_a_look = 16;
  looks_ += 1 + dictionary.items.size() + path.size() / bytes_of_a_look;
  if (looks_ > most_looks_) {
    fail(
        "cannot be searched for weights: its dictionaries or modules hold each other in too many ways, more "
        "than " +
        std::to_string(most_looks_) + " values");
  }
}

void DictionaryFinder::require_short(std::size_t bytes) const {
  constexpr std::size_t longest_name = 1000;
  if (bytes > longest_name) {
    fail("the name of a tensor has " + std::to_string(bytes) + " bytes; up to " +
         std::to_string(longest_name) + " are read");
  }
}

void DictionaryFinder::flatten(const PickledDictionary& attributes, const std::string& prefix, int depth) {
  constexpr int deepest_module = 64;
  if (depth == deepest_module) {
    fail("has modules in modules, more than " + std::to_string(deepest_module) + " deep");
  }
  look_through(attributes, prefix);
  for (const auto& [key, value] : attributes.items) {
    const auto* name = key->as<std::string>();
    if (name == nullptr) continue;
    require_short(prefix.size() + name->size());
    if (const auto* inner = value->as<PickledModule>()) {
      flatten(inner->attributes, prefix + *name + ".", depth + 1);
    } else if (value->as<PickledTensor>() != nullptr) {
      names_.push_back({prefix + *name});
      flat_.items.emplace_back(&names_.back(), value);
    }
  }
}

std::optional<DictionaryFinder::Place> DictionaryFinder::teacher_of(const std::vector<Place>& places) {
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

void DictionaryFinder::refuse_module(const PickleNode& root) const {
  const auto name = unknown_name(root);
  if (name.empty()) return;
  fail("needs the Python object '" + text::printable(name) +
       "': it contains more than tensors, such as a whole module. Nothing was executed or read. If you "
       "trust the file, load it in Python with its code, and save only the tensors:  "
       "torch.save(model.state_dict(), 'weights.pth')");
}

std::optional<DictionaryFinder::Place> DictionaryFinder::find(const Place& place, int depth) {
  if (depth == deepest) return std::nullopt;
  look_through(*place.dictionary, place.path);
  for (const auto key : known_dictionaries) {
    const auto* inner = dictionary_in(place.dictionary->find(key));
    if (inner == nullptr) continue;
    if (auto found = find(below(place, key, inner), depth + 1)) return found;
  }
  return holds_tensors(*place.dictionary) ? std::optional(place) : std::nullopt;
}

std::vector<DictionaryFinder::Place> DictionaryFinder::all_in(const Place& place, int depth) {
  look_through(*place.dictionary, place.path);
  if (holds_tensors(*place.dictionary) && !is_stray(*place.dictionary)) return {place};
  std::vector<Place> all;
  if (depth == deepest) return all;
  for (const auto& [key, value] : place.dictionary->items) {
    const auto* name = key->as<std::string>();
    const auto* inner = dictionary_in(value);
    if (name == nullptr || inner == nullptr) continue;
    const auto more = all_in(below(place, *name, inner), depth + 1);
    all.insert(all.end(), more.begin(), more.end());
    if (all.size() > most_keys) break;
  }
  return all;
}

DictionaryFinder::Place DictionaryFinder::below(const Place& place, std::string_view key,
                                                const PickledDictionary* inner) {
  auto way = place.way;
  way.emplace_back(place.dictionary, key);
  return {inner, place.path + (place.path.empty() ? "" : ".") + std::string(key), std::move(way)};
}

std::optional<DictionaryFinder::Place> DictionaryFinder::at_key(const Place& place, const std::string& key) {
  if (const auto* inner = dictionary_in(place.dictionary->find(key))) {
    return below(place, key, inner);
  }
  for (auto dot = key.find('.'); dot != std::string::npos; dot = key.find('.', dot + 1)) {
    const auto first = key.substr(0, dot);
    const auto* inner = dictionary_in(place.dictionary->find(first));
    if (inner == nullptr) continue;
    if (auto found = at_key(below(place, first, inner), key.substr(dot + 1))) return found;
  }
  return std::nullopt;
}

void DictionaryFinder::describe(const Place& found) {
  std::string prefix;
  for (const auto& [dictionary, key] : found.way) {
    const auto taken = text::printable(key);
    for (const auto& name : keys_beside(*dictionary, found_)) {
      if (name != taken) beside_.push_back(prefix + name);
    }
    describe_unknown(*dictionary, prefix);
    prefix += taken + ".";
  }
  if (found.way.empty()) beside_ = keys_beside(*found_, found_);
  describe_unknown(*found_, "");
}

void DictionaryFinder::describe_unknown(const PickledDictionary& dictionary, const std::string& prefix) {
  for (const auto& [key, value] : dictionary.items) {
    const auto* name = key->as<std::string>();
    const auto object = unknown_name(*value);
    if (name == nullptr || object.empty() || unknown_.size() == most_keys) continue;
    const auto shown = prefix + text::printable(*name);
    unknown_.push_back(shown + " (" + text::printable(object) + ")");
    std::erase(beside_, shown);
  }
}

}  // namespace kindred::weights
