#include "application/gallery_log.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/crc.hpp>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <opencv2/core.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kindred/core/random.h"
#include "kindred/search.h"
#include "made_entries.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t record_head = 12;  // mark, size, checksum

/// A record that was changed, with the checksum of what it holds now.
std::string sealed(std::string record) {
  boost::crc_32_type sum;
  sum.process_bytes(record.data() + 4, 4);
  sum.process_bytes(record.data() + record_head, record.size() - record_head);
  const std::uint32_t checksum = sum.checksum();
  std::memcpy(record.data() + 8, &checksum, sizeof checksum);
  return record;
}

}  // namespace

TEST_CASE("a log that is cut off anywhere loses the record that was cut, with a note, and no other") {
  const TemporaryFolder folder;
  std::vector<std::uintmax_t> ends;
  {
    auto gallery = Gallery::create(folder / "whole", made_dim);
    const auto end = [&] { ends.push_back(fs::file_size(folder / "whole/gallery.log")); };
    end();
    for (std::uint64_t i = 0; i < 3; ++i) {
      gallery.add("id" + std::to_string(i), made_row(i));
      end();
    }
  }
  const auto bytes = read_bytes(folder / "whole/gallery.log");
  for (auto length = ends[0]; length <= bytes.size(); ++length) {
    CAPTURE(length);
    fs::remove_all(folder / "cut");
    folder.write("cut/gallery.log", bytes.substr(0, length));
    const auto whole = static_cast<std::int64_t>(
        std::count_if(ends.begin(), ends.end(), [&](auto end) { return end <= length; }) - 1);
    const bool exact = std::find(ends.begin(), ends.end(), length) != ends.end();
    {
      auto gallery = Gallery::open(folder / "cut");
      CHECK(gallery.size() == whole);
      CHECK(gallery.notes().size() == (exact ? 0 : 1));
      gallery.add("after", made_row(20));
    }
    const auto again = Gallery::open(folder / "cut", {.read_only = true});
    CHECK(again.notes().empty());
    CHECK(again.size() == whole + 1);
    CHECK(again.contains("after"));
  }
  for (std::size_t length = 0; length < ends[0]; ++length) {
    folder.write("head/gallery.log", bytes.substr(0, length));
    CHECK(error_of([&] {
            static_cast<void>(Gallery::open(folder / "head"));
          }).find("its beginning is damaged") != std::string::npos);
  }
}

TEST_CASE("damage before the end is an error that changes nothing, or is left out when that is asked for") {
  const TemporaryFolder folder;
  {
    auto gallery = Gallery::create(folder / "gallery", made_dim);
    for (std::uint64_t i = 0; i < 5; ++i) gallery.add("id" + std::to_string(i), made_row(i));
  }
  const auto log = folder / "gallery/gallery.log";
  const auto whole = read_bytes(log);
  const auto second = whole.find("id1");
  RandomStream random(1);
  for (int i = 0; i < 60; ++i) {
    // Anywhere in the records of id1 and id2.
    auto bytes = whole;
    const auto at = second - 10 + static_cast<std::size_t>(random.integer(0, 120));
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.integer(0, 7)));
    CAPTURE(at);
    write_bytes(log, bytes);
    CHECK(error_of([&] { static_cast<void>(Gallery::open(folder / "gallery")); }).find("is damaged: the ") !=
          std::string::npos);
    CHECK(read_bytes(log) == bytes);
    const auto gallery = Gallery::open(folder / "gallery", {.read_only = true, .skip_damaged = true});
    CHECK(gallery.size() >= 3);
    CHECK(gallery.size() <= 4);
    REQUIRE(gallery.notes().size() >= 1);
    CHECK(gallery.notes()[0].starts_with("warning: "));
    for (const auto& id : gallery.ids()) {
      CHECK(cv::norm(gallery.descriptor(id), made_row(std::stoul(id.substr(2))), cv::NORM_INF) < 1e-6);
    }
  }
  // The copy has the end too, which opening the log cuts off.
  write_bytes(log, read_bytes(log) + "a record that was never finished");
  const auto damaged = read_bytes(log);
  { const auto repaired = Gallery::open(folder / "gallery", {.skip_damaged = true}); }
  CHECK(read_bytes(folder / "gallery/gallery.log.damaged") == damaged);
  CHECK(Gallery::open(folder / "gallery").notes().empty());
}

TEST_CASE("the copy of a damaged log is not replaced by that of a later damage, nor made twice") {
  const TemporaryFolder folder;
  const auto log = folder / "gallery/gallery.log";
  const auto damaged_at = [&](const std::string& id) {
    auto bytes = read_bytes(log);
    bytes.at(bytes.find(id)) ^= 1;
    write_bytes(log, bytes);
    return bytes;
  };
  {
    auto gallery = Gallery::create(folder / "gallery", made_dim);
    gallery.add(made_ids(0, 5), made_rows(0, 5));
  }
  const auto first = damaged_at("id1");
  { const auto repaired = Gallery::open(folder / "gallery", {.skip_damaged = true}); }
  // As if that had ended before the log was written again.
  write_bytes(log, first);
  { const auto repaired = Gallery::open(folder / "gallery", {.skip_damaged = true}); }
  CHECK(!fs::exists(folder / "gallery/gallery.log.damaged.2"));
  const auto second = damaged_at("id3");
  const auto gallery = Gallery::open(folder / "gallery", {.skip_damaged = true});
  CHECK(gallery.ids() == std::vector<std::string>{"id0", "id2", "id4"});
  CHECK(gallery.notes().back().ends_with("gallery.log.damaged.2"));
  CHECK(read_bytes(folder / "gallery/gallery.log.damaged") == first);
  CHECK(read_bytes(folder / "gallery/gallery.log.damaged.2") == second);
}

TEST_CASE("a whole record of a kind that only a later Kindred knows is an error that says so") {
  const TemporaryFolder folder;
  {
    auto gallery = Gallery::create(folder / "gallery", made_dim);
    gallery.add("a", made_row(1));
  }
  auto record = application::remove_record("a");
  record[record_head] = 77;
  record = sealed(std::move(record));
  const auto log = folder / "gallery/gallery.log";
  write_bytes(log, read_bytes(log) + record);
  const auto message = error_of([&] { static_cast<void>(Gallery::open(folder / "gallery")); });
  CAPTURE(message);
  CHECK(message.find("holds a record that this Kindred does not understand: " +
                     std::to_string(record.size()) + " bytes at ") != std::string::npos);
  const auto gallery = Gallery::open(folder / "gallery", {.read_only = true, .skip_damaged = true});
  CHECK(gallery.size() == 1);
}

TEST_CASE("a descriptor that is not of length 1 is damage, although its checksum is right") {
  const TemporaryFolder folder;
  const auto log = folder / "gallery/gallery.log";
  const auto record = [](const std::string& id, const cv::Mat& row, const EntryInfo& info = {}) {
    std::string bytes;
    application::append_add_record(bytes, id, info, row.ptr<float>(), made_dim);
    return bytes;
  };
  const auto begin = application::begin_record(made_dim, "");
  const auto before = record("a", made_row(1));
  const auto after = record("c", made_row(3));
  auto broken = made_row(2);
  std::vector<cv::Mat> rows{made_row(2) * 1e20, made_row(2) * 1.00001, cv::Mat::zeros(1, made_dim, CV_32F)};
  for (const float number :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    broken.at<float>(3) = number;
    rows.push_back(broken.clone());
  }
  for (const auto& row : rows) {
    CAPTURE(row);
    const auto damaged = record("b", row);
    const auto where =
        std::to_string(damaged.size()) + " bytes at " + std::to_string(begin.size() + before.size());
    // Also as the last one: it was finished.
    for (const auto& rest : {after, std::string()}) {
      folder.write("gallery/gallery.log", begin + before + damaged + rest);
      CHECK(error_of([&] { static_cast<void>(Gallery::open(folder / "gallery")); }) ==
            log.string() + ": error: is damaged: the " + where +
                " hold a descriptor that is not of length 1; restore it from a copy, or open it with "
                "skip_damaged, which leaves them out");
      for (const bool in_memory : {true, false}) {
        const auto gallery = Gallery::open(folder / "gallery",
                                           {.read_only = true, .in_memory = in_memory, .skip_damaged = true});
        CHECK(gallery.size() == (rest.empty() ? 1 : 2));
        CHECK_FALSE(gallery.contains("b"));
        CHECK(gallery.notes() == std::vector<std::string>{"warning: " + log.string() +
                                                          " is damaged: " + where + " are left out"});
        const auto match = gallery.search(made_row(1), {.top = 1})[0].at(0);
        CHECK(match.id == "a");
        CHECK(match.similarity == doctest::Approx(1).epsilon(1e-6));
      }
    }
  }
  // A repaired gallery is whole.
  { const auto repaired = Gallery::open(folder / "gallery", {.skip_damaged = true}); }
  CHECK(Gallery::open(folder / "gallery").notes().empty());

  // As texts that add() would not have taken.
  const std::string foreign = "\xE9.jpg";
  for (const auto& bytes : {record(foreign, made_row(2)), record("b", made_row(2), {.label = foreign}),
                            record("b", made_row(2), {.image = foreign})}) {
    folder.write("gallery/gallery.log", begin + before + bytes + after);
    CHECK(error_of([&] {
            static_cast<void>(Gallery::open(folder / "gallery"));
          }).find("holds a record that this Kindred does not understand") != std::string::npos);
    CHECK(Gallery::open(folder / "gallery", {.read_only = true, .skip_damaged = true}).size() == 2);
  }
}

TEST_CASE("of an id that a foreign writer has put into a log twice, the later entry counts") {
  const TemporaryFolder folder;
  auto bytes = application::begin_record(made_dim, "");
  for (const auto& [id, number] :
       std::vector<std::pair<std::string, std::uint64_t>>{{"a", 1}, {"b", 2}, {"a", 3}}) {
    application::append_add_record(bytes, id, {}, made_row(number).ptr<float>(), made_dim);
  }
  folder.write("gallery/gallery.log", bytes + application::remove_record("nobody"));
  for (const bool in_memory : {true, false}) {
    const auto gallery = Gallery::open(folder / "gallery", {.read_only = true, .in_memory = in_memory});
    CHECK(gallery.notes().empty());
    CHECK(gallery.size() == 2);
    CHECK(gallery.ids() == std::vector<std::string>{"b", "a"});
    CHECK(cv::norm(gallery.descriptor("a"), made_row(3), cv::NORM_INF) < 1e-6);
    CHECK(gallery.search(made_row(1), {.top = 9})[0].size() == 2);
  }
}

TEST_CASE("a log that is put in the place of another changes nothing for whoever reads that") {
  const TemporaryFolder folder;
  const auto log = folder / "gallery/gallery.log";
  {
    auto gallery = Gallery::create(folder / "gallery", made_dim);
    gallery.add(made_ids(0, 3), made_rows(0, 3));
    gallery.remove("id0");
  }
  const application::LogReader reader(log);
  { Gallery::open(folder / "gallery").compact(); }
  CHECK(fs::file_size(log) < reader.size());
  std::vector<std::string> ids;
  std::vector<std::uint64_t> positions;
  application::LogVisitor visitor;
  visitor.begin = [](std::int64_t dim, const std::string&) { CHECK(dim == made_dim); };
  visitor.add = [&](std::string id, const EntryInfo&, const float*, std::uint64_t position) {
    ids.push_back(std::move(id));
    positions.push_back(position);
  };
  visitor.remove = [](const std::string& id) { CHECK(id == "id0"); };
  CHECK(application::read_log(reader, false, visitor).end == reader.size());
  CHECK(ids == made_ids(0, 3));
  for (std::uint64_t i = 0; i < positions.size(); ++i) {
    cv::Mat row(1, made_dim, CV_32F);
    reader.read(positions[i], row.data, made_dim * sizeof(float));
    CHECK(cv::norm(row, made_row(i), cv::NORM_INF) < 1e-6);
  }
}

TEST_CASE("a gallery that is opened while it is written again gives the descriptors of its entries") {
  const TemporaryFolder folder;
  constexpr std::uint64_t count = 10'000;
  auto gallery = Gallery::create(folder / "gallery", made_dim);
  gallery.add(made_ids(0, count), made_rows(0, count));
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    // Each time all entries change places.
    for (std::uint64_t i = 0; !stop; i = (i + 1) % count) {
      const auto id = "id" + std::to_string(i);
      gallery.remove(id);
      gallery.add(id, made_row(i));
      gallery.compact();
    }
  });
  double largest = 0;
  for (int round = 0; round < 20; ++round) {
    const auto reader = Gallery::open(folder / "gallery", {.read_only = true, .in_memory = false});
    for (std::uint64_t i = 0; i < count; i += 487) {
      const auto id = "id" + std::to_string(i);
      // It may be between being removed and added again.
      if (!reader.contains(id)) continue;
      largest = std::max(largest, cv::norm(reader.descriptor(id), made_row(i), cv::NORM_INF));
    }
  }
  stop = true;
  writer.join();
  CHECK(largest < 1e-6);
}

TEST_CASE(
    "a log in which every place pretends to be a record is refused in the time that it takes to read it") {
  const TemporaryFolder folder;
  { const auto gallery = Gallery::create(folder / "gallery", made_dim); }
  const auto log = folder / "gallery/gallery.log";
  // Of 12 MB, with a place every 12 bytes that claims the 4 MB after it, whose checksum says that they are
  // not its own.
  std::string pretended = "KGR1";
  const std::uint32_t claimed = 4'000'000;
  pretended.append(reinterpret_cast<const char*>(&claimed), sizeof claimed);
  pretended += "sum!";
  std::string bytes = read_bytes(log);
  for (int i = 0; i < 1'000'000; ++i) bytes += pretended;
  write_bytes(log, bytes);
  const auto begin = std::chrono::steady_clock::now();
  for (const bool skip : {false, true}) {
    CHECK(error_of([&] {
            static_cast<void>(Gallery::open(folder / "gallery", {.read_only = true, .skip_damaged = skip}));
          }).find("gallery.log: error: is damaged: at too many places before byte ") != std::string::npos);
  }
  // A few seconds; to look at what each place claims would take an hour.
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
  CHECK(read_bytes(log) == bytes);
}

TEST_CASE("a log of a later version or of nonsense is refused") {
  const TemporaryFolder folder;
  folder.write("a/gallery.log", "");
  CHECK(error_of([&] {
          static_cast<void>(Gallery::open(folder / "a"));
        }).find("is not the log of a gallery") != std::string::npos);
  RandomStream random(2);
  std::string noise(5000, '\0');
  for (auto& byte : noise) byte = static_cast<char>(random.integer(0, 255));
  folder.write("b/gallery.log", noise);
  CHECK(error_of([&] {
          static_cast<void>(Gallery::open(folder / "b"));
        }).find("is not the log of a gallery") != std::string::npos);
  auto begin = application::begin_record(made_dim, "");
  const std::uint32_t later = 2;
  std::memcpy(begin.data() + record_head + 1, &later, sizeof later);  // behind the kind of record
  folder.write("c/gallery.log", sealed(std::move(begin)));
  CHECK(error_of([&] {
          static_cast<void>(Gallery::open(folder / "c"));
        }).find("gallery.log: error: is of version 2 of a gallery's log, but this Kindred reads 1; ") !=
        std::string::npos);
}

TEST_CASE("a full disk refuses an addition and keeps what was there") {
  const TemporaryFolder folder;
  auto gallery = Gallery::create(folder / "gallery", made_dim);
  gallery.add("first", made_row(1));
  const auto size = fs::file_size(folder / "gallery/gallery.log");
  // A limit for the size of files, as a full disk: the record fits in part.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto old = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{size + 20, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto refused = error_of([&] { gallery.add("second", made_row(2)); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, old);
  CHECK(refused.find("gallery.log: error: cannot be written: ") != std::string::npos);
  CHECK(refused.ends_with("; nothing was added"));
  CHECK(gallery.size() == 1);
  CHECK(fs::file_size(folder / "gallery/gallery.log") == size);
  gallery.add("second", made_row(2));
  CHECK(gallery.search(made_row(2), {.top = 1})[0][0].id == "second");
}

/// What a child that is to be killed needs to know, in its environment.
constexpr const char* child_folder = "KINDRED_TEST_GALLERY";
constexpr const char* child_first = "KINDRED_TEST_FIRST";
constexpr int child_channel = 9;

/// Run by the case below, in a process of its own.
TEST_CASE("a child adds until it is killed" * doctest::skip()) {
  const char* folder = std::getenv(child_folder);
  const char* first = std::getenv(child_first);
  REQUIRE(folder != nullptr);
  REQUIRE(first != nullptr);
  auto gallery = Gallery::exists(folder) ? Gallery::open(folder) : Gallery::create(folder, made_dim, "m");
  for (auto i = std::stoull(first);; i += 2) {
    gallery.add(made_ids(i, 2), made_rows(i, 2));
    if (i % 20 == 0) gallery.flush();
    if (i % 200 == 100) gallery.compact();
    const std::uint64_t count = i + 2;
    if (::write(child_channel, &count, sizeof count) != sizeof count) return;
  }
}

TEST_CASE("after kill -9 everything that was added is there, and nothing else is damaged") {
  const TemporaryFolder folder;
  const auto gallery_folder = folder / "gallery";
  std::uint64_t there = 0;
  for (int round = 0; round < 5 && there % 2 == 0; ++round) {
    CAPTURE(round);
    ::setenv(child_folder, gallery_folder.c_str(), 1);
    ::setenv(child_first, std::to_string(there).c_str(), 1);
    std::array<int, 2> channel{};
    REQUIRE(::pipe(channel.data()) == 0);
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::dup2(channel[1], child_channel);
      ::close(channel[0]);
      ::execl("/proc/self/exe", "gallery_log_test", "--no-skip", "-tc=a child adds until it is killed",
              nullptr);
      ::_exit(1);
    }
    ::close(channel[1]);
    // At another moment each time, in the middle of what it does then.
    std::uint64_t count = 0;
    std::uint64_t said = 0;
    for (int i = 0; i < 40 + 31 * round && ::read(channel[0], &said, sizeof said) == sizeof said; ++i)
      count = said;
    std::this_thread::sleep_for(std::chrono::microseconds(137 * round));
    ::kill(child, SIGKILL);
    while (::read(channel[0], &said, sizeof said) == sizeof said) count = said;
    ::close(channel[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));

    const auto gallery = Gallery::open(gallery_folder);
    CHECK(count > there);
    CHECK(gallery.size() >= static_cast<std::int64_t>(count));
    CHECK(gallery.size() <= static_cast<std::int64_t>(count) + 2);
    const auto ids = gallery.ids();
    for (std::uint64_t i = 0; i < ids.size(); ++i) {
      REQUIRE(ids[i] == "id" + std::to_string(i));
      CHECK(cv::norm(gallery.descriptor(ids[i]), made_row(i), cv::NORM_INF) < 1e-6);
    }
    // Of two that were being added one may be there alone: then the numbers no longer fit the child's.
    there = ids.size();
  }
}

TEST_CASE("a gallery that is mostly removed is written again, smaller, and stays the same") {
  const TemporaryFolder folder;
  const auto log = folder / "gallery/gallery.log";
  constexpr int dim = 256;
  {
    auto gallery = Gallery::create(folder / "gallery", dim);
    gallery.add(made_ids(0, 2000), made_rows(0, 2000, dim));
    for (const auto& id : made_ids(0, 1500)) gallery.remove(id);
  }
  const auto before = fs::file_size(log);
  {
    auto gallery = Gallery::open(folder / "gallery");
    CHECK(gallery.size() == 500);
    CHECK(fs::file_size(log) < before / 3);
    CHECK(gallery.search(made_row(1700, dim), {.top = 1})[0][0].id == "id1700");
    gallery.add("new", made_row(1, dim));
    gallery.remove("id1999");
    gallery.compact();
    CHECK(gallery.search(made_row(1, dim), {.top = 1})[0][0].id == "new");
  }
  const auto again = Gallery::open(folder / "gallery", {.read_only = true, .in_memory = false});
  CHECK(again.size() == 500);
  CHECK(again.search(made_row(1700, dim), {.top = 1})[0][0].id == "id1700");
}

TEST_CASE("a gallery that cannot be written again for want of room is opened as it is, with a note") {
  const TemporaryFolder folder;
  const auto log = folder / "gallery/gallery.log";
  constexpr int dim = 256;
  {
    auto gallery = Gallery::create(folder / "gallery", dim);
    gallery.add(made_ids(0, 2000), made_rows(0, 2000, dim));
    for (const auto& id : made_ids(0, 1500)) gallery.remove(id);
  }
  const auto before = read_bytes(log);
  const auto opened = [&](std::uint64_t most_bytes) {
    rlimit usual{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &usual) == 0);
    const auto old = ::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{most_bytes, usual.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    std::vector<Gallery> result;
    const auto error = error_of([&] { result.push_back(Gallery::open(folder / "gallery")); });
    ::setrlimit(RLIMIT_FSIZE, &usual);
    ::signal(SIGXFSZ, old);
    CHECK(error == "");
    REQUIRE(result.size() == 1);
    return std::move(result[0]);
  };
  auto gallery = opened(100'000);
  const auto notes = gallery.notes();
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].starts_with("what was removed is still in the log, which cannot be written again"));
  CHECK(notes[0].find("gallery.log: error: cannot be written: ") != std::string::npos);
  CHECK(read_bytes(log) == before);
  CHECK(gallery.size() == 500);
  gallery.add("new", made_row(1, dim));
  CHECK(gallery.search(made_row(1, dim), {.top = 1})[0][0].id == "new");
  gallery.compact();
  CHECK(fs::file_size(log) < before.size() / 3);
  CHECK(gallery.search(made_row(1700, dim), {.top = 1})[0][0].id == "id1700");
}
