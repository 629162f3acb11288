#include "data/kept_images.h"

#include <algorithm>
#include <system_error>

#include "data/open_folder.h"
#include "file/command_inputs.h"
#include "kindred/core/error.h"

namespace kindred::data {

namespace fs = std::filesystem;

void require_images_kept(const std::string& option, const fs::path& output, const fs::path& root,
                         const std::vector<Sample>& samples) {
  if (output.empty()) return;
  const auto name = output.filename().string();
  file::CommandInputs images;
  for (const auto& sample : samples) {
    // Of a million images those that it can be.
    if (sample.path.ends_with(name)) images.add(folder_of_paths(root) / sample.path);
  }
  images.require_kept(option, output);
}

void require_images_apart(const std::string& option, const fs::path& pictures, const fs::path& root,
                          const std::vector<Sample>& samples) {
  const auto folder = folder_of_paths(root);
  if (pictures.empty() || !file::lies_in(pictures, folder)) return;
  std::error_code error;
  const bool all_are_read = fs::is_directory(root, error) || file::lies_in(folder, pictures);
  const auto within = (fs::relative(pictures, folder.empty() ? "." : folder, error) / "").string();
  const bool among_images =
      all_are_read || std::any_of(samples.begin(), samples.end(),
                                  [&](const Sample& sample) { return sample.path.starts_with(within); });
  if (!among_images) return;
  throw RecipeError(
      {option + " " + pictures.string(), 0, 0},
      "lies among the images of '" + root.string() +
          "': what is written there would replace them, or be read as images the next time; name "
          "a folder outside");
}

}  // namespace kindred::data
