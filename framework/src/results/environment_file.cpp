#include "results/environment_file.h"

#include <type_traits>

#include "results/json_object.h"

namespace kindred::results {
namespace {

/// Calls `visit` with each key and member.
template <class File, class Visit>
void for_each_entry(File& file, const Visit& visit) {
  visit("kindred", file.kindred);
  visit("libtorch", file.libtorch);
  visit("opencv", file.opencv);
  visit("blas", file.blas);
  visit("device", file.device);
  visit("processor", file.processor);
  visit("threads", file.threads);
  visit("memory_format", file.memory_format);
  visit("precision", file.precision);
}

std::string text_of(const std::string& value) {
  return value;
}

std::string text_of(std::int64_t value) {
  return std::to_string(value);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> EnvironmentFile::entries() const {
  std::vector<std::pair<std::string, std::string>> all;
  for_each_entry(*this, [&](const char* key, const auto& value) { all.emplace_back(key, text_of(value)); });
  return all;
}

EnvironmentFile EnvironmentFile::read(const std::filesystem::path& file) {
  const auto object = JsonObject::read(file);
  EnvironmentFile environment;
  for_each_entry(environment, [&](const char* key, auto& value) {
    value = object.get<std::remove_reference_t<decltype(value)>>(key);
  });
  return environment;
}

void EnvironmentFile::write(const std::filesystem::path& file) const {
  Json json;
  for_each_entry(*this, [&](const char* key, const auto& value) { json[key] = value; });
  write_json(file, json);
}

}  // namespace kindred::results
