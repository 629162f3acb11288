#include "kindred/text/image_list.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/text/name_numbers.h"
#include "kindred/text/text_file.h"

namespace kindred {
namespace {

constexpr std::string_view blank = " \t\r";

void take_number(ListLine& line, const std::filesystem::path& file) {
  const auto refuse = [&](const std::string& what) {
    return DataError(file, line.line, "'" + line.name + "' " + what + "; a line has the form NAME NUMBER");
  };
  const auto space = line.name.find_last_of(blank);
  if (space == std::string::npos) throw refuse("has no number after the name");
  const auto text = std::string_view(line.name).substr(space + 1);
  const auto number = parse_whole_number(text);
  if (!number && not_whole_text(text).starts_with("is too large")) {
    throw refuse("ends in a number that " + not_whole_text(text));
  }
  if (!number || *number < 0) throw refuse("does not end in a whole number from 0");
  line.number = *number;
  line.name.resize(line.name.find_last_not_of(blank, space) + 1);
}

std::vector<ListLine> read_list(const std::filesystem::path& file, bool numbered) {
  if (const auto why = why_not_a_file(file); !why.empty()) {
    throw DataError(file, why == "does not exist" ? why + "; unpack the data set again, lists included"
                          : why == "is a folder"  ? why + ", but a list of images is expected"
                                                  : why);
  }
  std::istringstream in(read_text_file(file));
  std::vector<ListLine> lines;
  std::unordered_map<std::string, int> known;
  std::string text;
  for (int number = 1; std::getline(in, text); ++number) {
    text.resize(text.find_last_not_of(blank) + 1);
    text.erase(0, std::min(text.find_first_not_of(blank), text.size()));
    if (text.empty()) continue;
    ListLine line{text, 0, number};
    if (numbered) take_number(line, file);
    if (const auto [earlier, added] = known.emplace(line.name, number); !added) {
      throw DataError(file, number,
                      "'" + line.name + "' is already listed in line " + std::to_string(earlier->second) +
                          "; remove one of the two lines");
    }
    lines.push_back(std::move(line));
  }
  if (lines.empty()) throw DataError(file, "lists no images; unpack the data set again");
  return lines;
}

}  // namespace

std::vector<ListLine> read_name_list(const std::filesystem::path& file) {
  return read_list(file, false);
}

std::vector<ListLine> read_numbered_list(const std::filesystem::path& file) {
  return read_list(file, true);
}

}  // namespace kindred
