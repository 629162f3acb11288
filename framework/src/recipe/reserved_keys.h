// Keys of the tables of components that are not the component's own.
#pragma once

#include <string>
#include <vector>

namespace kindred::recipe {

inline const std::vector<std::string> table_keys = {"type"};
inline const std::vector<std::string> backbone_keys = {"type", "weights", "weights_sha256", "weights_key",
                                                       "weights_allow_unused"};
inline const std::vector<std::string> entry_keys = {"type", "name", "enabled"};

}  // namespace kindred::recipe
