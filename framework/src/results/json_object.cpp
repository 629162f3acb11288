#include "results/json_object.h"

#include <ostream>
#include <utility>

#include "file/atomic_file.h"
#include "file/read_text.h"
#include "file/shallow_json.h"

namespace kindred::results {
namespace {

Json parsed(const std::filesystem::path& file) {
  const auto text = file::read_text(file);
  try {
    return Json::parse(text, file::ShallowJson(file));
  } catch (const Json::parse_error& error) {
    const auto before = std::min(error.byte, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(before), '\n');
    throw DataError(file, static_cast<int>(line), "this is not JSON: the file is damaged or was cut off");
  } catch (const Json::out_of_range&) {
    throw DataError(file, "is damaged: it holds a number that is too large, such as 1e999");
  }
}

std::string type_message(const Json& json, const std::string& wanted) {
  return std::string("is of type ") + json.type_name() + " and must be " + wanted;
}

}  // namespace

void write_json(const std::filesystem::path& file, const Json& json) {
  const auto text = json.dump(2, ' ', false, Json::error_handler_t::replace);
  file::write_atomically(file, [&](std::ostream& out) { out << text << '\n'; });
}

JsonObject::JsonObject(std::filesystem::path file, Json json, std::string place)
    : file_(std::move(file)), json_(std::move(json)), place_(std::move(place)) {
  if (json_.is_object()) return;
  throw DataError(file_,
                  (place_.empty() ? "the JSON " : "'" + place_ + "' ") + type_message(json_, "an object"));
}

JsonObject JsonObject::read(const std::filesystem::path& file) {
  return {file, parsed(file)};
}

std::vector<JsonObject> JsonObject::read_list(const std::filesystem::path& file) {
  const auto json = parsed(file);
  if (!json.is_array()) throw DataError(file, "the JSON " + type_message(json, "a list"));
  std::vector<JsonObject> list;
  for (const auto& entry : json) list.emplace_back(file, entry, "entry " + std::to_string(list.size() + 1));
  return list;
}

JsonObject JsonObject::object(const std::string& key) const {
  return {file_, at(key), place_of(key)};
}

std::optional<JsonObject> JsonObject::find_object(const std::string& key) const {
  return has(key) ? std::optional(object(key)) : std::nullopt;
}

std::vector<JsonObject> JsonObject::objects(const std::string& key) const {
  const auto& value = at(key);
  if (!value.is_array()) throw wrong_type(key, value, "a list");
  std::vector<JsonObject> list;
  for (const auto& entry : value) {
    list.emplace_back(file_, entry, place_of(key) + "[" + std::to_string(list.size()) + "]");
  }
  return list;
}

DataError JsonObject::error(const std::string& key, const std::string& message) const {
  return {file_, "'" + place_of(key) + "' " + message};
}

bool JsonObject::has(const std::string& key) const {
  const auto found = json_.find(key);
  return found != json_.end() && !found->is_null();
}

const Json& JsonObject::at(const std::string& key) const {
  const auto found = json_.find(key);
  if (found == json_.end()) throw error(key, "is missing: the file is damaged or of another version");
  return *found;
}

std::string JsonObject::place_of(const std::string& key) const {
  return place_.empty() ? key : place_ + "." + key;
}

DataError JsonObject::wrong_type(const std::string& key, const Json& value, const std::string& wanted) const {
  return error(key, type_message(value, wanted));
}

}  // namespace kindred::results
