#include "report/page.h"

#include "report/page_style.h"
#include "system/version.h"

namespace kindred::report {
namespace {

Html contents(const std::vector<Section>& sections) {
  Html list;
  for (const auto& section : sections) {
    if (section.content.empty()) continue;
    list += element("li", element("a", {{"href", "#" + section.id}}, section.title));
  }
  return element("nav", {{"aria-label", "Contents"}}, element("ul", list));
}

}  // namespace

std::string page_text(const Page& page) {
  const auto meta = [](const Html::Attributes& attributes) { return element("meta", attributes, {}); };
  const auto head = meta({{"charset", "utf-8"}}) +
                    meta({{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}}) +
                    meta({{"name", "color-scheme"}, {"content", "light dark"}}) +
                    // The page can neither load nor run anything, whatever a file may have smuggled in.
                    meta({{"http-equiv", "Content-Security-Policy"},
                          {"content", "default-src 'none'; img-src data:; style-src 'unsafe-inline'"}}) +
                    element("title", page.title + " \u2013 Kindred") + Html::style(page_style());
  Html main;
  for (const auto& one : page.notices) main += one;
  for (const auto& section : page.sections) {
    if (section.content.empty()) continue;
    main += element("section", {{"id", section.id}, {"aria-labelledby", section.id + "-title"}},
                    element("h2", {{"id", section.id + "-title"}}, section.title) + section.content);
  }
  const auto body = page.header + contents(page.sections) + element("main", main) +
                    element("footer", std::string("Written by Kindred ") + system::kindred_version + ".");
  return "<!DOCTYPE html>\n" +
         element("html", {{"lang", "en"}}, element("head", head) + element("body", body)).markup() + "\n";
}

Html page_header(const std::string& kind, const std::string& title,
                 const std::vector<std::pair<std::string, std::string>>& facts) {
  Html list;
  for (const auto& [name, value] : facts) {
    if (!value.empty()) list += element("div", element("dt", name) + element("dd", value));
  }
  return element("header", element("p", {{"class", "kind"}}, kind) + element("h1", title) +
                               element("dl", {{"class", "facts"}}, list));
}

Html outdated_notice(const std::vector<std::string>& stages, const std::string& run) {
  if (stages.empty()) return {};
  std::string names;
  for (const auto& stage : stages) names += (names.empty() ? "" : ", ") + stage;
  return notice(element("strong", "Outdated: ") + names + (run.empty() ? "" : " of " + run) +
                ", made of earlier results than there are now. To make them again: kindred run.");
}

std::string missing_images_text(const Pictures& pictures, const std::string& trouble) {
  if (pictures.missing() == 0) return "";
  std::string text = std::to_string(pictures.missing()) + " of " +
                     std::to_string(pictures.missing() + pictures.shown()) + " images cannot be shown";
  const auto& why = trouble.empty() ? pictures.first_trouble() : trouble;
  text += why.empty() ? ": they are not in the data set." : ": " + why + (why.back() == '.' ? "" : ".");
  return text;
}

}  // namespace kindred::report
