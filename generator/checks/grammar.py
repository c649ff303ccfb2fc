"""The SQL that a candidate may use: closed lists of functions, types and syntax nodes. What is not here is refused.

Each node is listed with the arguments it may carry; an argument that sqlglot learns later fails closed too.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Harmless scalar functions of DuckDB, beside the project's own SQL functions. Names as DuckDB sees them. No make_date:
# it stops the whole query on a 13th month.
FUNCTIONS = _names(
    "abs cast coalesce concat concat_ws contains date_trunc ends_with greatest least left length lower lpad ltrim "
    "nullif prefix regexp_extract regexp_matches regexp_replace replace right round rpad rtrim split_part "
    "starts_with strip_accents strpos substr substring suffix trim try try_cast upper"
)
WINDOW_FUNCTIONS = frozenset({"first_value", "lag", "last_value", "lead"})
# Functions that answer true or false, beside our own whose name says so.
BOOLEAN_FUNCTIONS = frozenset({"has_value", "parse_boolean", "prefix", "suffix"})

# Words that may stand before an opening parenthesis without being a function.
KEYWORDS = _names("and between case decimal else from ilike in is like not numeric or then when")
RESHAPE_KEYWORDS = KEYWORDS | _names("all by nulls over select unpivot where")
# Words that are no names. A parser that takes any other word for something else than a name has misread the text.
SYNTAX_WORDS = KEYWORDS | _names(
    "as bigint bool boolean both cast date decimal distinct double end for int integer leading null numeric string "
    "text timestamp trailing true false try_cast varchar"
)
RESHAPE_SYNTAX_WORDS = SYNTAX_WORDS | _names(
    "all asc by current desc exclude first following ignore include last name nulls order over partition preceding range "
    "respect row rows select unbounded union unpivot where"
)

TYPES = frozenset(
    {
        exp.DataType.Type.TEXT,
        exp.DataType.Type.DECIMAL,
        exp.DataType.Type.DATE,
        exp.DataType.Type.TIMESTAMPNTZ,
        exp.DataType.Type.INT,
        exp.DataType.Type.BIGINT,
        exp.DataType.Type.DOUBLE,
        exp.DataType.Type.BOOLEAN,
    }
)
TYPE_NAMES = "text, decimal(p,s), date, timestamp, integer, bigint, double, boolean"
NUMERIC_TYPES = frozenset(
    {exp.DataType.Type.DECIMAL, exp.DataType.Type.INT, exp.DataType.Type.BIGINT, exp.DataType.Type.DOUBLE}
)


def _arguments(nodes: dict[type[exp.Expr], str]) -> dict[type[exp.Expr], frozenset[str]]:
    return {node: _names(names) for node, names in nodes.items()}


_OPERATORS: Iterable[type[exp.Expr]] = (
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe),
    *(exp.And, exp.Or, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE),
    *(exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Like, exp.ILike),
)
NODES = _arguments(
    {
        **dict.fromkeys(_OPERATORS, "this expression safe typed negate"),
        exp.Identifier: "this",
        exp.Column: "this table",
        exp.Literal: "this is_string",
        exp.Boolean: "this",
        exp.Null: "",
        exp.Var: "this",
        exp.Paren: "this",
        exp.Not: "this",
        exp.Neg: "this",
        exp.Between: "this low high",
        exp.In: "this expressions",
        exp.Case: "this ifs default",
        exp.If: "this true",
        exp.Cast: "this to",
        exp.TryCast: "this to safe",
        exp.DataType: "this expressions",
        exp.DataTypeParam: "this",
        exp.Anonymous: "this expressions",
        exp.Abs: "this",
        exp.Coalesce: "this expressions",
        exp.Concat: "expressions safe coalesce",
        exp.ConcatWs: "expressions safe coalesce",
        exp.Contains: "this expression",
        exp.DateTrunc: "this unit",
        exp.EndsWith: "this expression",
        exp.Greatest: "this expressions ignore_nulls",
        exp.Least: "this expressions ignore_nulls",
        exp.Left: "this expression",
        exp.Length: "this",
        exp.Lower: "this",
        exp.Nullif: "this expression",
        exp.Pad: "this expression fill_pattern is_left",
        exp.RegexpExtract: "this expression group parameters null_if_pos_overflow",
        exp.RegexpLike: "this expression flag",
        exp.RegexpReplace: "this expression replacement modifiers single_replace",
        exp.Replace: "this expression replacement",
        exp.Right: "this expression",
        exp.Round: "this decimals",
        exp.SplitPart: "this delimiter part_index",
        exp.StartsWith: "this expression",
        exp.StrPosition: "this substr",
        exp.Substring: "this start length",
        exp.TimestampTrunc: "this unit",
        exp.Try: "this",
        exp.Trim: "this expression position",
        exp.Upper: "this",
    }
)
RESHAPE_NODES = NODES | _arguments(
    {
        exp.Select: "expressions from_ where",
        exp.Union: "this expression by_name",
        exp.From: "this",
        exp.Where: "this",
        exp.Table: "this pivots",
        exp.Star: "",
        exp.Alias: "this alias",
        exp.Pivot: "expressions fields unpivot include_nulls",
        exp.PivotAlias: "this alias",
        exp.Window: "this partition_by order spec over",
        exp.WindowSpec: "kind start start_side end end_side",
        exp.Order: "expressions",
        exp.Ordered: "this desc nulls_first",
        exp.IgnoreNulls: "this",
        exp.Lag: "this offset default",
        exp.Lead: "this offset default",
        exp.FirstValue: "this",
        exp.LastValue: "this",
    }
)
