// The parameters of a component, declared once. The defaults are the member initializers of a plain struct;
// the schema adds names, bounds and documentation. Parsing, validation, `kindred describe`, the generated
// reference and the resolved recipe all use this declaration:
//
//   struct Params {
//     double prob = 0.5;
//     std::int64_t padding = 10;
//   };
//   static Schema<Params> schema() {
//     Schema<Params> s("Pads an image with zeros and crops it at a random position.");
//     s.add("prob", &Params::prob, "probability that an image is changed").range(0, 1);
//     s.add("padding", &Params::padding, "zeros added on each side").at_least(0).unit("pixels");
//     return s;
//   }
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/core/export.h"
#include "kindred/core/value.h"

namespace kindred {

/// The first result of a run that a value can change; what is made from that result changes with it.
enum class Affects {
  training,  ///< the model
  features,  ///< the descriptors
  ranking,   ///< rankings and scores
  nothing    ///< only where, when or how fast results are made
};

/// What a value stands for.
enum class Meaning {
  value,     ///< itself
  location,  ///< a place where data lie: of a data set what is read there counts, its path does not
  file,      ///< a file, or a folder of files: their content counts, the path does not
  stage      ///< a stage of the pipeline, or several, whose results are read
};

/// Describes a parameter without an instance of it, for `kindred describe` and the reference.
struct KINDRED_API ParameterInfo {
  std::string name;
  std::string type;            ///< "number", "whole number", "text", "list of numbers", ...
  std::optional<Value> value;  ///< the default; absent if the parameter is required or off by default
  bool required = false;
  std::string allowed;  ///< "[0, 1]", "'avg' or 'max'", or "" if all values of the type are allowed
  std::string unit;     ///< "pixels", "epochs", ..., or ""
  std::string doc;      ///< one line
  std::optional<Affects> affects;  ///< absent: what the rest of its table affects
  Meaning meaning = Meaning::value;
  std::optional<double> idle_at;         ///< a number with which the whole component does nothing
  std::vector<std::string> stage_types;  ///< of Meaning::stage: types of stages whose results fit
};

/// Where an error that several keys of a table may have caused is best reported: at a key that the message
/// names and that the command line overrides, or else that another file than that of `otherwise` has, or else
/// at `otherwise`.
[[nodiscard]] KINDRED_API SourceLocation location_of_cause(const Table& table, const std::string& message,
                                                           const SourceLocation& otherwise);

namespace detail {

/// Converts parameters of one type from and to a Value.
template <class T>
struct Codec;

#define KINDRED_CODEC(...)                                       \
  template <>                                                    \
  struct KINDRED_API Codec<__VA_ARGS__> {                        \
    static std::string type();                                   \
    static bool read(const Value& value, __VA_ARGS__& out);      \
    static std::optional<Value> write(const __VA_ARGS__& value); \
  }
KINDRED_CODEC(bool);
KINDRED_CODEC(std::int64_t);
KINDRED_CODEC(double);
KINDRED_CODEC(std::string);
KINDRED_CODEC(std::filesystem::path);
KINDRED_CODEC(std::vector<std::int64_t>);
KINDRED_CODEC(std::vector<double>);
KINDRED_CODEC(std::vector<std::string>);
KINDRED_CODEC(std::map<std::string, std::int64_t>);
KINDRED_CODEC(std::optional<double>);
KINDRED_CODEC(std::optional<std::int64_t>);
KINDRED_CODEC(std::optional<std::string>);
#undef KINDRED_CODEC

class KINDRED_API FieldBase {
 public:
  virtual ~FieldBase();
  /// Reads `value` into the member; returns false if it does not have the type of the member.
  virtual bool read(const Value& value, void* params) const = 0;
  /// The member as a Value; absent for an empty optional.
  virtual std::optional<Value> write(const void* params) const = 0;

  ParameterInfo info;
  double minimum;
  double maximum;
  bool minimum_excluded = false;
  std::optional<std::size_t> length;
  std::vector<std::string> choices;
  std::function<bool(const std::string&)> form;
  std::string form_text;
  std::vector<std::string> former_names;
  std::vector<std::string> synonyms;

  /// The error in a value, located at the value or at the list element that causes it; nothing if the value
  /// is allowed. Values of another type are checked by read().
  [[nodiscard]] std::optional<Diagnostic> violation(const Value& value) const;

 protected:
  FieldBase();
};

template <class Params, class T>
class Field final : public FieldBase {
 public:
  explicit Field(T Params::*member) : member_(member) {}
  bool read(const Value& value, void* params) const override {
    return Codec<T>::read(value, static_cast<Params*>(params)->*member_);
  }
  std::optional<Value> write(const void* params) const override {
    return Codec<T>::write(static_cast<const Params*>(params)->*member_);
  }

 private:
  T Params::*member_;
};

template <class Params, class T>
class ChoiceField final : public FieldBase {
 public:
  ChoiceField(T Params::*member, std::vector<std::pair<std::string, T>> names)
      : member_(member), names_(std::move(names)) {
    for (const auto& [name, value] : names_) choices.push_back(name);
  }
  bool read(const Value& value, void* params) const override {
    const auto* text = value.as<std::string>();
    if (text == nullptr) return false;
    for (const auto& [name, choice] : names_) {
      if (name == *text) static_cast<Params*>(params)->*member_ = choice;
    }
    return true;
  }
  std::optional<Value> write(const void* params) const override {
    for (const auto& [name, choice] : names_) {
      if (choice == static_cast<const Params*>(params)->*member_) return Value(name);
    }
    return std::nullopt;
  }

 private:
  T Params::*member_;
  std::vector<std::pair<std::string, T>> names_;
};

/// The part of a schema that does not depend on the type of the parameters.
class KINDRED_API SchemaBase {
 public:
  explicit SchemaBase(std::string summary, std::string source);
  SchemaBase(SchemaBase&&) noexcept;
  SchemaBase& operator=(SchemaBase&&) noexcept;
  ~SchemaBase();

  [[nodiscard]] const std::string& summary() const { return summary_; }
  [[nodiscard]] const std::string& source() const { return source_; }
  /// Throws std::logic_error if the schema does not allow one of its own defaults, or a mark says nothing of
  /// the values that its parameter can have.
  [[nodiscard]] std::vector<ParameterInfo> parameters() const;

 protected:
  FieldBase& add_field(std::string name, std::string type, std::string doc, std::unique_ptr<FieldBase> field,
                       const void* defaults);
  void parse_into(void* params, const Value& table, const std::string& subject, Diagnostics& diagnostics,
                  const std::vector<std::string>& reserved) const;
  [[nodiscard]] Value write_from(const void* params) const;

  std::vector<std::function<std::string(const void*)>> rules_;

 private:
  /// Of the parameter that had the name `former`; "" when none had.
  [[nodiscard]] std::string present_name(const std::string& former) const;
  /// The parameter that somebody means by a name that is none here; "" when that cannot be told.
  /// @param known all names that the table may have
  [[nodiscard]] std::string meant_name(const std::string& name, const std::vector<std::string>& known) const;

  std::string summary_;
  std::string source_;
  std::vector<std::unique_ptr<FieldBase>> fields_;
};

}  // namespace detail

/// Refines the parameter that was just added.
class KINDRED_API ParameterRefiner {
 public:
  explicit ParameterRefiner(detail::FieldBase& field) : field_(field) {}
  /// Bounds are inclusive and apply to each element of a list.
  ParameterRefiner& range(double minimum, double maximum);
  ParameterRefiner& at_least(double minimum);
  ParameterRefiner& above(double minimum);  ///< the bound itself is excluded
  ParameterRefiner& at_most(double maximum);
  ParameterRefiner& length(std::size_t elements);
  /// The allowed values of a text or of each element of a list of texts.
  ParameterRefiner& one_of(std::vector<std::string> choices);
  /// A condition on a text, or on each element of a list of texts, that a list of choices cannot express.
  /// @param allowed how messages describe the condition: "'cpu' or 'cuda:N'"
  ParameterRefiner& like(std::function<bool(const std::string&)> test, std::string allowed);
  ParameterRefiner& unit(std::string unit);
  ParameterRefiner& required();
  /// A number with which the whole component does nothing, such as the probability 0 of an augmentation. It
  /// is allowed, and the user is warned.
  ParameterRefiner& idle_at(double value);
  /// What the value changes, where that is not what its table changes: the recipe's record of what decides a
  /// result, and which stages of a pipeline run again, follow from this. A component's parameter may be
  /// marked as one that affects nothing, a data set's also as one that affects features; recipes refuse other
  /// marks of components, by which no stage would look at the value.
  ParameterRefiner& affects(Affects affects);
  ParameterRefiner& location();  ///< Meaning::location, of a path or a list of paths
  ParameterRefiner& file();      ///< Meaning::file, likewise
  /// Meaning::stage, of a text or a list of texts: names of stages of these types. For stages themselves:
  /// recipes refuse a component with such a parameter.
  ParameterRefiner& stage(std::vector<std::string> types);
  /// A name that the parameter had: whoever gives it is told the present one.
  ParameterRefiner& formerly(std::string name);
  /// Names that others have for the same: whoever gives one is asked whether this parameter is meant.
  ParameterRefiner& also_called(std::vector<std::string> names);

 private:
  detail::FieldBase& field_;
};

template <class Params>
class Schema : public detail::SchemaBase {
 public:
  /// @param summary what the component does, in one line
  /// @param source the paper (authors, venue, equation or section), or "" if there is none
  explicit Schema(std::string summary, std::string source = "")
      : SchemaBase(std::move(summary), std::move(source)) {}

  template <class T>
  ParameterRefiner add(std::string name, T Params::*member, std::string doc) {
    return ParameterRefiner(add_field(std::move(name), detail::Codec<T>::type(), std::move(doc),
                                      std::make_unique<detail::Field<Params, T>>(member), &defaults_));
  }

  /// An enumeration, written in a recipe as one of the given texts.
  template <class T>
  ParameterRefiner add(std::string name, T Params::*member, std::string doc,
                       std::vector<std::pair<std::string, T>> choices) {
    return ParameterRefiner(
        add_field(std::move(name), "text", std::move(doc),
                  std::make_unique<detail::ChoiceField<Params, T>>(member, std::move(choices)), &defaults_));
  }

  /// A condition between parameters. `check` returns "" if it holds, else what is wrong and what is allowed.
  void rule(std::function<std::string(const Params&)> check) {
    rules_.push_back(
        [check = std::move(check)](const void* p) { return check(*static_cast<const Params*>(p)); });
  }

  /// Reads a table. Adds every error to `diagnostics`; parameters that cannot be read keep their defaults.
  /// @param subject how messages name the table: "augmentation 'random_patch'", "[train]"
  /// @param reserved keys of the table that belong to others
  [[nodiscard]] Params parse(const Value& table, const std::string& subject, Diagnostics& diagnostics,
                             const std::vector<std::string>& reserved = {}) const {
    Params params;
    parse_into(&params, table, subject, diagnostics, reserved);
    return params;
  }

  /// Every parameter with its value, as a table; parse() of it returns equal parameters.
  [[nodiscard]] Value write(const Params& params) const { return write_from(&params); }

 private:
  Params defaults_{};
};

}  // namespace kindred
