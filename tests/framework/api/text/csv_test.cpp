#include "kindred/text/csv.h"

#include <sys/stat.h>

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

TEST_CASE("a list without a header is told that it needs one, whatever its first row holds") {
  for (const std::string row : {"day/1.jpg,1,1,train\n", "day/1.jpg,1,,train\n"}) {
    CAPTURE(row);
    CHECK(contains(refusal(row), "irst line must name the columns"));
  }
}

TEST_CASE("an unknown column is refused with the name that was meant") {
  const CsvTable table = parse("path,identiy\n");
  const std::string text = error_of([&] { table.require_known_columns({"path", "identity"}); });
  CHECK(contains(text, "list.csv:1: error: unknown column 'identiy'"));
  CHECK(contains(text, "did you mean 'identity'"));
  CHECK_NOTHROW(table.require_known_columns({"path", "identiy", "further"}));
}

TEST_CASE("a table whose first line names no column is refused as such") {
  const CsvTable table = parse("a/0001.jpg,7\nb/0002.jpg,8\n");
  CHECK(error_of([&] {
          table.require_known_columns({"path", "identity"});
        }) ==
        "list.csv:1: error: the first line must name the columns, and none of 'a/0001.jpg' and '7' is one; "
        "known are "
        "'path' and 'identity'");
}

TEST_CASE("a missing column is refused with those that are there") {
  const CsvTable table = parse("path,split\n");
  CHECK(table.column("split") == 1);
  CHECK_FALSE(table.find("camera").has_value());
  CHECK(error_of([&] { (void)table.column("camera"); }) ==
        "list.csv:1: error: there is no column 'camera'; the columns are 'path' and 'split'");
}

TEST_CASE("only whole numbers are taken for whole numbers") {
  const CsvTable table = parse("n\n-7\n1.5\n9223372036854775808\n\" 1\"\n2.0\n-3.00\n1.\n");
  CHECK(table.integer(table.rows()[0], 0) == -7);
  CHECK(table.integer(table.rows()[4], 0) == 2);
  CHECK(table.integer(table.rows()[5], 0) == -3);
  CHECK_THROWS_AS((void)table.integer(table.rows()[6], 0), DataError);
  CHECK(error_of([&] { (void)table.integer(table.rows()[1], 0); }) ==
        "list.csv:3: error: column 'n': '1.5' is not a whole number");
  CHECK(error_of([&] { (void)table.integer(table.rows()[2], 0); }) ==
        "list.csv:4: error: column 'n': '9223372036854775808' is too large: whole numbers go up to "
        "4611686018427387903");
  CHECK_THROWS_AS((void)table.integer(table.rows()[3], 0), DataError);
  CHECK_FALSE(parse_integer("").has_value());
  CHECK_FALSE(parse_integer("+1").has_value());
  CHECK(parse_integer("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("semicolons and tabs separate cells where the header says so") {
  for (const char* text : {"path;split\n\"a;b.jpg\";train\nc,d.jpg;query\n",
                           "path\tsplit\r\n\"a;b.jpg\"\ttrain\r\nc,d.jpg\tquery\r\n",
                           "sep=;\r\npath;split\r\n\"a;b.jpg\";train\r\nc,d.jpg;query"}) {
    CAPTURE(text);
    const CsvTable table = parse(text);
    CHECK(table.header() == Cells{"path", "split"});
    REQUIRE(table.rows().size() == 2);
    CHECK(table.rows()[0].cells == Cells{"a;b.jpg", "train"});
    CHECK(table.rows()[1].cells == Cells{"c,d.jpg", "query"});
  }
  CHECK(parse("sep=;\n\na;b\n1;2\n").rows()[0].line == 4);
  CHECK(parse("\"a;b\",c\n1,2\n").header() == Cells{"a;b", "c"});
  CHECK(
      refusal("path;split,identity\n") ==
      "list.csv:1: error: both ';' and ',' could separate the columns; use one of them throughout, and put a "
      "name that holds the other in quotes");
  CHECK(contains(refusal("path\tsplit;x\n"), "both tab and ';' could separate"));
}

TEST_CASE("spaces around a cell belong to it only within quotes, and lines may end with CR alone") {
  const CsvTable table = parse("path, split\r a b.jpg ,train\r  \r\" c \" , \"x\"\r");
  CHECK(table.header() == Cells{"path", "split"});
  REQUIRE(table.rows().size() == 2);
  CHECK(table.rows()[0].cells == Cells{"a b.jpg", "train"});
  CHECK(table.rows()[1].cells == Cells{" c ", "x"});
  CHECK(table.rows()[1].line == 4);
}

TEST_CASE("other encodings than UTF-8 are named") {
  CHECK(refusal("path\nM\xFCller.jpg\n") ==
        "list.csv:2: error: is not UTF-8: it holds the byte \\xFC; save the file in UTF-8, and rename image "
        "files whose names are not UTF-8");
  CHECK(contains(refusal(std::string("\xFF\xFEp\0a\0", 6)), "list.csv: error: is UTF-16 text"));
  CHECK(parse("path\nM\xC3\xBCller.jpg\n").rows()[0].cells == Cells{"M\xC3\xBCller.jpg"});
}

TEST_CASE("a column that pandas writes for its index is explained") {
  CHECK(contains(refusal(",path,split\n0,a.jpg,train\n"), "pandas: to_csv(..., index=False)"));
}

TEST_CASE("a cell with a label is a number or a name") {
  const CsvTable table = parse("identity\nperson_02\nalice\n2\n");
  NameNumbers names;
  CHECK(table.label(table.rows()[0], 0, names) == 2);
  CHECK(table.label(table.rows()[1], 0, names) >= NameNumbers::first_of_letters);
  CHECK(contains(error_of([&] { (void)table.label(table.rows()[2], 0, names); }),
                 "list.csv:4: error: column 'identity': '2' is a number, but 'person_02' is a name"));
}

TEST_CASE("whatever is written is read back equal") {
  const std::vector<Cells> rows = {{"sep=;", "b;c"}, {"comma,", "quote\""}, {" space ", "line\nbreak"},
                                   {"", "\r"},       {"\r\n", ""},          {"semi;", "tab\t"}};
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
  REQUIRE(::mkfifo((folder.path() / "pipe.csv").c_str(), 0600) == 0);
  CHECK(contains(error_of([&] { (void)CsvTable::read(folder.path() / "pipe.csv"); }),
                 "is a pipe, socket or device, not a file"));
  CHECK(CsvTable::read(folder.write("x.csv", "a\n1\n")).rows().size() == 1);
}

TEST_CASE("one byte order mark is skipped, by rows and whole alike, and a second is text") {
  const TemporaryFolder folder;
  const std::string mark = "\xEF\xBB\xBF";
  const auto file = folder.write("marks.csv", mark + mark + "a,b\n1,2\n");
  CHECK(CsvTable::read(file).header().front() == mark + "a");
  CHECK(CsvReader(file).table().header().front() == mark + "a");
  CHECK(CsvTable::read(folder.write("mark.csv", mark + "a,b\n")).header().front() == "a");
}
