#include "report/json_file.h"

#include "file/read_text.h"
#include "file/shallow_json.h"
#include "kindred/core/error.h"

namespace kindred::report {

nlohmann::ordered_json read_json(const std::filesystem::path& file) {
  const auto json = nlohmann::ordered_json::parse(file::read_text(file), file::ShallowJson(file), false);
  if (json.is_discarded()) throw DataError(file, "is not valid JSON: it is damaged or incomplete");
  if (!json.is_object()) throw DataError(file, "does not contain a JSON object");
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
