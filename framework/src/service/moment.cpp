#include "service/moment.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <regex>

namespace kindred::service {

std::string moment_text(std::int64_t milliseconds) {
  using namespace std::chrono;
  const sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(milliseconds)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  std::string result = text.data();
  if (clock.subseconds().count() != 0) {
    std::snprintf(text.data(), text.size(), ".%03d", static_cast<int>(clock.subseconds().count()));
    result += text.data();
  }
  return result + "Z";
}

std::optional<std::int64_t> parse_moment(const std::string& text) {
  using namespace std::chrono;
  // A text of any length would be a regular expression's stack.
  constexpr std::size_t longest = 40;
  static const std::regex form(
      R"((\d{4})-(\d\d)-(\d\d)(?:[Tt](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d{0,6})?)?(?:[Zz]|([+ -])(\d\d):(\d\d)))?)");
  std::smatch match;
  if (text.size() > longest || !std::regex_match(text, match, form)) return std::nullopt;
  const auto number = [&](std::size_t group) {
    return match[group].matched ? std::stoi(match[group].str()) : 0;
  };
  const year_month_day date(year(number(1)), month(static_cast<unsigned>(number(2))),
                            day(static_cast<unsigned>(number(3))));
  const int offset = (match[8].str() == "-" ? -1 : 1) * (60 * number(9) + number(10));
  if (!date.ok() || number(4) > 23 || number(5) > 59 || number(6) > 59 || number(9) > 23 || number(10) > 59) {
    return std::nullopt;
  }
  const auto fraction = (match[7].str() + "000").substr(0, 3);
  const auto time = sys_days(date) + hours(number(4)) + minutes(number(5) - offset) + seconds(number(6)) +
                    milliseconds(std::stoi(fraction));
  return duration_cast<milliseconds>(time.time_since_epoch()).count();
}

}  // namespace kindred::service
