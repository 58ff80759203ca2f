"""Code: the Python that a case's page shows, highlighted, and the scripts that it offers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from html import escape
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from markupsafe import Markup
    from pygments.lexers import PythonLexer

Json: TypeAlias = dict[str, Any]

CLASSES = {
    "Token.Keyword": "k",
    "Token.Operator.Word": "k",
    "Token.Literal.String": "s",
    "Token.Literal.Number": "m",
    "Token.Comment": "c",
}
"""What is coloured -> the class by which case.css does; the rest stays bare, for small pages."""

ORACLE = "import tensorflow.compat.v1 as tf"


def highlight(code: str) -> Markup:
    """Python code as HTML: its tokens in classes that case.css colours."""
    from markupsafe import Markup

    if '"""' in code or "'''" in code:
        return Markup(_highlighted(code))
    return Markup("".join(map(_highlighted, code.splitlines(keepends=True))))


@lru_cache(maxsize=10_000)  # the checks of a case have nearly all of their lines in common
def _highlighted(code: str) -> str:
    tokens = ((_class(kind), text) for kind, text in _lexer().get_tokens(code))
    pieces = []
    for class_, run in groupby(tokens, key=itemgetter(0)):
        text = escape("".join(text for _, text in run), quote=False)
        pieces.append(f'<i class="{class_}">{text}</i>' if class_ else text)
    return "".join(pieces)


@cache
def _class(kind: Any) -> str:
    """The class of a token type, or of the nearest of those that it is one of."""
    names = (str(each) for each in reversed(kind.split()))
    return next((CLASSES[name] for name in names if name in CLASSES), "")


@cache
def _lexer() -> PythonLexer:
    from pygments.lexers import PythonLexer

    return PythonLexer(stripnl=False, ensurenl=False)


def scripts(check: Json, implementation: Mapping[str, Json]) -> dict[str, str]:
    """The standalone scripts of a check: what is imported -> the script.

    Args:
      check: of report.json.
      implementation: who answered, as in report.json. A module that can be imported by its
        name gets a script, too, since both sides run the same program.
    """
    found = {"TensorFlow": check["script"]}
    namespace = implementation.get(check["profile"], {}).get("namespace", "numpy_tf")
    if not namespace.startswith("tensorflow"):
        line = f"import {namespace} as tf"
        found[namespace] = check["script"].replace(ORACLE, line, 1)
    return found


def query(check: Json) -> str:
    """What is asked of `tf.gradients`: the lines of the script from the ys on."""
    lines = check["script"].split("\n")
    starts = [n for n, line in enumerate(lines) if line.startswith("    ys = ")]
    ends = [n for n, line in enumerate(lines) if line.startswith("    sess.run(")]
    if not starts or not ends:
        return ""
    asked = [line[4:] for line in lines[starts[-1] : ends[0]]]
    return "\n".join(line for line in asked if line and line != "feeds = {}") + "\n"
