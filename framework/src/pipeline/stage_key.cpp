#include "pipeline/stage_key.h"

#include <dlfcn.h>

#include <map>
#include <set>
#include <string>

#include "file/folder_entries.h"
#include "kindred/core/sample.h"
#include "pipeline/data_hash.h"
#include "recipe/recipe.h"
#include "system/device.h"

namespace kindred::pipeline {
namespace {

namespace fs = std::filesystem;

/// The plugin API library that this program has loaded.
fs::path api_library() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&split_name), &info) == 0 || info.dli_fname == nullptr)
    return {};
  return info.dli_fname;
}

/// Of a file, or of all files of a folder with their names.
std::string content_hash(const fs::path& path, FileHashes& hashes) {
  if (!fs::is_directory(path)) return hashes.of(path);
  std::map<std::string, fs::path> files;
  for (const auto& entry : file::folder_entries(path)) {
    if (fs::is_regular_file(entry)) files[entry.filename().string()] = entry;
  }
  std::string text;
  for (const auto& [name, file] : files) text += name + '\0' + hashes.of(file) + '\n';
  return text_hash(text);
}

std::map<std::string, std::string> code_of(const stage::Stage& stage, FileHashes& hashes) {
  std::map<std::string, std::string> code;
  auto program = hashes.of("/proc/self/exe");
  if (const auto library = api_library(); !library.empty()) program += hashes.of(library);
  code["kindred"] = text_hash(program);
  code["libtorch"] = system::torch_version();
  // Nothing keeps two libraries from having one name.
  std::map<std::string, std::set<std::string>> plugins;
  for (const auto* component : stage.code()) {
    const auto there = fs::is_regular_file(component->file);
    plugins[component->plugin].insert(there ? hashes.of(component->file) : "its file is gone");
  }
  for (const auto& [plugin, files] : plugins) {
    std::string all;
    for (const auto& hash : files) all += hash + '\n';
    code["plugin " + plugin] = files.size() == 1 ? *files.begin() : text_hash(all);
  }
  return code;
}

}  // namespace

results::StageKey key_of(const stage::Stage& stage, const Pipeline& pipeline,
                         const std::function<fs::path(const std::string& stage)>& folder_of,
                         FileHashes& hashes) {
  results::StageKey key;
  key.type = stage.type();
  key.settings = recipe::write_recipe(stage.settings());
  for (const auto& input : stage.inputs) {
    key.reads[input.key] = input.names;
    for (const auto& name : input.names) {
      const auto* other = pipeline.find(name);
      for (const auto& file : other->results(folder_of(name))) {
        key.inputs[name + "/" + file] = hashes.of(folder_of(name) / file);
      }
    }
  }
  for (const auto& named : stage.files()) {
    // Entries of a list without names have one key, as those of [[pseudo_labels]]. Their order counts.
    auto name = named.key;
    for (int number = 2; key.inputs.count(name) > 0; ++number) {
      name = named.key + " (" + std::to_string(number) + ")";
    }
    key.inputs[name] = content_hash(named.path, hashes);
  }
  if (const auto data = stage.data(); !data.empty()) key.data = data_hash(data, hashes);
  key.code = code_of(stage, hashes);
  return key;
}

}  // namespace kindred::pipeline
