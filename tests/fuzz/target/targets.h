// The targets, by what they read.
#pragma once

#include <vector>

#include "fuzz_target.h"

namespace kindred::fuzz {

void add_recipe_targets(std::vector<FuzzTarget>& targets);
void add_tensor_targets(std::vector<FuzzTarget>& targets);
void add_torch_targets(std::vector<FuzzTarget>& targets);
void add_table_targets(std::vector<FuzzTarget>& targets);
void add_library_targets(std::vector<FuzzTarget>& targets);
void add_image_targets(std::vector<FuzzTarget>& targets);
void add_result_targets(std::vector<FuzzTarget>& targets);
void add_gallery_targets(std::vector<FuzzTarget>& targets);
void add_service_targets(std::vector<FuzzTarget>& targets);
void add_clip_targets(std::vector<FuzzTarget>& targets);
void add_weights_targets(std::vector<FuzzTarget>& targets);

}  // namespace kindred::fuzz
