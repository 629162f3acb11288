#include "fuzz_target.h"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <system_error>

#include "target/targets.h"
#include "temporary_folder.h"

namespace kindred::fuzz {
namespace {

namespace fs = std::filesystem;

bool is_usable_name(std::string_view name) {
  constexpr std::size_t longest = 60;
  return !name.empty() && name.size() <= longest && name.front() != '/' && name.back() != '/' &&
         name.find("..") == std::string_view::npos && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                  c == '-' || c == '_' || c == '/';
         });
}

}  // namespace

const std::vector<FuzzTarget>& fuzz_targets() {
  static const std::vector<FuzzTarget> all = [] {
    std::vector<FuzzTarget> targets;
    for (const auto& add : {add_recipe_targets, add_tensor_targets, add_torch_targets, add_table_targets,
                            add_library_targets, add_image_targets, add_result_targets, add_gallery_targets,
                            add_service_targets, add_clip_targets, add_weights_targets}) {
      add(targets);
    }
    return targets;
  }();
  return all;
}

const FuzzTarget* find_fuzz_target(std::string_view name) {
  const auto& all = fuzz_targets();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& target) { return target.name == name; });
  return found == all.end() ? nullptr : &*found;
}

const fs::path& fuzz_folder() {
  static const test::TemporaryFolder folder;
  return folder.path();
}

fs::path fuzz_file(const std::string& name, const std::string& content) {
  const auto file = fuzz_folder() / name;
  test::write_bytes(file, content);
  return file;
}

std::string content_of_file(const fs::path& file) {
  return test::read_bytes(file);
}

Files split_files(const std::string& bytes) {
  constexpr std::string_view mark = "=== ";
  constexpr std::size_t most = 24;
  Files files;
  std::string* content = nullptr;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto end = std::min(bytes.find('\n', at), bytes.size() - 1) + 1;
    const auto line = std::string_view(bytes).substr(at, end - at);
    at = end;
    if (!line.starts_with(mark)) {
      if (content != nullptr) *content += line;
      continue;
    }
    // A line break before a mark belongs to the mark: so a file need not end with one.
    if (content != nullptr && content->ends_with('\n')) content->pop_back();
    auto name = std::string(line.substr(mark.size()));
    if (name.ends_with('\n')) name.pop_back();
    content = is_usable_name(name) && files.size() < most ? &files[name] : nullptr;
  }
  return files;
}

std::string join_files(const Files& files) {
  std::string bytes;
  for (const auto& [name, content] : files) bytes += "=== " + name + '\n' + content + '\n';
  if (!bytes.empty()) bytes += "===  \n";
  return bytes;
}

FilesOnDisk::FilesOnDisk(const Files& files) : folder_(fuzz_folder() / "files") {
  fs::create_directories(folder_);
  for (const auto& [name, content] : files) {
    std::error_code error;
    const auto file = folder_ / name;
    // A name may be a folder of another one; then there is no such file.
    fs::create_directories(file.parent_path(), error);
    if (!error && !fs::is_directory(file, error)) std::ofstream(file, std::ios::binary) << content;
  }
}

FilesOnDisk::~FilesOnDisk() {
  std::error_code error;
  fs::remove_all(folder_, error);
}

}  // namespace kindred::fuzz
