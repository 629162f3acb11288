#include "results/domains_file.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "data_files.h"

using namespace kindred;
using namespace kindred::results;
using namespace kindred::test;

TEST_CASE("domains are written in order, read back, and counted by name") {
  const TemporaryFolder folder;
  const auto file = folder / "domains.csv";
  DomainsFile{{{"q/1.png", Split::query, "violet"},
               {"g/a, b.png", Split::gallery, "origin"},
               {"g/2.png", Split::gallery, "violet"}}}
      .write(file);
  CHECK(read_bytes(file) ==
        "path,split,domain\n"
        "q/1.png,query,violet\n"
        "\"g/a, b.png\",gallery,origin\n"
        "g/2.png,gallery,violet\n");
  const auto read = DomainsFile::read(file);
  REQUIRE(read.images.size() == 3);
  CHECK(read.images[1].path == "g/a, b.png");
  CHECK(read.images[1].split == Split::gallery);
  CHECK(read.images[1].domain == "origin");
  const auto domains = read.domains();
  REQUIRE(domains.size() == 2);
  CHECK(domains[0].name == "origin");
  CHECK(domains[0].images == 1);
  CHECK(domains[1].images == 2);
}

TEST_CASE("a table of another program needs no split, and its columns any order") {
  const TemporaryFolder folder;
  const auto read = DomainsFile::read(folder.write("domains.csv", "domain,path\nx,a\n"));
  REQUIRE(read.images.size() == 1);
  CHECK(read.images[0].path == "a");
  CHECK(read.images[0].domain == "x");
  CHECK_FALSE(read.images[0].split);
  read.write(folder / "copy.csv");
  CHECK(read_bytes(folder / "copy.csv") == "path,domain\na,x\n");
}

TEST_CASE("a query that is in the gallery, too, is listed in both splits with one domain") {
  const TemporaryFolder folder;
  const auto file = folder / "domains.csv";
  DomainsFile{{{"a.png", Split::query, "x"}, {"a.png", Split::gallery, "x"}}}.write(file);
  const auto read = DomainsFile::read(file);
  REQUIRE(read.images.size() == 2);
  std::vector<Sample> samples(1);
  samples[0].path = "a.png";
  read.give_to(samples, file);
  CHECK(samples[0].domain == "x");
  folder.write("domains.csv", "path,split,domain\na.png,query,x\na.png,gallery,y\n");
  CHECK(contains(error_of([&] { static_cast<void>(DomainsFile::read(file)); }),
                 "domains.csv:3: error: image 'a.png' is of the domain 'x' in another split"));
  folder.write("domains.csv", "path,split,domain\na.png,query,x\na.png,query,x\n");
  CHECK(contains(error_of([&] { static_cast<void>(DomainsFile::read(file)); }), "is listed twice"));
}

TEST_CASE("a list of domains that is wrong is refused with the line") {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& text) {
    const auto file = folder.write("domains.csv", text);
    return error_of([&] { static_cast<void>(DomainsFile::read(file)); });
  };
  CHECK(contains(refusal("path,domain\na,x\nb,y\na,x\n"), "domains.csv:4: error: image 'a' is listed twice"));
  CHECK(contains(refusal("path,domain\na,\n"), ":2: error: the domain is empty; name the domain"));
  CHECK(contains(refusal("path,domain\n,x\n"), ":2: error: the path is empty; name the image"));
  CHECK(contains(refusal("path,split,domain\na,test,x\n"), ":2: error: split 'test'"));
  CHECK(contains(refusal("path,split\na,query\n"), "domain"));
  CHECK(contains(refusal("path,domains\na,x\n"), "domain"));
}

TEST_CASE("samples get their domains, or none does and the first that is not in the list is named") {
  std::vector<Sample> samples(2);
  samples[0].path = "a.png";
  samples[1].path = "b.png";
  DomainsFile list{{{"a.png", std::nullopt, "x"}}};
  CHECK(contains(error_of([&] { list.give_to(samples, "run/domains.csv"); }),
                 "run/domains.csv: error: has no domain for 'b.png'"));
  CHECK(samples[0].domain.empty());
  list.images.push_back({"b.png", std::nullopt, "y"});
  list.give_to(samples, "run/domains.csv");
  CHECK(samples[0].domain == "x");
  CHECK(samples[1].domain == "y");
}
