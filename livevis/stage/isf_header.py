"""The text half of the ISF 2.0 host: header, inputs, passes, size expressions. Pure: no GL, no numpy."""

from __future__ import annotations

import ast
import json
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livevis.core.errors import ShaderError

Value = float | int | bool | tuple[float, ...]

INPUT_TYPES = ("event", "bool", "long", "float", "point2D", "color", "image", "audio", "audioFFT")
IMAGE_TYPES = ("image", "audio", "audioFFT")

_DEFAULTS: dict[str, Value | None] = {
    "event": False,
    "bool": False,
    "long": 0,
    "float": 0.0,
    "point2D": (0.0, 0.0),
    "color": (0.0, 0.0, 0.0, 1.0),
    "image": None,
    "audio": None,
    "audioFFT": None,
}


@dataclass(frozen=True, slots=True)
class Input:
    """One ISF input: a knob or a picture. `low`/`high` are None where the header gives no range."""

    name: str
    type: str
    default: Value | None
    low: Value | None = None
    high: Value | None = None
    labels: tuple[str, ...] = ()
    values: tuple[int, ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass: `target` "" is the output, `width` and `height` are size expressions ("" = full size)."""

    target: str = ""
    persistent: bool = False
    float32: bool = False
    width: str = ""
    height: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """What an ISF file says about itself; `body_line` is the line on which the GLSL begins (1-based)."""

    name: str
    description: str
    credit: str
    categories: tuple[str, ...]
    version: int
    inputs: tuple[Input, ...]
    passes: tuple[Pass, ...]
    body_line: int

    @property
    def kind(self) -> str:
        """ "filter" (has inputImage), "transition" (startImage, endImage, progress) or "generator"."""
        names = {i.name for i in self.inputs}
        if {"startImage", "endImage", "progress"} <= names:
            return "transition"
        return "filter" if "inputImage" in names else "generator"


def shader_error(path: Path, line: int, message: str) -> ShaderError:
    """The one-line error "file:line: message" that an editor can jump to."""
    return ShaderError(f"{path}:{line}: {message}")


def read_header(path: Path) -> Header:
    """Read one ISF file's header. Raises ShaderError where the file or its JSON cannot be used."""
    return split_source(path)[0]


def split_source(path: Path) -> tuple[Header, str]:
    """(header, GLSL body). Raises ShaderError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise shader_error(path, 0, f"cannot be read: {error}") from error
    found = re.match(r"\s*/\*(.*?)\*/", text, re.DOTALL)
    if not found:
        raise shader_error(path, 1, "no ISF header: the file must begin with a /*{ JSON }*/ comment")
    body_line = text.count("\n", 0, found.end()) + 1
    header_line = text.count("\n", 0, found.start(1)) + 1
    header = _header(path, _tolerant_json(found.group(1), path, header_line), body_line)
    return header, _with_includes(path, text[found.end() :], body_line)


def _with_includes(path: Path, body: str, first_line: int) -> str:
    """Put the file that each `#include "name.glsl"` line names in its place; it must lie beside the shader."""

    def content(found: re.Match[str]) -> str:
        line = first_line + body.count("\n", 0, found.start())
        if not re.fullmatch(r"\w+\.glsl", found[1]):
            raise shader_error(path, line, f"cannot include {found[1]}: only name.glsl beside the shader can be")
        try:
            text = path.with_name(found[1]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise shader_error(path, line, f"cannot include {found[1]}: {error}") from error
        return f"#line 1\n{text}\n#line {line + 1}"

    return re.sub(r'^[ \t]*#[ \t]*include[ \t]+"([^"\n]*)"[ \t]*$', content, body, flags=re.MULTILINE)


_COMMA_OR_STRING = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|,(?=\s*[}\]])')


def _tolerant_json(text: str, path: Path, first_line: int) -> dict[str, Any]:
    """JSON with the trailing commas and // comments that shaders in the wild carry."""
    clean = _COMMA_OR_STRING.sub(r"\1", text)
    clean = _COMMA_OR_STRING.sub(r"\1", clean)  # again: a comment may have stood behind a trailing comma
    try:
        found = json.loads(clean)
    except json.JSONDecodeError as error:
        raise shader_error(path, first_line + error.lineno - 1, f"header is not JSON: {error.msg}") from error
    if not isinstance(found, dict):
        raise shader_error(path, first_line, "header must be a JSON object")
    return found


def _header(path: Path, raw: Mapping[str, Any], body_line: int) -> Header:
    if raw.get("IMPORTED"):
        raise shader_error(path, 1, "IMPORTED pictures are not supported; declare an image input instead")
    passes = tuple(_pass(path, row) for row in raw.get("PASSES", [])) or (Pass(),)
    return Header(
        name=path.stem,
        description=str(raw.get("DESCRIPTION", "")),
        credit=str(raw.get("CREDIT", "")),
        categories=tuple(str(c) for c in raw.get("CATEGORIES", [])),
        version=2 if "ISFVSN" in raw else 1,
        inputs=tuple(_input(path, row) for row in raw.get("INPUTS", [])),
        passes=_version1_persistence(raw, passes),
        body_line=body_line,
    )


def _version1_persistence(raw: Mapping[str, Any], passes: tuple[Pass, ...]) -> tuple[Pass, ...]:
    """ISF 1 names its persistent buffers once at the top level instead of in each pass."""
    old = raw.get("PERSISTENT_BUFFERS", [])
    names = set(old)
    flags: Mapping[str, Any] = old if isinstance(old, dict) else {}
    return tuple(
        Pass(p.target, True, bool(flags.get(p.target, {}).get("FLOAT", p.float32)), p.width, p.height)
        if p.target in names
        else p
        for p in passes
    )


def _identifier(path: Path, name: object, what: str) -> str:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise shader_error(path, 1, f"{what} {name!r} is not a GLSL name")
    return name


def _pass(path: Path, row: Mapping[str, Any]) -> Pass:
    target = str(row.get("TARGET", ""))
    if target:
        _identifier(path, target, "pass target")
    made = Pass(
        target=target,
        persistent=bool(row.get("PERSISTENT", False)),
        float32=bool(row.get("FLOAT", False)),
        width=str(row.get("WIDTH", "")),
        height=str(row.get("HEIGHT", "")),
    )
    for text in (made.width, made.height):
        try:
            _tree(text or "1")
        except ValueError as error:
            raise shader_error(path, 1, str(error)) from error
    return made


def _input(path: Path, row: Mapping[str, Any]) -> Input:
    name = _identifier(path, row.get("NAME"), "input name")
    kind = row.get("TYPE")
    if kind not in INPUT_TYPES:
        raise shader_error(path, 1, f"input {name} has type {kind!r}; the types are {', '.join(INPUT_TYPES)}")
    labels = tuple(str(v) for v in row.get("LABELS", []))
    values = tuple(int(v) for v in row.get("VALUES", range(len(labels))))
    fallback = values[0] if kind == "long" and values else _DEFAULTS[kind]
    try:
        default = _value(kind, row["DEFAULT"]) if "DEFAULT" in row else fallback
        low, high = (_value(kind, row[k]) if k in row else None for k in ("MIN", "MAX"))
    except (TypeError, ValueError) as error:
        raise shader_error(path, 1, f"input {name}: {error}") from error
    return Input(name, kind, default, low, high, labels, values, str(row.get("LABEL", name)))


def _value(kind: str, raw: Any) -> Value | None:
    if kind in IMAGE_TYPES:
        return None
    if kind in ("point2D", "color"):
        length = 2 if kind == "point2D" else 4
        if len(raw) != length:
            raise ValueError(f"{kind} needs {length} numbers, not {raw!r}")
        return tuple(float(v) for v in raw)
    if kind == "float":
        return float(raw)
    return int(raw) if kind == "long" else bool(raw)


_BINARY: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
_CALLS: dict[str, Callable[..., float]] = {
    "floor": math.floor,
    "ceil": math.ceil,
    "round": round,
    "min": min,
    "max": max,
    "abs": abs,
    "sqrt": math.sqrt,
}


def _tree(text: str) -> ast.expr:
    try:
        return ast.parse(re.sub(r"\$(\w+)", r"\1", text).strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"size expression {text!r} is not arithmetic") from error


def evaluate_size(text: str, names: Mapping[str, float]) -> int:
    """A WIDTH/HEIGHT expression over `$WIDTH $HEIGHT $<input>` in pixels, at least 1.

    Walks a whitelisted syntax tree (numbers, names, + - * / %, floor ceil round min max abs sqrt);
    anything else raises ValueError.
    """
    try:
        return max(1, int(_evaluate(_tree(text), names, text)))
    except (ZeroDivisionError, OverflowError, TypeError) as error:
        raise ValueError(f"size expression {text!r}: {error}") from error


def _evaluate(node: ast.expr, names: Mapping[str, float], text: str) -> float:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.Name(id=name) if name in names:
            return float(names[name])
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_evaluate(inner, names, text)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_evaluate(left, names, text), _evaluate(right, names, text))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _CALLS:
            return _CALLS[name](*(_evaluate(a, names, text) for a in args))
    legal = ", ".join(sorted(names))
    raise ValueError(f"size expression {text!r} may not hold {ast.unparse(node)!r}; names: {legal}")
