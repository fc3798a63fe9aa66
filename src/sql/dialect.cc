#include "sql/dialect.h"

#include <algorithm>
#include <set>
#include <utility>

namespace kelp::sql {
namespace {

// Left out on purpose: what reads files, settings, variables, sequences, the catalogue, the clock
// of transactions, or runs SQL from text (json_serialize_sql, json_execute_serialized_sql, query,
// getvariable, current_setting, nextval, write_log, ...); setseed; format and printf, whose widths
// make any amount of text.
constexpr const char* kOperators[] = {"!~~",
                                      "!~~*",
                                      "%",
                                      "&",
                                      "&&",
                                      "*",
                                      "**",
                                      "+",
                                      "-",
                                      "->>",
                                      "->",
                                      "/",
                                      "//",
                                      "<<",
                                      "<@",
                                      ">>",
                                      "@",
                                      "@>",
                                      "^",
                                      "^@",
                                      "|",
                                      "||",
                                      "~",
                                      "~~",
                                      "~~*",
                                      "~~~",
                                      "!__postfix",
                                      "not_like_escape",
                                      "like_escape",
                                      "ilike_escape",
                                      "not_ilike_escape"};

constexpr const char* kAggregates[] = {"any_value",
                                       "approx_count_distinct",
                                       "approx_quantile",
                                       "approx_top_k",
                                       "arbitrary",
                                       "arg_max",
                                       "arg_max_null",
                                       "arg_min",
                                       "arg_min_null",
                                       "argmax",
                                       "argmin",
                                       "array_agg",
                                       "avg",
                                       "bit_and",
                                       "bit_or",
                                       "bit_xor",
                                       "bool_and",
                                       "bool_or",
                                       "corr",
                                       "count",
                                       "count_if",
                                       "count_star",
                                       "countif",
                                       "covar_pop",
                                       "covar_samp",
                                       "entropy",
                                       "favg",
                                       "first",
                                       "fsum",
                                       "geomean",
                                       "geometric_mean",
                                       "group_concat",
                                       "grouping",
                                       "grouping_id",
                                       "histogram",
                                       "kahan_sum",
                                       "kurtosis",
                                       "kurtosis_pop",
                                       "last",
                                       "list",
                                       "listagg",
                                       "mad",
                                       "max",
                                       "max_by",
                                       "mean",
                                       "median",
                                       "min",
                                       "min_by",
                                       "mode",
                                       "product",
                                       "quantile",
                                       "quantile_cont",
                                       "quantile_disc",
                                       "regr_avgx",
                                       "regr_avgy",
                                       "regr_count",
                                       "regr_intercept",
                                       "regr_r2",
                                       "regr_slope",
                                       "regr_sxx",
                                       "regr_sxy",
                                       "regr_syy",
                                       "reservoir_quantile",
                                       "sem",
                                       "skewness",
                                       "stddev",
                                       "stddev_pop",
                                       "stddev_samp",
                                       "string_agg",
                                       "sum",
                                       "sum_no_overflow",
                                       "sumkahan",
                                       "var_pop",
                                       "var_samp",
                                       "variance",
                                       "wavg",
                                       "weighted_avg",
                                       "json_group_array",
                                       "json_group_object"};

constexpr const char* kWindow[] = {"row_number", "rank", "dense_rank", "percent_rank", "cume_dist",
                                   "ntile",      "lag",  "lead",       "first_value",  "last_value",
                                   "nth_value",  "fill", "rank_dense"};

constexpr const char* kScalars[] = {
    // Numbers.
    "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "bit_count", "cbrt",
    "ceil", "ceiling", "cos", "cosh", "cot", "degrees", "divide", "even", "exp", "factorial",
    "fdiv", "floor", "fmod", "gamma", "gcd", "greatest", "greatest_common_divisor", "isfinite",
    "isinf", "isnan", "lcm", "least", "least_common_multiple", "lgamma", "ln", "log", "log10",
    "log2", "mod", "multiply", "nextafter", "pi", "pow", "power", "radians", "random", "round",
    "round_even", "roundbankers", "sign", "signbit", "sin", "sinh", "sqrt", "subtract", "tan",
    "tanh", "trunc", "xor", "coalesce", "ifnull", "nullif", "if", "error", "constant_or_null",
    "hash",
    // Text.
    "array_to_string", "ascii", "base64", "bin", "bit_length", "char_length", "character_length",
    "chr", "concat", "concat_ws", "contains", "damerau_levenshtein", "decode", "editdist3",
    "encode", "ends_with", "format_bytes", "formatreadabledecimalsize", "formatreadablesize",
    "from_base64", "from_binary", "from_hex", "hamming", "hex", "instr", "jaccard",
    "jaro_similarity", "jaro_winkler_similarity", "lcase", "left", "left_grapheme", "len", "length",
    "length_grapheme", "levenshtein", "lower", "lpad", "ltrim", "md5", "mismatches",
    "nfc_normalize", "octet_length", "ord", "parse_dirname", "parse_dirpath", "parse_filename",
    "parse_path", "position", "prefix", "regexp_escape", "regexp_extract", "regexp_extract_all",
    "regexp_full_match", "regexp_matches", "regexp_replace", "regexp_split_to_array", "repeat",
    "replace", "reverse", "right", "right_grapheme", "rpad", "rtrim", "sha1", "sha256", "split",
    "split_part", "starts_with", "str_split", "str_split_regex", "string_split",
    "string_split_regex", "string_to_array", "strip_accents", "strlen", "strpos", "substr",
    "substring", "substring_grapheme", "suffix", "to_base64", "to_binary", "to_hex", "translate",
    "trim", "typeof", "ucase", "unbin", "unhex", "unicode", "upper", "url_decode", "url_encode",
    "uuid_extract_timestamp", "uuid_extract_version",
    // Dates.
    "age", "century", "current_date", "current_localtime", "current_localtimestamp", "date_add",
    "date_diff", "date_part", "date_sub", "date_trunc", "datediff", "datepart", "datesub",
    "datetrunc", "day", "dayname", "dayofmonth", "dayofweek", "dayofyear", "decade", "epoch",
    "epoch_ms", "epoch_ns", "epoch_us", "era", "get_current_time", "get_current_timestamp", "hour",
    "isodow", "isoyear", "julian", "last_day", "make_date", "make_time", "make_timestamp",
    "make_timestamp_ms", "make_timestamp_ns", "make_timestamptz", "microsecond", "millennium",
    "millisecond", "minute", "month", "monthname", "nanosecond", "now", "quarter", "second",
    "strftime", "strptime", "time_bucket", "timezone", "timezone_hour", "timezone_minute",
    "to_centuries", "to_days", "to_decades", "to_hours", "to_microseconds", "to_millennia",
    "to_milliseconds", "to_minutes", "to_months", "to_quarters", "to_seconds", "to_timestamp",
    "to_weeks", "to_years", "today", "try_strptime", "week", "weekday", "weekofyear", "year",
    "yearweek", "current_timestamp", "normalized_interval",
    // JSON.
    "array_to_json", "from_json", "from_json_strict", "json", "json_array", "json_array_length",
    "json_contains", "json_exists", "json_extract", "json_extract_path", "json_extract_path_text",
    "json_extract_string", "json_keys", "json_merge_patch", "json_object", "json_pretty",
    "json_quote", "json_structure", "json_transform", "json_type", "json_valid", "json_value",
    "row_to_json", "to_json",
    // Lists, maps, structs.
    "aggregate", "apply", "array_aggregate", "array_append", "array_apply", "array_cat",
    "array_concat", "array_contains", "array_distinct", "array_extract", "array_filter",
    "array_has", "array_has_all", "array_has_any", "array_indexof", "array_intersect",
    "array_length", "array_position", "array_prepend", "array_reverse", "array_reverse_sort",
    "array_slice", "array_sort", "array_transform", "array_unique", "array_value", "array_zip",
    "cardinality", "element_at", "filter", "flatten", "list_aggregate", "list_any_value",
    "list_append", "list_apply", "list_avg", "list_cat", "list_concat", "list_contains",
    "list_count", "list_distinct", "list_element", "list_extract", "list_filter", "list_first",
    "list_has", "list_has_all", "list_has_any", "list_histogram", "list_indexof", "list_intersect",
    "list_last", "list_max", "list_median", "list_min", "list_mode", "list_pack", "list_position",
    "list_prepend", "list_product", "list_reverse", "list_reverse_sort", "list_select",
    "list_slice", "list_sort", "list_stddev_samp", "list_string_agg", "list_sum", "list_transform",
    "list_unique", "list_value", "list_where", "list_zip", "map", "map_concat", "map_contains",
    "map_entries", "map_extract", "map_extract_value", "map_from_entries", "map_keys", "map_values",
    "range", "generate_series", "row", "struct_concat", "struct_extract", "struct_extract_at",
    "struct_insert", "struct_pack", "unnest"};

// SLS and Presto name, DuckDB name. A renamed aggregate keeps DISTINCT, FILTER and OVER.
constexpr std::pair<const char*, const char*> kRenamed[] = {
    {"approx_distinct", "approx_count_distinct"},
    {"approx_percentile", "approx_quantile"},
    {"array_join", "array_to_string"},
    {"arrays_overlap", "list_has_any"},
    {"bitwise_and_agg", "bit_and"},
    {"bitwise_or_agg", "bit_or"},
    {"codepoint", "unicode"},
    {"day_of_month", "dayofmonth"},
    {"day_of_week", "isodow"},
    {"day_of_year", "dayofyear"},
    {"every", "bool_and"},
    {"from_unixtime", "to_timestamp"},
    {"is_finite", "isfinite"},
    {"is_infinite", "isinf"},
    {"is_nan", "isnan"},
    {"json_extract_scalar", "json_extract_string"},
    {"json_parse", "json"},
    {"json_size", "json_array_length"},
    {"levenshtein_distance", "levenshtein"},
    {"rand", "random"},
    {"regexp_like", "regexp_matches"},
    {"regexp_split", "regexp_split_to_array"},
    {"sequence", "range"},
    {"set_agg", "list"},
    {"to_unixtime", "epoch"},
    {"truncate", "trunc"},
    {"week_of_year", "weekofyear"},
};

#define KELP_MYSQL_FORMAT                                                                          \
  "replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(f, "            \
  "'%M', '%B'), '%i', '%M'), '%s', '%S'), '%h', '%I'), '%k', '%-H'), '%l', '%-I'), '%e', '%-d'), " \
  "'%c', '%-m'), '%T', '%H:%M:%S'), '%W', '%A')"

constexpr std::pair<const char*, const char*> kMacros[] = {
    {"date_format", "CREATE MACRO date_format(t, f) AS strftime(t, " KELP_MYSQL_FORMAT ")"},
    {"date_parse", "CREATE MACRO date_parse(t, f) AS strptime(t, " KELP_MYSQL_FORMAT ")"},
    {"from_iso8601_timestamp", "CREATE MACRO from_iso8601_timestamp(t) AS CAST(t AS TIMESTAMPTZ)"},
    {"to_iso8601", "CREATE MACRO to_iso8601(t) AS strftime(t, '%Y-%m-%dT%H:%M:%SZ')"},
    {"url_extract_protocol",
     "CREATE MACRO url_extract_protocol(u) AS "
     "nullif(regexp_extract(u, '^([a-zA-Z][a-zA-Z0-9+.-]*):', 1), '')"},
    {"url_extract_host",
     "CREATE MACRO url_extract_host(u) AS "
     "nullif(regexp_extract(u, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]*)', 1), '')"},
    {"url_extract_port",
     "CREATE MACRO url_extract_port(u) AS TRY_CAST("
     "regexp_extract(u, '^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*:([0-9]+)', 1) AS BIGINT)"},
    {"url_extract_path",
     "CREATE MACRO url_extract_path(u) AS "
     "regexp_extract(u, '^(?:[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*)?([^?#]*)', 1)"},
    {"url_extract_query",
     "CREATE MACRO url_extract_query(u) AS nullif(regexp_extract(u, '\\?([^#]*)', 1), '')"},
    {"url_extract_parameter",
     "CREATE MACRO url_extract_parameter(u, p) AS "
     "nullif(regexp_extract(u, '[?&]' || regexp_escape(p) || '=([^&#]*)', 1), '')"},
    {"ip_prefix",
     "CREATE MACRO ip_prefix(a, n) AS array_to_string(list_slice(string_split(a, '.'), 1, n), "
     "'.')"},
};

constexpr const char* kSum[] = {"||",
                                "concat",
                                "concat_ws",
                                "list_value",
                                "list_pack",
                                "array_value",
                                "list_concat",
                                "list_cat",
                                "array_concat",
                                "array_cat",
                                "list_append",
                                "array_append",
                                "list_prepend",
                                "array_prepend",
                                "list_zip",
                                "array_zip",
                                "struct_pack",
                                "row",
                                "struct_concat",
                                "struct_insert",
                                "map",
                                "map_concat",
                                "json_object",
                                "json_array",
                                "json_merge_patch",
                                "+"};
constexpr const char* kReplaceLike[] = {"replace",        "regexp_replace",  "array_to_string",
                                        "list_aggregate", "list_string_agg", "string_agg",
                                        "group_concat",   "listagg"};
constexpr const char* kRepeatLike[] = {"repeat", "lpad", "rpad", "range", "generate_series"};

const std::set<std::string_view>& Allowed() {
  static const auto allowed = [] {
    std::set<std::string_view> all;
    all.insert(std::begin(kOperators), std::end(kOperators));
    all.insert(std::begin(kAggregates), std::end(kAggregates));
    all.insert(std::begin(kWindow), std::end(kWindow));
    all.insert(std::begin(kScalars), std::end(kScalars));
    for (const auto& [name, macro] : kMacros) all.insert(name);
    return all;
  }();
  return allowed;
}

template <typename List>
bool Holds(const List& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

}  // namespace

bool IsAllowedFunction(std::string_view name) { return Allowed().contains(name); }

std::string_view RenamedFunction(std::string_view name) {
  for (const auto& [ours, duckdb] : kRenamed) {
    if (name == ours) return duckdb;
  }
  return {};
}

std::string_view MacroOf(std::string_view name) {
  for (const auto& [ours, macro] : kMacros) {
    if (name == ours) return macro;
  }
  return {};
}

std::vector<std::string_view> FunctionNames() {
  std::vector<std::string_view> names(Allowed().begin(), Allowed().end());
  for (const auto& [ours, duckdb] : kRenamed) names.push_back(ours);
  std::erase_if(names, [](std::string_view name) { return name[0] < 'a' || name[0] > 'z'; });
  std::sort(names.begin(), names.end());
  return names;
}

Growth GrowthOf(std::string_view name) {
  if (Holds(kSum, name)) return Growth::kSum;
  if (Holds(kReplaceLike, name)) return Growth::kReplace;
  if (Holds(kRepeatLike, name)) return Growth::kRepeat;
  return Growth::kLargest;
}

}  // namespace kelp::sql
