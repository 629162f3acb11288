// The page and the API's description, which are part of the program: nothing is installed or fetched.
// CMake makes web_files.cpp of the files in web/ and of docs/openapi.json.
#pragma once

#include <string_view>

namespace kindred::service {

extern const std::string_view page_html;
extern const std::string_view page_css;
extern const std::string_view page_script;
extern const std::string_view openapi_json;

}  // namespace kindred::service
