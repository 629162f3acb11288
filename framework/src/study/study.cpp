#include "study/study.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <system_error>
#include <utility>

#include "file/read_text.h"
#include "kindred/core/schema.h"
#include "kindred/text/text_file.h"
#include "recipe/recipe_kind.h"
#include "recipe/recipe_merge.h"
#include "recipe/recipe_override.h"
#include "recipe/toml_reader.h"

namespace kindred::study {
namespace {

namespace fs = std::filesystem;

struct StudyKeys {
  std::string recipe;
  std::vector<std::int64_t> seeds;
  std::vector<std::int64_t> folds;

  static Schema<StudyKeys> schema() {
    Schema<StudyKeys> s("A recipe in several variants, over seeds and folds.");
    s.add("recipe", &StudyKeys::recipe, "recipe that is varied; relative to the file of the study")
        .required();
    s.add("seeds", &StudyKeys::seeds, "seeds of the runs of each variant").at_least(0);
    s.add("folds", &StudyKeys::folds, "folds that each variant is validated on").at_least(1);
    return s;
  }
};

/// It names a folder beside study.md and study.csv.
bool is_variant_name(const std::string& name) {
  const bool printable = std::all_of(name.begin(), name.end(),
                                     [](char c) { return static_cast<unsigned char>(c) >= 32 && c != '/'; });
  return printable && !name.empty() && name.size() <= 200 && name.front() != '.' && name.front() != ' ' &&
         name.back() != ' ' && name.rfind("study.", 0) != 0;
}
constexpr const char* variant_name_form =
    "a valid folder name: no '/', not beginning with '.' or 'study.', at most 200 characters";

struct VariantKeys {
  std::string name;

  static Schema<VariantKeys> schema() {
    Schema<VariantKeys> s("A variant with a name.");
    s.add("name", &VariantKeys::name, "name of the variant and of its folder")
        .like(is_variant_name, variant_name_form)
        .required();
    return s;
  }
};

struct AxisKeys {
  std::string key;

  static Schema<AxisKeys> schema() {
    Schema<AxisKeys> s("A key of the recipe and its values.");
    s.add("key", &AxisKeys::key, "the key, such as augmentation.random_patch.prob")
        .like([](const std::string& key) { return !key.empty(); }, "a key of a recipe")
        .required();
    return s;
  }
};

/// That a study makes of its axes. Each is a training at least.
constexpr std::size_t most_variants = 1000;

struct Axis {
  std::string label;
  std::string key;
  SourceLocation location;
  Array values;
};

/// A value as a part of a name.
std::string plain_text(const Value& value) {
  const auto* text = value.as<std::string>();
  return text == nullptr ? value.to_toml() : *text;
}

std::string last_part(const std::string& key) {
  return key.substr(key.rfind('.') + 1);
}

class StudyReader {
 public:
  explicit StudyReader(fs::path file) : file_(std::move(file)) {}

  Study read() {
    root_ = recipe::parse_toml(content(), file_.string());
    if (const auto kind = recipe::recipe_kind(root_);
        kind != recipe::RecipeKind::study && !root_.as<Table>()->empty()) {
      throw RecipeError(root_.location(), "is not a study: it " + recipe::kind_text(kind, root_));
    }
    const auto keys =
        StudyKeys::schema().parse(root_, "a study", diagnostics_, {"set", "variant", "axis", "arm"});
    if (const auto* arms = root_.as<Table>()->find("arm")) {
      diagnostics_.error(arms->location(), "a study has no key 'arm'; it is called 'variant' now");
    }
    Study study;
    study.recipe = (file_.parent_path() / keys.recipe).lexically_normal();
    study.changes = changes_of(*root_.as<Table>());
    study.seeds = numbers("seeds");
    study.folds = numbers("folds");
    for (const auto* table : tables("variant")) read_variant(*table, study.variants);
    read_axes();
    combine(study.variants);
    if (diagnostics_.empty() && study.variants.empty()) {
      if (study.seeds.empty() && study.folds.empty()) {
        diagnostics_.error(root_.location(),
                           "the study varies nothing; give it [[variant]] or [[axis]], seeds or folds");
      }
      study.variants.push_back({"", {}, root_.location()});
    }
    diagnostics_.throw_if_any();
    return study;
  }

 private:
  [[nodiscard]] std::string content() const {
    const auto refuse = [&](const std::string& reason) {
      throw RecipeError({file_.string(), 0, 0}, "cannot read the study: " + reason);
    };
    if (const auto why = why_not_a_file(file_); why == "is a folder" || why.starts_with("is a pipe")) {
      refuse("it " + why);
    }
    errno = 0;
    std::ifstream stream(file_, std::ios::binary);
    if (!stream) refuse(std::generic_category().message(errno));
    auto text = file::read_rest(stream);
    if (!text) refuse("it cannot be read completely: " + std::generic_category().message(errno));
    return *std::move(text);
  }

  /// What a table's `set` says.
  Table changes_of(const Table& table) {
    const auto* value = table.find("set");
    if (value == nullptr) return {};
    const auto* changes = value->as<Table>();
    if (changes == nullptr) {
      diagnostics_.error(
          value->location(),
          "'set' must be a table of changes to the recipe, such as set.train.epochs = 30, not " +
              value->type_name());
      return {};
    }
    return *changes;
  }

  /// The elements of a list of whole numbers that the schema has accepted, each once.
  std::vector<Value> numbers(const std::string& key) {
    const auto* value = root_.as<Table>()->find(key);
    const auto* list = value == nullptr ? nullptr : value->as<Array>();
    if (list == nullptr) return {};
    if (list->empty()) diagnostics_.error(value->location(), key + " = [] is empty; remove the key");
    require_different(*list, key);
    return *list;
  }

  void require_different(const Array& values, const std::string& key) {
    for (auto value = values.begin(); value != values.end(); ++value) {
      if (std::find(values.begin(), value, *value) == value) continue;
      diagnostics_.error(value->location(), key + " contains " + value->to_toml() + " twice");
    }
  }

  /// The entries of a list of tables.
  std::vector<const Value*> tables(const std::string& key) {
    std::vector<const Value*> result;
    const auto* value = root_.as<Table>()->find(key);
    if (value == nullptr) return result;
    const auto* list = value->as<Array>();
    if (list == nullptr) {
      diagnostics_.error(value->location(), "'" + key + "' must be a list of tables, [[" + key + "]], not " +
                                                value->type_name());
      return result;
    }
    for (const auto& entry : *list) result.push_back(&entry);
    return result;
  }

  void read_variant(const Value& value, std::vector<StudyVariant>& variants) {
    StudyVariant variant;
    variant.name = VariantKeys::schema().parse(value, "[[variant]]", diagnostics_, {"set"}).name;
    variant.location = value.location();
    if (const auto* table = value.as<Table>()) variant.changes = changes_of(*table);
    add(std::move(variant), variants);
  }

  void add(StudyVariant variant, std::vector<StudyVariant>& variants) {
    const bool twice = std::any_of(variants.begin(), variants.end(),
                                   [&](const StudyVariant& other) { return other.name == variant.name; });
    if (twice && !variant.name.empty()) {
      diagnostics_.error(variant.location,
                         "two variants are called '" + variant.name + "'; give each its own name");
    }
    variants.push_back(std::move(variant));
  }

  void read_axes() {
    for (const auto* value : tables("axis")) {
      Axis axis;
      axis.key = AxisKeys::schema().parse(*value, "[[axis]]", diagnostics_, {"values"}).key;
      axis.location = value->location();
      if (const auto* table = value->as<Table>()) axis.values = values_of(*table, value->location());
      // For its errors.
      if (!axis.key.empty())
        static_cast<void>(recipe::recipe_setting(axis.key, {}, axis.location, diagnostics_));
      require_own_key(axis);
      axes_.push_back(std::move(axis));
    }
    for (auto& axis : axes_) {
      const auto alike = std::count_if(axes_.begin(), axes_.end(), [&](const Axis& other) {
        return last_part(other.key) == last_part(axis.key);
      });
      axis.label = alike > 1 ? axis.key : last_part(axis.key);
    }
  }

  /// A variant would be called by a value that a later axis has replaced.
  void require_own_key(const Axis& axis) {
    const auto holds = [](const std::string& key, const std::string& other) {
      return key == other || other.starts_with(key + ".");
    };
    for (const auto& other : axes_) {
      if (axis.key.empty() || (!holds(axis.key, other.key) && !holds(other.key, axis.key))) continue;
      diagnostics_.error(axis.location, "the axis of '" + axis.key + "' replaces what the axis of '" +
                                            other.key + "' sets; give a key one axis, with all its values");
    }
  }

  Array values_of(const Table& table, const SourceLocation& location) {
    const auto* value = table.find("values");
    const auto* list = value == nullptr ? nullptr : value->as<Array>();
    if (list == nullptr || list->empty()) {
      diagnostics_.error(value == nullptr ? location : value->location(),
                         "[[axis]] needs 'values', a list of values of the key, such as [0.1, 0.3]");
      return {};
    }
    for (const auto& element : *list) {
      if (element.as<Table>() == nullptr && element.as<Array>() == nullptr) continue;
      diagnostics_.error(element.location(),
                         "a value of an axis must be a number, text, true or false, not " +
                             element.type_name() + "; say it with [[variant]], which has a name");
    }
    require_different(*list, "values");
    return *list;
  }

  /// A variant for each combination of the axes' values.
  void combine(std::vector<StudyVariant>& variants) {
    if (axes_.empty() || !diagnostics_.empty()) return;
    std::size_t combinations = 1;
    for (const auto& axis : axes_) {
      // Each factor is at most as long as the file, so nothing overflows before it is too much.
      combinations *= axis.values.size();
      if (combinations <= most_variants) continue;
      diagnostics_.error(axis.location, "the axes up to this one have " + std::to_string(combinations) +
                                            " combinations, and a study has at most " +
                                            std::to_string(most_variants) +
                                            " variants; give fewer values, or make several studies");
      return;
    }
    std::vector<std::size_t> at(axes_.size(), 0);
    for (;;) {
      StudyVariant variant;
      for (std::size_t i = 0; i < axes_.size(); ++i) {
        const auto& value = axes_[i].values[at[i]];
        variant.name += (i == 0 ? "" : ",") + axes_[i].label + "=" + plain_text(value);
        variant.location = value.location();
        recipe::merge_recipe(variant.changes,
                             recipe::recipe_setting(axes_[i].key, value, value.location(), diagnostics_),
                             diagnostics_);
      }
      if (!is_variant_name(variant.name)) {
        diagnostics_.error(variant.location, "'" + variant.name + "' is not " + variant_name_form +
                                                 "; say it with [[variant]], which has a name");
      }
      add(std::move(variant), variants);
      auto axis = axes_.size();
      while (axis > 0 && ++at[axis - 1] == axes_[axis - 1].values.size()) at[--axis] = 0;
      if (axis == 0) return;
    }
  }

  fs::path file_;
  Value root_;
  std::vector<Axis> axes_;
  Diagnostics diagnostics_;
};

}  // namespace

Study read_study(const fs::path& file) {
  return StudyReader(file).read();
}

}  // namespace kindred::study
