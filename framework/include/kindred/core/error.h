// Errors that are shown to the user. Form: "place: error: what is wrong, what is allowed, what to do".
// A broken promise inside the program is not one of these: that is std::logic_error.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

/// Where a piece of a recipe was written: a file's line and column (from 1), or, with line 0, the text
/// of an override given on the command line (`--set train.epochs=3`).
struct KINDRED_API SourceLocation {
  std::string origin;
  int line = 0;
  int column = 0;

  /// "file:line:column", or the origin alone when it has no lines.
  [[nodiscard]] std::string str() const;
};

/// One thing that is wrong in a recipe, and where.
struct KINDRED_API Diagnostic {
  SourceLocation location;
  std::string message;

  /// "place: error: message"
  [[nodiscard]] std::string str() const;
};

/// Base of all errors that a user can cause and mend.
class KINDRED_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  Error(const Error&) = default;
  ~Error() override;
};

/// A recipe, or what the command line says of it, is wrong. Holds every error found, not the first alone.
class KINDRED_API RecipeError : public Error {
 public:
  /// what() is one line an error, in the order found.
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

/// A data file (image, list, features, weights, checkpoint) is missing, damaged or does not fit.
class KINDRED_API DataError : public Error {
 public:
  DataError(std::filesystem::path file, const std::string& message);
  /// For a line (from 1) of a text file: "file:line: error: message".
  DataError(const std::filesystem::path& file, int line, const std::string& message)
      : Error(file.string() + ":" + std::to_string(line) + ": error: " + message), file_(file) {}
  DataError(const DataError&) = default;
  ~DataError() override;

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path file_;
};

/// A component was given parameters that are each allowed but do not fit what it works on.
class KINDRED_API ComponentError : public Error {
 public:
  /// @param component "role/name", or just the name
  ComponentError(std::string component, const std::string& message);
  ComponentError(const ComponentError&) = default;
  ~ComponentError() override;

  [[nodiscard]] const std::string& component() const { return component_; }
  /// The message without the component's name.
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  std::string component_;
  std::string reason_;
};

/// Collects the errors of a recipe, so that all of them are shown at once.
class KINDRED_API Diagnostics {
 public:
  void error(SourceLocation location, std::string message);
  [[nodiscard]] bool empty() const { return found_.empty(); }
  [[nodiscard]] const std::vector<Diagnostic>& all() const { return found_; }
  /// Throws RecipeError with everything collected; returns when there is nothing.
  void throw_if_any() const;

 private:
  std::vector<Diagnostic> found_;
};

/// The candidate that `word` was probably meant to be, or "" when none is near enough: the one nearest by
/// edit distance, or else one of which it holds a piece ('probability' for 'prob', 'num_epochs' for
/// 'epochs').
[[nodiscard]] KINDRED_API std::string nearest_name(const std::string& word,
                                                   const std::vector<std::string>& candidates);

/// "'a', 'b' and 'c'"; "nothing" for an empty list. For messages that say what is allowed.
[[nodiscard]] KINDRED_API std::string quoted_list(const std::vector<std::string>& names);

}  // namespace kindred
