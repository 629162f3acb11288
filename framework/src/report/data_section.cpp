#include "report/data_section.h"

#include <algorithm>
#include <string>

#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "report/chart.h"
#include "report/number_text.h"
#include "report/pictures.h"

namespace kindred::report {
namespace {

constexpr int sheet_width = 1200;
constexpr int sheet_height = 1600;
constexpr std::size_t most_bins = 20;

/// A key of JSON as words: "left_out" is "left out".
std::string words(std::string key) {
  std::replace(key.begin(), key.end(), '_', ' ');
  return key;
}

Html figure_table(const LabelFiles::Figures& figures) {
  HtmlTable table;
  table.name = "Pseudo labels";
  table.columns = {{""}, {"Figure"}};
  for (const auto& [key, value] : figures.all) table.rows.push_back({{words(key), value}, false});
  for (const auto& [reason, images] : figures.left_out) {
    table.rows.push_back({{"not labeled: " + reason, number_text(images)}, false});
  }
  return table.rows.empty() ? Html() : draw(table);
}

Html size_histogram(const std::vector<double>& sizes) {
  if (sizes.empty()) return {};
  const double most = *std::max_element(sizes.begin(), sizes.end());
  // Bins of equal whole widths, the first from 1 on.
  const auto width = static_cast<std::int64_t>(most - 1) / static_cast<std::int64_t>(most_bins) + 1;
  const auto bins = static_cast<std::int64_t>(most - 1) / width + 1;
  Histogram histogram;
  histogram.name = "Histogram of the number of images of " + std::to_string(sizes.size()) + " identities";
  histogram.label = "images per identity";
  histogram.unit = "identities";
  histogram.from = 0.5;
  histogram.to = 0.5 + static_cast<double>(bins * width);
  histogram.counts = count_in_bins(sizes, histogram.from, histogram.to, static_cast<std::size_t>(bins));
  return figure("Images per identity", draw(histogram), std::to_string(sizes.size()) + " identities.");
}

Html sheet(const std::filesystem::path& file) {
  if (file.empty()) return {};
  try {
    const auto address = jpeg_address(read_image(file), sheet_width, sheet_height);
    return element(
        "figure", {{"class", "sheet"}},
        element("figcaption", element("strong", "Some identities")) +
            element("img", {{"src", address}, {"alt", "images of some pseudo identities, side by side"}},
                    {}));
  } catch (const Error& error) {
    return trouble_notice(error.what());
  }
}

}  // namespace

Section label_section(const RunFiles& run) {
  Section section{"labels", "Pseudo labels", {}};
  for (const auto& stage : run.stages) {
    const auto* files = stage.holds<LabelFiles>();
    if (files == nullptr) continue;
    Html content = trouble_notice(files->figures.trouble) + trouble_notice(files->cluster_sizes.trouble);
    Html charts;
    if (files->figures.value) charts += figure_table(*files->figures.value);
    if (files->cluster_sizes.value) charts += size_histogram(*files->cluster_sizes.value);
    if (!charts.empty()) content += element("div", {{"class", "charts"}}, charts);
    content += sheet(files->sheet);
    if (content.empty()) content = element("p", {{"class", "empty"}}, "No labels yet.");
    section.content += element("h3", stage.name) + content;
  }
  return section;
}

Section domain_section(const RunFiles& run) {
  Section section{"domains", "Domains", {}};
  for (const auto& stage : run.stages) {
    const auto* files = stage.holds<PartitionFiles>();
    if (files == nullptr) continue;
    section.content += element("h3", stage.name) + trouble_notice(files->domains.trouble);
    if (!files->domains.there()) section.content += element("p", {{"class", "empty"}}, "No domains yet.");
    if (!files->domains.value) continue;
    double all = 0;
    for (const auto& domain : *files->domains.value) all += domain.images;
    HtmlTable table;
    table.name = "Images per domain";
    table.columns = {{"Domain"}, {"Images"}, {"Share"}};
    for (const auto& domain : *files->domains.value) {
      table.rows.push_back(
          {{domain.name, number_text(domain.images), all > 0 ? percent_text(domain.images / all) : ""},
           false});
    }
    section.content += draw(table);
  }
  return section;
}

}  // namespace kindred::report
