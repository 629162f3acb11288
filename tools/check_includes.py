#!/usr/bin/env python3
"""Holds that each source file includes the standard headers of the names that it uses, and no others.

The precompiled header brings in LibTorch and with it most of the standard library, so the compiler sees no missing
#include. This reads the text: std::vector wants <vector>. What a source file's own header includes counts for it.

tools/check_includes.py                   reports as file:line: error, and exits with 1 when there is anything to report
tools/check_includes.py --fix             adds what is missing and removes what is not used; then run tools/format.sh
tools/check_includes.py --compile BUILD   also compiles every file that needs nothing of LibTorch without the
                                          precompiled header, as the build folder BUILD compiles it
--root DIR                                another source tree than the one this file lies in
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

FOLDERS = ("framework", "plugins", "python", "tools", "tests")
# Stand-ins for headers of LibTorch.
LEFT_OUT = ("tests/framework/public_headers/torch/",)

# Names after std:: and the header that has them. Where the standard gives a name to several headers, the first one
# named here is what --fix adds.
HEADERS = {
    "algorithm": """adjacent_find all_of any_of binary_search clamp copy copy_backward copy_if copy_n count count_if equal
        equal_range fill fill_n find find_end find_first_of find_if find_if_not for_each for_each_n generate generate_n
        includes inplace_merge is_heap is_partitioned is_permutation is_sorted is_sorted_until iter_swap
        lexicographical_compare lower_bound make_heap max max_element merge min min_element minmax minmax_element
        mismatch next_permutation none_of nth_element partial_sort partial_sort_copy partition partition_copy
        partition_point pop_heap prev_permutation push_heap remove remove_copy remove_copy_if remove_if replace replace_copy
        replace_if reverse reverse_copy rotate rotate_copy sample search search_n set_difference set_intersection
        set_symmetric_difference set_union shift_left shift_right shuffle sort sort_heap stable_partition stable_sort
        swap_ranges transform unique unique_copy upper_bound""",
    "any": "any any_cast bad_any_cast make_any",
    "array": "array to_array get tuple_size tuple_element begin end",
    "atomic": """atomic atomic_bool atomic_flag atomic_int atomic_ref atomic_signal_fence atomic_size_t
        atomic_thread_fence memory_order memory_order_acq_rel memory_order_acquire memory_order_relaxed
        memory_order_release memory_order_seq_cst""",
    "barrier": "barrier",
    "bit": """bit_cast bit_ceil bit_floor bit_width countl_one countl_zero countr_one countr_zero endian has_single_bit
        popcount rotl rotr""",
    "bitset": "bitset",
    "cassert": "",
    "cctype": "isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper isxdigit tolower toupper",
    "cerrno": "",
    "cfenv": "feclearexcept fegetenv fegetround fenv_t fesetenv fesetround fetestexcept",
    "cfloat": "",
    "charconv": "chars_format from_chars from_chars_result to_chars to_chars_result",
    "chrono": "chrono chrono_literals",
    "cinttypes": "imaxabs strtoimax strtoumax",
    "climits": "",
    "cmath": """abs acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp2 expm1 fabs fdim
        floor fma fmax fmin fmod fpclassify frexp hypot ilogb isfinite isgreater isinf isless isnan isnormal ldexp lerp
        lgamma llrint llround log log10 log1p log2 logb lrint lround modf nan nanf nearbyint nextafter pow remainder
        rint round scalbn signbit sin sinh sqrt tan tanh tgamma trunc""",
    "compare": "partial_ordering strong_ordering weak_ordering strong_order",
    "complex": "complex",
    "concepts": """assignable_from convertible_to copyable derived_from equality_comparable floating_point integral
        invocable movable predicate regular same_as semiregular signed_integral totally_ordered unsigned_integral""",
    "condition_variable": "condition_variable condition_variable_any cv_status",
    "csignal": "raise sig_atomic_t signal",
    "cstddef": "byte max_align_t nullptr_t ptrdiff_t size_t to_integer",
    "cstdint": """int16_t int32_t int64_t int8_t int_fast16_t int_fast32_t int_fast64_t int_fast8_t intmax_t intptr_t
        uint16_t uint32_t uint64_t uint8_t uint_fast32_t uintmax_t uintptr_t""",
    "cstdio": """FILE fclose feof ferror fflush fgetc fgets fopen fprintf fputc fputs fread fseek ftell fwrite getchar
        perror printf putchar puts remove rename rewind setvbuf snprintf sprintf sscanf tmpfile ungetc vsnprintf""",
    "cstdlib": """abort abs at_quick_exit atexit atof atoi atol atoll calloc div exit free getenv malloc mbstowcs
        qsort quick_exit rand realloc size_t srand strtod strtof strtol strtold strtoll strtoul strtoull system""",
    "cstring": """memchr memcmp memcpy memmove memset strcat strchr strcmp strcpy strcspn strerror strlen strncat strncmp
        strncpy strpbrk strrchr strspn strstr strtok size_t""",
    "ctime": "asctime clock clock_t ctime difftime gmtime localtime mktime size_t strftime time time_t timespec tm",
    "deque": "deque erase erase_if begin end",
    "exception": """bad_exception current_exception exception exception_ptr get_terminate make_exception_ptr
        nested_exception rethrow_exception rethrow_if_nested set_terminate terminate throw_with_nested
        uncaught_exceptions""",
    "execution": "execution",
    "filesystem": "filesystem",
    "format": "format format_to vformat",
    "forward_list": "forward_list erase erase_if begin end",
    "fstream": "basic_filebuf basic_fstream filebuf fstream ifstream ofstream ios streamoff streamsize streampos",
    "functional": """bad_function_call bind bit_and bit_or bit_xor boyer_moore_searcher cref divides equal_to function
        greater greater_equal hash identity invoke less less_equal logical_and logical_not logical_or mem_fn minus
        modulus multiplies negate not_equal_to not_fn placeholders plus ref reference_wrapper""",
    "future": "async future future_error future_status launch packaged_task promise shared_future",
    "initializer_list": "initializer_list",
    "iomanip": "get_money get_time put_money put_time quoted setbase setfill setprecision setw",
    "ios": """basic_ios boolalpha dec defaultfloat fixed hex hexfloat ios ios_base left noboolalpha noshowpoint
        noskipws oct right scientific showpoint showpos skipws streamoff streampos streamsize uppercase""",
    "iosfwd": "ifstream ios iostream istream ofstream ostream streambuf stringstream",
    "iostream": "cerr cin clog cout ios istream ostream streambuf endl flush streamsize",
    "istream": "basic_istream iostream istream ws ios streamsize",
    "iterator": """advance back_insert_iterator back_inserter begin bidirectional_iterator_tag cbegin cend crbegin crend
        data distance empty end forward_iterator_tag front_inserter input_iterator_tag insert_iterator inserter
        istream_iterator istreambuf_iterator iterator iterator_traits make_move_iterator make_reverse_iterator
        move_iterator next ostream_iterator ostreambuf_iterator output_iterator_tag prev random_access_iterator_tag
        rbegin rend reverse_iterator size ssize contiguous_iterator forward_iterator input_iterator
        random_access_iterator sentinel_for""",
    "latch": "latch",
    "limits": "float_denorm_style float_round_style numeric_limits",
    "list": "list erase erase_if begin end",
    "locale": "codecvt locale use_facet",
    "map": "map multimap erase_if begin end",
    "memory": """addressof align allocate_shared allocator allocator_traits assume_aligned const_pointer_cast construct_at
        default_delete destroy destroy_at destroy_n dynamic_pointer_cast enable_shared_from_this make_shared make_unique
        make_unique_for_overwrite owner_less pointer_traits reinterpret_pointer_cast shared_ptr static_pointer_cast
        to_address uninitialized_copy uninitialized_default_construct uninitialized_fill unique_ptr weak_ptr""",
    "memory_resource": "pmr",
    "mutex": """adopt_lock adopt_lock_t call_once defer_lock defer_lock_t lock lock_guard mutex once_flag recursive_mutex
        scoped_lock timed_mutex try_lock try_to_lock unique_lock""",
    "new": "align_val_t bad_alloc bad_array_new_length hardware_destructive_interference_size launder nothrow nothrow_t",
    "numbers": "numbers",
    "numeric": """accumulate adjacent_difference exclusive_scan gcd inclusive_scan inner_product iota lcm midpoint
        partial_sum reduce transform_exclusive_scan transform_inclusive_scan transform_reduce""",
    "optional": "bad_optional_access make_optional nullopt nullopt_t optional",
    "ostream": "basic_ostream endl ends flush ostream ios streamsize",
    "queue": "priority_queue queue",
    "random": """bernoulli_distribution default_random_engine discrete_distribution exponential_distribution
        generate_canonical mersenne_twister_engine minstd_rand mt19937 mt19937_64 normal_distribution
        poisson_distribution random_device seed_seq uniform_int_distribution uniform_real_distribution""",
    "ranges": "ranges views get begin end",
    "ratio": "milli micro nano ratio",
    "regex": "cmatch cregex_iterator match_results regex regex_constants regex_error regex_match regex_replace regex_search smatch sregex_iterator sregex_token_iterator ssub_match",
    "scoped_allocator": "scoped_allocator_adaptor",
    "semaphore": "binary_semaphore counting_semaphore",
    "set": "multiset set erase_if begin end",
    "shared_mutex": "shared_lock shared_mutex shared_timed_mutex",
    "source_location": "source_location",
    "span": "as_bytes as_writable_bytes dynamic_extent span begin end",
    "sstream": "basic_stringbuf istringstream ostringstream stringbuf stringstream ios streamsize",
    "stack": "stack",
    "stdexcept": "domain_error invalid_argument length_error logic_error out_of_range overflow_error range_error runtime_error underflow_error",
    "stop_token": "stop_callback stop_source stop_token",
    "streambuf": "basic_streambuf streambuf",
    "string": """basic_string char_traits erase erase_if getline stod stof stoi stol stold stoll stoul stoull string
        string_literals to_string to_wstring u16string u32string u8string wstring begin end""",
    "string_view": "basic_string_view string_view string_view_literals u8string_view wstring_view",
    "syncstream": "osyncstream",
    "system_error": "errc error_category error_code error_condition generic_category is_error_code_enum make_error_code make_error_condition system_category system_error",
    "thread": "jthread this_thread thread",
    "tuple": "apply forward_as_tuple get ignore make_from_tuple make_tuple tie tuple tuple_cat tuple_element tuple_element_t tuple_size tuple_size_v",
    "type_traits": """add_const_t add_lvalue_reference_t add_pointer_t aligned_storage_t bool_constant common_type
        common_type_t conditional conditional_t conjunction conjunction_v decay decay_t disjunction_v enable_if
        enable_if_t extent_v false_type has_virtual_destructor integral_constant invoke_result invoke_result_t
        is_abstract_v is_aggregate_v is_arithmetic is_arithmetic_v is_assignable_v is_base_of is_base_of_v is_class_v
        is_const_v is_constant_evaluated is_constructible is_constructible_v is_convertible is_convertible_v
        is_copy_assignable_v is_copy_constructible_v is_default_constructible_v is_empty_v is_enum is_enum_v is_final_v
        is_floating_point is_floating_point_v is_function_v is_integral is_integral_v is_invocable is_invocable_r_v
        is_invocable_v is_lvalue_reference_v is_move_assignable_v is_move_constructible_v is_nothrow_move_constructible_v
        is_pointer_v is_polymorphic_v is_reference_v is_same is_same_v is_signed is_signed_v is_standard_layout_v
        is_trivial_v is_trivially_copyable is_trivially_copyable_v is_trivially_destructible_v is_union_v is_unsigned
        is_unsigned_v is_void_v make_signed_t make_unsigned make_unsigned_t negation_v rank_v remove_const_t remove_cv_t
        remove_cvref remove_cvref_t remove_extent_t remove_pointer_t remove_reference remove_reference_t true_type
        type_identity type_identity_t underlying_type underlying_type_t void_t""",
    "typeindex": "type_index",
    "typeinfo": "bad_cast bad_typeid type_info",
    "unordered_map": "unordered_map unordered_multimap erase_if begin end",
    "unordered_set": "unordered_multiset unordered_set erase_if begin end",
    "utility": """as_const cmp_equal cmp_greater cmp_greater_equal cmp_less cmp_less_equal declval exchange forward get
        in_place in_place_index in_place_t in_place_type in_range index_sequence index_sequence_for integer_sequence
        make_index_sequence make_integer_sequence make_pair move move_if_noexcept pair piecewise_construct
        piecewise_construct_t swap tuple_element tuple_size""",
    "valarray": "valarray slice",
    "variant": "bad_variant_access get get_if holds_alternative monostate variant variant_alternative_t variant_npos variant_size variant_size_v visit",
    "vector": "vector erase erase_if begin end",
    "version": "",
}
# Where --fix would choose another header than the first of the table.
PREFERRED = {
    "begin": "iterator", "end": "iterator", "get": "tuple", "size_t": "cstddef", "ios": "ios", "streamsize": "ios",
    "streamoff": "ios", "streampos": "ios", "erase_if": "vector", "erase": "vector", "endl": "ostream",
    "flush": "ostream", "ostream": "ostream", "istream": "istream", "iostream": "istream", "streambuf": "streambuf",
    "tuple_size": "tuple", "tuple_element": "tuple",
}
# Two names that each container and string header has, and almost every other one.
EVERYWHERE = {"size_t", "ptrdiff_t", "initializer_list"}
# Names of these headers that stand without std::, as text.
PLAIN = {
    "cassert": r"\bassert\s*\(",
    "cctype": r"\b(?:is(?:alnum|alpha|digit|space|upper|lower|print|xdigit)|tolower|toupper)\s*\(",
    "cerrno": r"\berrno\b|\bE[A-Z]{3,}\b",
    "cfloat": r"\b(?:FLT|DBL)_[A-Z]+\b",
    "cinttypes": r"\bPRI[diuxX]\w+\b",
    "climits": r"\b(?:INT|UINT|LONG|ULONG|CHAR|SHRT|LLONG|ULLONG|PATH)_(?:MAX|MIN|BIT)\b",
    "cmath": r"\bM_PI\b|\bINFINITY\b|\bNAN\b|\b(?:sqrt|exp|log|pow|sin|cos|floor|ceil|fabs|hypot)\s*\(",
    "csignal": r"\bSIG[A-Z0-9]+\b|\bsig[a-z]+\b|\bkill\s*\(",
    "cstddef": r"\boffsetof\b|\b(?:size_t|ptrdiff_t)\b",
    "cstdint": r"\bu?int(?:8|16|32|64|ptr)_t\b|\bU?INT\d+_(?:MAX|MIN)\b",
    "cstdio": r"\b(?:stdin|stdout|stderr|FILE|EOF|SEEK_\w+|popen|pclose|fileno|v?f?printf|rename)\b",
    "cstdlib": r"\b(?:EXIT_\w+|setenv|unsetenv|getenv|mkdtemp|mkstemp|realpath|_?exit|abort|free|malloc)\b",
    "cstring": r"\b(?:mem(?:cpy|cmp|set|move)|str(?:len|cmp|signal|error_r|error|chr|rchr))\s*\(",
    "ctime": r"\b(?:localtime_r|gmtime_r|timegm|time_t|timespec|clock_gettime)\b",
    "compare": r"<=>",
    "new": r"\bnew\s*\(",
    "typeinfo": r"\btypeid\b",
    "version": r"\b__cpp_\w+\b",
}
# These are wanted where a plain name of theirs stands too.
PLAIN_WANTED = {
    "cassert": PLAIN["cassert"],
    "cerrno": r"\berrno\b",
    "climits": PLAIN["climits"],
    "typeinfo": PLAIN["typeinfo"],
}
LITERALS = {"chrono": r"\b\d+(?:\.\d+)?(?:h|min|s|ms|us|ns)\b", "string_view": r'"sv\b', "string": r'"s\b'}

OF_NAME = {}
for header, names in HEADERS.items():
    for name in names.split():
        OF_NAME.setdefault(name, []).append(header)

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:<([^>]+)>|"([^"]+)").*$', re.MULTILINE)
# The mark of include-what-you-use for a header that is there for what it does.
KEPT = re.compile(r"#include <([^>]+)> .*IWYU pragma: keep")
NOT_CODE = re.compile(
    r'R"([^ ()\\\t\v\f\n]*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9a-zA-Z_])\'(?:\\.|[^\'\\\n])*\'',
    re.DOTALL)
STD_NAME = re.compile(r"\bstd\s*::\s*(?:(ranges)\s*::\s*)?(\w+)")
LIBTORCH = ("torch/", "ATen/", "c10/", "caffe2/")


def code_of(text):
    """The text with comments and the content of literals blanked, line for line."""
    text = INCLUDE.sub("", text)
    return NOT_CODE.sub(lambda match: '""' * match.group(0).startswith(('"', "R")) + "\n" * match.group(0).count("\n"), text)


class Source:
    def __init__(self, root, file):
        self.file = file
        self.text = (root / file).read_text(encoding="utf-8")
        self.includes = [(match.group(1) or match.group(2), match.group(2) is not None)
                         for match in INCLUDE.finditer(self.text)]
        self.standard = {name for name, quoted in self.includes if not quoted and name in HEADERS}
        self.kept = set(KEPT.findall(self.text))

    def used(self):
        """What stands in the code: {name or header: (line, headers that have it, the one to add)}."""
        code = code_of(self.text)
        found = {}
        for match in STD_NAME.finditer(code):
            name = match.group(2)
            if match.group(1) and "algorithm" not in OF_NAME.get(name, []):
                name = "ranges"
            if name in OF_NAME and name not in found:
                found[name] = (code.count("\n", 0, match.start()) + 1, OF_NAME[name],
                               PREFERRED.get(name, OF_NAME[name][0]))
        for header, pattern in PLAIN_WANTED.items():
            match = re.search(pattern, code)
            if match:
                found[f"<{header}>"] = (code.count("\n", 0, match.start()) + 1, [header], header)
        return found

    def needs_plainly(self, header):
        """Whether a name of the header stands there without std::."""
        code = code_of(self.text)
        return any(pattern is not None and re.search(pattern, text)
                   for pattern, text in ((PLAIN.get(header), code), (LITERALS.get(header), self.text)))


def sources_of(root):
    files = [file.relative_to(root).as_posix() for folder in FOLDERS for file in sorted((root / folder).rglob("*"))
             if file.suffix in (".h", ".cpp")]
    return {file: Source(root, file) for file in files if not file.startswith(LEFT_OUT)}


def resolved(file, name, sources):
    """The source file that an #include "name" of a file brings in, or None."""
    top = file.split("/")[0]
    folders = [os.path.dirname(file), "framework/src", "framework/include", "tests"]
    if top == "tests":  # a test of a plugin includes that plugin's headers by name
        folders += [found for found in {os.path.dirname(other) for other in sources} if found.startswith("plugins/")]
    for folder in folders:
        path = os.path.normpath(os.path.join(folder, name))
        if path in sources:
            return path
    return None


def own_header(source, sources):
    if not source.file.endswith(".cpp"):
        return None
    stem = pathlib.PurePosixPath(source.file).stem
    for name, quoted in source.includes:
        if quoted and pathlib.PurePosixPath(name).stem == stem:
            found = resolved(source.file, name, sources)
            if found:
                return sources[found]
    return None


def findings(source, sources):
    """(missing: {header: (line, name)}, unused: [header])."""
    own = own_header(source, sources)
    there = source.standard | (own.standard if own else set())
    used = source.used()
    missing = {}
    for name, (line, headers, wanted) in used.items():
        if not there.intersection(headers) and not (name in EVERYWHERE and there) and wanted not in missing:
            missing[wanted] = (line, name)
    wanted = {header for _, headers, _ in used.values() for header in headers}
    unused = [header for header in sorted(source.standard - source.kept - wanted) if not source.needs_plainly(header)]
    return missing, unused


def with_header(text, header):
    """The text with an #include more, in the first block of standard headers or in one of its own."""
    line = f"#include <{header}>\n"
    standard = [match for match in INCLUDE.finditer(text) if match.group(1) and "." not in match.group(1)
                and "/" not in match.group(1)]
    if standard:
        later = next((match for match in standard if match.group(1) > header), None)
        at = later.start() if later else standard[-1].end() + 1
        return text[:at] + line + text[at:]
    includes = list(INCLUDE.finditer(text))
    pragma = re.search(r"^#pragma once\n", text, re.MULTILINE)
    if pragma:
        return text[:pragma.end()] + "\n" + line + text[pragma.end():]
    if includes and includes[0].group(2) is None:  # <doctest/doctest.h> and the like are the first block
        block_end = re.compile(r"(?:[ \t]*#[ \t]*include[^\n]*\n)+").match(text, includes[0].start()).end()
        return text[:block_end] + "\n" + line + text[block_end:]
    if includes and text.startswith("\n", includes[0].end() + 1):  # the own header, a block by itself
        at = includes[0].end() + 1
        return text[:at] + "\n" + line + text[at:]
    if includes:
        at = includes[0].start()
        return text[:at] + line + "\n" + text[at:]
    return line + "\n" + text


def fix_all(root, sources):
    """Whether any file was changed."""
    changed = False
    for source in sources.values():
        missing, unused = findings(source, sources)
        text = source.text
        for header in unused:
            text = re.sub(rf"^[ \t]*#[ \t]*include[ \t]*<{re.escape(header)}>[^\n]*\n", "", text, flags=re.MULTILINE)
        for header in missing:
            text = with_header(text, header)
        if text != source.text:
            (root / source.file).write_text(text, encoding="utf-8")
            changed = True
    return changed


def needs_libtorch(file, sources, known):
    if file not in known:
        known[file] = False  # while it is being looked at
        known[file] = any(
            name.startswith(LIBTORCH) if not quoted
            else (lambda path: path is not None and needs_libtorch(path, sources, known))(resolved(file, name, sources))
            for name, quoted in sources[file].includes)
    return known[file]


def compile_command(entry):
    """The build's command without the precompiled header, looking at the syntax only."""
    words = shlex.split(entry["command"]) if "command" in entry else list(entry["arguments"])
    kept = []
    skip = 0
    for position, word in enumerate(words):
        if skip:
            skip -= 1
        elif word == "-Xclang" and words[position + 1] in ("-include-pch", "-include"):
            skip = 3
        elif word in ("-o", "-MF", "-MT", "-include"):
            skip = 1
        elif word not in ("-c", "-MD", "-Winvalid-pch"):
            kept.append(word)
    return kept + ["-fsyntax-only"]


def compile_all(root, build, sources):
    """The messages of the compiler for each file that does not compile."""
    known = {}
    entries = {}
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        file = os.path.relpath(os.path.join(entry["directory"], entry["file"]), root)
        if file in sources and not needs_libtorch(file, sources, known):
            entries[file] = entry
    print(f"Compiling {len(entries)} of {sum(file.endswith('.cpp') for file in sources)} files without the "
          "precompiled header: those that need nothing of LibTorch", flush=True)

    def run(file):
        entry = entries[file]
        done = subprocess.run(compile_command(entry), cwd=entry["directory"], capture_output=True, text=True)
        return f"{file}: error: does not compile without the precompiled header\n{done.stderr}" if done.returncode else ""

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [message for message in pool.map(run, sorted(entries)) if message]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("--compile", type=pathlib.Path, metavar="BUILD")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).parents[1])
    options = parser.parse_args()
    root = options.root.resolve()
    sources = sources_of(root)
    # What a header loses may be what its source file lived on: until there is nothing left.
    while options.fix and fix_all(root, sources):
        sources = sources_of(root)
    errors = []
    for source in sources.values():
        missing, unused = findings(source, sources)
        for header, (line, name) in missing.items():
            errors.append(f"{source.file}:{line}: error: uses {name if '<' in name else 'std::' + name} without "
                          f"#include <{header}>")
        errors += [f"{source.file}: error: includes <{header}> and uses nothing of it" for header in unused]
    if options.compile:
        errors += compile_all(root, options.compile.resolve(), sources)
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
