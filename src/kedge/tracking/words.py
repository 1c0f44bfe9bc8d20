"""The words of MLflow's search expressions, cut by sqlparse as MLflow has them cut: statements, clauses, quotes, orders."""

import ast
import shlex
from typing import Any

import sqlparse
from sqlparse import sql
from sqlparse import tokens as kinds

from kedge.core.mlflow_error import MlflowError, invalid_parameter

LONGEST_TEXT = 65_536
"""Of an expression: sqlparse needs seconds for a megabyte, and more for some."""
MOST_CLAUSES = 60
"""Of an order: SQLite joins at most 64 tables, and each may ask for one."""


def statements(text: str, complaint: str) -> list[Any]:
    """The statements of a text; MlflowError with the complaint where sqlparse gives up, or where the text is too long."""
    if len(text) > LONGEST_TEXT:
        raise invalid_parameter(
            f"A search expression may have {LONGEST_TEXT:,} characters, not {len(text):,}."
        )
    try:
        return [statement for statement in sqlparse.parse(text) if isinstance(statement, sql.Statement)]
    except Exception as error:
        raise invalid_parameter(complaint) from error


def is_clause(token: Any) -> bool:
    """Whether a filter may hold the token: a comparison, space, AND."""
    return bool(
        isinstance(token, sql.Comparison) or token.is_whitespace or token.match(kinds.Keyword, ["AND"])
    )


def joined(tokens: list[Any]) -> list[Any]:
    """Words that make a comparison of IN, NOT IN, IS NULL or IS NOT NULL put together: sqlparse leaves them apart."""
    words = [token for token in tokens if not token.is_whitespace]
    found: list[Any] = []
    place = 0
    while place < len(words):
        rest = words[place:]
        if len(rest) < 3:
            found += rest
            break
        if not isinstance(rest[0], sql.Identifier):
            found.append(rest[0])
            place += 1
            continue
        taken, comparison = _membership(rest)
        if comparison is not None:
            found.append(comparison)
        elif len(rest) == 3:
            found += rest
            break
        else:
            found += rest[:4]
            taken = 4
        place += taken
    return found


def _membership(rest: list[Any]) -> tuple[int, Any]:
    """How many words the comparison at the start takes, and it; or none."""
    first, second, third = rest[:3]
    if second.match(kinds.Keyword, ["IN"]) and isinstance(third, sql.Parenthesis):
        return 3, sql.Comparison(sql.TokenList([first, second, third]))
    negated = third.value.upper() if third.ttype is kinds.Keyword else ""
    if second.match(kinds.Keyword, ["IS"]) and negated in ("NULL", "NOT NULL"):
        word = sql.Token(kinds.Keyword, f"IS {negated}")
        return 3, sql.Comparison(sql.TokenList([first, word]))
    if (
        len(rest) > 3
        and second.match(kinds.Keyword, ["NOT"])
        and third.match(kinds.Keyword, ["IN"])
        and isinstance(rest[3], sql.Parenthesis)
    ):
        return 4, sql.Comparison(sql.TokenList([first, sql.Token(kinds.Keyword, "NOT IN"), rest[3]]))
    return 0, None


def shown_set(names: frozenset[str]) -> str:
    """As Python shows a set, in sorted order."""
    return "{" + ", ".join(repr(name) for name in sorted(names)) + "}"


def _is_quoted(text: str, mark: str) -> bool:
    return len(text) >= 2 and text.startswith(mark) and text.endswith(mark)


def without_backticks(text: str) -> str:
    """The text without backticks around it."""
    return text[1:-1] if _is_quoted(text, "`") else text


def without_quotes(text: str) -> str:
    """The text without quotes around it."""
    return text[1:-1] if _is_quoted(text, "'") or _is_quoted(text, '"') else text


def unquoted(text: str) -> str:
    """What stands in quotes; MlflowError where none do."""
    if not (_is_quoted(text, "'") or _is_quoted(text, '"')):
        raise invalid_parameter(
            f"Parameter value is either not quoted or unidentified quote types used for string value {text}. "
            "Use either single or double quotes."
        )
    return text[1:-1]


def quoted_list(text: str) -> tuple[str, ...]:
    """The strings of a list in parentheses. Raises MlflowError."""
    try:
        parsed = ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        raise invalid_parameter(
            "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list."
        ) from error
    listed = parsed if isinstance(parsed, tuple) else (parsed,)
    if not listed:
        raise invalid_parameter(
            "While parsing a list in the query, expected a non-empty list of string values, but got empty list"
        )
    if not all(isinstance(each, str) for each in listed):
        raise invalid_parameter(
            "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different "
            f"type in list: {listed}"
        )
    return listed


def order_of(clause: str) -> tuple[str, bool]:
    """What an order_by clause names, and whether ascending. Raises MlflowError."""
    unclear = invalid_parameter(f"Invalid order_by clause '{clause}'. Could not be parsed.")
    found = statements(clause, f"Error on parsing order_by clause '{clause}'")
    if len(found) != 1:
        raise unclear
    tokens = found[0].tokens
    # sqlparse takes `timestamp` for the type, and leaves the direction behind it apart.
    is_type = tokens[0].match(kinds.Name.Builtin, ["timestamp"])
    if len(tokens) == 1 and (is_type or isinstance(tokens[0], sql.Identifier)):
        text = str(tokens[0].value)
    elif is_type and tokens[-1].ttype is kinds.Keyword.Order and all(t.is_whitespace for t in tokens[1:-1]):
        text = f"timestamp {tokens[-1].value}"
    else:
        raise unclear
    try:
        words = shlex.split(text.replace("`", '"'))
    except ValueError as error:
        raise MlflowError("INTERNAL_ERROR", str(error)) from error
    if len(words) > 2:
        raise unclear
    if len(words) < 2:
        return text, True
    if words[1].lower() not in ("asc", "desc"):
        raise invalid_parameter(f"Invalid ordering key in order_by clause '{clause}'.")
    return words[0], words[1].lower() == "asc"
