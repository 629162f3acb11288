#include "command/new_plugin.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <map>
#include <ostream>
#include <regex>
#include <system_error>
#include <utility>
#include <vector>

#include "file/atomic_file.h"
#include "file/folder_entries.h"
#include "file/read_text.h"
#include "kindred/core/error.h"

namespace kindred::command {
namespace {

namespace fs = std::filesystem;

/// The folder of what all plugins have; its name and its role stand in its files.
constexpr const char* common_folder = "plugin";
constexpr const char* common_name = "my_plugin";
constexpr const char* common_role = "my_role";
constexpr const char* prefix_word = "KINDRED";
/// A plugin's name has 63 characters (KindredPluginInfo), "_plugin" and "_test" make names of targets from
/// it.
constexpr std::size_t longest_name = 50;

/// What the files hold, by their names.
using Texts = std::map<std::string, std::string>;

/// "my_loss" -> "MyLoss"
std::string class_name(const std::string& name) {
  std::string made;
  bool first = true;
  for (const char c : name) {
    if (c != '_') made += first ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    first = c == '_';
  }
  return made;
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::vector<std::string> roles_with_example(const fs::path& examples) {
  std::vector<std::string> roles;
  std::error_code error;
  for (fs::directory_iterator at(examples, error), end; !error && at != end; at.increment(error)) {
    const auto name = at->path().filename().string();
    if (at->is_directory() && name != common_folder) roles.push_back(name);
  }
  if (error || roles.empty()) {
    throw DataError(
        examples,
        "Kindred's examples, which new plugins are copied from, are missing; install Kindred again");
  }
  std::sort(roles.begin(), roles.end());
  return roles;
}

void require_role(const std::string& role, const fs::path& examples) {
  const auto roles = roles_with_example(examples);
  if (std::find(roles.begin(), roles.end(), role) != roles.end()) return;
  const auto near = nearest_name(role, roles);
  throw RecipeError({}, "there is no role '" + role + "'; " +
                            (near.empty() ? "" : "did you mean '" + near + "'? ") + "The roles are " +
                            quoted_list(roles));
}

void require_name(const std::string& name) {
  static const std::regex form("[a-z][a-z0-9]*(_[a-z0-9]+)*");
  if (name.size() <= longest_name && std::regex_match(name, form)) return;
  throw RecipeError({}, "'" + name +
                            "' cannot be the name of a plugin, which becomes a file, a class and a `type` of "
                            "recipes; use up to " +
                            std::to_string(longest_name) +
                            " lower-case letters and digits, words joined by single '_', such as 'my_loss'");
}

/// A library hides others of its file name, and two components of one name are refused.
void require_free(const NewPluginRequest& request, const Catalog& catalog) {
  for (const auto* factory : catalog.components()) {
    const auto& info = factory->info();
    if (info.role == request.role && info.name == request.name) {
      throw RecipeError({}, request.role + " '" + request.name + "' exists already, in " +
                                info.file.string() + "; choose another name");
    }
    if (info.file.stem() == request.name) {
      throw RecipeError({}, "there is a plugin '" + request.name + "' already, " + info.file.string() +
                                ", which yours would hide; choose another name");
    }
  }
}

Texts read_folder(const fs::path& folder) {
  Texts texts;
  for (const auto& entry : file::folder_entries(folder)) {
    texts[entry.filename().string()] = file::read_text(entry);
  }
  return texts;
}

/// By the one header of the folder.
std::string example_name(const Texts& texts, const fs::path& folder) {
  for (const auto& [file, text] : texts) {
    if (fs::path(file).extension() == ".h") return fs::path(file).stem().string();
  }
  throw DataError(folder, "holds no header of an example; install Kindred again");
}

/// The name of a class may not be one that the example uses for something else.
void require_new_class(const NewPluginRequest& request, const std::string& example, const Texts& texts) {
  const auto made = class_name(request.name);
  const std::regex word("\\b" + made + "\\b");
  for (const auto& [file, text] : texts) {
    if (made == class_name(example) || !std::regex_search(text, word)) continue;
    throw RecipeError({}, "'" + request.name + "' would make a class '" + made +
                              "', which means something else in the sources of a " + request.role +
                              "; choose another name");
  }
}

/// A folder that is removed again unless all of it is kept.
class NewFolder {
 public:
  explicit NewFolder(fs::path path) : path_(std::move(path)) {
    std::error_code error;
    if (path_.has_parent_path()) fs::create_directories(path_.parent_path(), error);
    if (!error && fs::create_directory(path_, error)) return;
    if (fs::symlink_status(path_).type() != fs::file_type::not_found) {
      throw DataError(
          path_, "exists already, and nothing in it was changed; name a new folder by --out, or remove it");
    }
    throw DataError(path_, "cannot be made: " + error.message());
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;
  ~NewFolder() {
    if (std::error_code error; !kept_) fs::remove_all(path_, error);
  }
  void keep() { kept_ = true; }

 private:
  fs::path path_;
  bool kept_ = false;
};

}  // namespace

fs::path examples_folder(const fs::path& executable) {
  return (executable.parent_path() / "../share/kindred/examples").lexically_normal();
}

fs::path installed_prefix(const fs::path& executable) {
  auto prefix = executable.parent_path().parent_path();
  return fs::exists(prefix / "include/kindred/core/plugin.h") ? prefix : fs::path();
}

std::string write_new_plugin(const NewPluginRequest& request, const fs::path& examples,
                             const Catalog& catalog) {
  require_role(request.role, examples);
  require_name(request.name);
  require_free(request, catalog);
  auto texts = read_folder(examples / request.role);
  const auto example = example_name(texts, examples / request.role);
  require_new_class(request, example, texts);

  Texts made;
  const auto add = [&](std::string file, std::string text) {
    if (made.emplace(std::move(file), std::move(text)).second) return;
    throw RecipeError({}, "'" + request.name + "' would give two files one name; choose another name");
  };
  const auto rename = [&](const std::string& text, const std::string& from) {
    return replace_all(replace_all(text, from, request.name), class_name(from), class_name(request.name));
  };
  for (const auto& [file, text] : texts) {
    add(file == "recipe.toml" ? request.name + ".toml" : rename(file, example), rename(text, example));
  }
  for (const auto& [file, text] : read_folder(examples / common_folder)) {
    auto renamed = rename(replace_all(text, common_role, request.role), common_name);
    if (file == "README.md" && !request.prefix.empty()) {
      renamed = replace_all(std::move(renamed), prefix_word, request.prefix.string());
    }
    add(file, std::move(renamed));
  }

  NewFolder folder(request.folder);
  for (const auto& [file, text] : made) {
    file::write_atomically(request.folder / file, [&content = text](std::ostream& out) { out << content; });
  }
  folder.keep();
  return request.role + "/" + example;
}

}  // namespace kindred::command
