// Errors that are shown to the user, in the form "location: error: what is wrong, what is allowed, what to
// do". A location is on one line: what would break it is escaped (utf8.h). A violated contract inside the
// program is std::logic_error instead.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

/// Where a key or value of a recipe was written: file, line and column (from 1). With line 0, the text of an
/// override on the command line (`--set train.epochs=3`).
struct KINDRED_API SourceLocation {
  std::string origin;
  int line = 0;
  int column = 0;

  /// "file:line:column", or only the origin if it has no lines.
  [[nodiscard]] std::string str() const;
};

/// One error in a recipe and its location.
struct KINDRED_API Diagnostic {
  SourceLocation location;
  std::string message;

  /// "location: error: message"
  [[nodiscard]] std::string str() const;
};

/// Base of all errors that a user can cause and fix.
class KINDRED_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  Error(const Error&) = default;
  ~Error() override;
};

/// A recipe or its overrides on the command line are wrong. Contains every error found, not only the first.
class KINDRED_API RecipeError : public Error {
 public:
  /// what() has one line for each error, in the order found.
  explicit RecipeError(std::vector<Diagnostic> diagnostics);
  RecipeError(SourceLocation location, std::string message);
  RecipeError(const RecipeError&) = default;
  ~RecipeError() override;

  [[nodiscard]] const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }

 private:
  std::vector<Diagnostic> diagnostics_;
};

/// A plugin file cannot be used.
class KINDRED_API PluginError : public Error {
 public:
  PluginError(std::filesystem::path file, const std::string& message);
  PluginError(const PluginError&) = default;
  ~PluginError() override;

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path file_;
};

/// A data file (image, list, features, weights, checkpoint) is missing, damaged or does not match.
class KINDRED_API DataError : public Error {
 public:
  DataError(std::filesystem::path file, const std::string& message);
  /// For a line (from 1) of a text file: "file:line: error: message".
  DataError(std::filesystem::path file, int line, const std::string& message);
  DataError(const DataError&) = default;
  ~DataError() override;

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path file_;
};

/// The parameters of a component are valid by themselves but do not suit the data it works on.
class KINDRED_API ComponentError : public Error {
 public:
  /// @param component "role/name", or just the name
  ComponentError(std::string component, const std::string& message);
  ComponentError(const ComponentError&) = default;
  ~ComponentError() override;

  [[nodiscard]] const std::string& component() const { return component_; }
  /// The message without the name of the component.
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  std::string component_;
  std::string reason_;
};

/// Collects the errors of a recipe so that all of them are shown at once.
class KINDRED_API Diagnostics {
 public:
  void error(SourceLocation location, std::string message);
  [[nodiscard]] bool empty() const { return found_.empty(); }
  [[nodiscard]] const std::vector<Diagnostic>& all() const { return found_; }
  /// Throws RecipeError with all errors collected; does nothing if there are none.
  void throw_if_any() const;

 private:
  std::vector<Diagnostic> found_;
};

/// The candidate that was probably meant by `word`, or "" if none is similar enough: the nearest one by edit
/// distance, or else one that shares a part with it ('probability' for 'prob', 'num_epochs' for 'epochs').
[[nodiscard]] KINDRED_API std::string nearest_name(const std::string& word,
                                                   const std::vector<std::string>& candidates);

/// "'a', 'b' and 'c'"; "nothing" for an empty list. For messages that list what is allowed.
[[nodiscard]] KINDRED_API std::string quoted_list(const std::vector<std::string>& names);

}  // namespace kindred
