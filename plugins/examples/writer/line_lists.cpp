#include "line_lists.h"

#include <sstream>

#include "kindred/core/error.h"

namespace my_plugins {

kindred::Schema<LineLists::Params> LineLists::schema() {
  kindred::Schema<Params> s("A line for each query: its name and those of the best gallery images.");
  s.add("top", &Params::top, "gallery images for each query").at_least(1).unit("images");
  return s;
}

LineLists::LineLists(const Params& params, const Context&) : params_(params) {}

std::string LineLists::name_of(const std::string& path) const {
  const auto name = path.substr(path.rfind('/') + 1);
  if (name.find_first_of(" \t\r\n") != std::string::npos) {
    throw kindred::ComponentError(
        "writer/line_lists",
        "'" + path + "' has white space in its name, which separates names here; rename the image");
  }
  return name;
}

void LineLists::write(const std::vector<kindred::RankedQuery>& rankings, std::ostream& out) const {
  for (const auto& ranking : rankings) {
    out << ranking.query;
    for (const auto& name : ranking.gallery) out << ' ' << name;
    out << '\n';
  }
}

std::vector<kindred::RankedQuery> LineLists::read(std::istream& in) const {
  std::vector<kindred::RankedQuery> rankings;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    kindred::RankedQuery ranking;
    if (!(words >> ranking.query)) {
      throw kindred::ComponentError("writer/line_lists",
                                    "line " + std::to_string(rankings.size() + 1) + " names no query");
    }
    for (std::string name; words >> name;) ranking.gallery.push_back(name);
    rankings.push_back(ranking);
  }
  return rankings;
}

}  // namespace my_plugins
