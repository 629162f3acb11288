#include "kindred/text/name_numbers.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "kindred/core/sample.h"
#include "kindred/text/csv.h"

namespace kindred {
namespace {

constexpr std::string_view digits = "0123456789";

constexpr std::array<std::string_view, 12> words = {
    "person", "people", "subject", "identity", "id", "pid", "p", "camera", "cam", "c", "vehicle", "car"};
constexpr std::array<std::string_view, 6> missing = {"nan", "na", "n/a", "none", "null", "<na>"};

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

/// Without ".0" at its end.
std::string_view without_fraction(std::string_view text) {
  const auto point = text.find('.');
  if (point == std::string_view::npos || point == 0 || point + 1 == text.size()) return text;
  return text.find_first_not_of('0', point + 1) == std::string_view::npos ? text.substr(0, point) : text;
}

bool is_digits(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of(digits) == std::string_view::npos;
}

/// "1.5", "+3", "1e9", "1,234"; not "2024-05", "192.168.0.12", "E1".
bool is_written_as_a_number(std::string_view text) {
  std::string plain(text.substr(text.starts_with('+') ? 1 : 0));
  std::erase(plain, ',');
  const auto first = plain.starts_with('-') ? 1U : 0U;
  // Neither "inf" nor "nan".
  if (plain.size() == first || (digits.find(plain[first]) == std::string_view::npos && plain[first] != '.')) {
    return false;
  }
  double value = 0;
  const auto* end = plain.data() + plain.size();
  return std::from_chars(plain.data(), end, value).ptr == end;
}

/// The number after a common word; nothing when the name is of another form.
std::optional<std::int64_t> number_after_word(std::string_view name) {
  const auto end = name.find_first_of("0123456789_- ");
  if (end == std::string_view::npos) return std::nullopt;
  const auto word = lower(name.substr(0, end));
  if (std::find(words.begin(), words.end(), word) == words.end()) return std::nullopt;
  name.remove_prefix(digits.find(name[end]) == std::string_view::npos ? end + 1 : end);
  if (name.find_first_not_of(digits) != std::string_view::npos) return std::nullopt;
  const auto number = parse_integer(name);
  return number && *number < NameNumbers::first_of_letters ? number : std::nullopt;
}

/// FNV-1a (Fowler, Noll, Vo), folded to 47 bits.
std::int64_t number_of_letters(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  constexpr auto first = static_cast<std::uint64_t>(NameNumbers::first_of_letters);
  return static_cast<std::int64_t>(first | ((hash ^ (hash >> 47U)) & (first - 1)));
}

}  // namespace

std::optional<std::int64_t> parse_whole_number(std::string_view text) {
  const auto number = parse_integer(without_fraction(text));
  return number && *number >= -largest_whole_number && *number <= largest_whole_number ? number
                                                                                       : std::nullopt;
}

std::string not_whole_text(std::string_view text) {
  if (!is_digits(without_fraction(text))) return "is not a whole number";
  return "is too large: whole numbers go up to " + std::to_string(largest_whole_number);
}

NameNumbers::Number NameNumbers::of(const std::string& name) {
  if (const auto number = parse_whole_number(name)) {
    if (*number == junk_identity) return {*number, ""};
    if (!names_.empty()) {
      return {0, "is a number, but '" + names_.begin()->second +
                     "' is a name; write numbers or names throughout"};
    }
    if (a_number_.empty()) a_number_ = name;
    return {*number, ""};
  }
  if (is_written_as_a_number(name)) return {0, not_whole_text(name)};
  const auto word = lower(name);
  if (std::find(missing.begin(), missing.end(), word) != missing.end()) {
    return {0, "stands for a missing value; leave the cell empty instead"};
  }
  if (!a_number_.empty()) {
    return {0, "is not a whole number, but '" + a_number_ + "' is; write numbers or names throughout"};
  }
  const auto number = number_after_word(name).value_or(number_of_letters(name));
  const auto [known, is_new] = names_.emplace(number, name);
  if (!is_new && known->second != name) {
    return {0, "has the same number as '" + known->second + "', " + std::to_string(number) +
                   "; spell a name in one way, or write numbers"};
  }
  return {number, ""};
}

}  // namespace kindred
