// Lists of images: CSV tables, and the files of data sets.
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "cuhk03.h"
#include "file/sample_list.h"
#include "folder.h"
#include "ilids_vid.h"
#include "kindred/core/sample.h"
#include "kindred/role/dataset.h"
#include "kindred/text/csv.h"
#include "kindred/text/image_list.h"
#include "kindred/text/mat_file.h"
#include "ltcc.h"
#include "made_mat_file.h"
#include "manifest.h"
#include "market1501.h"
#include "mars.h"
#include "msmt17.h"
#include "naic.h"
#include "person_folders.h"
#include "prcc.h"
#include "results/domains_file.h"
#include "results/labels_file.h"
#include "results/matches_file.h"
#include "target/targets.h"
#include "vehicleid.h"
#include "veri776.h"

namespace kindred::fuzz {
namespace {

namespace fs = std::filesystem;

bool accepts_csv(const std::string& bytes) {
  const auto file = fuzz_file("table.csv", bytes);
  std::vector<CsvRow> rows;
  const bool streamed = passes([&] {
    CsvReader reader(file);
    for (CsvRow row; reader.next(row);) rows.push_back(row);
  });
  const bool whole = passes([&] {
    const auto table = CsvTable::read(file);
    std::ostringstream out;
    write_csv_row(out, table.header());
    for (const auto& row : table.rows()) write_csv_row(out, row.cells);
    const auto again = CsvTable::parse(out.str(), "again.csv");
    require(again.header() == table.header(), "a header that was written is read as another one");
    require(again.rows().size() == table.rows().size(), "rows that were written are not read");
    for (std::size_t i = 0; i < table.rows().size(); ++i) {
      require(again.rows()[i].cells == table.rows()[i].cells,
              "a row that was written is read as another one");
    }
    if (streamed) require(rows.size() == table.rows().size(), "a table read by rows is another one");
  });
  require(whole == streamed, "a table can be read by rows or whole, but not both");
  return whole;
}

bool same_samples(const std::vector<Sample>& some, const std::vector<Sample>& others) {
  const auto all_of = [](const Sample& sample) {
    return std::tie(sample.path, sample.identity, sample.camera, sample.domain, sample.split, sample.clothes,
                    sample.view, sample.tracklet);
  };
  return std::equal(some.begin(), some.end(), others.begin(), others.end(),
                    [&](const Sample& one, const Sample& other) { return all_of(one) == all_of(other); });
}

bool accepts_sample_list(const std::string& bytes) {
  const auto file = fuzz_file("list.csv", bytes);
  const auto copy = fuzz_folder() / "copy.csv";
  bool accepted = passes([&] {
    const auto samples = file::read_sample_list(file);
    file::write_sample_list(copy, samples);
    require(same_samples(file::read_sample_list(copy), samples),
            "samples that were written are read as others");
  });
  accepted |= passes([&] {
    const auto labels = results::LabelsFile::read(file);
    labels.write(copy);
    require(same_samples(results::LabelsFile::read(copy).samples, labels.samples),
            "labels that were written are read as others");
  });
  accepted |= passes([&] {
    results::DomainsFile::read(file).write(copy);
    const auto domains = content_of_file(copy);
    results::DomainsFile::read(copy).write(copy);
    require(content_of_file(copy) == domains, "domains that were written are read as others");
  });
  accepted |= passes([&] {
    results::MatchesReader reader(file);
    for (results::QueryMatches matches; reader.next(matches);) {
    }
  });
  const manifest::Manifest manifest({.root = file}, {});
  static_cast<void>(manifest.recognize());
  accepted |= passes([&] { static_cast<void>(manifest.samples()); });
  return accepted;
}

bool accepts_name_list(const std::string& bytes) {
  const auto file = fuzz_file("list.txt", bytes);
  const bool names = passes([&] { static_cast<void>(read_name_list(file)); });
  return passes([&] { static_cast<void>(read_numbered_list(file)); }) || names;
}

bool accepts_mat(const std::string& bytes) {
  const auto file = fuzz_file("variables.mat", bytes);
  return passes([&] {
    for (const auto& [name, numbers] : read_mat_file(file).numbers) {
      require(numbers.values.size() == numbers.rows * numbers.columns,
              "an array has another size than it says");
    }
  });
}

/// Readers of a folder: whether each accepts it.
using Readers = std::vector<bool (*)(const fs::path&)>;

bool any_accepts(const Readers& readers, const fs::path& root) {
  bool accepted = false;
  for (const auto accepts : readers) accepted |= accepts(root);
  return accepted;
}

/// The seeds, of which each reader accepts one.
std::vector<std::string> seeds_for(const Readers& readers, Files (*files_of)(const std::string&),
                                   std::vector<std::string> seeds) {
  for (const auto accepts : readers) {
    require(std::any_of(seeds.begin(), seeds.end(),
                        [&](const std::string& seed) {
                          const FilesOnDisk disk(files_of(seed));
                          return accepts(disk.folder());
                        }),
            "a data set accepts none of the seeds");
  }
  return seeds;
}

/// A list of a data set's images is read again as it is.
void require_read_again(const std::vector<Sample>& samples) {
  const auto list = fuzz_folder() / "copy.csv";
  file::write_sample_list(list, samples);
  std::vector<Sample> again;
  require(passes([&] { again = file::read_sample_list(list); }), "a list that was written cannot be read");
  require(same_samples(again, samples), "a list that was written is read as another one");
}

template <class Set>
bool accepts_data(const fs::path& root, typename Set::Params params = {}) {
  params.root = root;
  const Set set(params, {});
  static_cast<void>(set.recognize());
  return passes([&] { require_read_again(set.samples()); });
}

template <cuhk03::Protocol protocol>
bool accepts_cuhk03(const fs::path& root) {
  cuhk03::Cuhk03::Params params;
  params.protocol = protocol;
  return accepts_data<cuhk03::Cuhk03>(root, params);
}

/// Of folders with all that they say in files beside the images.
const Readers folder_readers = {
    [](const fs::path& root) { return accepts_data<naic::Naic>(root); },
    [](const fs::path& root) { return accepts_data<msmt17::Msmt17>(root); },
    [](const fs::path& root) { return accepts_data<vehicles::Veri776>(root); },
    [](const fs::path& root) { return accepts_data<vehicles::VehicleId>(root); },
    [](const fs::path& root) { return accepts_data<video::Mars>(root); },
    [](const fs::path& root) { return accepts_data<video::IlidsVid>(root); },
    accepts_cuhk03<cuhk03::Protocol::new_767>,
    accepts_cuhk03<cuhk03::Protocol::classic>,
};

bool accepts_data_folder(const std::string& bytes) {
  const FilesOnDisk disk(split_files(bytes));
  return any_accepts(folder_readers, disk.folder());
}

/// Whether names may lie below a folder: names of at most 255 bytes, and none that leads out of it.
bool is_path_below(const std::string& path) {
  constexpr std::size_t longest_path = 300;
  constexpr std::size_t longest_name = 255;
  if (path.empty() || path.size() > longest_path) return false;
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto name = path.substr(at, end - at);
    if (name.empty() || name.size() > longest_name || name == "." || name == "..") return false;
    at = end + 1;
  }
  return true;
}

/// Whether a data set can be read, each of whose images is there once, and whose list is read again as it is.
template <class Set>
bool reads_names(const fs::path& root, typename Set::Params params = {}) {
  params.root = root;
  const Set set(params, {});
  static_cast<void>(set.recognize());
  return passes([&] {
    const auto samples = set.samples();
    std::set<std::pair<Split, std::string>> seen;
    for (const auto& sample : samples) {
      require(fs::exists(root / sample.path), "an image is listed that is not there");
      require(seen.emplace(sample.split, sample.path).second, "an image is listed twice");
    }
    require_read_again(samples);
  });
}

template <bool with_cameras>
bool reads_person_folders(const fs::path& root) {
  person_folders::PersonFolders::Params params;
  if (!with_cameras) params.camera = "";
  return reads_names<person_folders::PersonFolders>(root, params);
}

/// Of data sets that know an image by its name.
const Readers name_readers = {
    [](const fs::path& root) { return reads_names<market1501::Market1501>(root); },
    [](const fs::path& root) { return reads_names<cloth_changing::Ltcc>(root); },
    [](const fs::path& root) { return reads_names<cloth_changing::Prcc>(root); },
    [](const fs::path& root) { return reads_names<folder::Folder>(root); },
    reads_person_folders<true>,
    reads_person_folders<false>,
};

/// Empty files of these paths, with a zero byte after each.
Files files_named(const std::string& bytes) {
  constexpr std::size_t most = 24;
  Files files;
  for (std::size_t at = 0; at < bytes.size() && files.size() < most;) {
    const auto end = std::min(bytes.find('\0', at), bytes.size());
    const auto path = bytes.substr(at, end - at);
    if (is_path_below(path)) files[path] = "";
    at = end + 1;
  }
  return files;
}

bool accepts_file_names(const std::string& bytes) {
  const FilesOnDisk disk(files_named(bytes));
  return any_accepts(name_readers, disk.folder());
}

std::vector<std::string> csv_seeds() {
  return {"path,split,identity\na.jpg,train,1\n\"b, \"\"c\"\".jpg\",query,2\n",
          "sep=;\na;b\r\n1;\"x\ny\"\r\n",
          "\xEF\xBB\xBF"
          "a\tb\n \xC3\xA4 \t\n"};
}

std::vector<std::string> sample_list_seeds() {
  return {
      "path,identity,camera,domain,split,clothes,view,tracklet\na.jpg,person_1,c2,night,query,1,2,t\n"
      "b.jpg,,,,gallery,,,\n",
      "path,identity\na.jpg,17.0\nb.jpg,-1\n", "path,split,domain\na.jpg,train,day\nb.jpg,query,night\n",
      "query_path,rank,gallery_path,similarity,query_identity,gallery_identity\nq.jpg,1,a.jpg,0.5,1,\n"
      "q.jpg,2,b.jpg,-0.25,1,2\nr.jpg,1,a.jpg,1e-3,,\n"};
}

std::vector<std::string> name_list_seeds() {
  return {"a.jpg\nb c.jpg\n", "0000/0000_000_01.jpg 0\nb c.jpg\t17 \r\n"};
}

std::vector<std::string> mat_seeds() {
  using namespace test;
  const std::vector<std::string> variables{mat_numbers("labels", {1, 2, 300000}),
                                           mat_texts("filelist", {"a.png", "bc.png"}),
                                           mat_matrix("track", {{1, 2}, {3, 4}})};
  return {mat_file(variables), mat_file(variables, true)};
}

std::vector<std::string> data_folder_seeds() {
  using namespace test;
  return seeds_for(
      folder_readers, split_files,
      {
          join_files({{"train/image/1.png", ""},
                      {"train/label/train_list.txt", "train/1.png 3\n"},
                      {"query_a/q.png", ""},
                      {"gallery_a/g.png", ""}}),
          join_files({{"list_train.txt", "0000/0000_000_01_0303morning_0008_0_ex.jpg 0\n"},
                      {"list_val.txt", "0000/0000_000_01_0303morning_0008_0_ex.jpg 0\n"},
                      {"train/0000/0000_000_01_0303morning_0008_0_ex.jpg", ""}}),
          join_files({{"image_train/0002_c002_00030600_0.jpg", ""},
                      {"name_train.txt", "0002_c002_00030600_0.jpg\n"},
                      {"keypoint_train.txt", "x/0002_c002_00030600_0.jpg 1 2 7\n"}}),
          join_files(
              {{"image/1.jpg", ""}, {"image/2.jpg", ""}, {"train_test_split/train_list.txt", "1 5\n2 5\n"}}),
          join_files(
              {{"bbox_train/0001/0001C1T0001F001.jpg", ""},
               {"info/train_name.txt", "0001C1T0001F001.jpg\n"},
               {"info/tracks_train_info.mat", mat_file({mat_matrix("track_train_info", {{1, 1, 1, 1}})})}}),
          join_files(
              {{"images_detected/1_001_1_01.png", ""},
               {"images_detected/1_001_2_06.png", ""},
               {"splits_new_detected.json",
                "[{\"train\": [[\"1_001_1_01.png\", 0, 1]], \"query\": [[\"a/1_001_2_06.png\", 1, 0]], "
                "\"gallery\": [[\"1_001_2_06.png\", 1, 1]]}]"}}),
          join_files({{"images_detected/1_001_1_01.png", ""},
                      {"images_detected/1_001_2_06.png", ""},
                      {"cuhk03_new_protocol_config_detected.mat",
                       mat_file({mat_texts("filelist", {"1_001_1_01.png", "1_001_2_06.png"}),
                                 mat_numbers("labels", {1, 2}), mat_numbers("train_idx", {1}),
                                 mat_numbers("query_idx", {2}), mat_numbers("gallery_idx", {2})})}}),
          join_files({{"images_detected/1_001_1_01.png", ""},
                      {"images_detected/1_001_2_06.png", ""},
                      {"splits_classic_detected.json",
                       "[{\"train\": [], \"query\": [[\"1_001_1_01.png\", 1, 0]], "
                       "\"gallery\": [[\"1_001_2_06.png\", 1, 1]]}]"}}),
          join_files(
              {{"sequences/cam1/person001/1.png", ""},
               {"sequences/cam2/person001/2.png", ""},
               {"sequences/cam1/person002/3.png", ""},
               {"sequences/cam2/person002/4.png", ""},
               {"train_test_splits_ilidsvid.mat", mat_file({mat_matrix("ls_set", {{2, 1}, {1, 2}})})}}),
      });
}

std::vector<std::string> file_names_seeds() {
  const auto joined = [](const std::vector<std::string>& paths) {
    std::string bytes;
    for (const auto& path : paths) bytes += path + '\0';
    return bytes;
  };
  return seeds_for(
      name_readers, files_named,
      {
          joined({"bounding_box_train/0002_c1s1_000451_03.jpg", "query/0001_c2_f0046182.jpg",
                  "bounding_box_test/0001_c3_1.jpg", "bounding_box_test/-1_c1s1_000401_03.jpg",
                  "bounding_box_test/0000_c14_0002.jpg"}),
          joined({"train/094_1_c9_015833.png", "query/095_2_c1_000001.png", "test/095_3_c2_000002.png"}),
          joined({"rgb/train/001/A_cropped_rgb041.jpg", "rgb/test/A/002/cropped_rgb001.jpg",
                  "rgb/test/B/002/cropped_rgb002.jpg", "rgb/test/C/002/cropped_rgb003.jpg"}),
          joined({"Train/0017/c1_a.jpg", "Train/0018/cam2/b.jpg", "test/0019/c1.jpg", "test/0019/c2.jpg"}),
          joined({"alice/cam1_1.jpg", "alice/cam2_2.jpg", "bob/cam1_3.jpg", "-1/cam1_4.jpg"}),
          joined({"a, \"b\".JPG", "deep/two\nlines.png", "\xC3\xA4 .webp", "sep=;.jpg"}),
      });
}

}  // namespace

void add_table_targets(std::vector<FuzzTarget>& targets) {
  targets.push_back({"csv", accepts_csv, csv_seeds});
  targets.push_back({"sample_list", accepts_sample_list, sample_list_seeds});
  targets.push_back({"name_list", accepts_name_list, name_list_seeds});
  targets.push_back({"mat", accepts_mat, mat_seeds});
  targets.push_back({"data_folder", accepts_data_folder, data_folder_seeds});
  targets.push_back({"file_names", accepts_file_names, file_names_seeds});
}

}  // namespace kindred::fuzz
