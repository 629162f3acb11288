#include "kindred/core/schema.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string_view>

namespace kindred {
namespace {

/// A bound as a person writes it: "1", not "1.0", and "1000000", not "1e+06".
std::string plain(double number) {
  std::array<char, 32> buffer{};
  auto* const last = buffer.data() + buffer.size();
  const bool whole = std::trunc(number) == number && std::abs(number) < 1e15;
  const auto end = whole ? std::to_chars(buffer.data(), last, static_cast<std::int64_t>(number)).ptr
                         : std::to_chars(buffer.data(), last, number).ptr;
  return {buffer.data(), end};
}

/// A value as TOML, cut where it would flood the message.
std::string shown(const Value& value) {
  constexpr std::size_t longest = 60;
  auto text = value.to_toml();
  if (text.size() <= longest) return text;
  auto end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end) + "...";
}

std::optional<double> number_in(const Value& value) {
  if (const auto* whole = value.as<std::int64_t>()) return static_cast<double>(*whole);
  if (const auto* number = value.as<double>()) return *number;
  return std::nullopt;
}

/// The values that bounds and choices hold for: the value itself, or the elements of a list or a table.
std::vector<const Value*> leaves(const Value& value) {
  std::vector<const Value*> result;
  if (const auto* list = value.as<Array>()) {
    for (const auto& element : *list) result.push_back(&element);
  } else if (const auto* table = value.as<Table>()) {
    for (const auto& entry : table->entries()) result.push_back(&entry.value);
  } else {
    result.push_back(&value);
  }
  return result;
}

/// How a message says which type is wanted.
struct TypeWords {
  std::string_view type;
  std::string_view wanted;
  std::string_view element;  ///< type of the elements of a list or a table, else ""
};

constexpr std::array<TypeWords, 9> type_words = {{
    {"true or false", "true or false", ""},
    {"whole number", "a whole number", ""},
    {"number", "a number", ""},
    {"text", "text", ""},
    {"path", "text (a path)", ""},
    {"list of whole numbers", "a list of whole numbers", "whole number"},
    {"list of numbers", "a list of numbers", "number"},
    {"list of texts", "a list of texts", "text"},
    {"table of whole numbers", "a table of whole numbers", "whole number"},
}};

const TypeWords& words_of(std::string_view type) {
  const auto at = std::find_if(type_words.begin(), type_words.end(),
                               [&](const TypeWords& words) { return words.type == type; });
  if (at == type_words.end()) throw std::logic_error("unknown type of parameter: " + std::string(type));
  return *at;
}

bool is_of(const Value& value, std::string_view type) {
  if (type == "whole number") return value.as<std::int64_t>() != nullptr;
  if (type == "number") return number_in(value).has_value();
  return value.as<std::string>() != nullptr;
}

/// "must be a whole number, not text", with what to write where that is plain.
std::string must_be(std::string_view type, const Value& value) {
  auto text = "must be " + std::string(words_of(type).wanted);
  const auto* number = value.as<double>();
  if (type == "whole number" && number != nullptr) {
    if (std::trunc(*number) == *number && std::abs(*number) < 1e15) text += ": write " + plain(*number);
    return text;
  }
  text += ", not " + value.type_name();
  const bool scalar = value.as<Array>() == nullptr && value.as<Table>() == nullptr;
  if (scalar && (type == "text" || type == "path")) text += ": write it in quotes";
  const auto& element = words_of(type).element;
  if (!element.empty() && is_of(value, element) && words_of(type).type.substr(0, 4) == "list") {
    text += ": write [" + shown(value) + "]";
  }
  return text;
}

Diagnostic type_error(const ParameterInfo& info, const Value& value) {
  const auto& words = words_of(info.type);
  const bool container =
      info.type.substr(0, 5) == "table" ? value.as<Table>() != nullptr : value.as<Array>() != nullptr;
  if (!words.element.empty() && container) {
    for (const auto* element : leaves(value)) {
      if (is_of(*element, words.element)) continue;
      return {element->location(), info.name + " = " + shown(value) + ": " + shown(*element) + " " +
                                       must_be(words.element, *element)};
    }
  }
  return {value.location(), info.name + " = " + shown(value) + " " + must_be(info.type, value)};
}

/// Whether a message speaks of a key: it stands there as a word of its own.
bool names_key(const std::string& message, const std::string& key) {
  const auto is_part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  for (auto at = message.find(key); at != std::string::npos; at = message.find(key, at + 1)) {
    const auto end = at + key.size();
    if ((at == 0 || !is_part(message[at - 1])) && (end == message.size() || !is_part(message[end])))
      return true;
  }
  return false;
}

}  // namespace

SourceLocation location_of_cause(const Table& table, const std::string& message,
                                 const SourceLocation& otherwise) {
  std::optional<SourceLocation> in_another_file;
  for (const auto& entry : table.entries()) {
    const auto& place = entry.value.location();
    if (place.origin.empty() || place.origin == otherwise.origin || !names_key(message, entry.key)) continue;
    if (place.line == 0) return place;
    if (!in_another_file) in_another_file = place;
  }
  return in_another_file.value_or(otherwise);
}

namespace detail {

FieldBase::FieldBase()
    : minimum(-std::numeric_limits<double>::infinity()), maximum(std::numeric_limits<double>::infinity()) {}

FieldBase::~FieldBase() = default;

namespace {

/// "[0, 1]", "(0, 1]", "at least 1", "above 0", "at most 9"; "" without bounds.
std::string bounds_text(const FieldBase& field) {
  const bool below = std::isfinite(field.minimum);
  const bool above = std::isfinite(field.maximum);
  if (below && above) {
    return (field.minimum_excluded ? "(" : "[") + plain(field.minimum) + ", " + plain(field.maximum) + "]";
  }
  if (below) return (field.minimum_excluded ? "above " : "at least ") + plain(field.minimum);
  if (above) return "at most " + plain(field.maximum);
  return "";
}

std::string choices_text(const std::vector<std::string>& choices) {
  std::string text;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) text += i + 1 == choices.size() ? " or " : ", ";
    text += "'" + choices[i] + "'";
  }
  return text;
}

std::string elements(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " element" : " elements");
}

std::string allowed_text(const FieldBase& field) {
  std::string text;
  if (field.length) text = elements(*field.length);
  const auto each = field.form              ? field.form_text
                    : field.choices.empty() ? bounds_text(field)
                                            : choices_text(field.choices);
  if (!each.empty()) text += (text.empty() ? "" : ", each ") + each;
  return text;
}

/// What is wrong with the declaration of a parameter: marks that say nothing of its values, and values that
/// none can have; "" when it is sound.
std::string contradiction(const FieldBase& field) {
  const auto& info = field.info;
  const bool of_numbers = info.type.find("number") != std::string::npos;
  const bool of_texts = info.type.find("text") != std::string::npos;
  const bool of_paths = info.type == "path";
  const bool bounded = std::isfinite(field.minimum) || std::isfinite(field.maximum);
  if (bounded && !of_numbers) return "has bounds, but is no number";
  if (field.minimum > field.maximum || (field.minimum_excluded && field.minimum == field.maximum)) {
    return "has bounds that no number is within";
  }
  if (!field.choices.empty() && !of_texts) return "has a list of texts to choose from, but is no text";
  if (!field.form_text.empty() && !of_texts && !of_paths) return "has a condition on texts, but is no text";
  if (!field.form_text.empty() && !field.form) return "has a condition on texts without a test";
  if (field.length && info.type.substr(0, 4) != "list") return "has a length, but is no list";
  if (info.idle_at) {
    const auto idle = *info.idle_at;
    const bool below = field.minimum_excluded ? idle <= field.minimum : idle < field.minimum;
    if (!of_numbers || below || idle > field.maximum) return "does nothing with a number that it cannot have";
  }
  const bool placed = info.meaning == Meaning::location || info.meaning == Meaning::file;
  if (placed && !of_paths && !of_texts) return "is marked as a place of files, but is no path";
  return "";
}

/// What is wrong with a number, a text or one element, to be said behind the value; "" when it is allowed.
std::string leaf_violation(const FieldBase& field, const Value& leaf) {
  if (const auto number = number_in(leaf)) {
    if (!std::isfinite(*number)) return "is not a finite number";
    // What is computed with it has 32 bits.
    if (std::abs(*number) > std::numeric_limits<float>::max()) {
      return "is too large for a 32-bit float, whose largest value is 3.4e38";
    }
    if (*number != 0 && std::abs(*number) < std::numeric_limits<float>::min()) {
      return "is too small for a 32-bit float, whose smallest value beside 0 is 1.2e-38";
    }
    const bool too_low = field.minimum_excluded ? *number <= field.minimum : *number < field.minimum;
    if (!too_low && *number <= field.maximum) return "";
    const bool both = std::isfinite(field.minimum) && std::isfinite(field.maximum);
    return (both ? "is outside " : "must be ") + bounds_text(field);
  }
  const auto* text = leaf.as<std::string>();
  if (text != nullptr && field.form && !field.form(*text)) return "is not " + field.form_text;
  if (text == nullptr || field.choices.empty()) return "";
  if (std::find(field.choices.begin(), field.choices.end(), *text) != field.choices.end()) return "";
  const auto near = nearest_name(*text, field.choices);
  return "is not " + choices_text(field.choices) + (near.empty() ? "" : "; did you mean '" + near + "'?");
}

}  // namespace

std::optional<Diagnostic> FieldBase::violation(const Value& value) const {
  const auto start = info.name + " = " + shown(value);
  const auto* list = value.as<Array>();
  if (list != nullptr && length && list->size() != *length) {
    return Diagnostic{value.location(),
                      start + " has " + elements(list->size()) + " but must have " + elements(*length)};
  }
  for (const auto* leaf : leaves(value)) {
    const auto wrong = leaf_violation(*this, *leaf);
    if (wrong.empty()) continue;
    if (leaf == &value) return Diagnostic{value.location(), start + " " + wrong};
    return Diagnostic{leaf->location(), start + ": " + shown(*leaf) + " " + wrong};
  }
  return std::nullopt;
}

SchemaBase::SchemaBase(std::string summary, std::string source)
    : summary_(std::move(summary)), source_(std::move(source)) {}
SchemaBase::SchemaBase(SchemaBase&&) noexcept = default;
SchemaBase& SchemaBase::operator=(SchemaBase&&) noexcept = default;
SchemaBase::~SchemaBase() = default;

std::vector<ParameterInfo> SchemaBase::parameters() const {
  std::vector<ParameterInfo> result;
  for (const auto& field : fields_) {
    auto info = field->info;
    if (const auto wrong = contradiction(*field); !wrong.empty()) {
      throw std::logic_error("parameter '" + info.name + "' " + wrong);
    }
    info.allowed = allowed_text(*field);
    if (info.value) {
      if (const auto wrong = field->violation(*info.value)) {
        throw std::logic_error("the schema does not allow its own default: " + wrong->message);
      }
    }
    result.push_back(std::move(info));
  }
  return result;
}

FieldBase& SchemaBase::add_field(std::string name, std::string type, std::string doc,
                                 std::unique_ptr<FieldBase> field, const void* defaults) {
  for (const auto& other : fields_) {
    if (other->info.name == name) throw std::logic_error("parameter '" + name + "' is declared twice");
  }
  field->info.name = std::move(name);
  field->info.type = std::move(type);
  field->info.doc = std::move(doc);
  field->info.value = field->write(defaults);
  // That of an enumeration, which has its choices from the start.
  if (!field->choices.empty() && !field->info.value) {
    throw std::logic_error("the default of parameter '" + field->info.name + "' is none of its choices");
  }
  return *fields_.emplace_back(std::move(field));
}

void SchemaBase::parse_into(void* params, const Value& value, const std::string& subject,
                            Diagnostics& diagnostics, const std::vector<std::string>& reserved) const {
  const auto* table = value.as<Table>();
  if (table == nullptr) {
    diagnostics.error(value.location(), subject + " must be a table, not " + value.type_name());
    return;
  }
  std::vector<std::string> known;
  for (const auto& field : fields_) known.push_back(field->info.name);
  for (const auto& name : reserved) {
    if (std::find(known.begin(), known.end(), name) == known.end()) known.push_back(name);
  }

  bool sound = true;
  const auto report = [&](const SourceLocation& location, const std::string& message) {
    diagnostics.error(location, message);
    sound = false;
  };
  for (const auto& entry : table->entries()) {
    if (std::find(reserved.begin(), reserved.end(), entry.key) != reserved.end()) continue;
    const auto at = std::find_if(fields_.begin(), fields_.end(),
                                 [&](const auto& field) { return field->info.name == entry.key; });
    if (at == fields_.end()) {
      const auto now = present_name(entry.key);
      const auto near = meant_name(entry.key, known);
      report(entry.key_location, subject + " has no parameter '" + entry.key + "'; " +
                                     (!now.empty()   ? "it is called '" + now + "' now"
                                      : near.empty() ? "it has " + quoted_list(known)
                                                     : "did you mean '" + near + "'?"));
    } else if (const auto wrong = (*at)->violation(entry.value)) {
      report(wrong->location, subject + ": " + wrong->message);
    } else if (!(*at)->read(entry.value, params)) {
      const auto mismatch = type_error((*at)->info, entry.value);
      report(mismatch.location, subject + ": " + mismatch.message);
    }
  }
  for (const auto& field : fields_) {
    if (!field->info.required || table->find(field->info.name) != nullptr) continue;
    report(value.location(), subject + " needs the parameter '" + field->info.name + "': " + field->info.doc);
  }
  if (!sound) return;
  for (const auto& rule : rules_) {
    const auto wrong = rule(params);
    if (wrong.empty()) continue;
    diagnostics.error(location_of_cause(*table, wrong, value.location()), subject + ": " + wrong);
  }
}

std::string SchemaBase::meant_name(const std::string& name, const std::vector<std::string>& known) const {
  std::vector<std::string> synonyms;
  std::vector<std::string> meanings;
  for (const auto& field : fields_) {
    synonyms.insert(synonyms.end(), field->synonyms.begin(), field->synonyms.end());
    meanings.resize(synonyms.size(), field->info.name);
  }
  const auto meaning_of = [&](const std::string& synonym) {
    const auto at = std::find(synonyms.begin(), synonyms.end(), synonym);
    return at == synonyms.end() ? std::string() : meanings[static_cast<std::size_t>(at - synonyms.begin())];
  };
  if (auto exact = meaning_of(name); !exact.empty()) return exact;
  auto near = nearest_name(name, known);
  return near.empty() ? meaning_of(nearest_name(name, synonyms)) : near;
}

std::string SchemaBase::present_name(const std::string& former) const {
  for (const auto& field : fields_) {
    const auto& names = field->former_names;
    if (std::find(names.begin(), names.end(), former) != names.end()) return field->info.name;
  }
  return "";
}

Value SchemaBase::write_from(const void* params) const {
  Table table;
  for (const auto& field : fields_) {
    if (auto value = field->write(params)) table.set(field->info.name, std::move(*value));
  }
  return {std::move(table)};
}

}  // namespace detail

ParameterRefiner& ParameterRefiner::range(double minimum, double maximum) {
  return at_least(minimum).at_most(maximum);
}

ParameterRefiner& ParameterRefiner::at_least(double minimum) {
  field_.minimum = minimum;
  field_.minimum_excluded = false;
  return *this;
}

ParameterRefiner& ParameterRefiner::above(double minimum) {
  field_.minimum = minimum;
  field_.minimum_excluded = true;
  return *this;
}

ParameterRefiner& ParameterRefiner::at_most(double maximum) {
  field_.maximum = maximum;
  return *this;
}

ParameterRefiner& ParameterRefiner::length(std::size_t elements) {
  field_.length = elements;
  return *this;
}

ParameterRefiner& ParameterRefiner::one_of(std::vector<std::string> choices) {
  field_.choices = std::move(choices);
  return *this;
}

ParameterRefiner& ParameterRefiner::like(std::function<bool(const std::string&)> test, std::string allowed) {
  field_.form = std::move(test);
  field_.form_text = std::move(allowed);
  return *this;
}

ParameterRefiner& ParameterRefiner::unit(std::string unit) {
  field_.info.unit = std::move(unit);
  return *this;
}

ParameterRefiner& ParameterRefiner::affects(Affects affects) {
  field_.info.affects = affects;
  return *this;
}

ParameterRefiner& ParameterRefiner::location() {
  field_.info.meaning = Meaning::location;
  return *this;
}

ParameterRefiner& ParameterRefiner::file() {
  field_.info.meaning = Meaning::file;
  return *this;
}

ParameterRefiner& ParameterRefiner::stage(std::vector<std::string> types) {
  field_.info.meaning = Meaning::stage;
  field_.info.stage_types = std::move(types);
  return *this;
}

ParameterRefiner& ParameterRefiner::required() {
  field_.info.required = true;
  field_.info.value.reset();
  return *this;
}

ParameterRefiner& ParameterRefiner::idle_at(double value) {
  field_.info.idle_at = value;
  return *this;
}

ParameterRefiner& ParameterRefiner::formerly(std::string name) {
  field_.former_names.push_back(std::move(name));
  return *this;
}

ParameterRefiner& ParameterRefiner::also_called(std::vector<std::string> names) {
  field_.synonyms = std::move(names);
  return *this;
}

}  // namespace kindred
