// Images that are read, which outputs must not replace.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/sample.h"

namespace kindred::data {

/// Throws RecipeError when an output is an image of the data set at `root`, a folder or a file. To be called
/// before anything is computed.
/// @param option which names the output, "--json"
/// @param output empty: none was asked for
void require_images_kept(const std::string& option, const std::filesystem::path& output,
                         const std::filesystem::path& root, const std::vector<Sample>& samples);

/// Throws RecipeError when a folder that gets a picture for each image, under the path of the image, lies in
/// the data set's folder or among the images that a file lists: pictures would replace images, or be read as
/// such the next time.
void require_images_apart(const std::string& option, const std::filesystem::path& pictures,
                          const std::filesystem::path& root, const std::vector<Sample>& samples);

}  // namespace kindred::data
