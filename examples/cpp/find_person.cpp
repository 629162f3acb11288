// Finds a person in pictures of people: find_person MODEL GALLERY FOLDER PICTURE
//
// The pictures of FOLDER that are not in the gallery yet are added to it; the gallery is made where there is
// none. Then the most similar ones to PICTURE are printed.
#include <kindred/extract.h>
#include <kindred/search.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

/// Adds pictures in groups: so many crops are extracted together, and as many are lost at most when the
/// program is killed.
void add_pictures(const fs::path& folder, const kindred::Extractor& extractor, kindred::Gallery& gallery) {
  constexpr std::size_t at_once = 64;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && !gallery.contains(entry.path().filename().string())) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  for (std::size_t first = 0; first < files.size(); first += at_once) {
    std::vector<cv::Mat> crops;
    std::vector<std::string> ids;
    std::vector<kindred::EntryInfo> infos;
    for (auto i = first; i < std::min(first + at_once, files.size()); ++i) {
      auto crop = cv::imread(files[i].string(), cv::IMREAD_COLOR);
      if (crop.empty()) continue;  // no picture
      crops.push_back(crop);
      ids.push_back(files[i].filename().string());
      infos.push_back({.image = fs::absolute(files[i]).string()});
    }
    gallery.add(ids, extractor.extract(crops), infos);
  }
  gallery.flush();
}

int run(const fs::path& model, const fs::path& gallery_folder, const fs::path& folder,
        const fs::path& picture) {
  const kindred::Extractor extractor({.model = model});
  for (const auto& note : extractor.notes()) std::fprintf(stderr, "%s\n", note.c_str());

  auto gallery = kindred::Gallery::exists(gallery_folder)
                     ? kindred::Gallery::open(gallery_folder, {.model = extractor.model_id()})
                     : kindred::Gallery::create(gallery_folder, extractor.dim(), extractor.model_id());
  add_pictures(folder, extractor, gallery);

  const std::vector<cv::Mat> query{cv::imread(picture.string(), cv::IMREAD_COLOR)};
  const auto matches = gallery.search(extractor.extract(query), {.top = 5}).front();
  std::printf("Kindred %s: the %zu most similar of %lld\n", kindred::version().c_str(), matches.size(),
              static_cast<long long>(gallery.size()));
  for (const auto& match : matches) {
    std::printf("%.4f  %s\n", static_cast<double>(match.similarity), match.id.c_str());
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) {
    std::fprintf(stderr, "usage: find_person MODEL GALLERY FOLDER PICTURE\n");
    return 2;
  }
  try {
    return run(arguments[1], arguments[2], arguments[3], arguments[4]);
  } catch (const kindred::Error& error) {
    // What to change: a file, an option, a plugin.
    std::fprintf(stderr, "%s\n", error.what());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "failed: %s\n", error.what());
  }
  return 1;
}
