#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "command/doctor.h"

namespace kindred::command {
namespace {

constexpr std::size_t label_width = 24;
constexpr std::size_t column_width = 22;
constexpr std::size_t page_width = 110;
constexpr std::size_t shown_examples = 5;

const char* severity_name(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "";
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string line(const std::string& label, const std::vector<std::string>& cells) {
  std::string text = padded(label, label_width);
  for (const std::string& cell : cells) text += padded(cell, column_width);
  text.erase(text.find_last_not_of(' ') + 1);
  return text + '\n';
}

std::string quantiles_text(const Quantiles& quantiles) {
  return std::to_string(quantiles.minimum) + " / " + std::to_string(quantiles.median) + " / " +
         std::to_string(quantiles.maximum);
}

std::string cameras_text(const SplitFigures& figures) {
  const bool unknown = figures.cameras.contains(unknown_camera);
  const auto known = figures.cameras.size() - (unknown ? 1 : 0);
  if (known == 0) return "unknown";
  return std::to_string(known) + (unknown ? " and unknown" : "");
}

std::string size_text(const std::pair<int, int>& size) {
  return std::to_string(size.first) + " x " + std::to_string(size.second);
}

std::vector<std::string> size_cells(const DoctorReport& report,
                                    const std::function<std::string(const SplitFigures&)>& cell) {
  std::vector<std::string> cells;
  for (const SplitFigures& figures : report.splits)
    cells.push_back(figures.sizes.empty() ? "-" : cell(figures));
  return cells;
}

/// The sizes' rows: the one size, or smallest, most frequent and largest by area.
std::string sizes_text(const DoctorReport& report) {
  const bool alike = std::all_of(report.splits.begin(), report.splits.end(),
                                 [](const SplitFigures& figures) { return figures.sizes.size() == 1; });
  if (alike) {
    return line("size, W x H",
                size_cells(report, [](const SplitFigures& f) { return size_text(f.sizes.begin()->first); }));
  }
  const auto area = [](const auto& a, const auto& b) {
    return std::int64_t{a.first.first} * a.first.second < std::int64_t{b.first.first} * b.first.second;
  };
  const auto frequency = [](const auto& a, const auto& b) { return a.second < b.second; };
  std::string text;
  text +=
      line("sizes", size_cells(report, [](const SplitFigures& f) { return std::to_string(f.sizes.size()); }));
  text += line("  smallest, W x H", size_cells(report, [&](const SplitFigures& f) {
                 return size_text(std::min_element(f.sizes.begin(), f.sizes.end(), area)->first);
               }));
  text += line("  most frequent", size_cells(report, [&](const SplitFigures& f) {
                 const auto most = std::max_element(f.sizes.begin(), f.sizes.end(), frequency);
                 return size_text(most->first) + " (" + std::to_string(most->second) + ")";
               }));
  text += line("  largest", size_cells(report, [&](const SplitFigures& f) {
                 return size_text(std::max_element(f.sizes.begin(), f.sizes.end(), area)->first);
               }));
  return text;
}

std::string table_text(const DoctorReport& report) {
  const auto row = [&](const std::string& label,
                       const std::function<std::string(const SplitFigures&)>& cell) {
    std::vector<std::string> cells;
    for (const SplitFigures& figures : report.splits) cells.push_back(cell(figures));
    return line(label, cells);
  };
  const auto any = [&](std::int64_t SplitFigures::*count) {
    return std::any_of(report.splits.begin(), report.splits.end(),
                       [&](const SplitFigures& figures) { return figures.*count > 0; });
  };
  const auto number = [](std::int64_t SplitFigures::*count) {
    return [count](const SplitFigures& figures) { return std::to_string(figures.*count); };
  };
  std::string text = row("", [](const SplitFigures& f) { return split_name(f.split); });
  text += row("images", number(&SplitFigures::images));
  text += row("identities", number(&SplitFigures::identities));
  text += row("images per identity", [](const SplitFigures& f) {
    return f.identities > 0 ? quantiles_text(f.images_per_identity) : std::string("-");
  });
  if (any(&SplitFigures::tracklets)) {
    text += row("tracklets", number(&SplitFigures::tracklets));
    text += row("frames per tracklet", [](const SplitFigures& f) {
      return f.tracklets > 0 ? quantiles_text(f.frames_per_tracklet) : std::string("-");
    });
  }
  if (any(&SplitFigures::junk)) text += row("junk images", number(&SplitFigures::junk));
  if (any(&SplitFigures::unlabeled)) text += row("unlabeled images", number(&SplitFigures::unlabeled));
  text += row("cameras", cameras_text);
  const bool domains = std::any_of(report.splits.begin(), report.splits.end(), [](const SplitFigures& f) {
    return f.domains.size() > 1 || !f.domains.begin()->first.empty();
  });
  if (domains) text += row("domains", [](const SplitFigures& f) { return std::to_string(f.domains.size()); });
  if (report.decoded) text += sizes_text(report);
  return text + "(images per identity" + (any(&SplitFigures::tracklets) ? ", frames per tracklet" : "") +
         ": minimum / median / maximum)\n";
}

std::string cameras_list(const DoctorReport& report) {
  std::string text;
  for (const SplitFigures& figures : report.splits) {
    if (figures.cameras.size() < 2) continue;
    text += "\nImages per camera, " + std::string(split_name(figures.split)) + ":";
    std::size_t width = page_width;
    for (const auto& [camera, images] : figures.cameras) {
      const std::string cell = "  " + (camera == unknown_camera ? "unknown" : std::to_string(camera)) + ": " +
                               std::to_string(images);
      if (width + cell.size() > page_width) {
        text += "\n";
        width = 0;
      }
      text += cell;
      width += cell.size();
    }
    text += '\n';
  }
  return text;
}

std::string histogram_text(const SplitFigures& figures) {
  constexpr std::int64_t longest_bar = 50;
  std::string text = "\nIdentities by number of images, " + std::string(split_name(figures.split)) + ":\n";
  std::int64_t most = 1;
  for (const auto& [lowest, identities] : figures.histogram) most = std::max(most, identities);
  bool begun = false;
  for (const auto& [lowest, identities] : figures.histogram) {
    begun = begun || identities > 0;
    if (!begun) continue;
    const auto highest = 2 * lowest - 1;
    const std::string range =
        lowest == highest ? std::to_string(lowest) : std::to_string(lowest) + " - " + std::to_string(highest);
    const auto bar = (identities * longest_bar + most - 1) / most;
    std::string row = padded("  " + range, 16) + padded(std::to_string(identities), 8);
    row.append(static_cast<std::size_t>(bar), '#');
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + '\n';
  }
  return text;
}

std::string match_text(const MatchFigures& match) {
  if (match.labeled == 0) return "";
  std::string text = "\nEvaluation: " + std::to_string(match.matched) + " of " +
                     std::to_string(match.queries) + " queries count for the scores.\n";
  text += line("  not in the gallery", {std::to_string(match.identity_missing)});
  text += line("  same camera only", {std::to_string(match.same_camera_only)});
  text += line("  unlabeled or junk", {std::to_string(match.queries - match.labeled)});
  text += std::string("  Gallery images with the identity and camera of the query are ") +
          (match.cameras_known ? "ignored" : "not ignored") + "; " + std::to_string(match.distractors) +
          " gallery images are distractors.\n";
  return text;
}

/// Breaks a sentence between words; every line but the first is indented.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::string result;
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(' ', at), text.size());
    const auto length = end - at;
    if (width > 0 && width + 1 + length > page_width) {
      result += '\n' + std::string(indent, ' ');
      width = indent;
    } else if (width > 0) {
      result += ' ';
      ++width;
    }
    result.append(text, at, length);
    width += length;
    at = end + 1;
  }
  return result + '\n';
}

std::string finding_text(const Finding& finding) {
  std::string text = '\n' + wrapped(std::string(severity_name(finding.severity)) + ": " + finding.message, 2);
  const std::size_t shown = std::min(finding.examples.size(), shown_examples);
  for (std::size_t i = 0; i < shown; ++i) text += "    " + finding.examples[i] + '\n';
  if (finding.examples.size() > shown) {
    text += "    and " + std::to_string(finding.examples.size() - shown) + " more\n";
  }
  return text + "  " + wrapped("What to do: " + finding.remedy, 2);
}

nlohmann::json quantiles_json(const Quantiles& quantiles) {
  return {{"minimum", quantiles.minimum}, {"median", quantiles.median}, {"maximum", quantiles.maximum}};
}

nlohmann::json split_json(const SplitFigures& figures) {
  nlohmann::json json = {{"images", figures.images},
                         {"identities", figures.identities},
                         {"junk", figures.junk},
                         {"unlabeled", figures.unlabeled},
                         {"one_camera_identities", figures.one_camera_identities},
                         {"images_per_identity", quantiles_json(figures.images_per_identity)},
                         {"tracklets", figures.tracklets},
                         {"single_frame_tracklets", figures.single_frame_tracklets},
                         {"frames_per_tracklet", quantiles_json(figures.frames_per_tracklet)},
                         {"histogram", nlohmann::json::array()},
                         {"cameras", nlohmann::json::object()},
                         {"domains", figures.domains},
                         {"sizes", nlohmann::json::array()}};
  for (const auto& [lowest, identities] : figures.histogram) {
    json["histogram"].push_back({{"from", lowest}, {"to", 2 * lowest - 1}, {"identities", identities}});
  }
  for (const auto& [camera, images] : figures.cameras) {
    json["cameras"][camera == unknown_camera ? "unknown" : std::to_string(camera)] = images;
  }
  for (const auto& [size, images] : figures.sizes) {
    json["sizes"].push_back({{"width", size.first}, {"height", size.second}, {"images", images}});
  }
  return json;
}

nlohmann::json match_json(const MatchFigures& match) {
  return {{"queries", match.queries},
          {"labeled", match.labeled},
          {"identity_missing", match.identity_missing},
          {"same_camera_only", match.same_camera_only},
          {"matched", match.matched},
          {"cameras_known", match.cameras_known},
          {"distractors", match.distractors}};
}

nlohmann::json sample_json(const Sample& sample) {
  nlohmann::json json = {{"path", sample.path}, {"split", split_name(sample.split)}};
  json["identity"] =
      sample.identity == unlabeled_identity ? nlohmann::json() : nlohmann::json(sample.identity);
  json["camera"] = sample.camera == unknown_camera ? nlohmann::json() : nlohmann::json(sample.camera);
  return json;
}

}  // namespace

std::string doctor_text(const DoctorReport& report) {
  std::string text = table_text(report) + cameras_list(report);
  for (const SplitFigures& figures : report.splits) {
    if (!figures.histogram.empty()) text += histogram_text(figures);
  }
  text += match_text(report.match);
  std::array<std::size_t, 3> counts{};
  for (const Finding& finding : report.findings) ++counts[static_cast<std::size_t>(finding.severity)];
  const auto counted = [&](Severity severity) {
    const std::size_t count = counts[static_cast<std::size_t>(severity)];
    return std::to_string(count) + ' ' + severity_name(severity) + (count == 1 ? "" : "s");
  };
  text += "\nFindings: " + counted(Severity::error) + ", " + counted(Severity::warning) + ", " +
          counted(Severity::note) + '.';
  text += report.decoded ? "\n" : " The images were not decoded.\n";
  for (const Finding& finding : report.findings) text += finding_text(finding);
  return text;
}

std::string doctor_json(const DoctorReport& report) {
  nlohmann::json json = {{"decoded", report.decoded},
                         {"splits", nlohmann::json::object()},
                         {"match", match_json(report.match)},
                         {"unreadable", nlohmann::json::array()},
                         {"duplicates", nlohmann::json::array()},
                         {"unused", nlohmann::json::array()},
                         {"findings", nlohmann::json::array()}};
  for (const SplitFigures& figures : report.splits)
    json["splits"][split_name(figures.split)] = split_json(figures);
  for (const UnreadableImage& image : report.unreadable) {
    json["unreadable"].push_back({{"path", image.path}, {"reason", image.reason}});
  }
  for (const UnusedImages& part : report.unused) {
    json["unused"].push_back({{"folder", part.folder}, {"images", part.images}, {"example", part.example}});
  }
  for (const Duplicates& group : report.duplicates) {
    nlohmann::json samples = nlohmann::json::array();
    for (const Sample& sample : group) samples.push_back(sample_json(sample));
    json["duplicates"].push_back(std::move(samples));
  }
  for (const Finding& finding : report.findings) {
    json["findings"].push_back({{"severity", severity_name(finding.severity)},
                                {"code", finding.code},
                                {"message", finding.message},
                                {"remedy", finding.remedy},
                                {"examples", finding.examples}});
  }
  // File names need not be UTF-8; JSON must be.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace kindred::command
