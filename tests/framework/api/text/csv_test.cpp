#include "kindred/text/csv.h"

#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "data_files.h"

using namespace kindred;
using namespace kindred::test;

namespace {

CsvTable parse(const std::string& text) {
  return CsvTable::parse(text, "list.csv");
}

std::string refusal(const std::string& text) {
  return error_of([&] { (void)parse(text); });
}

using Cells = std::vector<std::string>;

}  // namespace

TEST_CASE("rows know their cells and the line they begin in") {
  const CsvTable table = parse("a,b\n1,2\n\n\"x\ny\",3\n4,\n");
  CHECK(table.header() == Cells{"a", "b"});
  REQUIRE(table.rows().size() == 3);
  CHECK(table.rows()[0].cells == Cells{"1", "2"});
  CHECK(table.rows()[0].line == 2);
  CHECK(table.rows()[1].cells == Cells{"x\ny", "3"});
  CHECK(table.rows()[1].line == 4);
  CHECK(table.rows()[2].cells == Cells{"4", ""});
  CHECK(table.rows()[2].line == 6);
}

TEST_CASE("a byte order mark, CRLF and a missing last line break are accepted") {
  const CsvTable table = parse(
      "\xEF\xBB\xBF"
      "path,split\r\na b.jpg,train\r\n\r\n\"c,d\",\"say \"\"hi\"\"\"");
  CHECK(table.header() == Cells{"path", "split"});
  REQUIRE(table.rows().size() == 2);
  CHECK(table.rows()[0].cells == Cells{"a b.jpg", "train"});
  CHECK(table.rows()[1].cells == Cells{"c,d", "say \"hi\""});
  CHECK(table.rows()[1].line == 4);
}

TEST_CASE("a reader gives the rows of the table one by one") {
  const TemporaryFolder folder;
  const auto file = folder.write("list.csv",
                                 "\xEF\xBB\xBF"
                                 "a,b\r\n1,2\r\n\n\"x\ny\",3\n4,");
  const CsvTable table = CsvTable::read(file);
  CsvReader reader(file);
  CHECK(reader.table().header() == table.header());
  CHECK(reader.table().rows().empty());
  CsvRow row;
  for (const auto& expected : table.rows()) {
    REQUIRE(reader.next(row));
    CHECK(row.cells == expected.cells);
    CHECK(row.line == expected.line);
  }
  CHECK_FALSE(reader.next(row));
  CHECK_FALSE(reader.next(row));
}

TEST_CASE("a reader refuses a row when it comes to it, and a header at once") {
  const TemporaryFolder folder;
  const auto file = folder.write("list.csv", "a,b\n1,2\n1,2,3\n");
  CsvReader reader(file);
  CsvRow row;
  CHECK(reader.next(row));
  CHECK(contains(error_of([&] { (void)reader.next(row); }), "list.csv:3: error: 3 cells; the header has 2"));
  const auto refused = [&](const std::string& text) {
    folder.write("list.csv", text);
    return error_of([&] { (void)CsvReader(file); });
  };
  CHECK(contains(refused(""), "is empty; the first line must name the columns"));
  CHECK(contains(refused("a,a\n"), "column 'a' appears twice"));
  CHECK(contains(refused(std::string("a\n\0", 3)), "contains a zero byte"));
  CHECK(contains(error_of([&] { (void)CsvReader(folder / "none.csv"); }), "does not exist"));
}

TEST_CASE("a header alone is a table without rows") {
  CHECK(parse("a,b").rows().empty());
  CHECK(parse("a,b\n").header() == Cells{"a", "b"});
}

TEST_CASE("a malformed table is refused with file and line") {
  CHECK(refusal("") == "list.csv: error: is empty; the first line must name the columns");
  CHECK(refusal("\n\n") == "list.csv: error: is empty; the first line must name the columns");
  CHECK(refusal("a,b\n1\n") == "list.csv:2: error: 1 cell; the header has 2: 'a' and 'b'");
  CHECK(contains(refusal("a,b\n1,2\n1,2,3\n"), "list.csv:3: error: 3 cells"));
  CHECK(contains(refusal("a\n\"x\n"), "list.csv:2: error: this quote is not closed"));
  CHECK(contains(refusal("a\nx\"y\n"), "list.csv:2: error: quote in the middle"));
  CHECK(contains(refusal("a\n\"x\"y\n"), "list.csv:2: error: text after a closing quote"));
  CHECK(contains(refusal("a,,c\n"), "list.csv:1: error: a column has no name"));
  CHECK(contains(refusal("a,b,a\n"), "list.csv:1: error: column 'a' appears twice"));
  CHECK(contains(refusal(std::string("a\nx\ny\0z\n", 8)), "list.csv:3: error: contains a zero byte"));
}

TEST_CASE("an unknown column is refused with the name that was meant") {
  const CsvTable table = parse("path,identiy\n");
  const std::string text = error_of([&] { table.require_known_columns({"path", "identity"}); });
  CHECK(contains(text, "list.csv:1: error: unknown column 'identiy'"));
  CHECK(contains(text, "did you mean 'identity'"));
  CHECK_NOTHROW(table.require_known_columns({"path", "identiy", "further"}));
}

TEST_CASE("a missing column is refused with those that are there") {
  const CsvTable table = parse("path,split\n");
  CHECK(table.column("split") == 1);
  CHECK_FALSE(table.find("camera").has_value());
  CHECK(error_of([&] { (void)table.column("camera"); }) ==
        "list.csv:1: error: there is no column 'camera'; the columns are 'path' and 'split'");
}

TEST_CASE("only whole numbers are taken for whole numbers") {
  const CsvTable table = parse("n\n-7\n1.5\n9223372036854775808\n\" 1\"\n");
  CHECK(table.integer(table.rows()[0], 0) == -7);
  CHECK(error_of([&] { (void)table.integer(table.rows()[1], 0); }) ==
        "list.csv:3: error: column 'n': '1.5' is not a whole number");
  CHECK_THROWS_AS((void)table.integer(table.rows()[2], 0), DataError);
  CHECK_THROWS_AS((void)table.integer(table.rows()[3], 0), DataError);
  CHECK_FALSE(parse_integer("").has_value());
  CHECK_FALSE(parse_integer("+1").has_value());
  CHECK(parse_integer("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("whatever is written is read back equal") {
  const std::vector<Cells> rows = {
      {"a", "b"}, {"comma,", "quote\""}, {" space ", "line\nbreak"}, {"", "\r"}, {"\r\n", ""}};
  std::ostringstream out;
  for (const Cells& row : rows) write_csv_row(out, row);
  const CsvTable table = parse(out.str());
  CHECK(table.header() == rows[0]);
  REQUIRE(table.rows().size() == rows.size() - 1);
  for (std::size_t i = 1; i < rows.size(); ++i) CHECK(table.rows()[i - 1].cells == rows[i]);

  std::ostringstream single;
  write_csv_row(single, {"name"});
  write_csv_row(single, {""});
  CHECK(parse(single.str()).rows().size() == 1);
}

TEST_CASE("a file that cannot be read is named") {
  const PictureFolder folder;
  CHECK(error_of([&] { (void)CsvTable::read(folder.path() / "none.csv"); }) ==
        (folder.path() / "none.csv").string() + ": error: does not exist");
  CHECK(contains(error_of([&] { (void)CsvTable::read(folder.path()); }), "is a folder"));
  CHECK(CsvTable::read(folder.write("x.csv", "a\n1\n")).rows().size() == 1);
}
