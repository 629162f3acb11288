#include "recipe/recipe.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "file/file_kind.h"
#include "file/read_text.h"
#include "recipe/list_of_tables.h"
#include "recipe/recipe_merge.h"
#include "recipe/recipe_override.h"
#include "recipe/toml_reader.h"

namespace kindred::recipe {
namespace {

namespace fs = std::filesystem;

/// More files than any recipe is made of. Each may name others twice, and those others again.
constexpr int most_files = 1000;

/// A file's own table and, in front of it, those that it extends: first to last, later ones win.
class FileReader {
 public:
  explicit FileReader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  /// @param asked where the file was asked for
  /// @param asked_as what was written there
  void read(const fs::path& file, const SourceLocation& asked, const std::string& asked_as) {
    if (are_too_many(asked)) return;
    const auto text = content(file, asked, asked_as);
    if (!text) return;
    std::error_code ignored;
    const auto identity = fs::weakly_canonical(file, ignored);
    if (is_circle(identity, file, asked)) return;
    chain_.push_back({identity, file});
    try {
      auto value = parse_toml(*text, file.string());
      auto& table = *value.as<Table>();
      if (const auto* extends = table.find("extends")) {
        read_extended(*extends, file, *this);
        table.erase("extends");
      }
      if (auto* stages = table.find("stage")) read_recipes_of_stages(*stages, file);
      layers.push_back(std::move(value));
    } catch (const RecipeError& error) {
      for (const auto& found : error.diagnostics()) diagnostics_.error(found.location, found.message);
    }
    chain_.pop_back();
  }

  /// A stage's `recipe` that is a text, in a recipe that a change was merged into: a path that is relative to
  /// the working directory, like every other on the command line.
  void read_changed_recipes(Value& stages) {
    if (auto* list = stages.as<Array>()) {
      for (auto& stage : *list) {
        auto* table = stage.as<Table>();
        auto* recipe = table == nullptr ? nullptr : table->find("recipe");
        if (recipe != nullptr && recipe->as<std::string>() != nullptr) read_recipe_of_stage(*recipe, "");
      }
    }
  }

  std::vector<Value> layers;

 private:
  struct Open {
    fs::path identity;
    fs::path name;
  };

  std::optional<std::string> content(const fs::path& file, const SourceLocation& asked,
                                     const std::string& asked_as) {
    const auto refuse = [&](const std::string& reason) {
      const bool extended = asked.line > 0;
      const bool overridden = asked.origin != file.string();
      std::error_code ignored;
      diagnostics_.error(
          asked, (extended ? "cannot read the extended recipe '" + asked_as + "' (" + file.string() + "): "
                  : overridden ? "cannot read the recipe '" + asked_as +
                                     "', which is relative to the working directory (" +
                                     fs::current_path(ignored).string() + "): "
                               : "cannot read the recipe: ") +
                     reason);
      return std::nullopt;
    };
    switch (const auto kind = file::file_kind(file)) {
      case file::FileKind::text:
      case file::FileKind::empty:
      case file::FileKind::missing:
      case file::FileKind::unreadable:
        break;
      case file::FileKind::folder:
      case file::FileKind::special:
        return refuse("it is " + file::description_of(kind));
      default:
        return refuse("it is " + file::description_of(kind) + ", not a recipe (TOML)");
    }
    errno = 0;
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return refuse(std::generic_category().message(errno));
    auto text = file::read_rest(stream);
    if (!text) return refuse("it cannot be read completely: " + std::generic_category().message(errno));
    return text;
  }

  bool is_circle(const fs::path& identity, const fs::path& file, const SourceLocation& asked) {
    const auto first = std::find_if(chain_.begin(), chain_.end(),
                                    [&](const Open& open) { return open.identity == identity; });
    if (first == chain_.end()) return false;
    std::string circle;
    for (auto open = first; open != chain_.end(); ++open) circle += open->name.string() + " -> ";
    diagnostics_.error(asked, "'extends' forms a cycle: " + circle + file.string());
    return true;
  }

  bool are_too_many(const SourceLocation& asked) {
    if (++files_ <= most_files) return false;
    // Once: every further one would say the same.
    if (files_ == most_files + 1) {
      diagnostics_.error(asked, "'extends' leads to more than " + std::to_string(most_files) +
                                    " files; files that extend one file several times read it as often");
    }
    return true;
  }

  void read_extended(const Value& extends, const fs::path& file, FileReader& reader) {
    Array alone;
    const auto* list = extends.as<Array>();
    if (list == nullptr) {
      alone.push_back(extends);
      list = &alone;
    }
    for (const auto& name : *list) {
      const auto* text = name.as<std::string>();
      if (text == nullptr || text->empty()) {
        diagnostics_.error(name.location(), "'extends' must be a file or a list of files, not " +
                                                (text == nullptr ? name.type_name() : "an empty text"));
        continue;
      }
      reader.read((file.parent_path() / *text).lexically_normal(), name.location(), *text);
    }
  }

  /// A stage's `recipe` is a file, or a table that may extend files: it becomes the whole recipe.
  void read_recipes_of_stages(Value& stages, const fs::path& file) {
    if (auto* list = stages.as<Array>()) {
      for (auto& stage : *list) {
        auto* table = stage.as<Table>();
        auto* recipe = table == nullptr ? nullptr : table->find("recipe");
        if (recipe != nullptr) read_recipe_of_stage(*recipe, file);
      }
    } else if (auto* changes = stages.as<Table>()) {
      // Of stages of the extended recipe, by name. A file takes the place of a stage's recipe, which what is
      // read of it here would only be merged into: it is read once it has that place.
      for (auto& stage : changes->entries()) {
        auto* table = stage.value.as<Table>();
        auto* recipe = table == nullptr ? nullptr : table->find("recipe");
        const auto* name = recipe == nullptr ? nullptr : recipe->as<std::string>();
        if (name != nullptr && !name->empty()) {
          *recipe = Value((file.parent_path() / *name).lexically_normal().string(), recipe->location());
        } else if (recipe != nullptr) {
          read_recipe_of_stage(*recipe, file);
        }
      }
    }
  }

  void read_recipe_of_stage(Value& recipe, const fs::path& file) {
    const auto* name = recipe.as<std::string>();
    auto* own = recipe.as<Table>();
    const auto* extends = name != nullptr ? &recipe : own == nullptr ? nullptr : own->find("extends");
    if (extends == nullptr) return;
    FileReader reader(diagnostics_);
    reader.chain_ = chain_;
    reader.files_ = files_;
    read_extended(*extends, file, reader);
    files_ = reader.files_;
    Value whole(Table(), recipe.location());
    for (const auto& layer : reader.layers) {
      merge_recipe(*whole.as<Table>(), *layer.as<Table>(), diagnostics_);
    }
    if (own != nullptr) {
      own->erase("extends");
      merge_recipe(*whole.as<Table>(), *own, diagnostics_);
    }
    recipe = std::move(whole);
  }

  Diagnostics& diagnostics_;
  std::vector<Open> chain_;
  int files_ = 0;  ///< that have been read
};

using Keys = std::vector<std::string>;

/// Of each value of an override that is no table: {"train", "epochs"}.
void add_keys(const Table& change, const Keys& outer, std::vector<Keys>& all) {
  for (const auto& entry : change.entries()) {
    auto keys = outer;
    keys.push_back(entry.key);
    if (const auto* table = entry.value.as<Table>()) {
      add_keys(*table, keys, all);
    } else {
      all.push_back(std::move(keys));
    }
  }
}

/// Through tables, and through lists of tables by the names of their entries; nullptr when it is not there.
const Value* find_value(const Table& recipe, const Keys& keys) {
  const Value* value = nullptr;
  const Table* table = &recipe;
  for (const auto& key : keys) {
    if (value != nullptr && value->as<Array>() != nullptr) {
      const auto& list = *value->as<Array>();
      const auto entry = std::find_if(list.begin(), list.end(),
                                      [&](const Value& candidate) { return entry_name(candidate) == key; });
      value = entry == list.end() ? nullptr : &*entry;
    } else {
      value = table == nullptr ? nullptr : table->find(key);
    }
    if (value == nullptr) return nullptr;
    table = value->as<Table>();
  }
  return value;
}

/// Says of overrides that a later one, which makes another component of their table, has thrown away.
class LostOverrides {
 public:
  explicit LostOverrides(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  /// @param before, after the recipe without and with the change
  void look(const Table& change, const Table& before, const Table& after) {
    std::vector<Keys> all;
    add_keys(change, {}, all);
    std::set<std::string> told;
    for (const auto& keys : all) {
      if (keys.back() != "type") continue;
      const auto& type = *find_value(change, keys);
      const auto* type_before = find_value(before, keys);
      if (type_before == nullptr || *type_before == type) continue;
      for (const auto& earlier : earlier_) {
        const bool of_component =
            earlier.size() >= keys.size() && std::equal(keys.begin(), keys.end() - 1, earlier.begin());
        if (!of_component || find_value(change, earlier) != nullptr) continue;
        const auto* set = find_value(before, earlier);
        const auto* now = find_value(after, earlier);
        if (set == nullptr || (now != nullptr && *now == *set)) continue;
        if (!told.insert(set->location().origin).second) continue;
        diagnostics_.error(set->location(), "has no effect: '" + type.location().origin +
                                                "', which comes after it, makes another component that "
                                                "starts over; give the type first");
      }
    }
    for (auto& keys : all) {
      if (std::find(earlier_.begin(), earlier_.end(), keys) == earlier_.end()) {
        earlier_.push_back(std::move(keys));
      }
    }
  }

 private:
  Diagnostics& diagnostics_;
  std::vector<Keys> earlier_;
};

/// Merges layers and overrides, once all of them have been read without an error.
Value merged(std::vector<Value> layers, const std::vector<std::string>& overrides, Diagnostics& diagnostics) {
  FileReader reader(diagnostics);
  std::vector<Table> changes;
  for (const auto& text : overrides) changes.push_back(parse_override(text, diagnostics));
  diagnostics.throw_if_any();

  // The recipe as a whole is where its own file begins.
  Value result(Table(), layers.back().location());
  auto& table = *result.as<Table>();
  const auto apply = [&](const Table& change) {
    merge_recipe(table, change, diagnostics);
    if (auto* stages = table.find("stage")) reader.read_changed_recipes(*stages);
  };
  merge_recipe(table, *layers.front().as<Table>(), diagnostics);
  for (auto layer = layers.begin() + 1; layer != layers.end(); ++layer) apply(*layer->as<Table>());
  LostOverrides lost(diagnostics);
  for (const auto& change : changes) {
    const auto before = table;
    apply(change);
    lost.look(change, before, table);
  }
  diagnostics.throw_if_any();
  return result;
}

}  // namespace

Value load_recipe(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  Diagnostics diagnostics;
  FileReader reader(diagnostics);
  reader.read(file, SourceLocation{file.string(), 0, 0}, file.string());
  return merged(std::move(reader.layers), overrides, diagnostics);
}

Value parse_recipe(const std::string& text, const std::string& origin,
                   const std::vector<std::string>& overrides) {
  Diagnostics diagnostics;
  auto value = parse_toml(text, origin);
  if (const auto* extends = value.as<Table>()->find("extends")) {
    diagnostics.error(extends->location(), "'extends' works only in a recipe file");
  }
  return merged({std::move(value)}, overrides, diagnostics);
}

Value with_overrides(Value recipe, const std::vector<std::string>& overrides) {
  Diagnostics diagnostics;
  return merged({std::move(recipe)}, overrides, diagnostics);
}

}  // namespace kindred::recipe
