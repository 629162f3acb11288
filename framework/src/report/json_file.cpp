#include "report/json_file.h"

#include "kindred/core/error.h"
#include "report/read_text.h"

namespace kindred::report {

nlohmann::ordered_json read_json(const std::filesystem::path& file, bool array_allowed) {
  const auto json = nlohmann::ordered_json::parse(read_text(file), nullptr, false);
  if (json.is_discarded()) throw DataError(file, "is not valid JSON: it is damaged or incomplete");
  if (!json.is_object() && !(array_allowed && json.is_array())) {
    throw DataError(file, std::string("does not contain a JSON object") + (array_allowed ? " or list" : ""));
  }
  return json;
}

std::optional<double> number_at(const nlohmann::ordered_json& object, const std::string& key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::optional<std::string> text_at(const nlohmann::ordered_json& object, const std::string& key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

}  // namespace kindred::report
