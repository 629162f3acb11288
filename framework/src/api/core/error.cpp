#include "kindred/core/error.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "kindred/core/utf8.h"

namespace kindred {
namespace {

std::string joined(const std::vector<Diagnostic>& diagnostics) {
  std::string lines;
  for (const auto& diagnostic : diagnostics) {
    if (!lines.empty()) lines += '\n';
    lines += diagnostic.str();
  }
  return lines;
}

/// Names are compared without regard to case and to '-' against '_'.
std::string folded(const std::string& name) {
  std::string result = name;
  for (auto& c : result) c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// Insertions, deletions, changes and swaps of neighbors (optimal string alignment).
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

/// How many characters of one name are the beginning or an inner piece of the other; 0 when too few to mean
/// anything: 'prob' in 'probability', 'epochs' in 'num_epochs'.
std::size_t shared_piece(const std::string& a, const std::string& b) {
  const std::string& shorter = a.size() < b.size() ? a : b;
  const std::string& longer = a.size() < b.size() ? b : a;
  const auto at = longer.find(shorter);
  if (at == std::string::npos) return 0;
  return shorter.size() >= (at == 0 ? 3U : 4U) ? shorter.size() : 0;
}

}  // namespace

std::string SourceLocation::str() const {
  if (line == 0) return escaped(origin);
  return escaped(origin) + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string Diagnostic::str() const {
  const auto where = location.str();
  return (where.empty() ? "" : where + ": ") + "error: " + message;
}

Error::~Error() = default;

RecipeError::RecipeError(std::vector<Diagnostic> diagnostics)
    : Error(joined(diagnostics)), diagnostics_(std::move(diagnostics)) {}

RecipeError::RecipeError(SourceLocation location, std::string message)
    : RecipeError(std::vector<Diagnostic>{{std::move(location), std::move(message)}}) {}

RecipeError::~RecipeError() = default;

PluginError::PluginError(std::filesystem::path file, const std::string& message)
    : Error(escaped(file.string()) + ": error: " + message), file_(std::move(file)) {}

PluginError::~PluginError() = default;

DataError::DataError(std::filesystem::path file, const std::string& message)
    : Error(escaped(file.string()) + ": error: " + message), file_(std::move(file)) {}

DataError::DataError(std::filesystem::path file, int line, const std::string& message)
    : Error(escaped(file.string()) + ":" + std::to_string(line) + ": error: " + message),
      file_(std::move(file)) {}

DataError::~DataError() = default;

ComponentError::ComponentError(std::string component, const std::string& message)
    : Error(component + ": error: " + message), component_(std::move(component)), reason_(message) {}

ComponentError::~ComponentError() = default;

void Diagnostics::error(SourceLocation location, std::string message) {
  found_.push_back({std::move(location), std::move(message)});
}

void Diagnostics::throw_if_any() const {
  if (!found_.empty()) throw RecipeError(found_);
}

std::string nearest_name(const std::string& word, const std::vector<std::string>& candidates) {
  const auto wanted = folded(word);
  const std::string* best = nullptr;
  std::size_t best_distance = 0;
  for (const auto& candidate : candidates) {
    const auto name = folded(candidate);
    const auto longest = std::max(wanted.size(), name.size());
    const auto distance = edit_distance(wanted, name);
    if (distance >= longest || distance > std::max<std::size_t>(1, longest / 3)) continue;
    if (best == nullptr || distance < best_distance) {
      best = &candidate;
      best_distance = distance;
    }
  }
  if (best != nullptr) return *best;

  std::size_t longest_piece = 0;
  for (const auto& candidate : candidates) {
    const auto piece = shared_piece(wanted, folded(candidate));
    if (piece > longest_piece) {
      best = &candidate;
      longest_piece = piece;
    }
  }
  return best == nullptr ? "" : *best;
}

std::string quoted_list(const std::vector<std::string>& names) {
  if (names.empty()) return "nothing";
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += "'" + names[i] + "'";
  }
  return text;
}

}  // namespace kindred
