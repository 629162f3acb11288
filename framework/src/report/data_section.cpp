#include "report/data_section.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "report/pictures.h"
#include "text/chart.h"
#include "text/number_text.h"

namespace kindred::report {
namespace {

constexpr int sheet_width = 1200;
constexpr int sheet_height = 1600;
constexpr std::size_t most_bins = 20;

std::string share_text(const std::optional<double>& share) {
  return share ? text::fixed_text(*share, 3) : "-";
}

/// What was labeled, what was not and why, and how good the labels are.
Html figure_table(const results::LabelFiguresFile& figures) {
  HtmlTable table;
  table.name = "Pseudo labels";
  table.columns = {{""}, {"Figure"}};
  const auto row = [&](const std::string& name, const std::string& figure) {
    table.rows.push_back({{name, figure}, false});
  };
  row("pseudo identities", text::count_text(figures.identities));
  row("images", text::count_text(figures.all_images));
  row("images with an identity", text::count_text(figures.images));
  for (const auto& part : figures.left_out) row("not labeled: " + part.reason, text::count_text(part.images));
  if (const auto& sizes = figures.images_per_identity) {
    row("images per identity", text::count_text(sizes->minimum) + " to " + text::count_text(sizes->maximum) +
                                   ", " + text::fixed_text(sizes->mean, 1) + " on average");
  }
  if (const auto& truth = figures.truth) {
    row("images of known persons", text::count_text(truth->images));
    row("those with an identity", text::count_text(truth->labeled));
    row("persons on these", text::count_text(truth->persons));
    row("pairs: precision", share_text(truth->precision));
    row("pairs: recall", share_text(truth->recall));
    row("pairs: F1", share_text(truth->f1));
    row("purity", share_text(truth->purity));
  }
  return draw(table);
}

Html size_histogram(const results::LabelsFile& labels) {
  std::vector<double> sizes;
  for (const auto& [identity, images] : labels.sizes()) sizes.push_back(static_cast<double>(images));
  if (sizes.empty()) return {};
  const double most = *std::max_element(sizes.begin(), sizes.end());
  // Bins of equal whole widths, the first from 1 on.
  const auto width = static_cast<std::int64_t>(most - 1) / static_cast<std::int64_t>(most_bins) + 1;
  const auto bins = static_cast<std::int64_t>(most - 1) / width + 1;
  text::Histogram histogram;
  histogram.name = "Histogram of the number of images of " + std::to_string(sizes.size()) + " identities";
  histogram.label = "images per identity";
  histogram.unit = "identities";
  histogram.from = 0.5;
  histogram.to = 0.5 + static_cast<double>(bins * width);
  histogram.counts = text::count_in_bins(sizes, histogram.from, histogram.to, static_cast<std::size_t>(bins));
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
    return trouble_notice(message_of(error, file));
  }
}

}  // namespace

Section label_section(const RunFiles& run) {
  Section section{"labels", "Pseudo labels", {}};
  for (const auto& stage : run.stages) {
    const auto* files = stage.holds<LabelFiles>();
    if (files == nullptr) continue;
    Html content = trouble_notice(files->figures.trouble) + trouble_notice(files->labels.trouble);
    Html charts;
    if (files->figures.value) charts += figure_table(*files->figures.value);
    if (files->labels.value) charts += size_histogram(*files->labels.value);
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
    const auto all = static_cast<double>(files->domains.value->images.size());
    HtmlTable table;
    table.name = "Images per domain";
    table.columns = {{"Domain"}, {"Images"}, {"Share"}};
    for (const auto& domain : files->domains.value->domains()) {
      const auto share = static_cast<double>(domain.images) / all;
      table.rows.push_back(
          {{domain.name, text::count_text(domain.images), text::percent_text(share)}, false});
    }
    section.content += draw(table);
  }
  return section;
}

}  // namespace kindred::report
