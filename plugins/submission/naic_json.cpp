#include "naic_json.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "kindred/core/error.h"

namespace kindred::submission {
namespace {

constexpr const char* component = "writer/naic_json";

std::string quoted(const std::string& name) {
  try {
    return nlohmann::json(name).dump();
  } catch (const nlohmann::json::type_error&) {
    throw ComponentError(
        component, "the image name " +
                       nlohmann::json(name).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) +
                       " is not valid UTF-8, which JSON requires; rename the file");
  }
}

/// Takes the events of a JSON text as long as it is an object of lists of strings. A parsed tree would lose
/// the order of the queries, and one that stands there twice.
class Reader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<RankedQuery> rankings;

  bool start_object(std::size_t) override {
    if (depth_ != 0) return other("an object");
    depth_ = 1;
    return true;
  }
  bool key(string_t& name) override {
    rankings.push_back({name, {}, {}});
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ != 1) return other("a list");
    depth_ = 2;
    return true;
  }
  bool string(string_t& text) override {
    if (depth_ != 2) return other("a string");
    rankings.back().gallery.push_back(text);
    return true;
  }
  bool end_array() override {
    depth_ = 1;
    return true;
  }
  bool end_object() override { return true; }

  bool null() override { return other("null"); }
  bool boolean(bool) override { return other("a boolean"); }
  bool number_integer(number_integer_t) override { return other("a number"); }
  bool number_unsigned(number_unsigned_t) override { return other("a number"); }
  bool number_float(number_float_t, const string_t&) override { return other("a number"); }
  bool binary(binary_t&) override { return other("binary data"); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    throw ComponentError(component,
                         "is not valid JSON at byte " + std::to_string(position) + ": " + error.what());
  }

 private:
  [[noreturn]] bool other(const std::string& found) const {
    const auto place = depth_ == 0   ? std::string("the top level is ")
                       : depth_ == 1 ? "the value of the query '" + rankings.back().query + "' is "
                                     : "the list of the query '" + rankings.back().query + "' contains ";
    throw ComponentError(component, place + found +
                                        "; expected an object of lists of strings: {\"query.png\": "
                                        "[\"gallery.png\", ...], ...}");
  }

  int depth_ = 0;  ///< 1: in the object, 2: in a list
};

}  // namespace

Schema<NaicJson::Params> NaicJson::schema() {
  Schema<Params> s("A JSON object: query file name -> list of the best gallery file names.",
                   "the format of the NAIC 2019 competition");
  s.add("top", &Params::top, "gallery images to list for each query; a smaller gallery is listed completely")
      .range(1, 1000000);
  return s;
}

NaicJson::NaicJson(const Params& params, const Context& /*context*/) : params_(params) {}

std::string NaicJson::name_of(const std::string& path) const {
  return path.substr(path.rfind('/') + 1);  // all of it without a '/'
}

void NaicJson::write(const std::vector<RankedQuery>& rankings, std::ostream& out) const {
  out << '{';
  const char* between = "\n";
  for (const auto& ranking : rankings) {
    out << between << quoted(ranking.query) << ": [";
    for (std::size_t i = 0; i < ranking.gallery.size(); ++i) {
      out << (i > 0 ? ", " : "") << quoted(ranking.gallery[i]);
    }
    out << ']';
    between = ",\n";
  }
  out << "\n}\n";
}

std::vector<RankedQuery> NaicJson::read(std::istream& in) const {
  Reader reader;
  nlohmann::json::sax_parse(in, &reader);  // what is wrong is thrown
  return std::move(reader.rankings);
}

}  // namespace kindred::submission
